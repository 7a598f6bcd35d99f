/**
 * Measurements: what is counted in the kernel's maps and handed over as
 * cumulative totals, and the books that say whether they are complete. Plain
 * data, milliseconds as fractional numbers, times on the monotonic clock unless
 * a name says otherwise.
 *
 * @module
 */

import type { FileMeasurement } from "./file_measurements.ts";
import type { Plane } from "./plane.ts";
import type {
  CgroupResourceMeasurement,
  OomKillMeasurement,
  ProcessResourceMeasurement,
} from "./resource_measurements.ts";
import type {
  ConnectionMeasurement,
  ListenQueueMeasurement,
  PeerMeasurement,
  SocketEndpoint,
} from "./socket_measurements.ts";
import type { CpuSampleMeasurement } from "./profile_measurements.ts";
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

/** One of them by name. */
export type WaitClass = keyof typeof WAIT_CLASSES;

/** Waits that are absence of work, not a cause of slowness. */
export const IDLE_WAIT_CLASSES: ReadonlySet<WaitClass> = new Set<WaitClass>(["idle", "sleep", "parked", "stopped"]);

/** What a thread waits for, as far as the kernel tells. */
export type WaitObject =
  | { readonly kind: "none" }
  | SocketEndpoint
  /** `id` is "major:minor:inode"; `path` as seen in the target's mount namespace. */
  | { readonly kind: "file"; readonly id: string; readonly path: string | undefined }
  /** As the program gave it to a call that found no file; `undefined`: its text was lost. */
  | { readonly kind: "path"; readonly path: string | undefined }
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
  /** 0: not known any more. */
  readonly threadId: number;
  /** Its process. */
  readonly processId: number;
  /** `comm`, sanitised. */
  readonly command: string;
}

/** log2 histogram: bucket n counts waits in [2^n, 2^(n+1)) microseconds, bucket 0 also shorter ones. */
export const HISTOGRAM_BUCKET_COUNT = 32;

/** All waits of one thread on one object. */
export interface WaitMeasurement {
  /** Whose wait it is. */
  readonly targetId: TargetId;
  /** Who waited; 0: processes that could not be told apart any more. */
  readonly processId: number;
  /** 0: threads of the process that could not be told apart any more. */
  readonly threadId: number;
  /** What kind of wait. */
  readonly waitClass: WaitClass;
  /** Through which call; `undefined`: none, or not known. */
  readonly systemCall: string | undefined;
  /** For what. */
  readonly object: WaitObject;
  /** Waits, the open one included; of one call all sleeps on one object together, where the kernel tells. */
  readonly count: number;
  /** How often the thread left its CPU for them. */
  readonly sleepCount: number;
  /** Their time within the window. */
  readonly totalMs: number;
  /** The longest of them. */
  readonly maxMs: number;
  /** Unix time at which the longest one ended. */
  readonly maxEndWallMs: number;
  /** Who ended most of the time; `undefined`: nobody is known. */
  readonly waker: Waker | undefined;
  /** `HISTOGRAM_BUCKET_COUNT` counts. */
  readonly buckets: readonly number[];
  /** The part of the total that was still going on when the window closed. */
  readonly openMs: number;
  /** Code addresses, innermost first; empty unless user stacks were asked for. */
  readonly userStack: readonly StackFrame[];
}

/** Why the function of a frame has no name. */
export const FRAME_PROBLEMS = [
  "processGone", // or not ours to look at
  "notMapped", // where the stack points to there is nothing
  "generated", // by a runtime that tells nobody what it generated
  "unreadable", // its file is gone, replaced, or not ours to read
  "notProgram",
  "tooLarge", // a table is, or reading it took too long
  "stripped",
  "noFunction", // its file names functions, but none there
] as const;

/** One of them. */
export type FrameProblem = (typeof FRAME_PROBLEMS)[number];

/** One function on a user stack. */
export interface StackFrame {
  /** "name+0x12" where symbols allow, else "module[buildid:9f…]+0x1234" or "module+0x1234", else "0x…". */
  readonly text: string;
  /** Its name; `undefined`: not known. */
  readonly function: string | undefined;
  /** Bytes from the beginning of the function, else of the module's file; `undefined`: of neither. */
  readonly offset: number | undefined;
  /** The file its code is mapped from, without folders; `undefined`: code of no file. */
  readonly module: string | undefined;
  /** Of that file, lower-case hexadecimal digits, as its linker wrote it; `undefined`: none, or unread. */
  readonly buildId: string | undefined;
  /** `function` is known. */
  readonly isResolved: boolean;
  /** Why it is not; missing: it is, or nobody said. */
  readonly problem?: FrameProblem | undefined;
}

/** What the holder of a lock did while threads of `processId` waited for it. */
export interface LockChainMeasurement {
  /** Of the waiters. */
  readonly targetId: TargetId;
  /** Of the waiters. */
  readonly processId: number;
  /** In the process: "0x…". */
  readonly lockAddress: string;
  /** Who held the lock meanwhile. */
  readonly holder: Waker;
  /** `undefined`: the holder was running or waiting for a CPU. */
  readonly holderWaitClass: WaitClass | undefined;
  /** Through which call the holder waited; `undefined`: none, or not known. */
  readonly holderSystemCall: string | undefined;
  /** What the holder waited for. */
  readonly holderObject: WaitObject;
  /** Waits for the lock. */
  readonly count: number;
  /** Their time. */
  readonly totalMs: number;
}

/** Where one thread's time went. onCpu + runnable + throttled + blocked + residual = end − begin. */
export interface ThreadLedger {
  /** Whose thread it is. */
  readonly targetId: TargetId;
  /** As the host's pid namespace knows it. */
  readonly processId: number;
  /** As the host's pid namespace knows it. */
  readonly threadId: number;
  /** `comm`, sanitised. */
  readonly command: string;
  /** Later than the window's begin for a thread born in it. */
  readonly beginMs: number;
  /** Earlier than the window's end for a thread that ended in it. */
  readonly endMs: number;
  /** Running. */
  readonly onCpuMs: number;
  /** Waiting for a CPU; throttled time not included. */
  readonly runnableMs: number;
  /** Held back by a CPU limit. */
  readonly throttledMs: number;
  /** Neither running nor wanting to. */
  readonly blockedMs: number;
  /** What no state accounts for. */
  readonly residualMs: number;
  /** The scheduler's own accounts over the same span; `undefined` when unreadable. */
  readonly kernelOnCpuMs: number | undefined;
  /** The scheduler's `run_delay` over the same span; `undefined` when unreadable. */
  readonly kernelRunDelayMs: number | undefined;
  /** It ended in the window. */
  readonly exited: boolean;
}

/**
 * Totals of ended threads that have no ledger of their own any more: their exit
 * record found no room in the kernel (then not told apart by target), or there
 * were more than `EXITED_THREADS_MAX`.
 */
export interface DepartedThreads {
  /** How many there were. */
  readonly threadCount: number;
  /** The sum of their spans within the window. */
  readonly lifetimeMs: number;
  /** Running. */
  readonly onCpuMs: number;
  /** Waiting for a CPU; throttled time not included. */
  readonly runnableMs: number;
  /** Held back by a CPU limit. */
  readonly throttledMs: number;
  /** Neither running nor wanting to. */
  readonly blockedMs: number;
  /** What no state accounts for. */
  readonly residualMs: number;
}

/** A process that was seen in the window. */
export interface ProcessInfo {
  /** As the host's pid namespace knows it. */
  readonly processId: number;
  /** 0: unknown. */
  readonly parentProcessId: number;
  /** Whose process it is. */
  readonly targetId: TargetId;
  /** `comm` of the main thread, sanitised. */
  readonly command: string;
  /** What looks like a secret is "***"; empty when unreadable. */
  readonly commandLine: readonly string[];
  /** It ended in the window. */
  readonly exited: boolean;
}

/** CPU limits and pressure of one target's cgroup over the window; deltas, not totals. */
export interface CgroupMeasurement {
  /** Whose cgroup it is. */
  readonly targetId: TargetId;
  /** Absolute, in the host's view, sanitised. */
  readonly path: string;
  /** CPUs the quota allows; `undefined`: no limit. The tightest of the groups above counts. */
  readonly cpuLimit: number | undefined;
  /** The group that sets it: absolute, in the host's view, sanitised; absent: no limit, or an older recording. */
  readonly cpuLimitPath?: string | undefined;
  /** Enforcement periods of the quota that had something to run; `undefined`: not said. */
  readonly periodCount: number | undefined;
  /** Of those, in how many the group was held back. */
  readonly throttledPeriodCount: number | undefined;
  /** Time its run queues were held back, summed over CPUs. */
  readonly throttledMs: number | undefined;
  /** CPU time of all its threads, user and system. */
  readonly cpuUsageMs: number | undefined;
  /** The cgroup's own, v2 only. */
  readonly pressure: PressureMeasurement | undefined;
}

/** PSI: time in the window in which some (all) tasks were stalled. */
export interface PressureMeasurement {
  /** `undefined`: the kernel keeps none. */
  readonly cpuSomeMs: number | undefined;
  /** `undefined`: the kernel keeps none. */
  readonly ioSomeMs: number | undefined;
  /** `undefined`: the kernel keeps none. */
  readonly ioFullMs: number | undefined;
  /** `undefined`: the kernel keeps none. */
  readonly memorySomeMs: number | undefined;
  /** `undefined`: the kernel keeps none. */
  readonly memoryFullMs: number | undefined;
}

/** What the whole machine did over the window. */
export interface HostMeasurement {
  /** CPUs the kernel schedules on. */
  readonly cpuCount: number;
  /** `undefined`: the kernel keeps none. */
  readonly pressure: PressureMeasurement | undefined;
}

/** Everything counted so far, as cumulative totals of one route's targets. */
export interface Measurements {
  /** false: more will follow; the diagnosis waits for the final ones. */
  readonly isFinal: boolean;
  /** What was looked at, on both clocks. */
  readonly window: {
    readonly beginMs: number; // monotonic
    readonly endMs: number;
    readonly beginWallMs: number; // unix time
    readonly endWallMs: number;
  };
  /** Every thread that lived in the window, but for `departed`. */
  readonly threads: readonly ThreadLedger[];
  /** Absent when every thread has its own ledger. */
  readonly departed?: DepartedThreads;
  /** Every process that was seen. */
  readonly processes: readonly ProcessInfo[];
  /** One per thread, class, system call, object and stack. */
  readonly waits: readonly WaitMeasurement[];
  /** One per thread and stack; empty unless the plane "profile" was asked for. */
  readonly cpuSamples: readonly CpuSampleMeasurement[];
  /** One per lock, holder and what the holder did. */
  readonly lockChains: readonly LockChainMeasurement[];
  /** One per process and peer, or port of its own. */
  readonly peers: readonly PeerMeasurement[];
  /** Connections, those with most bytes first; at most `CONNECTIONS_MAX`. */
  readonly connections: readonly ConnectionMeasurement[];
  /** Connections that found no room in `connections`; `peers` has their figures. */
  readonly omittedConnectionCount: number;
  /** One per listening socket. */
  readonly listenQueues: readonly ListenQueueMeasurement[];
  /** Of every target that has a cgroup other than the root. */
  readonly cgroups: readonly CgroupMeasurement[];
  /**
   * Descriptors, threads, faults and memory of every process that was seen, one
   * per process and target. In interim measurements "end" is when they were read.
   */
  readonly processResources: readonly ProcessResourceMeasurement[];
  /** Memory and I/O of the same cgroups as in `cgroups`. */
  readonly cgroupResources: readonly CgroupResourceMeasurement[];
  /** At most `OOM_KILLS_MAX`, the first ones. */
  readonly oomKills: readonly OomKillMeasurement[];
  /** One per process, operation and file; empty unless the plane "files" was asked for. */
  readonly fileOperations: readonly FileMeasurement[];
  /** The machine. */
  readonly host: HostMeasurement;
  /** How complete all this is. */
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
  "connections", // opening, accepting, closing, retransmits, resets
  "transfers", // sends and receives
  "socketEvents", // single slow or failed ones
  "memory",
  "files",
  "slowFiles",
  "samples", // where CPUs were
  "connectCalls", // connects refused before anything was sent, and those of unix sockets
] as const;

/** One of them. */
export type Category = (typeof CATEGORIES)[number];

/** Why the kernel side lost something. */
export type KernelDropReason = "ring_full" | "map_full" | "key_overflow" | "recursion";

/** seen = filtered + aggregated + delivered + Σ dropped + residual. */
export interface CategoryLedger {
  /** Hits of the category's hooks. */
  readonly seen: number;
  /** Of no target, or not asked for. */
  readonly filtered: number;
  /** Counted in a map. */
  readonly aggregated: number;
  /** Handed over one by one. */
  readonly delivered: number;
  /** By `KernelDropReason` or `DropReason`; only what is not 0. */
  readonly dropped: Readonly<Record<string, number>>;
  /** 0, or the books do not balance. */
  readonly residual: number;
}

/** Between which two looks at the counters losses fell; monotonic, looks are about a second apart. */
export interface LossSpan {
  /** The last look before the first loss. */
  readonly beginMs: number;
  /** The first look after the last loss. */
  readonly endMs: number;
}

/** How much of a category was seen; `percent` is of what should have been. */
export type Completeness =
  | { readonly verdict: "complete" }
  /** `span` is absent when it is not known when the losses fell. */
  | { readonly verdict: "partial"; readonly percent: number; readonly reason: string; readonly span?: LossSpan }
  | { readonly verdict: "blind"; readonly reason: string };

/** The loss ledger, the verdicts that follow from it, and what the look cost. */
export interface Books {
  /** One per category. */
  readonly ledger: Readonly<Record<Category, CategoryLedger>>;
  /** One per category. */
  readonly completeness: Readonly<Record<Category, Completeness>>;
  /** What was known and had to go for lack of room; absent: not told. */
  readonly forgotten?: Forgotten;
  /** What the look cost. */
  readonly cost: CostReceipt;
}

/** What tables of ours had no room for any more. */
export interface Forgotten {
  /** Names of objects; also a loss of their category. */
  readonly names: number;
  /** Processes that ended, with their command lines. */
  readonly processes: number;
  /** Stacks, to be described anew when asked for. */
  readonly stacks: number;
  /** Processes without a row of their own in `processResources`; also a loss of "memory". */
  readonly processResources: number;
  /** OOM kills beyond `OOM_KILLS_MAX`; also a loss of "memory". */
  readonly oomKills: number;
}

/** What one BPF program cost. */
export interface ProgramCost {
  /** Of the hook. */
  readonly name: string;
  /** What it is attached to: "tp_btf/sched_switch". */
  readonly provider: string;
  /** Runs since it was attached. */
  readonly callCount: number;
  /** Nanoseconds spent in the program; `undefined` with the reason in CostReceipt.runTimeNote. */
  readonly runTimeNs: number | undefined;
}

/** How one hook is observed, if at all. */
export interface HookStatus {
  /** Its name. */
  readonly hook: string;
  /** `undefined`: no provider could be used. */
  readonly provider: string | undefined;
  /** One line per provider that was tried and refused. */
  readonly refused: readonly string[];
  /** What is not seen because of it; empty when nothing is. */
  readonly blindFor: string;
  /** What it is part of. */
  readonly plane: Plane;
  /** false: no route asked for its plane, so it was not attached. */
  readonly isAskedFor: boolean;
  /** How long a hook that comes and goes with its plane was attached; `undefined`: as long as there was a look. */
  readonly attachedMs?: number | undefined;
}

/** What the look cost. */
export interface CostReceipt {
  /** One per attached program. */
  readonly programs: readonly ProgramCost[];
  /** Why run time is missing, or how it was measured (share of the window sampled). */
  readonly runTimeNote: string;
  /** One per hook. */
  readonly hooks: readonly HookStatus[];
  /** Records read from the rings. */
  readonly recordCount: number;
  /** Their size. */
  readonly recordBytes: number;
  /** Our CPU time in the window, user and system. */
  readonly ownCpuMs: number;
  /** Our memory, resident. */
  readonly ownMemoryBytes: number;
  /** Memory the maps take in the kernel. */
  readonly mapMemoryBytes: number;
  /** CPU time of the route's targets. */
  readonly targetCpuMs: number;
}
