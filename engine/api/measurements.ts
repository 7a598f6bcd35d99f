/**
 * Measurements: what is counted in the kernel's maps and handed over as
 * cumulative totals, and the books that say whether they are complete. Plain
 * data, milliseconds as fractional numbers, times on the monotonic clock unless
 * a name says otherwise.
 *
 * @module
 */

import type { TargetId } from "./units.ts";

/** What a thread can be blocked on; numbers are `pt_wait_class`. */
export const WAIT_CLASSES = {
  network: 1,
  diskRead: 2,
  diskWrite: 3, // and fsync
  lock: 4, // contended futex
  idle: 5, // waiting for work: poll, epoll, accept, a client's next request
  sleep: 6,
  pipe: 7,
  child: 8,
  pageFault: 9, // major
  stopped: 10,
  parked: 11, // futex that is no lock: condition, semaphore, idle worker
  other: 12,
} as const;

export type WaitClass = keyof typeof WAIT_CLASSES;

/** Waits that are absence of work, not a cause of slowness. */
export const IDLE_WAIT_CLASSES: ReadonlySet<WaitClass> = new Set<WaitClass>(["idle", "sleep", "parked", "stopped"]);

export type WaitObject =
  | { readonly kind: "none" }
  | { readonly kind: "peer"; readonly protocol: "tcp" | "udp"; readonly address: string; readonly port: number }
  | { readonly kind: "server"; readonly protocol: "tcp" | "udp"; readonly port: number }
  | { readonly kind: "unixPeer"; readonly id: string; readonly path: string | undefined }
  | { readonly kind: "unixServer"; readonly id: string; readonly path: string | undefined }
  /** `id` is "major:minor:inode"; `path` as seen in the target's mount namespace. */
  | { readonly kind: "file"; readonly id: string; readonly path: string | undefined }
  | { readonly kind: "pipe"; readonly inode: number }
  | { readonly kind: "lock"; readonly address: string } // "0x…"
  | { readonly kind: "timer" }
  | { readonly kind: "eventfd" }
  | { readonly kind: "terminal" }
  | { readonly kind: "child"; readonly processId: number } // 0: any child
  | { readonly kind: "several" } // a poll over several descriptors, none ready when it ended
  | { readonly kind: "anonymous"; readonly name: string | undefined }
  | { readonly kind: "netlink" }
  | { readonly kind: "signal" }
  | { readonly kind: "device"; readonly id: string };

/** The thread that ended most of a row's time, by majority vote. */
export interface Waker {
  readonly threadId: number;
  readonly processId: number;
  readonly command: string;
}

/** log2 histogram: bucket n counts waits in [2^n, 2^(n+1)) microseconds, bucket 0 also shorter ones. */
export const HISTOGRAM_BUCKET_COUNT = 32;

/** All waits of one thread on one object. */
export interface WaitMeasurement {
  readonly targetId: TargetId;
  readonly processId: number;
  readonly threadId: number; // 0: threads of the process that could not be told apart any more
  readonly waitClass: WaitClass;
  readonly systemCall: string | undefined;
  readonly object: WaitObject;
  readonly count: number;
  readonly totalMs: number;
  readonly maxMs: number;
  readonly maxEndWallMs: number; // unix time at which the longest one ended
  readonly waker: Waker | undefined;
  readonly buckets: readonly number[];
  /** The part of the total that was still going on when the window closed. */
  readonly openMs: number;
  /** Code addresses, innermost first; empty unless user stacks were asked for. */
  readonly userStack: readonly StackFrame[];
}

export interface StackFrame {
  /** "name+0x12" where symbols allow, else "module+0x1234", else "0x…". */
  readonly text: string;
}

/** What the holder of a lock did while threads of `processId` waited for it. */
export interface LockChainMeasurement {
  readonly targetId: TargetId;
  readonly processId: number;
  readonly lockAddress: string; // "0x…"
  readonly holder: Waker;
  /** `undefined`: the holder was running or waiting for a CPU. */
  readonly holderWaitClass: WaitClass | undefined;
  readonly holderSystemCall: string | undefined;
  readonly holderObject: WaitObject;
  readonly count: number;
  readonly totalMs: number;
}

/** Where one thread's time went. onCpu + runnable + throttled + blocked + residual = end − begin. */
export interface ThreadLedger {
  readonly targetId: TargetId;
  readonly processId: number;
  readonly threadId: number;
  readonly command: string;
  readonly beginMs: number; // later than the window's begin for a thread born in it
  readonly endMs: number; // earlier than the window's end for a thread that ended in it
  readonly onCpuMs: number;
  readonly runnableMs: number; // waiting for a CPU; throttled time not included
  readonly throttledMs: number;
  readonly blockedMs: number;
  readonly residualMs: number;
  /** The scheduler's own accounts over the same span; `undefined` when unreadable. */
  readonly kernelOnCpuMs: number | undefined;
  readonly kernelRunDelayMs: number | undefined;
  readonly exited: boolean;
}

/**
 * Totals of ended threads that have no ledger of their own any more: their exit
 * record found no room in the kernel (then not told apart by target), or there
 * were more than `EXITED_THREADS_MAX`.
 */
export interface DepartedThreads {
  readonly threadCount: number;
  readonly lifetimeMs: number;
  readonly onCpuMs: number;
  readonly runnableMs: number;
  readonly throttledMs: number;
  readonly blockedMs: number;
  readonly residualMs: number;
}

export interface ProcessInfo {
  readonly processId: number;
  readonly parentProcessId: number; // 0: unknown
  readonly targetId: TargetId;
  readonly command: string; // comm of the main thread
  readonly commandLine: readonly string[]; // empty when unreadable; redaction is the renderer's duty
  readonly exited: boolean;
}

/** CPU limits and pressure of one target's cgroup over the window; deltas, not totals. */
export interface CgroupMeasurement {
  readonly targetId: TargetId;
  readonly path: string;
  /** CPUs the quota allows; `undefined`: no limit. The tightest of the groups above counts. */
  readonly cpuLimit: number | undefined;
  readonly periodCount: number | undefined;
  readonly throttledPeriodCount: number | undefined;
  readonly throttledMs: number | undefined;
  readonly cpuUsageMs: number | undefined;
  readonly pressure: PressureMeasurement | undefined; // the cgroup's own, v2 only
}

/** PSI: time in the window in which some (all) tasks were stalled. */
export interface PressureMeasurement {
  readonly cpuSomeMs: number | undefined;
  readonly ioSomeMs: number | undefined;
  readonly ioFullMs: number | undefined;
  readonly memorySomeMs: number | undefined;
  readonly memoryFullMs: number | undefined;
}

/** What the whole machine did over the window. */
export interface HostMeasurement {
  readonly cpuCount: number;
  readonly pressure: PressureMeasurement | undefined;
}

/** Everything counted so far, as cumulative totals of one route's targets. */
export interface Measurements {
  /** false: more will follow; the diagnosis waits for the final ones. */
  readonly isFinal: boolean;
  readonly window: {
    readonly beginMs: number; // monotonic
    readonly endMs: number;
    readonly beginWallMs: number; // unix time
    readonly endWallMs: number;
  };
  readonly threads: readonly ThreadLedger[];
  /** Absent when every thread has its own ledger. */
  readonly departed?: DepartedThreads;
  readonly processes: readonly ProcessInfo[];
  readonly waits: readonly WaitMeasurement[];
  readonly lockChains: readonly LockChainMeasurement[];
  readonly cgroups: readonly CgroupMeasurement[];
  readonly host: HostMeasurement;
  readonly books: Books;
}

/** The categories a report speaks for. */
export const CATEGORIES = [
  "scheduling",
  "waits",
  "chains",
  "slowWaits",
  "names",
  "lifecycle",
  "listeners",
] as const;

export type Category = (typeof CATEGORIES)[number];

export type KernelDropReason = "ring_full" | "map_full" | "key_overflow" | "unreadable" | "recursion";

/** seen = filtered + aggregated + delivered + Σ dropped + residual. */
export interface CategoryLedger {
  readonly seen: number;
  readonly filtered: number;
  readonly aggregated: number;
  readonly delivered: number;
  readonly dropped: Readonly<Record<string, number>>; // KernelDropReason or DropReason; only what is not 0
  readonly residual: number;
}

export type Completeness =
  | { readonly verdict: "complete" }
  | { readonly verdict: "partial"; readonly percent: number; readonly reason: string }
  | { readonly verdict: "blind"; readonly reason: string };

/** The loss ledger, the verdicts that follow from it, and what the look cost. */
export interface Books {
  readonly ledger: Readonly<Record<Category, CategoryLedger>>;
  readonly completeness: Readonly<Record<Category, Completeness>>;
  readonly cost: CostReceipt;
}

export interface ProgramCost {
  readonly name: string;
  readonly provider: string; // e.g. "tp_btf/sched_switch"
  readonly callCount: number;
  /** Nanoseconds spent in the program; `undefined` with the reason in CostReceipt.runTimeNote. */
  readonly runTimeNs: number | undefined;
}

export interface HookStatus {
  readonly hook: string;
  /** `undefined`: no provider could be used. */
  readonly provider: string | undefined;
  /** One line per provider that was tried and refused. */
  readonly refused: readonly string[];
  /** What is not seen because of it; empty when nothing is. */
  readonly blindFor: string;
}

export interface CostReceipt {
  readonly programs: readonly ProgramCost[];
  /** Why run time is missing, or how it was measured (share of the window sampled). */
  readonly runTimeNote: string;
  readonly hooks: readonly HookStatus[];
  readonly recordCount: number;
  readonly recordBytes: number;
  readonly ownCpuMs: number;
  readonly ownMemoryBytes: number; // resident
  readonly mapMemoryBytes: number;
  readonly targetCpuMs: number;
}
