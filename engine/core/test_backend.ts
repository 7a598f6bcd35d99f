/**
 * A backend for tests and benches: what the kernel would hold is put in by
 * hand.
 *
 * @module
 */

import type { SampleRow } from "../api/profile_measurements.ts";
import { EVENT_KINDS } from "../api/events.ts";
import { CATEGORIES, type Category, type CategoryLedger, HISTOGRAM_BUCKET_COUNT } from "../api/measurements.ts";
import type { ListenKey } from "../api/socket_counts.ts";
import type {
  AggregateVisitor,
  BackendCounters,
  BackendRecord,
  ChainRow,
  ExitRecord,
  FileRow,
  ForkRecord,
  NameRecord,
  ObjectKey,
  ProcessResources,
  RecordView,
  SocketReading,
  TakenRows,
  TargetDiff,
  TaskSnapshot,
  TaskSnapshotEntry,
  ThreadAccount,
  TracerBackend,
  WaitKey,
  WaitRecord,
  WaitRowView,
} from "../api/tracer_backend.ts";
import type { TargetId } from "../api/units.ts";
import { toErrorText, toSocketKeyText } from "./socket_rows.ts";
import type { RecordCategory } from "./loss_books.ts";
import { CATEGORY_OF_EVENT } from "./route_worker.ts";
import { NAME_KIND } from "./router.ts";
import type { WaitRow } from "./wait_rows.ts";

type KernelLedger = { -readonly [Field in keyof Omit<CategoryLedger, "residual">]: CategoryLedger[Field] };

/** Bytes of every record it hands over; no test depends on real sizes. */
export const TEST_RECORD_BYTES = 88;

/** Slots start at 1 and are never used twice, as the kernel's are not while their threads are let go. */
export class TestBackend implements TracerBackend {
  readonly windowBeginMs: number;
  readonly appliedDiffs: TargetDiff[] = [];
  readonly retiredThreadIds: number[] = [];
  /** What `mayTakeOut` answers instead of what is due. */
  takesOut: ((what: TakenRows) => boolean) | undefined;
  rows: WaitRow[] = [];
  chains: ChainRow[] = [];
  accounts: ThreadAccount[] = [];
  tasks: TaskSnapshotEntry[] = [];
  /** Interim readings begun. */
  runningReadCount = 0;
  samples: SampleRow[] = [];
  files: FileRow[] = [];
  processes: ProcessResources[] = [];
  sockets: SocketReading = { sockets: [], peers: [], errors: [], listenQueues: [] };
  stacks = new Map<number, readonly bigint[]>();
  /** Of the next target that is added. */
  nextSlot = 1;
  counterOverrides: Partial<BackendCounters> = {};
  /** What `applyTargets` throws instead of applying. */
  refusal: Error | undefined;
  /** Called when targets were let go, as the kernel closes their threads then. */
  onApplied: (diff: TargetDiff) => void = () => {};
  #records: BackendRecord[] = [];
  #wake = Promise.withResolvers<void>();
  readonly #slots = new Map<TargetId, number>();
  readonly #delivered: Record<RecordCategory, number> = { ...NO_RECORDS };
  readonly #ringFull: Record<RecordCategory, number> = { ...NO_RECORDS };
  #isOpen = true;
  #isDisposed = false;
  readonly #clock: { monotonicMs(): number };

  constructor(clock: { monotonicMs(): number }) {
    this.#clock = clock;
    this.windowBeginMs = clock.monotonicMs();
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get isDisposed(): boolean {
    return this.#isDisposed;
  }

  /** Records not drained yet. */
  get heldCount(): number {
    return this.#records.length;
  }

  /** The kernel submits `record`; it counts from here on. */
  submit(record: BackendRecord): void {
    this.#records.push(record);
    this.#delivered[categoryOf(record)]++;
    this.wake();
  }

  /** The kernel found no room for `record`. */
  lose(record: BackendRecord): void {
    this.#ringFull[categoryOf(record)]++;
  }

  /** The kernel counted `record` as submitted, and it never arrives. */
  swallow(record: BackendRecord): void {
    this.#delivered[categoryOf(record)]++;
  }

  /** Ends the present `wait`. */
  wake(): void {
    this.#wake.resolve();
  }

  applyTargets(diff: TargetDiff): void {
    if (this.refusal !== undefined) throw this.refusal;
    this.appliedDiffs.push(diff);
    for (const targetId of diff.removed) this.#slots.delete(targetId);
    for (const target of diff.added) this.#slots.set(target.id, this.nextSlot++);
    this.onApplied(diff);
  }

  slotOf(targetId: TargetId): number | undefined {
    return this.#slots.get(targetId);
  }

  async wait(options: { timeoutMs: number; signal: AbortSignal }): Promise<void> {
    if (options.signal.aborted) return;
    const wake = this.#wake;
    const onAbort = () => wake.resolve();
    options.signal.addEventListener("abort", onAbort, { once: true });
    await wake.promise;
    options.signal.removeEventListener("abort", onAbort);
    if (this.#wake === wake) this.#wake = Promise.withResolvers<void>();
  }

  drain(
    visit: (record: RecordView) => void,
    options: { recordsMax: number; turnMsMax: number },
  ): { recordCount: number; byteCount: number; more: boolean } {
    const taken = this.#records.splice(0, options.recordsMax);
    for (const record of taken) visit(toView(record));
    return {
      recordCount: taken.length,
      byteCount: taken.length * TEST_RECORD_BYTES,
      more: this.#records.length > 0,
    };
  }

  readAggregates(visitor: AggregateVisitor): void {
    for (const row of this.rows) visitor.wait(toRowView(row));
    for (const chain of this.chains) visitor.chain(chain);
    for (const row of this.files) visitor.file(row);
    for (const row of this.samples) visitor.sample(row);
    if (this.#isOpen) return;
    for (const account of this.accounts) visitor.thread(account);
    for (const resources of this.processes) visitor.process(resources);
  }

  /** A row or account per step. */
  *readRunning(visitor: AggregateVisitor): Generator<void, number> {
    this.runningReadCount++;
    for (const row of [...this.rows]) {
      visitor.wait(toRowView(row));
      yield;
    }
    for (const chain of this.chains) visitor.chain(chain);
    for (const account of this.accounts) {
      visitor.thread(account);
      yield;
    }
    for (const row of this.files) visitor.file(row);
    for (const resources of this.processes) visitor.process(resources);
    return this.#clock.monotonicMs();
  }

  readSockets(): SocketReading {
    return this.sockets;
  }

  retireSockets(keys: readonly bigint[]): void {
    const retired = new Set(keys);
    this.sockets = { ...this.sockets, sockets: this.sockets.sockets.filter(({ key }) => !retired.has(key)) };
  }

  retirePeers(rows: Pick<SocketReading, "peers" | "errors">): void {
    const gonePeers = new Set(rows.peers.map(toSocketKeyText));
    const goneErrors = new Set(rows.errors.map(toErrorText));
    this.sockets = {
      ...this.sockets,
      peers: this.sockets.peers.filter((row) => !gonePeers.has(toSocketKeyText(row))),
      errors: this.sockets.errors.filter((row) => !goneErrors.has(toErrorText(row))),
    };
  }

  retireListenQueues(keys: readonly ListenKey[]): void {
    const gone = new Set(keys.map(({ address, inode }) => `${address}/${inode}`));
    this.sockets = {
      ...this.sockets,
      listenQueues: this.sockets.listenQueues.filter(({ key }) => !gone.has(`${key.address}/${key.inode}`)),
    };
  }

  retireSocketSlots(slots: readonly number[]): void {
    const isKept = ({ targetSlot }: { targetSlot: number }) => !slots.includes(targetSlot);
    const { sockets, peers, errors, listenQueues } = this.sockets;
    this.sockets = {
      sockets: sockets.filter(isKept),
      peers: peers.filter(isKept),
      errors: errors.filter(isKept),
      listenQueues: listenQueues.filter(isKept),
    };
  }

  mayTakeOut(what: TakenRows, { isDue }: { isDue: boolean }): boolean {
    return this.takesOut?.(what) ?? isDue;
  }

  retireRows({ threadIds, targetSlots }: { threadIds: ReadonlySet<number>; targetSlots: ReadonlySet<number> }): void {
    const isGone = ({ key }: (typeof this.rows)[number]) =>
      threadIds.has(key.threadId) || targetSlots.has(key.targetSlot);
    this.retiredThreadIds.push(...new Set(this.rows.filter(isGone).map(({ key }) => key.threadId)));
    this.rows = this.rows.filter((row) => !isGone(row));
    this.chains = this.chains.filter(({ targetSlot }) => !targetSlots.has(targetSlot));
    this.files = this.files.filter(({ key }) => !targetSlots.has(key.targetSlot));
    this.samples = this.samples.filter(({ targetSlot }) => !targetSlots.has(targetSlot));
  }

  snapshot(): TaskSnapshot {
    return { atMs: this.#clock.monotonicMs(), tasks: this.tasks, processes: this.processes };
  }

  userStack(stackId: number): readonly bigint[] {
    return this.stacks.get(stackId) ?? [];
  }

  closeWindow(): number {
    this.#isOpen = false;
    return this.#clock.monotonicMs();
  }

  counters(): BackendCounters {
    return {
      ledger: this.#ledger(),
      hooks: [],
      programs: [],
      runTimeNote: "not measured",
      mapMemoryBytes: 0,
      departed: { threadCount: 0, lifetimeMs: 0, onCpuMs: 0, runnableMs: 0, throttledMs: 0, blockedMs: 0 },
      ...this.counterOverrides,
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    return Promise.resolve();
  }

  #ledger(): Record<Category, KernelLedger> {
    const ledger = emptyKernelLedger();
    // Object.keys widens the keys of a constant table to string.
    for (const category of Object.keys(NO_RECORDS) as RecordCategory[]) {
      const delivered = this.#delivered[category];
      const ringFull = this.#ringFull[category];
      ledger[category] = { ...EMPTY, seen: delivered + ringFull, delivered, dropped: { ring_full: ringFull } };
    }
    return ledger;
  }
}

const NO_RECORDS: Readonly<Record<RecordCategory, number>> = {
  slowWaits: 0,
  names: 0,
  lifecycle: 0,
  socketEvents: 0,
  memory: 0,
  slowFiles: 0,
};

const EMPTY: KernelLedger = { seen: 0, filtered: 0, aggregated: 0, delivered: 0, dropped: {} };

/** Nothing seen, nothing lost. */
export function emptyKernelLedger(): Record<Category, KernelLedger> {
  const entries = CATEGORIES.map((category) => [category, { ...EMPTY }]);
  // Object.fromEntries widens the keys; CATEGORIES has every one.
  return Object.fromEntries(entries) as Record<Category, KernelLedger>;
}

export const NO_OBJECT: ObjectKey = { kind: 0, port: 0, highLow: 0, highHigh: 0, lowLow: 0, lowHigh: 0 };

export function anObject(overrides: Partial<ObjectKey> = {}): ObjectKey {
  return { ...NO_OBJECT, ...overrides };
}

export function aWaitKey(overrides: Partial<WaitKey> = {}): WaitKey {
  return {
    processId: 100,
    threadId: 101,
    targetSlot: 1,
    waitClass: 1,
    systemCall: 0,
    object: NO_OBJECT,
    stackId: -1,
    ...overrides,
  };
}

export function aWait(overrides: Partial<WaitRecord> = {}): WaitRecord {
  return { kind: "wait", endMs: 1000, durationMs: 50, key: aWaitKey(), wakerThreadId: 0, ...overrides };
}

export function aName(overrides: Partial<NameRecord> = {}): NameRecord {
  return {
    kind: "name",
    targetSlot: 1,
    processId: 100,
    object: anObject({ kind: 7, highLow: 8 << 20, lowLow: 42 }),
    components: ["data.bin", "srv"],
    isTruncated: false,
    ...overrides,
  };
}

export function aFork(overrides: Partial<ForkRecord> = {}): ForkRecord {
  return {
    kind: "fork",
    targetSlot: 1,
    atMs: 1000,
    parentProcessId: 100,
    parentThreadId: 100,
    childProcessId: 200,
    childThreadId: 200,
    command: "worker",
    ...overrides,
  };
}

export function anAccount(overrides: Partial<ThreadAccount> = {}): ThreadAccount {
  return {
    processId: 100,
    threadId: 101,
    namespaceThreadId: 11,
    targetSlot: 1,
    command: "worker",
    beginMs: 0,
    endMs: 1000,
    onCpuMs: 100,
    runnableMs: 50,
    throttledMs: 0,
    blockedMs: 850,
    kernelOnCpuMs: 100,
    kernelRunDelayMs: 50,
    minorFaultCount: 7,
    majorFaultCount: 1,
    exited: false,
    openWait: undefined,
    ...overrides,
  };
}

export function anExit(overrides: Partial<ExitRecord> = {}): ExitRecord {
  return {
    kind: "exit",
    targetSlot: 1,
    parentProcessId: 1,
    exitCode: 0,
    processEnded: false,
    leftTarget: false,
    isOomVictim: false,
    thread: anAccount({ exited: true }),
    ...overrides,
  };
}

export function aRow(overrides: Partial<WaitRow> = {}): WaitRow {
  const buckets = new Array<number>(HISTOGRAM_BUCKET_COUNT).fill(0);
  buckets[12] = 2;
  return {
    key: aWaitKey(),
    count: 2,
    sleepCount: 3,
    totalMs: 12,
    maxMs: 7,
    maxEndMs: 900,
    waker: undefined,
    buckets,
    openMs: 0,
    ...overrides,
  };
}

function categoryOf(record: BackendRecord): RecordCategory {
  return record.kind === "name" ? "names" : CATEGORY_OF_EVENT[record.kind];
}

function toView(record: BackendRecord): RecordView {
  return {
    kind: record.kind === "name" ? NAME_KIND : EVENT_KINDS[record.kind],
    targetSlot: record.kind === "wait" || record.kind === "file" ? record.key.targetSlot : record.targetSlot,
    sizeBytes: TEST_RECORD_BYTES,
    decode: () => record,
  };
}

function toRowView(row: WaitRow): WaitRowView {
  return {
    threadId: row.key.threadId,
    targetSlot: row.key.targetSlot,
    key: () => row.key,
    count: row.count,
    sleepCount: row.sleepCount,
    totalMs: row.totalMs,
    maxMs: row.maxMs,
    maxEndMs: row.maxEndMs,
    wakerThreadId: row.waker?.threadId ?? 0,
    wakerProcessId: row.waker?.processId ?? 0,
    wakerCommand: () => row.waker?.command ?? "",
    bucket: (index) => row.buckets[index] ?? 0,
  };
}
