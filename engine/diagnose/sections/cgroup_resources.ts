/**
 * What each cgroup uses of CPU, memory and disks, what it may use, and how
 * often its limits were felt.
 *
 * @module
 */

import type { CgroupMeasurement, PressureMeasurement } from "../../api/measurements.ts";
import type {
  CgroupDeviceIo,
  CgroupIoLimit,
  CgroupIoMeasurement,
  CgroupMemoryMeasurement,
  CgroupResourceMeasurement,
} from "../../api/resource_measurements.ts";
import { formatBytes, formatCount, formatMs } from "../format.ts";
import type { FiguresOf, SectionInput } from "./section_input.ts";

type Row = FiguresOf<"cgroup_resources">["cgroups"][number];
type Memory = NonNullable<Row["memory"]>;
type Io = NonNullable<Row["io"]>;

const ROWS_MAX = 1000;
const ROWS_SHOWN_MAX = 3;
const DEVICES_SHOWN_MAX = 4;

/** `undefined`: no cgroup says anything of itself. In order of the targets. */
export function cgroupResourceFigures({ measurements }: SectionInput): FiguresOf<"cgroup_resources"> | undefined {
  const resources = new Map(measurements.cgroupResources.map((entry) => [keyOf(entry), entry]));
  const cgroups = new Map(measurements.cgroups.map((entry) => [keyOf(entry), entry]));
  const rows = Array.from(
    new Set([...cgroups.keys(), ...resources.keys()]),
    (key) => toRow(cgroups.get(key), resources.get(key)),
  ).filter((row) => row !== undefined);
  if (rows.length === 0) return undefined;
  return { cgroups: rows.slice(0, ROWS_MAX), omitted: Math.max(0, rows.length - ROWS_MAX) };
}

function keyOf({ targetId, path }: { readonly targetId: string; readonly path: string }): string {
  return `${targetId} ${path}`;
}

function toRow(
  cgroup: CgroupMeasurement | undefined,
  resources: CgroupResourceMeasurement | undefined,
): Row | undefined {
  const subject = cgroup ?? resources;
  if (subject === undefined) return undefined;
  const memory = resources?.memory && toMemory(resources.memory);
  const io = resources?.io && toIo(resources.io);
  const cpu = cgroup && toCpu(cgroup);
  const pressure = cgroup?.pressure && toPressure(cgroup.pressure);
  if ([cpu, memory, io, pressure].every((part) => part === undefined)) return undefined;
  return { target: subject.targetId, path: subject.path, cpu, memory, io, pressure };
}

function toCpu(cgroup: CgroupMeasurement): Row["cpu"] {
  return whereKnown({
    limit_cpus: cgroup.cpuLimit,
    usage_ms: cgroup.cpuUsageMs,
    periods: cgroup.periodCount,
    throttled_periods: cgroup.throttledPeriodCount,
    throttled_ms: cgroup.throttledMs,
  });
}

function toMemory(memory: CgroupMemoryMeasurement): Row["memory"] {
  return whereKnown({
    limit_bytes: memory.limitBytes,
    high_bytes: memory.highBytes,
    usage_bytes: memory.usageBytes,
    peak_bytes: memory.peakBytes,
    anonymous_bytes: memory.anonymousBytes,
    swap_bytes: memory.swapBytes,
    high_events: memory.highEventCount,
    max_events: memory.maxEventCount,
    oom_events: memory.oomEventCount,
    oom_kills: memory.oomKillCount,
  });
}

function toIo({ devices, limits }: CgroupIoMeasurement): Row["io"] {
  return { devices: devices.map(toDevice), limits: limits.map(toLimit) };
}

function toDevice(device: CgroupDeviceIo): Io["devices"][number] {
  return {
    device: device.device,
    read_bytes: device.readBytes,
    write_bytes: device.writeBytes,
    read_operations: device.readOperationCount,
    write_operations: device.writeOperationCount,
  };
}

function toLimit(limit: CgroupIoLimit): Io["limits"][number] {
  return {
    device: limit.device,
    read_bytes_per_second: limit.readBytesPerSecond,
    write_bytes_per_second: limit.writeBytesPerSecond,
    read_operations_per_second: limit.readOperationsPerSecond,
    write_operations_per_second: limit.writeOperationsPerSecond,
  };
}

function toPressure(pressure: PressureMeasurement): Row["pressure"] {
  return whereKnown({
    cpu_some_ms: pressure.cpuSomeMs,
    io_some_ms: pressure.ioSomeMs,
    io_full_ms: pressure.ioFullMs,
    memory_some_ms: pressure.memorySomeMs,
    memory_full_ms: pressure.memoryFullMs,
  });
}

/** `undefined`: nobody could tell any of them. */
function whereKnown<Figures extends Readonly<Record<string, number | undefined>>>(
  figures: Figures,
): Figures | undefined {
  return Object.values(figures).some((figure) => figure !== undefined) ? figures : undefined;
}

export function renderCgroupResources({ cgroups, omitted }: FiguresOf<"cgroup_resources">): readonly string[] {
  const shown = cgroups.slice(0, ROWS_SHOWN_MAX);
  const hiddenCount = cgroups.length - shown.length + omitted;
  return [
    ...shown.flatMap((row) => [`${row.path}:`, ...describeCgroup(row).map((line) => `  ${line}`)]),
    ...(hiddenCount > 0 ? [`and ${formatCount(hiddenCount, "more cgroup")}`] : []),
  ];
}

/** Yields a line per kind of resource. */
export function describeCgroup(row: Row): readonly string[] {
  const io = row.io === undefined ? [] : describeIo(row.io);
  return [describeCpu(row.cpu), describeMemory(row.memory), ...io, describePressure(row.pressure)]
    .filter((line) => line !== undefined);
}

/** Yields "CPU: 120.00 ms used, limit 0.50 CPUs, throttled in 3 of 40 periods (80.00 ms)". */
export function describeCpu(cpu: Row["cpu"]): string | undefined {
  if (cpu === undefined) return undefined;
  const { usage_ms, limit_cpus, throttled_periods, periods, throttled_ms } = cpu;
  return `CPU: ${
    [
      usage_ms === undefined ? "use not known" : `${formatMs(usage_ms)} used`,
      limit_cpus === undefined ? "no limit" : `limit ${limit_cpus.toFixed(2)} CPUs`,
      ...(limit_cpus === undefined || throttled_periods === undefined || periods === undefined ? [] : [
        `throttled in ${throttled_periods} of ${formatCount(periods, "period")}` +
        (throttled_ms === undefined ? "" : ` (${formatMs(throttled_ms)})`),
      ]),
    ].join(", ")
  }`;
}

/** Yields "memory: 90.00 MB used, limit 128.00 MB, peak 100.00 MB, 80.00 MB of it anonymous, ...". */
export function describeMemory(memory: Memory | undefined): string | undefined {
  if (memory === undefined) return undefined;
  const times = (count: number | undefined, what: string) =>
    count === undefined || count === 0 ? [] : [`${what} ${formatCount(count, "time")}`];
  const size = (byteCount: number | undefined, describe: (text: string) => string) =>
    byteCount === undefined ? [] : [describe(formatBytes(byteCount))];
  return `memory: ${
    [
      memory.usage_bytes === undefined ? "use not known" : `${formatBytes(memory.usage_bytes)} used`,
      memory.limit_bytes === undefined ? "no limit" : `limit ${formatBytes(memory.limit_bytes)}`,
      ...size(memory.high_bytes, (text) => `slowed down above ${text}`),
      ...size(memory.anonymous_bytes, (text) => `${text} of it anonymous`),
      ...size(memory.peak_bytes, (text) => `peak ${text}`),
      ...size(memory.swap_bytes === 0 ? undefined : memory.swap_bytes, (text) => `${text} swapped out`),
      ...times(memory.high_events, "slowed down"),
      ...times(memory.max_events, "at the limit"),
      ...times(memory.oom_events, "out of memory"),
      ...(memory.oom_kills ? [formatCount(memory.oom_kills, "kill")] : []),
    ].join(", ")
  }`;
}

/** Yields a line per device: "I/O of 8:0: read 4.00 MB (7 requests), written 0 B (0 requests), limit ...". */
export function describeIo({ devices, limits }: Io): readonly string[] {
  const used = new Set(devices.map(({ device }) => device));
  const lines = [
    ...devices.map((device) =>
      `I/O of ${device.device}: read ${formatBytes(device.read_bytes)} ` +
      `(${formatCount(device.read_operations, "request")}), written ${formatBytes(device.write_bytes)} ` +
      `(${formatCount(device.write_operations, "request")})` +
      limits.filter((limit) => limit.device === device.device).map((limit) => `, ${describeLimit(limit)}`).join("")
    ),
    ...limits.filter((limit) => !used.has(limit.device)).map((limit) =>
      `I/O of ${limit.device}: not used, ${describeLimit(limit)}`
    ),
  ];
  const hiddenCount = lines.length - DEVICES_SHOWN_MAX;
  return hiddenCount > 0
    ? [...lines.slice(0, DEVICES_SHOWN_MAX), `I/O of ${formatCount(hiddenCount, "more device")}`]
    : lines;
}

function describeLimit(limit: Io["limits"][number]): string {
  const rate = (value: number | undefined, describe: (value: number) => string) =>
    value === undefined ? [] : [describe(value)];
  return `limit ${
    [
      ...rate(limit.read_bytes_per_second, (value) => `read ${formatBytes(value)}/s`),
      ...rate(limit.write_bytes_per_second, (value) => `write ${formatBytes(value)}/s`),
      ...rate(limit.read_operations_per_second, (value) => `read ${value} requests/s`),
      ...rate(limit.write_operations_per_second, (value) => `write ${value} requests/s`),
    ].join(", ")
  }`;
}

const PRESSURE_NAMES = {
  cpu_some_ms: "CPU",
  io_some_ms: "I/O",
  io_full_ms: "I/O (all tasks)",
  memory_some_ms: "memory",
  memory_full_ms: "memory (all tasks)",
} as const;

/** Yields for what tasks stood still in the window; `undefined`: for nothing. */
export function describePressure(pressure: Row["pressure"]): string | undefined {
  if (pressure === undefined) return undefined;
  const parts = (Object.keys(PRESSURE_NAMES) as (keyof typeof PRESSURE_NAMES)[]).flatMap((key) => {
    const ms = pressure[key];
    return ms === undefined || ms < 0.005 ? [] : [`${PRESSURE_NAMES[key]} ${formatMs(ms)}`];
  });
  return parts.length === 0 ? undefined : `stalled for want of: ${parts.join(", ")}`;
}
