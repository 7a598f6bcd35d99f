/**
 * What processes and cgroups have, use and may use: descriptors, threads, page
 * faults, memory, I/O, and who was killed for want of memory. Bytes are bytes,
 * counts are of the window unless a name says otherwise.
 *
 * @module
 */

import type { TargetId } from "./units.ts";

/**
 * One process while it belonged to a target; `undefined` where nobody could tell,
 * as before its birth or after its end. "Begin" and "end" are those of the window,
 * or when it came from or went to another target.
 */
export interface ProcessResourceMeasurement {
  /** Whose process it is. */
  readonly targetId: TargetId;
  /**
   * As the host's pid namespace knows it. 0: all processes of the target there was
   * no room for, or that ended and had to make room; what they had is `undefined`.
   */
  readonly processId: number;
  /** Open descriptors when the window began. */
  readonly fdCountBegin: number | undefined;
  /** Open descriptors when it closed. */
  readonly fdCountEnd: number | undefined;
  /** Soft limit of descriptors (RLIMIT_NOFILE), when last looked at. */
  readonly fdLimit: number | undefined;
  /** Living threads when the window began. */
  readonly threadCountBegin: number | undefined;
  /** Living threads when it closed. */
  readonly threadCountEnd: number | undefined;
  /** Threads born in the window. */
  readonly threadsStartedCount: number;
  /** Page faults of all its threads served from memory, those of ended ones included. */
  readonly minorFaultCount: number;
  /** Page faults that had to read from a disk or from swap. */
  readonly majorFaultCount: number;
  /** Resident memory when the window began; as exact as the kernel's own per-CPU sums. */
  readonly residentBytesBegin: number | undefined;
  /** Resident memory when it closed. */
  readonly residentBytesEnd: number | undefined;
}

/**
 * Memory of one cgroup, or of the one above it that is nearer to its limit;
 * `undefined` where its controller says nothing.
 */
export interface CgroupMemoryMeasurement {
  /** The group these figures are of: absolute, in the host's view, sanitised; absent in older recordings. */
  readonly path?: string | undefined;
  /** The hard limit; `undefined`: none from here to the root. */
  readonly limitBytes: number | undefined;
  /** v2 `memory.high`: above it the group is slowed down; `undefined`: none. */
  readonly highBytes: number | undefined;
  /** In use when the window closed, page cache included. */
  readonly usageBytes: number | undefined;
  /** Most ever in use, since the group was made. */
  readonly peakBytes: number | undefined;
  /** In use that cannot be given up by dropping page cache: anonymous memory and shared memory. */
  readonly anonymousBytes: number | undefined;
  /** Swapped out when the window closed. */
  readonly swapBytes: number | undefined;
  /** Times it was slowed down at `highBytes`; v2 only. */
  readonly highEventCount: number | undefined;
  /** Times it was about to go over the limit and memory had to be reclaimed. */
  readonly maxEventCount: number | undefined;
  /** Times reclaiming was not enough. */
  readonly oomEventCount: number | undefined;
  /** Processes killed for it. */
  readonly oomKillCount: number | undefined;
}

/** Rate limits that one group sets for one device; `undefined`: none. */
export interface CgroupIoLimit {
  /** The group that sets them: absolute, in the host's view, sanitised; absent in older recordings. */
  readonly path?: string | undefined;
  /** "major:minor". */
  readonly device: string;
  /** Bytes per second. */
  readonly readBytesPerSecond: number | undefined;
  /** Bytes per second. */
  readonly writeBytesPerSecond: number | undefined;
  /** Operations per second. */
  readonly readOperationsPerSecond: number | undefined;
  /** Operations per second. */
  readonly writeOperationsPerSecond: number | undefined;
}

/** What one cgroup moved to and from one device in the window. */
export interface CgroupDeviceIo {
  /** "major:minor". */
  readonly device: string;
  /** Bytes. */
  readonly readBytes: number;
  /** Bytes. */
  readonly writeBytes: number;
  /** Requests to the device. */
  readonly readOperationCount: number;
  /** Requests to the device. */
  readonly writeOperationCount: number;
}

/** Block I/O of one cgroup. */
export interface CgroupIoMeasurement {
  /** Devices that were used in the window, in the kernel's order. */
  readonly devices: readonly CgroupDeviceIo[];
  /** Of every level from here to the root, innermost first: all of them hold. */
  readonly limits: readonly CgroupIoLimit[];
}

/** Processes and threads of one cgroup, or of the one above it that is nearer to its limit. */
export interface CgroupTaskMeasurement {
  /** The group these figures are of: absolute, in the host's view, sanitised. */
  readonly path: string;
  /** Threads at the end of the window, those of groups below included. */
  readonly usageCount: number;
  /** `undefined`: no limit from here to the root. */
  readonly limitCount: number | undefined;
}

/** Memory, I/O and tasks of one target's cgroup: use and events are of the window. */
export interface CgroupResourceMeasurement {
  /** Whose cgroup it is. */
  readonly targetId: TargetId;
  /** Absolute, in the host's view, sanitised. */
  readonly path: string;
  /** `undefined`: no memory controller speaks for this group. */
  readonly memory: CgroupMemoryMeasurement | undefined;
  /** `undefined`: no I/O controller speaks for this group. */
  readonly io: CgroupIoMeasurement | undefined;
  /** `undefined`: no pids controller speaks for this group, or the recording is an older one. */
  readonly tasks?: CgroupTaskMeasurement | undefined;
}

/** A process of a target the kernel killed for want of memory. */
export interface OomKillMeasurement {
  /** Whose process it was. */
  readonly targetId: TargetId;
  /** Unix time of the kill. */
  readonly atWallMs: number;
  /** The victim. */
  readonly processId: number;
  /** `comm`, sanitised. */
  readonly command: string;
  /** What it held then; `undefined`: this kernel tells of the kill at the victim's end only. */
  readonly memory: OomVictimMemory | undefined;
}

/** What a victim of the OOM killer held when it was chosen, as the kernel's own log says it. */
export interface OomVictimMemory {
  /** Mapped, touched or not. */
  readonly virtualBytes: number;
  /** Resident, of its own: heap and stacks. */
  readonly anonymousBytes: number;
  /** Resident, of files. */
  readonly fileBytes: number;
  /** Resident, shared: tmpfs and shared memory. */
  readonly sharedBytes: number;
}
