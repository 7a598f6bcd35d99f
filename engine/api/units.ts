/**
 * Brands: numbers and strings that must not be mixed up, each with one way to
 * be made.
 *
 * @module
 */

declare const brand: unique symbol;

/** `T` that only its own constructor function can make. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** cgroup v2 id: the kernfs node id, all 64 bits of it. */
export type CgroupId = Brand<bigint, "CgroupId">;

/** Process id as the host's pid namespace knows it; what the kernel calls tgid. */
export type ProcessId = Brand<number, "ProcessId">;

/** Names a target for as long as it is traced; a pod UID, a container id, `pid:N`. */
export type TargetId = Brand<string, "TargetId">;

/** "namespace/name" of a CR, or the one route of a `diagnose` run. */
export type RouteId = Brand<string, "RouteId">;

/** Bundle name and version: what exporter instances are shared by. */
export type ExporterKey = Brand<string, "ExporterKey">;

/** Bit n is set when events of kind n are wanted (kinds: `EventKind`). */
export type EventKindMask = Brand<number, "EventKindMask">;

const U64_MAX = 0xffff_ffff_ffff_ffffn;

/** Linux never hands out larger ones (`PID_MAX_LIMIT`, include/linux/threads.h). */
const PROCESS_ID_MAX = 4 * 1024 * 1024;

/**
 * Yields `raw` as a cgroup id.
 *
 * @throws {RangeError} If `raw` is not a u64
 */
export function toCgroupId(raw: bigint): CgroupId {
  if (raw < 0n || raw > U64_MAX) {
    throw new RangeError(`Cannot make a cgroup id: expected a u64, got ${raw}`);
  }
  return raw as CgroupId;
}

/**
 * Yields `raw` as a process id.
 *
 * @throws {RangeError} If `raw` is not an integer from 1 to 4194304
 */
export function toProcessId(raw: number): ProcessId {
  if (!Number.isInteger(raw) || raw < 1 || raw > PROCESS_ID_MAX) {
    throw new RangeError(
      `Cannot make a process id: expected an integer from 1 to ${PROCESS_ID_MAX}, got ${raw}`,
    );
  }
  return raw as ProcessId;
}

/**
 * Yields `raw` as the id of a target.
 *
 * @throws {RangeError} If `raw` is empty
 */
export function toTargetId(raw: string): TargetId {
  return nonEmpty(raw, "target id") as TargetId;
}

/**
 * Yields `raw` as the id of a route.
 *
 * @throws {RangeError} If `raw` is empty
 */
export function toRouteId(raw: string): RouteId {
  return nonEmpty(raw, "route id") as RouteId;
}

/**
 * Yields `raw` as the key of an exporter.
 *
 * @throws {RangeError} If `raw` is empty
 */
export function toExporterKey(raw: string): ExporterKey {
  return nonEmpty(raw, "exporter key") as ExporterKey;
}

function nonEmpty(raw: string, what: string): string {
  if (raw === "") {
    throw new RangeError(`Cannot make a ${what}: expected text, got ""`);
  }
  return raw;
}
