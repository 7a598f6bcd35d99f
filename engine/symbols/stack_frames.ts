/**
 * Code addresses of a process as frames of a stack.
 *
 * @module
 */

import type { FrameProblem, StackFrame } from "../api/measurements.ts";
import { unnamedFrame } from "../api/unnamed_frame.ts";

/** What the kernel appends to the path of a file that was unlinked. */
const DELETED_SUFFIX = " (deleted)";

/** One mapping of a process, as `/proc/PID/maps` has it. */
export interface CodeMapping {
  /** First address of it. */
  readonly begin: bigint;
  /** First address after it. */
  readonly end: bigint;
  /** Of its first byte, in the file. */
  readonly fileOffset: bigint;
  /** "" anonymous, "[heap]" and the like, or a file's; not sanitised. */
  readonly path: string;
}

/** What is known of one address. */
export interface CodePlace {
  /** Not sanitised; `undefined`: no function is known there. */
  readonly function: { readonly name: string; readonly offset: number } | undefined;
  /** Of the file it is mapped from. */
  readonly buildId: string | undefined;
  /** Why no function is known; missing: one is. */
  readonly problem?: FrameProblem;
}

/** Yields what is known of `address`, which lies in `mapping`; `undefined`: nothing. */
export type PlaceOf<Mapping extends CodeMapping> = (
  address: bigint,
  mapping: Mapping | undefined,
) => CodePlace | undefined;

/**
 * Yields one frame per address, in order.
 *
 * Frames but the innermost are return addresses: the call is before them, and
 * may be the last instruction of its function.
 *
 * @param mappings of the process, ascending as the kernel lists them; names are not sanitised, nor is the result
 */
export function describeAddresses<Mapping extends CodeMapping>(
  addresses: readonly bigint[],
  mappings: readonly Mapping[],
  placeOf: PlaceOf<Mapping>,
): readonly StackFrame[] {
  return addresses.map((address, index) => {
    const back = index === 0 || address === 0n ? 0n : 1n;
    const mapping = findMapping(address - back, mappings);
    const place = placeOf(address - back, mapping);
    const named = place?.function;
    const module = mapping === undefined ? "" : moduleName(mapping.path);
    if (named !== undefined) {
      const offset = named.offset + Number(back);
      return {
        text: `${named.name}+0x${offset.toString(16)}`,
        function: named.name,
        offset,
        module: module || undefined,
        buildId: place?.buildId,
        isResolved: true,
      };
    }
    const problem = place?.problem ?? (mappings.length === 0 ? "processGone" : mapping && "unreadable") ?? "notMapped";
    return { ...unresolvedFrame(address, { mapping, module, buildId: place?.buildId }), problem };
  });
}

function unresolvedFrame(
  address: bigint,
  found: { mapping: CodeMapping | undefined; module: string; buildId: string | undefined },
): StackFrame {
  const { mapping, module, buildId } = found;
  if (mapping === undefined || module === "") {
    return unnamedFrame(address);
  }
  const offset = address - mapping.begin + mapping.fileOffset;
  const id = buildId === undefined ? "" : `[buildid:${buildId}]`;
  return {
    text: `${module}${id}+0x${offset.toString(16)}`,
    function: undefined,
    offset: Number(offset),
    module,
    buildId,
    isResolved: false,
  };
}

/** Binary search: a large program has ten thousand mappings, a report a thousand frames. */
function findMapping<Mapping extends CodeMapping>(
  address: bigint,
  mappings: readonly Mapping[],
): Mapping | undefined {
  let low = 0;
  let high = mappings.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const mapping = mappings[middle];
    if (mapping !== undefined && mapping.end <= address) low = middle + 1;
    else high = middle;
  }
  const found = mappings[low];
  return found !== undefined && found.begin <= address ? found : undefined;
}

function moduleName(path: string): string {
  const live = path.endsWith(DELETED_SUFFIX) ? path.slice(0, -DELETED_SUFFIX.length) : path;
  return live.slice(live.lastIndexOf("/") + 1);
}
