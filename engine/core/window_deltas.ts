/**
 * What changed over the window in counters that only grow. Pure.
 *
 * @module
 */

import type { CgroupReading } from "../api/host_reader.ts";
import type { CgroupMeasurement, PressureMeasurement } from "../api/measurements.ts";
import type {
  CgroupDeviceIo,
  CgroupIoMeasurement,
  CgroupMemoryMeasurement,
  CgroupResourceMeasurement,
} from "../api/resource_measurements.ts";
import type { TargetId } from "../api/units.ts";

/** Yields one cgroup's measurement; where either reading lacks a figure, the delta is unknown. */
export function toCgroupMeasurement(
  cgroup: { readonly targetId: TargetId; readonly path: string },
  readings: { readonly begin: CgroupReading | undefined; readonly end: CgroupReading | undefined },
): CgroupMeasurement {
  const { begin, end } = readings;
  return {
    targetId: cgroup.targetId,
    path: cgroup.path,
    cpuLimit: (end ?? begin)?.cpuLimit,
    cpuLimitPath: (end ?? begin)?.cpuLimitPath,
    periodCount: delta(begin?.periodCount, end?.periodCount),
    throttledPeriodCount: delta(begin?.throttledPeriodCount, end?.throttledPeriodCount),
    throttledMs: delta(begin?.throttledMs, end?.throttledMs),
    cpuUsageMs: delta(begin?.cpuUsageMs, end?.cpuUsageMs),
    pressure: toPressureDelta(begin?.pressure, end?.pressure),
  };
}

/** Yields one cgroup's memory and I/O: use and limits as they are at the end, events and I/O of the window. */
export function toCgroupResources(
  cgroup: { readonly targetId: TargetId; readonly path: string },
  readings: { readonly begin: CgroupReading | undefined; readonly end: CgroupReading | undefined },
): CgroupResourceMeasurement {
  const { begin, end } = readings;
  return {
    targetId: cgroup.targetId,
    path: cgroup.path,
    memory: end?.memory && toMemoryDelta(begin?.memory, end.memory),
    io: end?.io && begin?.io && toIoDelta(begin.io, end.io),
    tasks: end?.tasks,
  };
}

function toMemoryDelta(
  begin: CgroupMemoryMeasurement | undefined,
  end: CgroupMemoryMeasurement,
): CgroupMemoryMeasurement {
  return {
    ...end,
    highEventCount: delta(begin?.highEventCount, end.highEventCount),
    maxEventCount: delta(begin?.maxEventCount, end.maxEventCount),
    oomEventCount: delta(begin?.oomEventCount, end.oomEventCount),
    oomKillCount: delta(begin?.oomKillCount, end.oomKillCount),
  };
}

function toIoDelta(begin: CgroupIoMeasurement, end: CgroupIoMeasurement): CgroupIoMeasurement {
  const before = new Map(begin.devices.map((io) => [io.device, io]));
  const devices = end.devices.map((io): CgroupDeviceIo => {
    const since = before.get(io.device);
    if (since === undefined) return io; // a device appears with its first request
    return {
      device: io.device,
      readBytes: grown(since.readBytes, io.readBytes),
      writeBytes: grown(since.writeBytes, io.writeBytes),
      readOperationCount: grown(since.readOperationCount, io.readOperationCount),
      writeOperationCount: grown(since.writeOperationCount, io.writeOperationCount),
    };
  });
  return { limits: end.limits, devices: devices.filter((io) => io.readOperationCount + io.writeOperationCount > 0) };
}

/** Yields the stall time between two readings; `undefined` when one is missing. */
export function toPressureDelta(
  begin: PressureMeasurement | undefined,
  end: PressureMeasurement | undefined,
): PressureMeasurement | undefined {
  if (begin === undefined || end === undefined) return undefined;
  return {
    cpuSomeMs: delta(begin.cpuSomeMs, end.cpuSomeMs),
    ioSomeMs: delta(begin.ioSomeMs, end.ioSomeMs),
    ioFullMs: delta(begin.ioFullMs, end.ioFullMs),
    memorySomeMs: delta(begin.memorySomeMs, end.memorySomeMs),
    memoryFullMs: delta(begin.memoryFullMs, end.memoryFullMs),
  };
}

function delta(begin: number | undefined, end: number | undefined): number | undefined {
  return begin === undefined || end === undefined ? undefined : grown(begin, end);
}

/** A counter that went back was made anew (the cgroup was recreated): then all of it is new. */
function grown(begin: number, end: number): number {
  return end >= begin ? end - begin : end;
}
