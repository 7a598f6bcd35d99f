/**
 * Everything counted in a run, from the first reading to the final measurements
 * of each route.
 *
 * @module
 */

import type { Clock } from "../api/clock.ts";
import type { HostReader, OwnUse } from "../api/host_reader.ts";
import {
  CATEGORIES,
  type Category,
  type Measurements,
  type PressureMeasurement,
  type ThreadLedger,
  type WaitMeasurement,
} from "../api/measurements.ts";
import type { ProcessResourceMeasurement } from "../api/resource_measurements.ts";
import type { SampleRow } from "../api/profile_measurements.ts";
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
import type { EventNames } from "./event_mapper.ts";
import { CarriedRows } from "./carried_rows.ts";
import { invariant } from "./invariant.ts";
import { withOpenChains, withoutQueueing } from "./lock_chains.ts";
import { sumCounts } from "./loss_books.ts";
import { LossSpans } from "./loss_spans.ts";
import { NameTable } from "./name_table.ts";
import { ObjectCache } from "./object_cache.ts";
import { OomKills } from "./oom_kills.ts";
import { ProcessBook } from "./process_book.ts";
import { ResourceBook } from "./resource_book.ts";
import { type Closing, type MeasurementSources, type RouteShare, toMeasurements } from "./route_measurements.ts";
import type { RecordConsumer, RouterCounts } from "./router.ts";
import { SocketBook } from "./socket_book.ts";
import { eachInSteps, finishSteps, type Steps } from "./steps.ts";
import { ExitedThreads, toLifeText, toThreadLedger } from "./thread_ledgers.ts";
import { type SlotMoves, type TargetChange, TracedTargets } from "./traced_targets.ts";
import { UserStacks } from "./user_stacks.ts";
import { addOpenRow, addRow, RetiredRows, toWaitRow, type WaitRow } from "./wait_rows.ts";
import { measureWallOffsetMs } from "./wall_offset.ts";
import { toPressureDelta } from "./window_deltas.ts";

export interface MeasurementBookOptions {
  readonly backend: TracerBackend;
  readonly host: HostReader;
  readonly clock: Clock;
  readonly systemCallOf: (systemCall: number) => string | undefined;
}

/** What was read while the window is open; the books follow at one instant. */
export type RunningReading = Omit<Closing, "counters" | "router">;

export class MeasurementBook implements RecordConsumer, EventNames {
  readonly #options: MeasurementBookOptions;
  readonly #names = new NameTable();
  readonly #objects: ObjectCache;
  readonly #stacks: UserStacks;
  readonly #retired = new RetiredRows();
  readonly #carried = new CarriedRows();
  readonly #exited = new ExitedThreads();
  readonly #sockets: SocketBook;
  readonly #processes: ProcessBook;
  readonly #resources = new ResourceBook();
  readonly #oomKills = new OomKills();
  readonly #targets: TracedTargets;
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
    this.#targets = new TracedTargets(options.host);
    this.#beginWallOffsetMs = measureWallOffsetMs(options.clock);
    this.#beginPressure = options.host.pressure();
    this.#beginOwnUse = options.host.ownUse();
  }

  /**
   * Follows the kernel to other targets. One that is in both lists goes on
   * with other members: its figures stay. Those of one that left are nobody's.
   */
  changeTargets(change: TargetChange): void {
    const moves = this.#targets.change(change);
    for (const targetId of change.removed) {
      if (this.#targets.has(targetId)) continue;
      this.#exited.forgetTarget(targetId);
      this.#processes.forgetTarget(targetId);
      this.#resources.forgetTarget(targetId);
    }
    if (moves.size === 0) return;
    this.#retired.moveSlots(moves);
    this.#sockets.moveSlots(moves);
    this.#collectRows({ threadIds: new Set(), moves });
  }

  /** Learns processes and names from what every thread is doing now. */
  seed(snapshot: TaskSnapshot): void {
    for (const resources of snapshot.processes) {
      const targetId = this.#targets.targetOf(resources.targetSlot);
      if (targetId !== undefined) this.#resources.begin(resources, targetId);
    }
    for (const task of snapshot.tasks) {
      const targetId = this.#targets.targetOf(task.targetSlot);
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
    this.#sockets.onProcessBegin(childProcessId);
    this.#processes.see({ processId: childProcessId, targetId, parentProcessId, command });
  }

  onExec(record: ExecRecord, targetId: TargetId): void {
    // Another thread may have exec'ed: it took over the id of the main thread, whose end was told before.
    this.#endedThreadIds.delete(record.processId);
    this.#sockets.onProcessBegin(record.processId);
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
    this.#resources.end(processId, targetId);
    this.#sockets.onProcessEnd(processId);
    if (record.isOomVictim) this.#oomKills.onVictimEnd(record, targetId);
    const isMain = threadId === processId;
    this.#processes.end({ processId, targetId, parentProcessId, ...(isMain ? { command } : {}) });
    return true;
  }

  onOomKill(record: OomKillRecord, targetId: TargetId): void {
    this.#oomKills.onKill(record, targetId);
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
    const nameless: Partial<Record<Category, number>> = this.#namelessCounts();
    this.#lossSpans.look(
      nowMs,
      CATEGORIES.map((category) =>
        [category, sumCounts(ledger[category].dropped) + (nameless[category] ?? 0)] as const
      ),
    );
  }

  #namelessCounts(): MeasurementSources["nameless"] {
    return {
      waits: this.#retired.namelessCount,
      chains: this.#carried.chains.namelessCount,
      files: this.#carried.files.namelessCount,
      samples: this.#carried.samples.namelessCount,
      ...this.#sockets.namelessCounts,
    };
  }

  /** Makes room in the kernel's tables of sockets. */
  collectSockets(): void {
    this.#sockets.collect();
  }

  /** Sockets are looked at no more: what was counted of them is taken over. */
  leaveSockets(): void {
    this.#sockets.leave();
  }

  /** Moves the rows of threads that ended out of the kernel, so that its table holds the living. */
  collectEnded(): void {
    this.#sockets.collectWhenDue();
    if (this.#endedThreadIds.size === 0) return;
    const ended = this.#endedThreadIds;
    this.#endedThreadIds = new Set();
    this.#collectRows({ threadIds: ended, moves: new Map() });
  }

  /** Describes stacks of waits and samples that are not known yet; see `UserStacks.describeSome`. */
  describeStacks(): void {
    this.#stacks.describeSome((visit) => {
      this.#options.backend.readAggregates({ ...NO_VISITS, ...visit });
      for (const row of this.#carried.samples.kept()) visit.sample(row);
    });
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
    const processes: ProcessResources[] = [];
    for (const row of this.#retired.rows()) addRow(rows, row);
    backend.readAggregates({
      wait: (view) => addRow(rows, toWaitRow(view)),
      chain: (chain) => chains.push(chain),
      thread: (account) => accounts.push(account),
      file: (row) => files.push(row),
      sample: (row) => samples.push(row),
      process: (resources) => processes.push(resources),
    });
    for (const account of accounts) {
      addOpenRow(rows, account);
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
      chains: withOpenChains(withoutQueueing(this.#carried.chains.with(chains)), accounts),
      accounts,
      ...finishSteps(this.#targets.readCgroups()),
      files: this.#carried.files.with(files),
      samples: this.#carried.samples.with(samples),
      processResources: finishSteps(this.#livingResources(processes, accounts)),
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
    return finishSteps(toMeasurements(closing, share, { sources: this.#sources() }));
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
    const processes: ProcessResources[] = [];
    yield* eachInSteps(this.#retired.rows(), (row) => addRow(rows, row));
    const endMs = yield* backend.readRunning({
      wait: (view) => addRow(rows, toWaitRow(view)),
      chain: (chain) => chains.push(chain),
      thread: (account) => living.push(account),
      file: (row) => files.push(row),
      sample: () => {}, // told at the end only
      process: (resources) => processes.push(resources),
    });
    yield "turn"; // what ended before `endMs` has told so after a drain
    const ledgers: ThreadLedger[] = [];
    const booked = new Set<string>(); // their faults are in the book, whenever they ended
    yield* eachInSteps(this.#exited.ledgers(), (ledger) => {
      booked.add(toLifeText(ledger));
      if (ledger.endMs <= endMs) ledgers.push(ledger);
    });
    const unbooked = living.filter((account) => !booked.has(toLifeText(account)));
    const processResources = yield* this.#livingResources(processes, unbooked);
    const ended = new Set<string>();
    yield* eachInSteps(ledgers, (ledger) => ended.add(toLifeText(ledger)));
    const accounts = living.filter((account) => !ended.has(toLifeText(account)));
    yield* eachInSteps(accounts, (account) => addOpenRow(rows, account));
    const cgroups = yield* this.#targets.readCgroups();
    yield;
    const sockets = this.#sockets.read();
    yield;
    return {
      isFinal: false,
      endMs,
      ledgers,
      wallOffsetMs: measureWallOffsetMs(clock),
      rows: [...rows.values()],
      chains: withOpenChains(withoutQueueing(this.#carried.chains.with(chains)), accounts),
      accounts,
      ...cgroups,
      files: this.#carried.files.with(files),
      samples: [],
      processResources,
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
    const sources = this.#sources();
    const measurements: Measurements[] = [];
    for (const share of given.shares) measurements.push(yield* toMeasurements(closing, share, { sources }));
    return measurements;
  }

  #sources(): MeasurementSources {
    const { backend, host } = this.#options;
    return {
      beginMs: backend.windowBeginMs,
      beginWallOffsetMs: this.#beginWallOffsetMs,
      beginOwnCpuMs: this.#beginOwnUse.cpuMs,
      cpuCount: host.cpuCount,
      stacks: this.#stacks,
      exited: this.#exited,
      oomKills: this.#oomKills,
      forgotten: {
        names: this.#names.forgottenCount,
        processes: this.#processes.forgottenCount,
        stacks: this.#stacks.forgottenCount,
        processResources: this.#resources.foldedCount,
        oomKills: this.#oomKills.forgottenCount,
      },
      memoryRowCount: this.#resources.rowCount + this.#oomKills.count,
      nameless: this.#namelessCounts(),
      targetOf: this.#targets.targetOf,
      objectOf: this.objectOf,
      systemCallOf: this.systemCallOf,
      processes: () => this.#processes.processes(),
      lossSpanOf: (category) => this.#lossSpans.spanOf(category),
    };
  }

  #learn(name: { object: NameRecord["object"]; components: readonly string[]; isTruncated: boolean }): void {
    if (name.components.length === 0) return;
    this.#names.learn(name);
    this.#objects.forget(name.object);
  }

  /** A thread that lives at the end belongs to a process, whether or not anything else told of it. */
  #seeLiving(account: ThreadAccount): void {
    const targetId = this.#targets.targetOf(account.targetSlot);
    if (targetId === undefined) return;
    const { processId, threadId, command } = account;
    this.#processes.see({ processId, targetId, ...(threadId === processId ? { command } : {}) });
  }

  /**
   * Takes out of the kernel's table the rows of `threadIds`, which have ended,
   * and those in slots that moved, into which nothing is counted any more. A
   * thread of such a slot may live on in another: its rows there stay.
   */
  #collectRows(taken: { threadIds: ReadonlySet<number>; moves: SlotMoves }): void {
    const { backend } = this.#options;
    const { threadIds, moves } = taken;
    const rows: WaitRow[] = [];
    const carried = moves.size > 0 ? this.#carried.moveSlots(moves) : {};
    backend.readAggregates({ ...NO_VISITS, wait: (view) => rows.push(toWaitRow(view)), ...carried });
    let takenCount = 0;
    for (const row of rows) {
      const { targetSlot } = row.key;
      const hasMoved = moves.has(targetSlot);
      if (!hasMoved && !threadIds.has(row.key.threadId)) continue;
      takenCount++;
      const slot = hasMoved ? moves.get(targetSlot) : targetSlot;
      if (slot === undefined || this.#targets.targetOf(slot) === undefined) continue;
      this.#retire(slot === targetSlot ? row : { ...row, key: { ...row.key, targetSlot: slot } });
    }
    if (takenCount + moves.size > 0) backend.retireRows({ threadIds, targetSlots: new Set(moves.keys()) });
  }

  #retire(row: WaitRow): void {
    // The process may be gone by the end, and its mappings with it.
    this.#stacks.framesOf(row.key.processId, row.key.stackId);
    this.#retired.add(row);
  }

  #livingResources(
    processes: readonly ProcessResources[],
    accounts: readonly ThreadAccount[],
  ): Steps<ProcessResourceMeasurement[]> {
    return this.#resources.measurements({ processes, accounts, targetOf: this.#targets.targetOf });
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
