/**
 * Where records come from: the kernel, or a recording. Whatever crosses here
 * can be replayed, so everything is plain numbers and text; names are joined
 * and targets resolved above it.
 *
 * @module
 */

import type { Category, CategoryLedger, CostReceipt, HookStatus } from "./measurements.ts";
import type { Target } from "./target.ts";
import type { TargetId } from "./units.ts";

/** `pt_object` with its u64 fields as u32 halves. */
export interface ObjectKey {
  readonly kind: number; // pt_object_kind
  readonly port: number;
  readonly highLow: number; // u32: low half of `high`
  readonly highHigh: number;
  readonly lowLow: number;
  readonly lowHigh: number;
}

/** `pt_wait_key`. */
export interface WaitKey {
  readonly processId: number;
  readonly threadId: number;
  readonly targetSlot: number;
  readonly waitClass: number; // pt_wait_class
  readonly systemCall: number; // PT_NO_SYSTEM_CALL when there is none
  readonly object: ObjectKey;
  readonly stackId: number; // negative: none
}

export interface WaitRecord {
  readonly kind: "wait";
  readonly endMs: number;
  readonly durationMs: number;
  readonly key: WaitKey;
  readonly wakerThreadId: number;
}

/** The name of an object: path components, leaf first, as the kernel holds them. */
export interface NameRecord {
  readonly kind: "name";
  readonly targetSlot: number;
  readonly processId: number;
  readonly object: ObjectKey;
  readonly components: readonly string[]; // not sanitised
  readonly isTruncated: boolean;
}

export interface ForkRecord {
  readonly kind: "fork";
  readonly targetSlot: number;
  readonly atMs: number;
  readonly parentProcessId: number;
  readonly parentThreadId: number;
  readonly childProcessId: number;
  readonly childThreadId: number;
  readonly command: string; // not sanitised
}

export interface ExecRecord {
  readonly kind: "exec";
  readonly targetSlot: number;
  readonly atMs: number;
  readonly processId: number;
  readonly command: string; // not sanitised
  readonly path: string; // not sanitised
}

/** A thread ended; carries its whole ledger. */
export interface ExitRecord {
  readonly kind: "exit";
  readonly targetSlot: number;
  readonly parentProcessId: number;
  readonly exitCode: number; // as wait(2) reports it: code << 8 | signal
  /** No thread of the process was left when this one ended. */
  readonly processEnded: boolean;
  /** The thread lives on, but outside of every target: it migrated, or its target was removed. */
  readonly leftTarget: boolean;
  readonly thread: ThreadAccount;
}

export type BackendRecord = WaitRecord | NameRecord | ForkRecord | ExecRecord | ExitRecord;

/** One thread's account, of `pt_thread` or `pt_exit_event`. */
export interface ThreadAccount {
  readonly processId: number;
  readonly threadId: number;
  readonly namespaceThreadId: number;
  readonly targetSlot: number;
  readonly command: string; // not sanitised
  readonly beginMs: number;
  readonly endMs: number; // window's end, or the thread's own
  readonly onCpuMs: number;
  readonly runnableMs: number;
  readonly throttledMs: number;
  readonly blockedMs: number;
  readonly kernelOnCpuMs: number | undefined;
  readonly kernelRunDelayMs: number | undefined;
  readonly exited: boolean;
  /** What it is still blocked on; its time is in `blockedMs` and in no wait row yet. */
  readonly openWait:
    | { readonly key: WaitKey; readonly sinceMs: number; readonly lockOwnerThreadId: number }
    | undefined;
}

/** A cursor over one ring record; valid only inside `drain`'s callback. */
export interface RecordView {
  readonly kind: number; // pt_kind
  readonly targetSlot: number;
  readonly sizeBytes: number;
  decode(): BackendRecord; // copies everything out
}

/** One row of the wait table; valid only inside the callback. */
export interface WaitRowView {
  readonly threadId: number;
  readonly targetSlot: number;
  key(): WaitKey;
  readonly count: number;
  readonly totalMs: number;
  readonly maxMs: number;
  readonly maxEndMs: number;
  readonly wakerThreadId: number;
  readonly wakerProcessId: number;
  wakerCommand(): string; // not sanitised
  bucket(index: number): number;
}

export interface ChainRow {
  readonly processId: number;
  readonly targetSlot: number;
  readonly holderThreadId: number;
  readonly holderProcessId: number;
  readonly holderCommand: string; // not sanitised
  readonly waitClass: number; // pt_wait_class; 0: running or runnable
  readonly systemCall: number;
  readonly lockAddressLow: number;
  readonly lockAddressHigh: number;
  readonly object: ObjectKey;
  readonly count: number;
  readonly totalMs: number;
}

export interface AggregateVisitor {
  wait(row: WaitRowView): void;
  chain(row: ChainRow): void;
  /** Only after `closeWindow`: threads still alive at its end. */
  thread(account: ThreadAccount): void;
}

/** One thread as the task iterator found it. */
export interface TaskSnapshotEntry {
  readonly processId: number;
  readonly threadId: number;
  readonly namespaceThreadId: number;
  readonly parentProcessId: number;
  readonly targetSlot: number;
  readonly command: string; // not sanitised
  readonly state: "running" | "runnable" | "blocked";
  readonly waitClass: number;
  readonly systemCall: number;
  readonly systemCallArguments: readonly bigint[]; // four
  readonly object: ObjectKey;
  readonly nameComponents: readonly string[]; // of the object, leaf first, not sanitised
  readonly onCpuMs: number; // since the thread was born
  readonly runDelayMs: number;
  /** When it last ran; good to one scheduler tick. `undefined`: it runs now. */
  readonly lastRanMs: number | undefined;
}

/** Every target thread at one instant. */
export interface TaskSnapshot {
  readonly atMs: number;
  readonly tasks: readonly TaskSnapshotEntry[];
}

export interface BackendCounters {
  /** Kernel side, summed over CPUs; `residual` is not computed here yet. */
  readonly ledger: Readonly<Record<Category, Omit<CategoryLedger, "residual">>>;
  readonly hooks: readonly HookStatus[];
  readonly programs: CostReceipt["programs"];
  readonly runTimeNote: string;
  readonly mapMemoryBytes: number;
  /** Totals of ended threads whose exit record found no room in the ring. */
  readonly departed: {
    readonly threadCount: number;
    readonly lifetimeMs: number;
    readonly onCpuMs: number;
    readonly runnableMs: number;
    readonly throttledMs: number;
    readonly blockedMs: number;
  };
}

/** What changes in the kernel when one target set replaces another. */
export interface TargetDiff {
  readonly added: readonly Target[];
  readonly removed: readonly TargetId[];
  /** Waits at least this long become records; the smallest any route asks for. `undefined`: none. */
  readonly slowWaitMs: number | undefined;
  readonly hasUserStacks: boolean;
}

export interface TracerBackend extends AsyncDisposable {
  /**
   * Brings the kernel in line with `diff`; hooks stay attached throughout.
   *
   * @throws {EngineError} `target_refused` when there are more than TARGETS_MAX
   */
  applyTargets(diff: TargetDiff): void;
  /** The slot records and rows of this target carry; `undefined` when it is not traced. */
  slotOf(targetId: TargetId): number | undefined;
  wait(options: { timeoutMs: number; signal: AbortSignal }): Promise<void>;
  /** Lifecycle ring first, then data. */
  drain(
    visit: (record: RecordView) => void,
    options: { recordsMax: number; turnMsMax: number },
  ): { recordCount: number; byteCount: number; more: boolean };
  /** Counters and histograms that live in maps, as totals since the start. */
  readAggregates(visitor: AggregateVisitor): void;
  /** Removes the wait rows of threads that ended; call it after their rows were read. */
  retireThreads(threadIds: readonly number[]): void;
  /** What every target thread is doing now. */
  snapshot(): TaskSnapshot;
  /** User stack of `stackId`, innermost first. */
  userStack(stackId: number): readonly bigint[];
  /**
   * Ends the window at this instant and detaches; what the kernel still holds
   * can be drained and read afterwards. Idempotent. Yields the end, monotonic.
   */
  closeWindow(): number;
  /** When the window opened: every hook attached and every thread seeded. */
  readonly windowBeginMs: number;
  counters(): BackendCounters;
}
