/**
 * The kernel as a `TracerBackend`: the tables and rings of one BPF object,
 * live or as they were recorded.
 *
 * @module
 */

import type { Plane } from "../api/plane.ts";
import type { ListenKey } from "../api/socket_counts.ts";
import type {
  AggregateVisitor,
  BackendCounters,
  ProcessResources,
  RecordView,
  SocketReading,
  TakenRows,
  TargetDiff,
  TaskSnapshot,
  ThreadAccount,
  TracerBackend,
} from "../api/tracer_backend.ts";
import type { TargetId } from "../api/units.ts";
import {
  PT_ITERATE,
  PT_OBJECT_KIND,
  PT_PROCESS_FROM_EXEC,
  PT_THREAD_STATE,
  PT_WAIT_CLASS,
  type PtTaskRecord,
} from "../../bpf/generated/layout.ts";
import type { PathHolder } from "../host/symbol_files.ts";
import { FilteredRemoval } from "./address_filter.ts";
import { type ControlWords, encodeControl, OPEN_CONTROL } from "./control_words.ts";
import { sumBooks, withMissing, withUnlearned } from "./loss_counters.ts";
import { toProgramCosts, toSystemCallStatus } from "./hooks.ts";
import type { KernelAccess, KernelTable } from "./kernel_access.ts";
import { RecordCursor } from "./record_cursor.ts";
import { toRecursionMisses, toRunTimesNs } from "./run_time_sampler.ts";
import {
  deleteRowsOfSlots,
  encodeErrorKeys,
  encodeListenKeys,
  encodePeerKeys,
  overflowSocketRows,
  readListenQueueRows,
  readPeerRows,
  readSocketErrorRows,
  readSocketRows,
  SLOTTED_TABLES,
} from "./socket_tables.ts";
import { decodeTaskRecords, toProcessResources, toTaskSnapshot } from "./task_snapshot.ts";
import {
  type KernelAccount,
  overflowFileRows,
  overflowRows,
  readChains,
  readFiles,
  readRunningThreads,
  readSamples,
  readThreads,
  SLOTTED_ROW_TABLES,
  WaitTable,
} from "./table_rows.ts";
import { refuseImpossibleTargets } from "./target_claims.ts";
import { type SlotEntry, TargetSlots } from "./target_slots.ts";
import { TextCache, toCount } from "./text_cache.ts";

const NO_SOCKET_EVENTS = { kinds: 0, slowResponseMs: 0, slowConnectMs: 0 };

/** Passes of the seeding iterator: a thread born behind the first one is met by the second. */
const SEED_PASSES = 2;

/** glibc: `struct __pthread_mutex_s { int lock; unsigned count; int owner; ... }`. */
const MUTEX_OWNER_OFFSET = 8n;

/** include/uapi/linux/futex.h */
const FUTEX_TID_MASK = 0x3fff_ffff;

/** The kernel behind the seam, or a recording of it. Disposal detaches everything and closes every map. */
export class LibbpfBackend implements TracerBackend {
  /** For files of traced processes; `undefined` in a recording. */
  readonly paths: PathHolder | undefined;
  readonly #access: KernelAccess;
  readonly #slots = new TargetSlots();
  #planes: ReadonlySet<Plane> = new Set();
  readonly #texts = new TextCache();
  readonly #waits: WaitTable;
  readonly #socketRemoval: FilteredRemoval;
  readonly #lifecycle: RecordCursor;
  readonly #data: RecordCursor;
  #control: ControlWords;
  #windowBeginMs: number;
  #windowEndMs: number | undefined;
  /** The program that iterates says so in every record; the reader's own is always among them. */
  #knowsSystemCalls = true;
  #closing: ReadonlyMap<bigint, KernelAccount> = new Map();
  #closingProcesses: readonly ProcessResources[] = [];

  /** @param options.pageBytes what the kernel counts memory in; a recording holds bytes already */
  constructor(
    access: KernelAccess,
    options: { readonly ownProcessId: number; readonly pageBytes?: number; readonly paths?: PathHolder },
  ) {
    const { ownProcessId, pageBytes = 0 } = options;
    this.#access = access;
    this.paths = options.paths;
    this.#lifecycle = new RecordCursor(access.lifecycleRing);
    this.#data = new RecordCursor(access.dataRing);
    this.#control = { ...OPEN_CONTROL, ownProcessId, pageBytes };
    this.#windowBeginMs = this.#nowMs();
    this.#writeControl({});
    this.#socketRemoval = new FilteredRemoval(this.#map("sockets"), this.#map("removed_sockets"));
    this.#waits = new WaitTable(this.#map("waits"), this.#texts);
    for (const { table, key } of overflowSocketRows()) {
      this.#map(table).update(key, new Uint8Array(this.#map(table).valueBytes));
    }
    for (const { key, value } of overflowRows(this.#map("waits"))) this.#map("waits").update(key, value);
    for (const { key, value } of overflowFileRows(this.#map("file_rows"))) this.#map("file_rows").update(key, value);
  }

  get windowBeginMs(): number {
    return this.#windowBeginMs;
  }

  /** The clock that records carry. */
  monotonicMs(): number {
    return this.#nowMs();
  }

  mayTakeOut(what: TakenRows, { isDue }: { isDue: boolean }): boolean {
    return this.#access.mayTakeOut(what, { isDue });
  }

  slotOf(targetId: TargetId): number | undefined {
    return this.#slots.slotOf(targetId);
  }

  applyTargets(diff: TargetDiff): void {
    const isFirst = this.#slots.count === 0;
    const removed = new Set(diff.removed);
    refuseImpossibleTargets([...this.#slots.targets().filter(({ id }) => !removed.has(id)), ...diff.added]);
    this.#changeMarks(diff);
    const { cgroupLevels, systemWideSlot } = this.#slots;
    const { hasUserStacks, slowWaitMs = 0, slowFileMs = 0 } = diff;
    const { kinds: socketKinds, slowResponseMs, slowConnectMs } = diff.socketEvents ?? NO_SOCKET_EVENTS;
    const thresholds = { slowWaitMs, slowResponseMs, slowConnectMs, slowFileMs };
    const followsSockets = diff.planes.has("sockets");
    const areSocketsNew = followsSockets && !this.#control.followsSockets;
    this.#writeControl({
      cgroupLevels,
      systemWideSlot,
      ...thresholds,
      socketKinds,
      followsSockets,
      hasUserStacks,
      targetGeneration: this.#nextGeneration(),
    });
    if (removed.size > 0) this.#iterate(PT_ITERATE.RELEASE);
    // Before the first wait is judged: what our side accepted is idle, not a peer that is slow.
    if (diff.added.length > 0) this.#learnListeners();
    if (isFirst && diff.added.length > 0) this.#windowBeginMs = this.#nowMs();
    // Once more: who read the last words while they were written may have remembered something of before.
    this.#writeControl({ isEnabled: this.#slots.count > 0, targetGeneration: this.#nextGeneration() });
    // What a target that left had taken from an outer one falls back to that.
    if (this.#slots.count > 0 && diff.added.length + removed.size > 0) this.#seed();
    if (followsSockets && (areSocketsNew || diff.added.length + removed.size > 0)) this.#visitSockets(PT_ITERATE.SEED);
  }

  /**
   * All of the change or nothing of it: when a table of the kernel takes no
   * more, what was in force is in force again. No thread was let go by then.
   */
  #changeMarks(diff: TargetDiff): void {
    using undo = new DisposableStack();

    // Removed slots stop at once, so that nothing new is taken in for them.
    for (const targetId of diff.removed) {
      const entry = this.#slots.release(targetId);
      if (entry === undefined) continue;
      undo.defer(() => {
        this.#slots.restore(entry);
        this.#mark(entry);
      });
      this.#unmark(entry);
    }
    // Before targets are added, so that a new one is seen by every hook from the start.
    const planes = this.#planes;
    undo.defer(() => this.#usePlanes(planes));
    this.#usePlanes(diff.planes);
    for (const target of diff.added) {
      const entry = { slot: this.#slots.take(target), target };
      undo.defer(() => {
        this.#slots.release(target.id);
        this.#unmark(entry);
      });
      this.#mark(entry);
    }
    undo.move(); // it worked: nothing is taken back
  }

  #nextGeneration(): number {
    return (this.#control.targetGeneration + 1) >>> 0;
  }

  #usePlanes(planes: ReadonlySet<Plane>): void {
    // A call that was cut off when the hooks went has left its begin in its thread's row.
    if (planes.has("files") && !this.#planes.has("files")) this.#writeControl({ filesSinceMs: this.#nowMs() });
    this.#planes = planes;
    this.#access.setPlanes(planes);
  }

  /** Makes threads of the target known to every program. */
  #mark({ slot, target }: SlotEntry): void {
    for (const { id } of target.cgroups) this.#map("target_cgroups").update(u64(id), u32(slot));
    const entry = target.beginsAtExec === true ? (slot | PT_PROCESS_FROM_EXEC) >>> 0 : slot;
    for (const processId of target.processIds) this.#map("target_processes").update(u32(processId), u32(entry));
    this.#map("target_slots").update(u32(slot), u32(1));
  }

  #unmark({ slot, target }: SlotEntry): void {
    this.#map("target_slots").update(u32(slot), u32(0));
    for (const { id } of target.cgroups) this.#map("target_cgroups").delete(u64(id));
    for (const processId of target.processIds) this.#map("target_processes").delete(u32(processId));
  }

  #seed(): void {
    for (let pass = 0; pass < SEED_PASSES; pass++) this.#iterate(PT_ITERATE.SEED);
  }

  #learnListeners(): void {
    const processIds = new Set<number>();
    for (const { prefix } of this.#iterate(PT_ITERATE.REPORT)) {
      if (prefix.targetSlot !== 0) processIds.add(prefix.tgid);
    }
    this.#access.learnListeners([...processIds]);
  }

  async wait(options: { timeoutMs: number; signal: AbortSignal }): Promise<void> {
    await this.#access.wait(options);
  }

  drain(
    visit: (record: RecordView) => void,
    options: { recordsMax: number; turnMsMax: number },
  ): { recordCount: number; byteCount: number; more: boolean } {
    const { hasTime } = this.#access;
    this.#access.beginTurn(options.turnMsMax);
    const first = this.#lifecycle.drain(visit, { recordsMax: options.recordsMax, hasTime });
    const recordsLeft = options.recordsMax - first.recordCount;
    const second = first.more || recordsLeft === 0
      ? { recordCount: 0, byteCount: 0, more: true }
      : this.#data.drain(visit, { recordsMax: recordsLeft, hasTime });
    this.#access.endTurn();
    if (first.recordCount + second.recordCount > 0 && !second.more) this.#clearLatch();
    return {
      recordCount: first.recordCount + second.recordCount,
      byteCount: first.byteCount + second.byteCount,
      more: first.more || second.more,
    };
  }

  /** The kernel wakes us once per crossing of the fill mark, until this says it may again. */
  #clearLatch(): void {
    if (this.#windowEndMs === undefined) this.#writeControl({});
  }

  readAggregates(visitor: AggregateVisitor): void {
    const texts = this.#texts;
    this.#waits.readAll((row) => visitor.wait(row));
    runToEnd(readChains(this.#map("chains"), { texts, visit: (row) => visitor.chain(row) }));
    runToEnd(readFiles(this.#map("file_rows"), { texts, visit: (row) => visitor.file(row) }));
    for (const row of readSamples(this.#map("cpu_samples"), { texts })) visitor.sample(row);
    if (this.#windowEndMs === undefined) return;
    const closing = { texts, endMs: this.#windowEndMs, kernelAccounts: this.#closing };
    for (const account of readThreads(this.#map("threads"), closing)) visitor.thread(this.#withLockOwner(account));
    for (const resources of this.#closingProcesses) visitor.process(resources);
  }

  *readRunning(visitor: AggregateVisitor): Generator<void, number> {
    const texts = this.#texts;
    yield* this.#waits.readSteps((row) => visitor.wait(row));
    yield* readChains(this.#map("chains"), { texts, visit: (row) => visitor.chain(row) });
    yield* readFiles(this.#map("file_rows"), { texts, visit: (row) => visitor.file(row) });
    return yield* readRunningThreads(this.#map("threads"), {
      texts,
      nowMs: () => this.#nowMs(),
      visit: (account) => visitor.thread(account),
      areFaultsTold: this.#planes.has("memory"),
      kernelAccounts: () => {
        const tasks = this.#iterate(PT_ITERATE.REPORT);
        if (this.#planes.has("memory")) { for (const process of toProcessResources(tasks)) visitor.process(process); }
        return toKernelAccounts(tasks);
      },
    });
  }

  /** A wait older than the look began out of our sight: who holds the lock is still written in it. */
  #withLockOwner(account: ThreadAccount): ThreadAccount {
    const { openWait } = account;
    if (openWait === undefined || openWait.lockOwnerThreadId !== 0) return account;
    const { object, waitClass } = openWait.key;
    if (waitClass !== PT_WAIT_CLASS.LOCK || object.kind !== PT_OBJECT_KIND.LOCK) return account;
    const address = (BigInt(object.lowHigh) << 32n) + BigInt(object.lowLow) + MUTEX_OWNER_OFFSET;
    const word = this.#access.readWord(account.processId, address);
    if (word === undefined) return account;
    return { ...account, openWait: { ...openWait, lockOwnerThreadId: word & FUTEX_TID_MASK } };
  }

  readSockets(): SocketReading {
    const texts = this.#texts;
    // A socket that ends meanwhile is in neither until the next reading; the other way round it would be in both.
    const peers = readPeerRows(this.#map("peers"), texts);
    const errors = readSocketErrorRows(this.#map("socket_errors"), texts);
    return {
      sockets: readSocketRows(this.#map("sockets"), texts),
      peers,
      errors,
      listenQueues: readListenQueueRows(this.#map("listen_queues"), texts),
    };
  }

  retireSockets(keys: readonly bigint[]): void {
    if (keys.length > 0) this.#socketRemoval.deleteBatch(new Uint8Array(new BigUint64Array(keys).buffer));
  }

  retirePeers(rows: Pick<SocketReading, "peers" | "errors">): void {
    const { peers, errors } = rows;
    if (peers.length > 0) this.#map("peers").deleteBatch(encodePeerKeys(peers));
    if (errors.length > 0) this.#map("socket_errors").deleteBatch(encodeErrorKeys(errors));
  }

  retireListenQueues(keys: readonly ListenKey[]): void {
    if (keys.length > 0) this.#map("listen_queues").deleteBatch(encodeListenKeys(keys));
  }

  retireSocketSlots(slots: readonly number[]): void {
    const doomed = new Set(slots);
    for (const { table, slotOffset, isInKey } of SLOTTED_TABLES) {
      const removal = table === "sockets" ? this.#socketRemoval : this.#map(table);
      deleteRowsOfSlots(this.#map(table), { slots: doomed, slotOffset, isInKey, removal });
    }
  }

  retireRows(gone: { threadIds: ReadonlySet<number>; targetSlots: ReadonlySet<number> }): void {
    this.#waits.deleteRows(gone);
    if (gone.targetSlots.size === 0) return;
    for (const { table, slotOffset } of SLOTTED_ROW_TABLES) {
      deleteRowsOfSlots(this.#map(table), { slots: gone.targetSlots, slotOffset, isInKey: true });
    }
  }

  snapshot(): TaskSnapshot {
    return toTaskSnapshot(this.#iterate(PT_ITERATE.REPORT), { atMs: this.#nowMs(), texts: this.#texts });
  }

  userStack(stackId: number): readonly bigint[] {
    if (stackId < 0) return [];
    const bytes = this.#map("user_stacks").lookup(u32(stackId));
    if (bytes === undefined) return [];
    const addresses = new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8);
    const end = addresses.indexOf(0n);
    return [...addresses.subarray(0, end < 0 ? addresses.length : end)];
  }

  closeWindow(): number {
    if (this.#windowEndMs !== undefined) return this.#windowEndMs;
    this.#access.beginClose();
    const endMs = this.#nowMs();
    this.#writeControl({ frozenAtMs: endMs });
    this.#windowEndMs = endMs;
    const tasks = this.#iterate(PT_ITERATE.REPORT);
    this.#closing = toKernelAccounts(tasks);
    this.#closingProcesses = toProcessResources(tasks);
    this.#visitSockets(PT_ITERATE.REPORT);
    this.#access.detach(endMs);
    return endMs;
  }

  counters(): BackendCounters {
    const { hooks, programs, runTotals, runTimeNote, mapMemoryBytes, unlearnedPortCount, gaps } = this.#access
      .attachment();
    const books = this.#map("books").lookup(u32(0));
    const { ledger, calls, departed } = sumBooks(books, { recursionMisses: toRecursionMisses(runTotals) });
    return {
      ledger: withMissing(withUnlearned(ledger, unlearnedPortCount), gaps?.missing),
      ...(gaps?.endedEarly === undefined ? {} : { endedEarly: gaps.endedEarly }),
      hooks: [...hooks, toSystemCallStatus(this.#knowsSystemCalls)],
      programs: toProgramCosts(programs, { calls, runTimesNs: toRunTimesNs(runTotals, { programs, calls }) }),
      runTimeNote,
      mapMemoryBytes,
      departed,
    };
  }

  #iterate(mode: number): readonly PtTaskRecord[] {
    this.#writeControl({ iteratorMode: mode });
    const records = decodeTaskRecords(this.#access.readTasks(), this.#texts);
    this.#knowsSystemCalls = records.every(({ knowsSystemCalls }) => knowsSystemCalls !== 0);
    // Reading alone changes nothing: whoever iterates without saying how gets a report.
    if (mode !== PT_ITERATE.REPORT) this.#writeControl({ iteratorMode: PT_ITERATE.REPORT });
    return records;
  }

  #visitSockets(mode: number): void {
    this.#writeControl({ iteratorMode: mode });
    this.#access.visitSockets();
    if (mode !== PT_ITERATE.REPORT) this.#writeControl({ iteratorMode: PT_ITERATE.REPORT });
  }

  #writeControl(change: Partial<ControlWords>): void {
    this.#control = { ...this.#control, ...change };
    this.#map("control").update(u32(0), encodeControl(this.#control));
  }

  #map(name: string): KernelTable {
    return this.#access.table(name);
  }

  #nowMs(): number {
    return this.#access.monotonicMs();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#access[Symbol.asyncDispose]();
  }
}

/** Yields what the scheduler says of each thread, by the task's address. */
function toKernelAccounts(tasks: readonly PtTaskRecord[]): ReadonlyMap<bigint, KernelAccount> {
  return new Map(tasks.map((task) => [
    (BigInt(task.taskAddressHigh) << 32n) | BigInt(task.taskAddressLow),
    {
      isRunning: task.state === PT_THREAD_STATE.RUNNING,
      switchCount: task.switches,
      execMs: task.execMs,
      delayMs: task.delayMs,
      minorFaultCount: toCount(task.minorFaultsLow, task.minorFaultsHigh),
      majorFaultCount: toCount(task.majorFaultsLow, task.majorFaultsHigh),
    },
  ]));
}

function runToEnd(steps: Generator<void, void>): void {
  for (const _step of steps) { /* nothing to do in between */ }
}

function u32(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Uint32Array([value]).buffer);
}

function u64(value: bigint): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new BigUint64Array([value]).buffer);
}
