/**
 * The kernel's tables, read in batches.
 *
 * @module
 */

import type { SampleRow } from "../api/profile_measurements.ts";
import {
  decodePtChainKey,
  decodePtChainValue,
  decodePtFileKey,
  decodePtFileValue,
  decodePtSampleKey,
  decodePtThread,
  decodePtWaitKey,
  PT_CHAIN_KEY,
  PT_ERROR_OTHER,
  PT_FILE_KEY,
  PT_FILE_OPERATION,
  PT_NO_SYSTEM_CALL,
  PT_SAMPLE_KEY,
  PT_THREAD_STATE,
  PT_WAIT_CLASS,
  PT_WAIT_KEY,
  PT_WAIT_VALUE,
  type PtThread,
} from "../../bpf/generated/layout.ts";
import type { ChainRow, FileRow, ObjectKey, ThreadAccount, WaitKey, WaitRowView } from "../api/tracer_backend.ts";
import type { BpfMap } from "../ffi/bpf_map.ts";
import { toFileKey, toWaitKey } from "./record_decoder.ts";
import { nsToMs, type TextCache, toCount } from "./text_cache.ts";

/** What of a map reading it takes; `BpfMap` is one. */
export type TableMap = Pick<
  BpfMap,
  "keyBytes" | "valueBytes" | "lookup" | "lookupBatch" | "lookupSteps" | "deleteBatch"
>;

/** A view over one row of the wait table; reused from row to row. */
class WaitRowCursor implements WaitRowView {
  readonly #texts: TextCache;
  #keys = new DataView(new ArrayBuffer(0));
  #values = new DataView(new ArrayBuffer(0));
  #keyAt = 0;
  #valueAt = 0;

  constructor(texts: TextCache) {
    this.#texts = texts;
  }

  at(keys: DataView<ArrayBuffer>, values: DataView<ArrayBuffer>, position: { keyAt: number; valueAt: number }): this {
    this.#keys = keys;
    this.#values = values;
    this.#keyAt = position.keyAt;
    this.#valueAt = position.valueAt;
    return this;
  }

  get threadId(): number {
    return this.#keys.getUint32(this.#keyAt + PT_WAIT_KEY.offsets.tid, true);
  }

  get targetSlot(): number {
    return this.#keys.getUint32(this.#keyAt + PT_WAIT_KEY.offsets.targetSlot, true);
  }

  key(): WaitKey {
    return toWaitKey(decodePtWaitKey({ view: this.#keys, texts: this.#texts }, this.#keyAt));
  }

  get count(): number {
    return this.#values.getUint32(this.#valueAt + PT_WAIT_VALUE.offsets.count, true);
  }

  get sleepCount(): number {
    return this.#values.getUint32(this.#valueAt + PT_WAIT_VALUE.offsets.sleeps, true);
  }

  get totalMs(): number {
    return this.#u64(PT_WAIT_VALUE.offsets.totalNs, nsToMs);
  }

  get maxMs(): number {
    return this.#u64(PT_WAIT_VALUE.offsets.maxNs, nsToMs);
  }

  get maxEndMs(): number {
    return this.#u64(PT_WAIT_VALUE.offsets.maxEndNs, nsToMs);
  }

  get wakerThreadId(): number {
    return this.#values.getUint32(this.#valueAt + PT_WAIT_VALUE.offsets.wakerTid, true);
  }

  get wakerProcessId(): number {
    return this.#values.getUint32(this.#valueAt + PT_WAIT_VALUE.offsets.wakerTgid, true);
  }

  wakerCommand(): string {
    return this.#texts.comm(this.#values, this.#valueAt + PT_WAIT_VALUE.offsets.wakerComm);
  }

  bucket(index: number): number {
    return this.#values.getUint32(this.#valueAt + PT_WAIT_VALUE.offsets.buckets + index * 4, true);
  }

  #u64(offset: number, combine: (low: number, high: number) => number): number {
    const at = this.#valueAt + offset;
    return combine(this.#values.getUint32(at, true), this.#values.getUint32(at + 4, true));
  }
}

/** The wait table. */
export class WaitTable {
  readonly #map: TableMap;
  readonly #cursor: WaitRowCursor;

  constructor(map: TableMap, texts: TextCache) {
    this.#map = map;
    this.#cursor = new WaitRowCursor(texts);
  }

  /** Visits the rows that counted something. */
  readAll(visit: (row: WaitRowView) => void): void {
    for (const _step of this.readSteps(visit)) { /* each step shows a batch */ }
  }

  /** As `readAll`, a batch per step; other reads may come in between. */
  readSteps(visit: (row: WaitRowView) => void): Generator<void, void> {
    const { keyBytes, valueBytes } = this.#map;
    return this.#map.lookupSteps((keys, values, count) => {
      for (let index = 0; index < count; index++) {
        const row = this.#cursor.at(keys, values, { keyAt: index * keyBytes, valueAt: index * valueBytes });
        if (row.count > 0) visit(row);
      }
    });
  }

  /** Removes every row of these threads and of these slots; never one of nobody. */
  deleteRows(gone: { threadIds: ReadonlySet<number>; targetSlots: ReadonlySet<number> }): void {
    const { keyBytes } = this.#map;
    const doomed: Uint8Array[] = [];
    this.#map.lookupBatch((keys, _values, count) => {
      for (let index = 0; index < count; index++) {
        const at = index * keyBytes;
        const threadId = keys.getUint32(at + PT_WAIT_KEY.offsets.tid, true);
        const slot = keys.getUint32(at + PT_WAIT_KEY.offsets.targetSlot, true);
        if (threadId === 0 || !(gone.threadIds.has(threadId) || gone.targetSlots.has(slot))) continue;
        doomed.push(new Uint8Array(keys.buffer, keys.byteOffset + at, keyBytes).slice());
      }
    });
    if (doomed.length === 0) return;
    const keys = new Uint8Array(doomed.length * keyBytes);
    doomed.forEach((key, index) => keys.set(key, index * keyBytes));
    this.#map.deleteBatch(keys);
  }
}

/** Tables beside that of waits whose rows belong to a slot, and where in the key it stands. */
export const SLOTTED_ROW_TABLES = [
  { table: "chains", slotOffset: PT_CHAIN_KEY.offsets.targetSlot },
  { table: "file_rows", slotOffset: PT_FILE_KEY.offsets.targetSlot },
  { table: "cpu_samples", slotOffset: PT_SAMPLE_KEY.offsets.targetSlot },
] as const;

/** Yields how often threads were found computing, and where. */
export function readSamples(map: TableMap, options: { texts: TextCache }): readonly SampleRow[] {
  const rows: SampleRow[] = [];
  const { texts } = options;
  const steps = map.lookupSteps((keys, values, count) => {
    for (let index = 0; index < count; index++) {
      const key = decodePtSampleKey({ view: keys, texts }, index * map.keyBytes);
      const at = index * map.valueBytes;
      rows.push({
        processId: key.tgid,
        threadId: key.tid,
        targetSlot: key.targetSlot,
        stackId: key.stackId,
        count: toCount(values.getUint32(at, true), values.getUint32(at + 4, true)),
      });
    }
  });
  for (const _step of steps) { /* each step reads a batch */ }
  return rows;
}

/** Visits what holders of locks did, a batch per step. */
export function readChains(
  map: TableMap,
  options: { texts: TextCache; visit: (row: ChainRow) => void },
): Generator<void, void> {
  const { texts, visit } = options;
  return map.lookupSteps((keys, values, count) => {
    for (let index = 0; index < count; index++) {
      const key = decodePtChainKey({ view: keys, texts }, index * map.keyBytes);
      const value = decodePtChainValue({ view: values, texts }, index * map.valueBytes);
      visit({
        processId: key.tgid,
        targetSlot: key.targetSlot,
        holderThreadId: key.holderTid,
        holderProcessId: value.holderTgid,
        holderCommand: value.holderComm,
        waitClass: key.waitClass,
        systemCall: key.systemCall,
        lockAddressLow: key.lockAddressLow,
        lockAddressHigh: key.lockAddressHigh,
        object: key.object,
        count: toCount(value.countLow, value.countHigh),
        totalMs: value.totalMs,
      });
    }
  });
}

/** Visits the rows of the file-operation table that counted something, a batch per step. */
export function readFiles(
  map: TableMap,
  options: { texts: TextCache; visit: (row: FileRow) => void },
): Generator<void, void> {
  const { texts, visit } = options;
  return map.lookupSteps((keys, values, count) => {
    for (let index = 0; index < count; index++) {
      const value = decodePtFileValue({ view: values, texts }, index * map.valueBytes);
      const callCount = toCount(value.countLow, value.countHigh);
      if (callCount === 0) continue;
      visit({
        key: toFileKey(decodePtFileKey({ view: keys, texts }, index * map.keyBytes)),
        count: callCount,
        byteCount: toCount(value.bytesLow, value.bytesHigh),
        totalMs: value.totalMs,
        maxMs: value.maxMs,
        maxEndMs: value.maxEndMs,
        buckets: [...value.buckets],
      });
    }
  });
}

/** Rows that take the operations the table has no room for: two per operation, for good and bad ends, of nobody. */
export function overflowFileRows(
  map: Pick<BpfMap, "keyBytes" | "valueBytes">,
): readonly { key: Uint8Array<ArrayBuffer>; value: Uint8Array<ArrayBuffer> }[] {
  const operations = Object.values(PT_FILE_OPERATION).filter((operation) =>
    operation !== PT_FILE_OPERATION.NONE && operation !== PT_FILE_OPERATION.OPERATION_COUNT
  );
  return operations.flatMap((operation) =>
    [0, PT_ERROR_OTHER].map((error) => {
      const key = new Uint8Array(map.keyBytes);
      const view = new DataView(key.buffer);
      view.setUint16(PT_FILE_KEY.offsets.operation, operation, true);
      view.setUint16(PT_FILE_KEY.offsets.error, error, true);
      return { key, value: new Uint8Array(map.valueBytes) };
    })
  );
}

/** What the kernel itself says of a thread since it was born. */
export interface KernelAccount {
  /** On a CPU when it was looked at. */
  readonly isRunning: boolean;
  /** How often it left a CPU, modulo 2^32; 0 in a recording of an older version. */
  readonly switchCount: number;
  readonly execMs: number;
  readonly delayMs: number;
  readonly minorFaultCount: number;
  readonly majorFaultCount: number;
}

/** Threads that live at the window's end, with their last interval closed at it. */
export function readThreads(
  map: TableMap,
  options: { texts: TextCache; endMs: number; kernelAccounts: ReadonlyMap<bigint, KernelAccount> },
): readonly ThreadAccount[] {
  const accounts: ThreadAccount[] = [];
  const { texts, endMs, kernelAccounts } = options;
  map.lookupBatch((keys, values, count) => {
    for (let index = 0; index < count; index++) {
      const thread = decodePtThread({ view: values, texts }, index * map.valueBytes);
      if (thread.state === 0) continue; // being taken in when the window closed
      const kernel = kernelAccounts.get(keys.getBigUint64(index * map.keyBytes, true));
      accounts.push(toThreadAccount(thread, { endMs, kernel, isAsked: kernelAccounts.size > 0 }));
    }
  });
  return accounts;
}

/** A row that changes while it is read shows in its own sum; this is what rounding makes of whole nanoseconds. */
const TORN_MS = 1e-4;

/** A thread that switches at every look is believed at last: what its row lacks is its residual. */
const ROW_READS_MAX = 4;

/** On a CPU for longer than the scheduler lets a thread be where another one wants to: worth asking it. */
const LONG_RUN_MS = 100;

const NO_ACCOUNTS: ReadonlyMap<bigint, KernelAccount> = new Map();

/** Of running threads the scheduler's accounts are told at the end alone. */
const UNREAD = {
  kernelOnCpuMs: undefined,
  kernelRunDelayMs: undefined,
  minorFaultCount: undefined,
  majorFaultCount: undefined,
};

/** Threads per step: some 0.3 ms. */
const THREADS_PER_STEP = 128;

/**
 * Reads the live threads while their rows go on changing, a batch per step;
 * then yields their accounts up to one instant after the last of them was read,
 * as if each had stayed in the state it was seen in until then.
 */
export function* readRunningThreads(
  map: TableMap,
  options: {
    texts: TextCache;
    nowMs: () => number;
    visit: (account: ThreadAccount) => void;
    /** Tell what the kernel knows of faults. */
    areFaultsTold: boolean;
    /** Asked once, and only for faults or when a thread is said to have been on a CPU for long. */
    kernelAccounts: () => ReadonlyMap<bigint, KernelAccount>;
  },
): Generator<void, number> {
  const { texts, visit } = options;
  const threads: { readonly address: bigint; readonly thread: PtThread }[] = [];
  yield* map.lookupSteps((keys, values, count) => {
    for (let index = 0; index < count; index++) {
      const thread = settledThread(decodePtThread({ view: values, texts }, index * map.valueBytes), () => {
        const keyAt = keys.byteOffset + index * map.keyBytes;
        const value = map.lookup(new Uint8Array(keys.buffer, keyAt, map.keyBytes).slice());
        return value && decodePtThread({ view: new DataView(value.buffer), texts }, 0);
      });
      if (thread === undefined || thread.state === 0) continue;
      threads.push({ address: keys.getBigUint64(index * map.keyBytes, true), thread });
    }
  });
  const endMs = options.nowMs();
  const isLong = (thread: PtThread) =>
    thread.state === PT_THREAD_STATE.RUNNING && endMs - thread.sinceMs >= LONG_RUN_MS;
  yield;
  const isWorthIt = options.areFaultsTold || threads.some(({ thread }) => isLong(thread));
  const kernelAccounts = isWorthIt ? options.kernelAccounts() : NO_ACCOUNTS;
  const isAsked = kernelAccounts.size > 0;
  yield;
  for (const [index, { address, thread }] of threads.entries()) {
    const told = kernelAccounts.get(address);
    const kernel = isLong(thread) ? told : undefined;
    const account = toThreadAccount(thread, { endMs, kernel, isAsked: isLong(thread) && isAsked });
    visit({ ...account, ...UNREAD, ...(options.areFaultsTold ? toFaultCounts(thread, told) : {}) });
    if (index % THREADS_PER_STEP === THREADS_PER_STEP - 1) yield;
  }
  return endMs;
}

/** Since the thread was seen first; `undefined` when the kernel hides it. */
function toFaultCounts(
  thread: PtThread,
  kernel: KernelAccount | undefined,
): Pick<ThreadAccount, "minorFaultCount" | "majorFaultCount"> {
  return {
    minorFaultCount: kernel &&
      kernel.minorFaultCount - toCount(thread.seedMinorFaultsLow, thread.seedMinorFaultsHigh),
    majorFaultCount: kernel &&
      kernel.majorFaultCount - toCount(thread.seedMajorFaultsLow, thread.seedMajorFaultsHigh),
  };
}

/** Yields a row whose parts add up to its last change; `undefined` when the thread has ended meanwhile. */
function settledThread(first: PtThread, readAgain: () => PtThread | undefined): PtThread | undefined {
  let thread: PtThread | undefined = first;
  for (let readCount = 1; readCount < ROW_READS_MAX && thread !== undefined; readCount++) {
    const bookedMs = thread.onCpuMs + thread.runnableMs + thread.throttledMs + thread.blockedMs;
    if (Math.abs(thread.sinceMs - thread.beginMs - bookedMs) < TORN_MS) return thread;
    thread = readAgain();
  }
  return thread;
}

/** Yields the account of a thread that was in `thread.state` since `thread.sinceMs`. Pure. */
export function toThreadAccount(
  thread: PtThread,
  closing: {
    readonly endMs: number;
    readonly kernel: KernelAccount | undefined;
    /** The scheduler was asked about every thread: one without an account is hidden from us. */
    readonly isAsked?: boolean;
  },
): ThreadAccount {
  // A program that was running while the window closed may have written a little later.
  const endMs = Math.max(closing.endMs, thread.sinceMs);
  const lastMs = endMs - thread.sinceMs;
  const untold = toUntoldSwitch(thread, { lastMs, kernel: closing.kernel, isAsked: closing.isAsked ?? false });
  return {
    processId: thread.tgid,
    threadId: thread.tid,
    namespaceThreadId: thread.namespaceTid,
    targetSlot: thread.targetSlot,
    command: thread.comm,
    beginMs: thread.beginMs,
    endMs,
    onCpuMs: thread.onCpuMs + (thread.state === PT_THREAD_STATE.RUNNING ? lastMs - untold.offCpuMs : 0),
    runnableMs: thread.runnableMs + (thread.state === PT_THREAD_STATE.RUNNABLE ? lastMs : 0) +
      untold.offCpuMs - untold.blockedMs,
    throttledMs: thread.throttledMs,
    blockedMs: thread.blockedMs + (thread.state === PT_THREAD_STATE.BLOCKED ? lastMs : 0) + untold.blockedMs,
    kernelOnCpuMs: closing.kernel && Math.max(0, closing.kernel.execMs - thread.seedExecMs),
    kernelRunDelayMs: closing.kernel && Math.max(0, closing.kernel.delayMs - thread.seedDelayMs),
    ...toFaultCounts(thread, closing.kernel),
    exited: false,
    openWait: untold.blockedMs > 0 ? toUntoldWait(thread, endMs - untold.blockedMs) : toOpenWait(thread, endMs),
  };
}

/** Less than this is how late switches are told, ticks and what a hypervisor takes. */
const UNTOLD_MS_MIN = 20;

/**
 * Yields how much of its last interval a thread was off the CPU that its row
 * says it is on: a machine may tell nobody of some switches. The scheduler
 * knows that it is off, or was, and how long it had run and wanted to.
 */
function toUntoldSwitch(
  thread: PtThread,
  { lastMs, kernel, isAsked }: {
    readonly lastMs: number;
    readonly kernel: KernelAccount | undefined;
    readonly isAsked: boolean;
  },
): { readonly offCpuMs: number; readonly blockedMs: number } {
  const none = { offCpuMs: 0, blockedMs: 0 };
  if (thread.state !== PT_THREAD_STATE.RUNNING || lastMs < UNTOLD_MS_MIN) return none;
  // On a CPU, and it has not left one since it was told to be: what is not charged was taken from the whole machine.
  if (kernel?.isRunning === true && kernel.switchCount === thread.switchMark) return none;
  // Hidden from the iterator as well: what nobody shows on a CPU is not said to be on one.
  if (kernel === undefined) return isAsked ? { offCpuMs: lastMs, blockedMs: lastMs } : none;
  const offCpuMs = lastMs - Math.max(0, kernel.execMs - thread.execMarkMs);
  if (offCpuMs < UNTOLD_MS_MIN) return none;
  const wantedMs = Math.max(0, kernel.delayMs - thread.delayMarkMs - thread.lastRunnableMs);
  return { offCpuMs, blockedMs: Math.max(0, offCpuMs - wantedMs) };
}

/** Blocked, in nobody knows what. */
function toUntoldWait(thread: PtThread, sinceMs: number): ThreadAccount["openWait"] {
  const object: ObjectKey = { kind: 0, port: 0, highLow: 0, highHigh: 0, lowLow: 0, lowHigh: 0 };
  const key = {
    processId: thread.tgid,
    threadId: thread.tid,
    targetSlot: thread.targetSlot,
    waitClass: PT_WAIT_CLASS.OTHER,
    systemCall: PT_NO_SYSTEM_CALL,
    object,
    stackId: -1,
  };
  return { key, sinceMs, lockOwnerThreadId: 0, joinedMs: 0 };
}

/** A wait is open while its thread is blocked, and until it runs again: only then it gets its row. */
function toOpenWait(thread: PtThread, endMs: number): ThreadAccount["openWait"] {
  const isBlocked = thread.state === PT_THREAD_STATE.BLOCKED;
  const isWoken = thread.state === PT_THREAD_STATE.RUNNABLE && thread.pendingMs > 0;
  if (thread.waitClass === PT_WAIT_CLASS.NONE || !(isBlocked || isWoken)) return undefined;
  return {
    key: {
      processId: thread.tgid,
      threadId: thread.tid,
      targetSlot: thread.targetSlot,
      waitClass: thread.waitClass,
      systemCall: thread.systemCall ?? PT_NO_SYSTEM_CALL,
      object: thread.object,
      stackId: thread.stackId,
    },
    sinceMs: isBlocked ? thread.sinceMs : endMs - thread.pendingMs,
    lockOwnerThreadId: thread.futexOwner,
    // What a poll waits for is known at its end only, and so whether it is the wait before.
    joinedMs: thread.pollKind === 0 ? thread.joinedMs : 0,
  };
}

/** Rows that catch the time of waits the table has no room for: one per class, of nobody. */
export function overflowRows(
  map: Pick<BpfMap, "keyBytes" | "valueBytes">,
): readonly { key: Uint8Array<ArrayBuffer>; value: Uint8Array<ArrayBuffer> }[] {
  return Object.values(PT_WAIT_CLASS).filter((waitClass) => waitClass !== PT_WAIT_CLASS.NONE).map((waitClass) => {
    const key = new Uint8Array(map.keyBytes);
    const view = new DataView(key.buffer);
    view.setUint16(PT_WAIT_KEY.offsets.waitClass, waitClass, true);
    view.setUint16(PT_WAIT_KEY.offsets.systemCall, PT_NO_SYSTEM_CALL, true);
    view.setInt32(PT_WAIT_KEY.offsets.stackId, -1, true);
    return { key, value: new Uint8Array(map.valueBytes) };
  });
}
