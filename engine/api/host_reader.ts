/**
 * What the engine asks the host beside the tracer: processes, cgroups, pressure,
 * our own use, names of system calls and of code. Everything is read at once and
 * yields `undefined` when it is gone; text is as the host has it, not sanitised.
 *
 * @module
 */

import type { PressureMeasurement } from "./measurements.ts";

export interface ProcessReading {
  readonly parentProcessId: number; // 0: none or unknown
  readonly command: string; // comm of the main thread
  readonly commandLine: readonly string[]; // empty: a kernel thread, a zombie, or unreadable
}

/** Totals since the cgroup was made; `undefined` where the controller says nothing. */
export interface CgroupReading {
  /** CPUs the tightest quota from here to the root allows; `undefined`: no limit. */
  readonly cpuLimit: number | undefined;
  readonly periodCount: number | undefined;
  readonly throttledPeriodCount: number | undefined;
  readonly throttledMs: number | undefined;
  readonly cpuUsageMs: number | undefined;
  readonly pressure: PressureMeasurement | undefined; // totals here, not deltas
}

export interface OwnUse {
  readonly cpuMs: number; // user and system, since we started
  readonly memoryBytes: number; // resident
}

export interface HostReader {
  readonly cpuCount: number;
  process(processId: number): ProcessReading | undefined;
  /** @param path absolute, as in `TargetCgroup.path` */
  cgroup(path: string): CgroupReading | undefined;
  /** Path of the v2 cgroup a process is in, in the form `cgroup` takes. */
  cgroupPathOf(processId: number): string | undefined;
  /** Of the whole machine: totals since boot. */
  pressure(): PressureMeasurement | undefined;
  ownUse(): OwnUse;
  systemCallName(systemCall: number): string | undefined;
  /** One text per address, in order: "name+0x12", "module+0x1234" or "0x…". */
  describeStack(processId: number, addresses: readonly bigint[]): readonly string[];
}
