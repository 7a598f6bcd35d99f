/**
 * Everything counted in a run, from the first reading to the final measurements
 * of each route.
 *
 * @module
 */

import type { SampleRow } from "../api/profile_measurements.ts";
import type { Clock } from "../api/clock.ts";
import type { CgroupReading, HostReader, OwnUse } from "../api/host_reader.ts";
import {
  type Books,
  CATEGORIES,
  type Category,
  type CgroupMeasurement,
  type DepartedThreads,
  type LockChainMeasurement,
  type LossSpan,
  type Measurements,
  type PressureMeasurement,
  type ThreadLedger,
  type WaitMeasurement,
} from "../api/measurements.ts";
import type { FileMeasurement } from "../api/file_measurements.ts";
import { OOM_KILLS_MAX } from "../api/limits.ts";
import type { Plane } from "../api/plane.ts";
import type { CgroupResourceMeasurement, OomKillMeasurement } from "../api/resource_measurements.ts";
import type { Target } from "../api/target.ts";
import { sanitizeText } from "../api/text.ts";
import type {
  AggregateVisitor,
  BackendCounters,
  ChainRow,
  CloseRecord,
  ExecRecord,
  ExitRecord,
  FileRow,
  ForkRecord,
  NameRecord,
  OomKillRecord,
  ProcessResources,
  TaskSnapshot,
  ThreadAccount,
  TracerBackend,
} from "../api/tracer_backend.ts";
import type { TargetId } from "../api/units.ts";
import { type EventNames, toOomKillEvent } from "./event_mapper.ts";
import { toFileMeasurements } from "./file_rows.ts";
import { invariant } from "./invariant.ts";
import { withOpenChains, withoutQueueing } from "./lock_chains.ts";
import { joinSpans, LossSpans } from "./loss_spans.ts";
import { type LossInput, sumCounts, toCategoryLedgers, toCompleteness, toRunningLedgers } from "./loss_books.ts";
import { NameTable } from "./name_table.ts";
import { ObjectCache } from "./object_cache.ts";
import { ProcessBook } from "./process_book.ts";
import { ResourceBook } from "./resource_book.ts";
import { NAME_KIND, type RecordConsumer, type RouterCounts } from "./router.ts";
import { eachInSteps, finishSteps, type Steps } from "./steps.ts";
import {
  addDeparted,
  ExitedThreads,
  NO_DEPARTED,
  targetCpuMs,
  toDeparted,
  toLifeText,
  toThreadLedger,
} from "./thread_ledgers.ts";
import { SocketBook, type SocketClosing, toSocketMeasurements } from "./socket_book.ts";
import { UserStacks } from "./user_stacks.ts";
import { addRow, RetiredRows, toOpenRow, toWaitRow, type WaitRow } from "./wait_rows.ts";
import { toPointerText, toWaitClass } from "./wait_objects.ts";
import { measureWallOffsetMs } from "./wall_offset.ts";
import { toCgroupMeasurement, toCgroupResources, toPressureDelta } from "./window_deltas.ts";

export interface MeasurementBookOptions {
  readonly backend: TracerBackend;
  readonly host: HostReader;
  readonly clock: Clock;
  readonly systemCallOf: (systemCall: number) => string | undefined;
}

/** What is known of a target for as long as it is traced. */
interface TargetEntry {
  readonly slot: number;
  readonly cgroups: readonly {
    readonly path: string;
    /** The process it was found for; `undefined`: it is the target itself. */
    readonly memberId: number | undefined;
    readonly begin: CgroupReading | undefined;
  }[];
}

export interface TargetChange {
  readonly removed: readonly TargetId[];
  readonly added: readonly { readonly target: Target; readonly slot: number }[];
}

/** Everything read once, at the window's end or on the way there; the same for every route. */
interface Closing {
  readonly isFinal: boolean;
  readonly endMs: number;
  readonly ledgers: readonly ThreadLedger[]; // of threads that ended
  readonly wallOffsetMs: number;
  readonly rows: readonly WaitRow[];
  readonly chains: readonly ChainRow[];
  readonly accounts: readonly ThreadAccount[];
  readonly cgroups: readonly CgroupMeasurement[];
  readonly cgroupResources: readonly CgroupResourceMeasurement[];
  readonly files: readonly FileRow[];
  readonly samples: readonly SampleRow[];
  readonly pressure: PressureMeasurement | undefined;
  readonly ownUse: OwnUse;
  readonly sockets: SocketClosing;
  readonly counters: BackendCounters;
  readonly router: RouterCounts;
}

/** One route's share: whose figures it gets, and what became of its events. */
export interface RouteShare {
  readonly targetIds: ReadonlySet<TargetId>;
  /** What it asked to be looked at. */
  readonly planes: ReadonlySet<Plane>;
  /** Of records in general: what this route did not ask for, and what was lost on its way. */
  readonly losses: Omit<LossInput["read"], "names">;
  /** When its own events were lost, after they were read. */
  readonly lossSpanOf: (category: Category) => LossSpan | undefined;
}

/** What was read while the window is open; the books follow at one instant. */
export type RunningReading = Omit<Closing, "counters" | "router">;

/** A kill before its time is told on the wall clock. */
type OomKill = Omit<OomKillMeasurement, "atWallMs"> & { readonly atMs: number };

/** The kernel never gives a target this slot. */
const OVERFLOW_SLOT = 0;

export class MeasurementBook implements RecordConsumer, EventNames {
  readonly #options: MeasurementBookOptions;
  readonly #names = new NameTable();
  readonly #objects: ObjectCache;
  readonly #stacks: UserStacks;
  readonly #retired = new RetiredRows();
  readonly #exited = new ExitedThreads();
  readonly #sockets: SocketBook;
  readonly #processes: ProcessBook;
  readonly #resources = new ResourceBook();
  readonly #oomKills: OomKill[] = [];
  readonly #targets = new Map<TargetId, TargetEntry>();
  readonly #targetOfSlot = new Map<number, TargetId>();
  readonly #beginWallOffsetMs: number;
  readonly #beginPressure: PressureMeasurement | undefined;
  readonly #beginOwnUse: OwnUse;
  /** Threads that ended since their rows were last collected. */
  #endedThreadIds = new Set<number>();
  readonly #lossSpans: LossSpans<Category>;
  #closing: Closing | undefined;

  constructor(options: MeasurementBookOptions) {
    this.#options = options;
    this.#lossSpans = new LossSpans(options.backend.windowBeginMs);
    this.#objects = new ObjectCache((key) => this.#names.nameOf(key));
    this.#stacks = new UserStacks(options.backend, options.host);
    this.#sockets = new SocketBook(options.backend);
    this.#processes = new ProcessBook({ host: options.host });
    this.#beginWallOffsetMs = measureWallOffsetMs(options.clock);
    this.#beginPressure = options.host.pressure();
    this.#beginOwnUse = options.host.ownUse();
  }

  /**
   * Follows the kernel to other targets. One that is in both lists goes on
   * with other members: its figures stay. Those of one that left are nobody's.
   */
  changeTargets(change: TargetChange): void {
    const moves = new Map<number, number | undefined>(); // slot before, slot now
    const before = new Map<TargetId, TargetEntry>();
    for (const targetId of change.removed) {
      const entry = this.#targets.get(targetId);
      if (entry === undefined) continue;
      before.set(targetId, entry);
      moves.set(entry.slot, undefined);
      this.#targets.delete(targetId);
      this.#targetOfSlot.delete(entry.slot);
    }
    for (const { target, slot } of change.added) {
      const predecessor = before.get(target.id);
      if (predecessor !== undefined) moves.set(predecessor.slot, slot);
      this.#targets.set(target.id, { slot, cgroups: this.#openCgroups(target, predecessor) });
    }
    for (const [targetId, entry] of this.#targets) this.#targetOfSlot.set(entry.slot, targetId);
    for (const targetId of change.removed) {
      if (this.#targets.has(targetId)) continue;
      this.#exited.forgetTarget(targetId);
      this.#processes.forgetTarget(targetId);
      this.#resources.forgetTarget(targetId);
    }
    for (const [from, to] of moves) if (from === to) moves.delete(from);
    if (moves.size === 0) return;
    this.#retired.moveSlots(moves);
    this.#sockets.moveSlots(moves);
    this.#collectRows({ threadIds: new Set(), moves });
  }

  /** Learns processes and names from what every thread is doing now. */
  seed(snapshot: TaskSnapshot): void {
    for (const resources of snapshot.processes) this.#onResources(resources, "begin");
    for (const task of snapshot.tasks) {
      const targetId = this.#targetOfSlot.get(task.targetSlot);
      if (targetId === undefined) continue;
      const { processId, parentProcessId } = task;
      const isMain = task.threadId === processId;
      this.#processes.see({ processId, targetId, parentProcessId, ...(isMain ? { command: task.command } : {}) });
      if (this.#names.nameOf(task.object) !== undefined) continue; // a name record knows more: whether it was cut
      this.#learn({ object: task.object, components: task.nameComponents, isTruncated: false });
    }
  }

  onName(record: NameRecord): void {
    this.#learn(record);
  }

  onFork(record: ForkRecord, targetId: TargetId): void {
    const { parentProcessId, childProcessId, command } = record;
    this.#resources.fork(record, targetId);
    if (childProcessId === parentProcessId) return;
    this.#processes.see({ processId: childProcessId, targetId, parentProcessId, command });
  }

  onExec(record: ExecRecord, targetId: TargetId): void {
    // Another thread may have exec'ed: it took over the id of the main thread, whose end was told before.
    this.#endedThreadIds.delete(record.processId);
    this.#processes.exec({ processId: record.processId, targetId, command: record.command });
  }

  onClose(record: CloseRecord): void {
    this.#sockets.onClose(record);
  }

  onExit(record: ExitRecord, targetId: TargetId): boolean {
    const { thread, parentProcessId } = record;
    const { processId, threadId, command } = thread;
    this.#exited.add(toThreadLedger(thread, targetId));
    this.#resources.thread(thread, targetId);
    if (!record.leftTarget) this.#endedThreadIds.add(threadId); // one that left lives on, and so may its rows
    if (!record.processEnded || this.#processes.hasEnded(processId)) return false;
    if (record.isOomVictim) this.#onOomEnd(record, targetId);
    const isMain = threadId === processId;
    this.#processes.end({ processId, targetId, parentProcessId, ...(isMain ? { command } : {}) });
    return true;
  }

  onOomKill(record: OomKillRecord, targetId: TargetId): void {
    const { command, memory, processId, atMs } = toOomKillEvent(record, targetId);
    this.#addOomKill({ targetId, atMs, processId, command, memory });
  }

  objectOf = (key: NameRecord["object"]): WaitMeasurement["object"] => this.#objects.objectOf(key);

  systemCallOf = (systemCall: number): string | undefined => this.#options.systemCallOf(systemCall);

  /** After a drain turn: looks up processes that appeared, a bounded number. */
  readProcesses(): void {
    this.#processes.readSome();
  }

  /** Notes which of the kernel's losses grew since the last look. */
  lookAtLosses(nowMs: number): void {
    this.#noteLosses(nowMs, this.#options.backend.counters());
  }

  #noteLosses(nowMs: number, { ledger }: Pick<BackendCounters, "ledger">): void {
    const nameless = this.#retired.namelessCount;
    this.#lossSpans.look(
      nowMs,
      CATEGORIES.map((category) =>
        [category, sumCounts(ledger[category].dropped) + (category === "waits" ? nameless : 0)] as const
      ),
    );
  }

  /** Makes room for sockets where idle ones fill the kernel's table. */
  collectSockets(): void {
    this.#sockets.collectIdle();
  }

  /** Moves the rows of threads that ended out of the kernel, so that its table holds the living. */
  collectEnded(): void {
    if (this.#endedThreadIds.size === 0) return;
    const ended = this.#endedThreadIds;
    this.#endedThreadIds = new Set();
    this.#collectRows({ threadIds: ended, moves: new Map() });
  }

  /** Describes stacks of waits and samples that are not known yet; see `UserStacks.describeSome`. */
  describeStacks(): void {
    this.#stacks.describeSome((visit) => this.#options.backend.readAggregates({ ...NO_VISITS, ...visit }));
  }

  /** Reads everything once; after the window was closed and the rings were drained. */
  close(options: { endMs: number; router: RouterCounts }): void {
    invariant(this.#closing === undefined, "Expected the book to be open, got a second close");
    const { backend, host, clock } = this.#options;
    const rows = new Map<string, WaitRow>();
    const chains: ChainRow[] = [];
    const accounts: ThreadAccount[] = [];
    const files: FileRow[] = [];
    const samples: SampleRow[] = [];
    for (const row of this.#retired.rows()) addRow(rows, row);
    backend.readAggregates({
      wait: (view) => addRow(rows, toWaitRow(view)),
      chain: (chain) => chains.push(chain),
      thread: (account) => accounts.push(account),
      file: (row) => files.push(row),
      sample: (row) => samples.push(row),
      process: (resources) => this.#onResources(resources, "end"),
    });
    for (const account of accounts) {
      const open = toOpenRow(account);
      if (open !== undefined) addRow(rows, open);
      this.#seeLiving(account);
    }
    this.#processes.readSome(Infinity);
    const counters = backend.counters();
    this.#noteLosses(options.endMs, counters);
    this.#closing = {
      isFinal: true,
      endMs: options.endMs,
      ledgers: [...this.#exited.ledgers()],
      wallOffsetMs: measureWallOffsetMs(clock),
      rows: [...rows.values()],
      chains: withOpenChains(withoutQueueing(chains), accounts),
      accounts,
      ...finishSteps(this.#readCgroups()),
      files,
      samples,
      pressure: toPressureDelta(this.#beginPressure, host.pressure()),
      ownUse: host.ownUse(),
      sockets: this.#sockets.read(),
      counters,
      router: options.router,
    };
  }

  /** Yields the final measurements of one route; after `close`. */
  measurementsFor(share: RouteShare): Measurements {
    const closing = this.#closing;
    invariant(closing !== undefined, "Expected the book to be closed before its measurements are asked for");
    return finishSteps(this.#measurementSteps(closing, share));
  }

  /**
   * Reads what has been counted so far, in steps, and changes nothing: the
   * final measurements are the same with and without it. Drain between its
   * steps, and do not `collectEnded` before its end.
   */
  *readRunning(): Steps<RunningReading> {
    const { backend, host, clock } = this.#options;
    const rows = new Map<string, WaitRow>();
    const chains: ChainRow[] = [];
    const living: ThreadAccount[] = [];
    const files: FileRow[] = [];
    yield* eachInSteps(this.#retired.rows(), (row) => addRow(rows, row));
    const endMs = yield* backend.readRunning({
      wait: (view) => addRow(rows, toWaitRow(view)),
      chain: (chain) => chains.push(chain),
      thread: (account) => living.push(account),
      file: (row) => files.push(row),
      sample: () => {}, // told at the end only
      process: () => {}, // told at the end only
    });
    yield "turn"; // what ended before `endMs` has told so after a drain
    const ledgers: ThreadLedger[] = [];
    yield* eachInSteps(this.#exited.ledgers(), (ledger) => {
      if (ledger.endMs <= endMs) ledgers.push(ledger);
    });
    const ended = new Set<string>();
    yield* eachInSteps(ledgers, (ledger) => ended.add(toLifeText(ledger)));
    const accounts = living.filter((account) => !ended.has(toLifeText(account)));
    yield* eachInSteps(accounts, (account) => {
      const open = toOpenRow(account);
      if (open !== undefined) addRow(rows, open);
    });
    const cgroups = yield* this.#readCgroups();
    yield;
    const sockets = this.#sockets.read();
    yield;
    return {
      isFinal: false,
      endMs,
      ledgers,
      wallOffsetMs: measureWallOffsetMs(clock),
      rows: [...rows.values()],
      chains: withOpenChains(withoutQueueing(chains), accounts),
      accounts,
      ...cgroups,
      files,
      samples: [],
      pressure: toPressureDelta(this.#beginPressure, host.pressure()),
      ownUse: host.ownUse(),
      sockets,
    };
  }

  /**
   * Yields the interim measurements of routes, in order and in steps.
   *
   * @param shares made just now, with nothing drained since
   */
  *interimMeasurements(
    reading: RunningReading,
    given: { readonly router: RouterCounts; readonly shares: readonly RouteShare[] },
  ): Steps<readonly Measurements[]> {
    const closing: Closing = { ...reading, counters: this.#options.backend.counters(), router: given.router };
    const measurements: Measurements[] = [];
    for (const share of given.shares) measurements.push(yield* this.#measurementSteps(closing, share));
    return measurements;
  }

  *#measurementSteps(closing: Closing, share: RouteShare): Steps<Measurements> {
    const { backend, host } = this.#options;
    const beginMs = backend.windowBeginMs;
    const isShared = (targetId: TargetId | undefined): targetId is TargetId =>
      targetId !== undefined && share.targetIds.has(targetId);
    const threads = (yield* this.#threadLedgers(closing)).filter((ledger) => isShared(ledger.targetId));
    const departed = this.#departedOf(closing, share.targetIds);
    return {
      isFinal: closing.isFinal,
      window: {
        beginMs,
        endMs: closing.endMs,
        beginWallMs: beginMs + this.#beginWallOffsetMs,
        endWallMs: closing.endMs + closing.wallOffsetMs,
      },
      threads,
      ...(departed.threadCount > 0 ? { departed } : {}),
      processes: [...this.#processes.processes()].filter((process) => isShared(process.targetId)),
      waits: yield* this.#waitMeasurements(closing, share.targetIds),
      cpuSamples: this.#stacks.samplesOf(closing.samples, (slot) => {
        const targetId = this.#targetOfSlot.get(slot);
        return isShared(targetId) ? targetId : undefined;
      }),
      lockChains: this.#lockChains(closing, isShared),
      ...toSocketMeasurements(closing.sockets, {
        targetIds: share.targetIds,
        targetOf: (slot) => this.#targetOfSlot.get(slot),
        objectOf: this.objectOf,
        wallOffsetMs: closing.wallOffsetMs,
      }),
      cgroups: closing.cgroups.filter((cgroup) => isShared(cgroup.targetId)),
      processResources: closing.isFinal
        ? this.#resources.measurements().filter(({ targetId }) => isShared(targetId))
        : [],
      cgroupResources: closing.cgroupResources.filter((cgroup) => isShared(cgroup.targetId)),
      oomKills: this.#oomKillMeasurements(closing, isShared),
      fileOperations: share.planes.has("files") ? this.#fileMeasurements(closing, share.targetIds) : [],
      host: { cpuCount: host.cpuCount, pressure: closing.pressure },
      books: this.#booksOf(closing, share, targetCpuMs(threads, departed)),
    };
  }

  #learn(name: { object: NameRecord["object"]; components: readonly string[]; isTruncated: boolean }): void {
    if (name.components.length === 0) return;
    this.#names.learn(name);
    this.#objects.forget(name.object);
  }

  /** A thread that lives at the end belongs to a process, whether or not anything else told of it. */
  #seeLiving(account: ThreadAccount): void {
    const targetId = this.#targetOfSlot.get(account.targetSlot);
    if (targetId === undefined) return;
    const { processId, threadId, command } = account;
    this.#resources.thread(account, targetId);
    this.#processes.see({ processId, targetId, ...(threadId === processId ? { command } : {}) });
  }

  /**
   * Takes out of the kernel's table the rows of `threadIds`, which have ended,
   * and those in slots that moved, into which nothing is counted any more. A
   * thread of such a slot may live on in another: its rows there stay.
   */
  #collectRows(taken: { threadIds: ReadonlySet<number>; moves: ReadonlyMap<number, number | undefined> }): void {
    const { backend } = this.#options;
    const { threadIds, moves } = taken;
    const rows: WaitRow[] = [];
    backend.readAggregates({ ...NO_VISITS, wait: (view) => rows.push(toWaitRow(view)) });
    let takenCount = 0;
    for (const row of rows) {
      const { targetSlot } = row.key;
      const hasMoved = moves.has(targetSlot);
      if (!hasMoved && !threadIds.has(row.key.threadId)) continue;
      takenCount++;
      const slot = hasMoved ? moves.get(targetSlot) : targetSlot;
      if (slot === undefined || !this.#targetOfSlot.has(slot)) continue;
      this.#retire(slot === targetSlot ? row : { ...row, key: { ...row.key, targetSlot: slot } });
    }
    if (takenCount > 0) backend.retireRows({ threadIds, targetSlots: new Set(moves.keys()) });
  }

  /** Readings at the beginning; a cgroup that stays keeps the one it has. */
  #openCgroups(target: Target, predecessor: TargetEntry | undefined): TargetEntry["cgroups"] {
    const { host } = this.#options;
    const memberOf = new Map<string, number | undefined>(target.cgroups.map(({ path }) => [path, undefined]));
    if (memberOf.size === 0) {
      // A target named by process: its limits are those of the group it is in.
      for (const processId of target.processIds) {
        const path = host.cgroupPathOf(processId);
        if (path !== undefined && !memberOf.has(path)) memberOf.set(path, processId);
      }
    }
    return Array.from(memberOf, ([path, memberId]) =>
      predecessor?.cgroups.find((cgroup) => cgroup.path === path) ??
        { path, memberId, begin: host.cgroup(path, memberId) });
  }

  #retire(row: WaitRow): void {
    // The process may be gone by the end, and its mappings with it.
    this.#stacks.framesOf(row.key.processId, row.key.stackId);
    this.#retired.add(row);
  }

  *#threadLedgers(closing: Closing): Steps<ThreadLedger[]> {
    const ledgers = [...closing.ledgers];
    yield* eachInSteps(closing.accounts, (account) => {
      const targetId = this.#targetOfSlot.get(account.targetSlot);
      if (targetId !== undefined) ledgers.push(toThreadLedger(account, targetId));
    });
    return ledgers;
  }

  /** Ended threads without a ledger: the kernel's are not told apart by target, so every route gets them. */
  #departedOf(closing: Closing, targetIds: ReadonlySet<TargetId>): DepartedThreads {
    let departed = addDeparted(NO_DEPARTED, toDeparted(closing.counters.departed));
    for (const targetId of targetIds) departed = addDeparted(departed, this.#exited.foldedOf(targetId));
    return departed;
  }

  /**
   * Rows of slot 0 hold the waits the kernel's table had no room for. They are
   * not told apart by target, so every route gets them, under its first one.
   */
  *#waitMeasurements(closing: Closing, targetIds: ReadonlySet<TargetId>): Steps<WaitMeasurement[]> {
    const [firstTargetId] = targetIds;
    const measurements: WaitMeasurement[] = [];
    yield* eachInSteps(closing.rows, (row) => {
      const { targetSlot } = row.key;
      const targetId = targetSlot === OVERFLOW_SLOT ? firstTargetId : this.#targetOfSlot.get(targetSlot);
      if (targetId === undefined || !targetIds.has(targetId)) return;
      measurements.push(this.#toWaitMeasurement(row, targetId, closing));
    });
    return measurements;
  }

  #toWaitMeasurement(row: WaitRow, targetId: TargetId, closing: Closing): WaitMeasurement {
    const { key, waker } = row;
    return {
      targetId,
      processId: key.processId,
      threadId: key.threadId,
      waitClass: toWaitClass(key.waitClass) ?? "other",
      systemCall: this.systemCallOf(key.systemCall),
      object: this.objectOf(key.object),
      count: row.count,
      totalMs: row.totalMs,
      maxMs: row.maxMs,
      maxEndWallMs: row.maxEndMs + closing.wallOffsetMs,
      waker: waker === undefined ? undefined : { ...waker, command: sanitizeText(waker.command) },
      buckets: row.buckets,
      openMs: row.openMs,
      userStack: this.#stacks.framesOf(key.processId, key.stackId),
    };
  }

  #lockChains(
    closing: Closing,
    isShared: (targetId: TargetId | undefined) => targetId is TargetId,
  ): LockChainMeasurement[] {
    const measurements: LockChainMeasurement[] = [];
    for (const chain of closing.chains) {
      const targetId = this.#targetOfSlot.get(chain.targetSlot);
      if (!isShared(targetId)) continue;
      measurements.push({
        targetId,
        processId: chain.processId,
        lockAddress: toPointerText(chain.lockAddressLow, chain.lockAddressHigh),
        holder: {
          threadId: chain.holderThreadId,
          processId: chain.holderProcessId,
          command: sanitizeText(chain.holderCommand),
        },
        holderWaitClass: toWaitClass(chain.waitClass),
        holderSystemCall: this.systemCallOf(chain.systemCall),
        holderObject: this.objectOf(chain.object),
        count: chain.count,
        totalMs: chain.totalMs,
      });
    }
    return measurements;
  }

  /** A cgroup per step: each is several files. */
  *#readCgroups(): Steps<Pick<Closing, "cgroups" | "cgroupResources">> {
    const cgroups: CgroupMeasurement[] = [];
    const cgroupResources: CgroupResourceMeasurement[] = [];
    for (const [targetId, entry] of this.#targets) {
      for (const { path, memberId, begin } of entry.cgroups) {
        const end = this.#options.host.cgroup(path, memberId);
        const cgroup = { targetId, path: sanitizeText(path) };
        cgroups.push(toCgroupMeasurement(cgroup, { begin, end }));
        cgroupResources.push(toCgroupResources(cgroup, { begin, end }));
        yield;
      }
    }
    return { cgroups, cgroupResources };
  }

  /** Where nothing told of the kill itself, the victim's end does. */
  #onOomEnd({ thread }: ExitRecord, targetId: TargetId): void {
    const { processId, endMs, beginMs } = thread;
    if (this.#oomKills.some((kill) => kill.processId === processId && kill.atMs >= beginMs)) return;
    this.#addOomKill({ targetId, atMs: endMs, processId, command: sanitizeText(thread.command), memory: undefined });
  }

  #addOomKill(kill: OomKill): void {
    if (this.#oomKills.length < OOM_KILLS_MAX) this.#oomKills.push(kill);
  }

  #onResources(resources: ProcessResources, when: "begin" | "end"): void {
    const targetId = this.#targetOfSlot.get(resources.targetSlot);
    if (targetId !== undefined) this.#resources[when](resources, targetId);
  }

  #oomKillMeasurements(
    closing: Closing,
    isShared: (targetId: TargetId | undefined) => targetId is TargetId,
  ): Measurements["oomKills"] {
    return this.#oomKills.filter(({ targetId }) => isShared(targetId)).map(({ atMs, ...kill }) => ({
      ...kill,
      atWallMs: atMs + closing.wallOffsetMs,
    }));
  }

  /** Rows of slot 0 hold what the kernel's table had no room for, of whatever target: every route gets them. */
  #fileMeasurements(closing: Closing, targetIds: ReadonlySet<TargetId>): FileMeasurement[] {
    const [firstTargetId] = targetIds;
    return toFileMeasurements(closing.files, {
      targetOf: (slot) => {
        const targetId = slot === OVERFLOW_SLOT ? firstTargetId : this.#targetOfSlot.get(slot);
        return targetId !== undefined && targetIds.has(targetId) ? targetId : undefined;
      },
      objectOf: this.objectOf,
      wallOffsetMs: closing.wallOffsetMs,
    });
  }

  #booksOf(closing: Closing, share: RouteShare, targetCpuMs: number): Books {
    const { counters, router, ownUse } = closing;
    const nameCount = router.readByKind[NAME_KIND] ?? 0;
    const names = this.#names.forgottenCount;
    const dropped = { forgotten: Math.min(names, nameCount) };
    const losses = {
      kernel: counters.ledger,
      read: { ...share.losses, names: { readCount: nameCount, filteredCount: 0, dropped } },
      namelessWaitCount: this.#retired.namelessCount,
    };
    const ledger = closing.isFinal
      ? toCategoryLedgers(losses)
      : toRunningLedgers(losses, { cpuCount: this.#options.host.cpuCount });
    return {
      ledger,
      completeness: toCompleteness(ledger, {
        hooks: counters.hooks,
        windowMs: closing.endMs - this.#options.backend.windowBeginMs,
        endedEarly: counters.endedEarly,
        spanOf: (category) => joinSpans(this.#lossSpans.spanOf(category), share.lossSpanOf(category)),
      }),
      forgotten: { names, processes: this.#processes.forgottenCount, stacks: this.#stacks.forgottenCount },
      cost: {
        programs: counters.programs,
        runTimeNote: counters.runTimeNote,
        hooks: counters.hooks,
        recordCount: router.readCount,
        recordBytes: router.readBytes,
        ownCpuMs: ownUse.cpuMs - this.#beginOwnUse.cpuMs,
        ownMemoryBytes: ownUse.memoryBytes,
        mapMemoryBytes: counters.mapMemoryBytes,
        targetCpuMs,
      },
    };
  }
}

const NO_VISITS: AggregateVisitor = {
  wait: () => {},
  chain: () => {},
  thread: () => {},
  file: () => {},
  sample: () => {},
  process: () => {},
};
