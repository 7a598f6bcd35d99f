/**
 * What changed over the window in counters that only grow. Pure.
 *
 * @module
 */

import type { CgroupReading } from "../api/host_reader.ts";
import type { CgroupMeasurement, PressureMeasurement } from "../api/measurements.ts";
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
    cpuLimit: end === undefined ? begin?.cpuLimit : end.cpuLimit,
    periodCount: delta(begin?.periodCount, end?.periodCount),
    throttledPeriodCount: delta(begin?.throttledPeriodCount, end?.throttledPeriodCount),
    throttledMs: delta(begin?.throttledMs, end?.throttledMs),
    cpuUsageMs: delta(begin?.cpuUsageMs, end?.cpuUsageMs),
    pressure: toPressureDelta(begin?.pressure, end?.pressure),
  };
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

/** A counter that went back was made anew (the cgroup was recreated): then all of it is new. */
function delta(begin: number | undefined, end: number | undefined): number | undefined {
  if (begin === undefined || end === undefined) return undefined;
  return end >= begin ? end - begin : end;
}
