/**
 * What the engine asks the host beside the tracer: processes, cgroups, pressure,
 * our own use, names of system calls and of code. Everything is read at once and
 * yields `undefined` when it is gone; text is as the host has it, not sanitised.
 *
 * @module
 */

import type { PressureMeasurement, StackFrame } from "./measurements.ts";
import type { CgroupIoMeasurement, CgroupMemoryMeasurement, CgroupTaskMeasurement } from "./resource_measurements.ts";

/** One process, as /proc tells it. */
export interface ProcessReading {
  /** 0: none or unknown. */
  readonly parentProcessId: number;
  /** `comm` of the main thread. */
  readonly command: string;
  /** Empty: a kernel thread, a zombie, or unreadable. */
  readonly commandLine: readonly string[];
}

/** Totals since the cgroup was made; `undefined` where the controller says nothing. */
export interface CgroupReading {
  /** CPUs the tightest quota from here to the root allows; `undefined`: no limit. */
  readonly cpuLimit: number | undefined;
  /** The group that sets it; absent in older recordings. */
  readonly cpuLimitPath?: string | undefined;
  /** Enforcement periods of the quota that had something to run. */
  readonly periodCount: number | undefined;
  /** Of those, in how many the group was held back. */
  readonly throttledPeriodCount: number | undefined;
  /** Time its run queues were held back, summed over CPUs. */
  readonly throttledMs: number | undefined;
  /** CPU time of all its threads, user and system. */
  readonly cpuUsageMs: number | undefined;
  /** Totals here, not deltas. */
  readonly pressure: PressureMeasurement | undefined;
  /** Events are totals here, not deltas; `undefined`: no memory controller speaks for the group. */
  readonly memory: CgroupMemoryMeasurement | undefined;
  /** Totals here, not deltas; `undefined`: no I/O controller speaks for the group. */
  readonly io: CgroupIoMeasurement | undefined;
  /** `undefined`: no pids controller speaks for the group; absent in older recordings. */
  readonly tasks?: CgroupTaskMeasurement | undefined;
}

/** What podtrace itself uses. */
export interface OwnUse {
  /** User and system, since we started. */
  readonly cpuMs: number;
  /** Resident. */
  readonly memoryBytes: number;
}

/** The host, as far as the engine asks about it. */
export interface HostReader {
  /** CPUs the kernel schedules on. */
  readonly cpuCount: number;
  /** Yields what is known of a process; `undefined` once it is gone. */
  process(processId: number): ProcessReading | undefined;
  /**
   * Yields the accounts of a group; `undefined` once it is gone.
   *
   * @param path absolute, as in `TargetCgroup.path`
   * @param memberId the process it was found for: on a hybrid host that process's groups in the other hierarchies
   */
  cgroup(path: string, memberId?: number): CgroupReading | undefined;
  /**
   * Yields the group a process is in, in the form `cgroup` takes; `undefined`
   * once it is gone, and for the root group, whose figures are the machine's.
   */
  cgroupPathOf(processId: number): string | undefined;
  /** Yields the whole machine's totals since boot. */
  pressure(): PressureMeasurement | undefined;
  /** Yields what podtrace used so far. */
  ownUse(): OwnUse;
  /** Yields the name of a system call of this machine; `undefined` for a number later kernels added. */
  systemCallName(systemCall: number): string | undefined;
  /** Yields one frame per address, in order; innermost first, as the stack was taken. */
  describeStack(processId: number, addresses: readonly bigint[]): readonly StackFrame[];
}
