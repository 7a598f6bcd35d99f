/**
 * Memory and block I/O of a cgroup, of either version, from the group up to the
 * root: limits hold on every level.
 *
 * @module
 */

import type {
  CgroupDeviceIo,
  CgroupIoLimit,
  CgroupIoMeasurement,
  CgroupMemoryMeasurement,
  CgroupTaskMeasurement,
} from "../api/resource_measurements.ts";
import { sanitizeText } from "../api/text.ts";
import { readText } from "./host_files.ts";
import { toCount } from "./procfs_parsers.ts";

/** No memory limit is written as a number of pages that no machine has (PAGE_COUNTER_MAX). */
const UNLIMITED_BYTES_MIN = 2 ** 62;

/** A group directory and its parents in one hierarchy, innermost first. */
export interface GroupChain {
  readonly version: 1 | 2;
  readonly directories: readonly string[];
}

/**
 * Yields the memory figures of the group in `chain` that is nearest to its
 * limit; those of the innermost when there is no limit. Events are totals.
 * `undefined`: nothing is said.
 */
export function readGroupMemory(chain: GroupChain): CgroupMemoryMeasurement | undefined {
  const read = chain.version === 1 ? readV1Memory : readV2Memory;
  const groups = chain.directories.map(read).filter((group) => group !== undefined);
  const headroomBytes = ({ limitBytes, usageBytes }: CgroupMemoryMeasurement) =>
    limitBytes === undefined ? Infinity : limitBytes - (usageBytes ?? 0);
  return groups.reduce<CgroupMemoryMeasurement | undefined>(
    (nearest, group) => nearest === undefined || headroomBytes(group) < headroomBytes(nearest) ? group : nearest,
    undefined,
  );
}

/** Yields the tasks of the group in `chain` that is nearest to its limit; `undefined`: nothing is said. */
export function readGroupTasks(chain: GroupChain): CgroupTaskMeasurement | undefined {
  const groups = chain.directories.flatMap((directory) => {
    const usageCount = readParsed(`${directory}/pids.current`, parseBytes);
    if (usageCount === undefined) return [];
    return [{ path: sanitizeText(directory), usageCount, limitCount: readParsed(`${directory}/pids.max`, parseBytes) }];
  });
  const headroom = (group: CgroupTaskMeasurement) => (group.limitCount ?? Infinity) - group.usageCount;
  return groups.reduce<CgroupTaskMeasurement | undefined>(
    (nearest, group) => nearest === undefined || headroom(group) < headroom(nearest) ? group : nearest,
    undefined,
  );
}

/** Yields what the innermost group of `chain` moved in all, and the limits of each; `undefined`: nothing is said. */
export function readGroupIo(chain: GroupChain): CgroupIoMeasurement | undefined {
  const [own] = chain.directories;
  if (own === undefined) return undefined;
  const devices = chain.version === 1 ? readV1Devices(own) : readParsed(`${own}/io.stat`, parseIoStat);
  if (devices === undefined) return undefined;
  const readLimits = chain.version === 1 ? readV1Limits : readV2Limits;
  return { devices, limits: chain.directories.flatMap(readLimits) };
}

function readV2Memory(directory: string): CgroupMemoryMeasurement | undefined {
  const usageBytes = readParsed(`${directory}/memory.current`, parseBytes);
  if (usageBytes === undefined) return undefined;
  const events = readParsed(`${directory}/memory.events`, parseFlatKeyed) ?? new Map();
  const statistics = readParsed(`${directory}/memory.stat`, parseFlatKeyed) ?? new Map();
  return {
    path: sanitizeText(directory),
    limitBytes: readParsed(`${directory}/memory.max`, parseBytes),
    highBytes: readParsed(`${directory}/memory.high`, parseBytes),
    usageBytes,
    peakBytes: readParsed(`${directory}/memory.peak`, parseBytes),
    anonymousBytes: sumOf([statistics.get("anon"), statistics.get("shmem")]),
    swapBytes: readParsed(`${directory}/memory.swap.current`, parseBytes),
    highEventCount: events.get("high"),
    maxEventCount: events.get("max"),
    oomEventCount: events.get("oom"),
    oomKillCount: events.get("oom_kill"),
  };
}

function readV1Memory(directory: string): CgroupMemoryMeasurement | undefined {
  const usageBytes = readParsed(`${directory}/memory.usage_in_bytes`, parseBytes);
  if (usageBytes === undefined) return undefined;
  const statistics = readParsed(`${directory}/memory.stat`, parseFlatKeyed) ?? new Map();
  return {
    path: sanitizeText(directory),
    limitBytes: readParsed(`${directory}/memory.limit_in_bytes`, parseBytes),
    highBytes: undefined,
    usageBytes,
    peakBytes: readParsed(`${directory}/memory.max_usage_in_bytes`, parseBytes),
    anonymousBytes: sumOf([statistics.get("total_rss"), statistics.get("total_shmem")]),
    swapBytes: statistics.get("total_swap"),
    highEventCount: undefined,
    maxEventCount: readParsed(`${directory}/memory.failcnt`, parseBytes),
    oomEventCount: undefined,
    oomKillCount: readParsed(`${directory}/memory.oom_control`, parseFlatKeyed)?.get("oom_kill"),
  };
}

/** Parses one number; "max", and what v1 writes for no limit, is `undefined`. */
export function parseBytes(text: string): number | undefined {
  const bytes = toCount(text.trim());
  return bytes === undefined || bytes >= UNLIMITED_BYTES_MIN ? undefined : bytes;
}

/** Parses "name 123" per line; lines of another form are left out. */
export function parseFlatKeyed(text: string): ReadonlyMap<string, number> {
  const figures = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [name, value, ...rest] = line.trim().split(/\s+/);
    const count = toCount(value);
    if (name !== undefined && count !== undefined && rest.length === 0) figures.set(name, count);
  }
  return figures;
}

const DEVICE = /^\d+:\d+$/;

/** Parses v2 `io.stat`: "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6". */
export function parseIoStat(text: string): readonly CgroupDeviceIo[] {
  return parseNestedKeyed(text).map(({ device, values }) => ({
    device,
    readBytes: toCount(values.get("rbytes")) ?? 0,
    writeBytes: toCount(values.get("wbytes")) ?? 0,
    readOperationCount: toCount(values.get("rios")) ?? 0,
    writeOperationCount: toCount(values.get("wios")) ?? 0,
  }));
}

/** Parses v2 `io.max`: "8:0 rbps=2097152 wbps=max riops=max wiops=120". */
export function parseIoMax(text: string): readonly CgroupIoLimit[] {
  return parseNestedKeyed(text).map(({ device, values }) => ({
    device,
    readBytesPerSecond: toCount(values.get("rbps")), // "max" is no count
    writeBytesPerSecond: toCount(values.get("wbps")),
    readOperationsPerSecond: toCount(values.get("riops")),
    writeOperationsPerSecond: toCount(values.get("wiops")),
  }));
}

function parseNestedKeyed(text: string): readonly { device: string; values: ReadonlyMap<string, string> }[] {
  return text.split("\n").flatMap((line) => {
    const [device = "", ...pairs] = line.trim().split(/\s+/);
    if (!DEVICE.test(device)) return [];
    const values = pairs.map((pair) => pair.split("=")).flatMap(([name, value]) =>
      name === undefined || value === undefined ? [] : [[name, value] as const]
    );
    return [{ device, values: new Map(values) }];
  });
}

/** Parses v1 "8:0 Read 123" lines into counts by device and direction; "Total" and other directions are left out. */
export function parseV1Directions(
  text: string,
): ReadonlyMap<string, { readonly read: number; readonly write: number }> {
  const found = new Map<string, { read: number; write: number }>();
  for (const line of text.split("\n")) {
    const [device = "", direction, value] = line.trim().split(/\s+/);
    const count = toCount(value);
    if (!DEVICE.test(device) || count === undefined) continue;
    const entry = found.get(device) ?? { read: 0, write: 0 };
    if (direction === "Read") entry.read = count;
    if (direction === "Write") entry.write = count;
    found.set(device, entry);
  }
  return found;
}

/** The recursive files count what groups below moved too, as v2 does. */
function readV1Devices(directory: string): readonly CgroupDeviceIo[] | undefined {
  const bytes = readParsed(`${directory}/blkio.throttle.io_service_bytes_recursive`, parseV1Directions);
  const operations = readParsed(`${directory}/blkio.throttle.io_serviced_recursive`, parseV1Directions);
  if (bytes === undefined || operations === undefined) return undefined;
  return Array.from(bytes, ([device, moved]) => {
    const count = operations.get(device) ?? { read: 0, write: 0 };
    return {
      device,
      readBytes: moved.read,
      writeBytes: moved.write,
      readOperationCount: count.read,
      writeOperationCount: count.write,
    };
  });
}

const V1_LIMITS: readonly (readonly [file: string, field: keyof Omit<CgroupIoLimit, "device">])[] = [
  ["read_bps_device", "readBytesPerSecond"],
  ["write_bps_device", "writeBytesPerSecond"],
  ["read_iops_device", "readOperationsPerSecond"],
  ["write_iops_device", "writeOperationsPerSecond"],
];

const NO_LIMIT = {
  readBytesPerSecond: undefined,
  writeBytesPerSecond: undefined,
  readOperationsPerSecond: undefined,
  writeOperationsPerSecond: undefined,
};

/** One row per device, of a file per figure. */
function readV1Limits(directory: string): readonly CgroupIoLimit[] {
  const path = sanitizeText(directory);
  const byDevice = new Map<string, CgroupIoLimit>();
  for (const [file, field] of V1_LIMITS) {
    const limits = readParsed(`${directory}/blkio.throttle.${file}`, parseFlatKeyed) ?? new Map<string, number>();
    for (const [device, limit] of limits) {
      byDevice.set(device, { ...(byDevice.get(device) ?? { ...NO_LIMIT, path, device }), [field]: limit });
    }
  }
  return [...byDevice.values()];
}

function readV2Limits(directory: string): readonly CgroupIoLimit[] {
  const path = sanitizeText(directory);
  return (readParsed(`${directory}/io.max`, parseIoMax) ?? []).map((limit) => ({ ...limit, path }));
}

function sumOf(parts: readonly (number | undefined)[]): number | undefined {
  const known = parts.filter((part) => part !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, part) => sum + part, 0);
}

function readParsed<T>(path: string, parse: (text: string) => T): T | undefined {
  const text = readText(path);
  return text === undefined ? undefined : parse(text);
}
