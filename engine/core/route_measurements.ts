/**
 * What was read of all targets, as the measurements of one route.
 *
 * @module
 */

import type { FileMeasurement } from "../api/file_measurements.ts";
import type { OwnUse } from "../api/host_reader.ts";
import type {
  Books,
  Category,
  DepartedThreads,
  Forgotten,
  LockChainMeasurement,
  LossSpan,
  Measurements,
  PressureMeasurement,
  ProcessInfo,
  ThreadLedger,
  WaitMeasurement,
} from "../api/measurements.ts";
import type { Plane } from "../api/plane.ts";
import type { SampleRow } from "../api/profile_measurements.ts";
import type { ProcessResourceMeasurement } from "../api/resource_measurements.ts";
import { sanitizeText } from "../api/text.ts";
import type { BackendCounters, ChainRow, FileRow, ObjectKey, ThreadAccount } from "../api/tracer_backend.ts";
import type { TargetId } from "../api/units.ts";
import { toFileMeasurements } from "./file_rows.ts";
import { type LossInput, toCategoryLedgers, toCompleteness, toRunningLedgers } from "./loss_books.ts";
import { joinSpans } from "./loss_spans.ts";
import type { OomKills } from "./oom_kills.ts";
import { NAME_KIND, type RouterCounts } from "./router.ts";
import { type SocketClosing, toSocketMeasurements } from "./socket_book.ts";
import { eachInSteps, type Steps } from "./steps.ts";
import {
  addDeparted,
  type ExitedThreads,
  NO_DEPARTED,
  targetCpuMs,
  toDeparted,
  toThreadLedger,
} from "./thread_ledgers.ts";
import type { CgroupFigures } from "./traced_targets.ts";
import type { UserStacks } from "./user_stacks.ts";
import { toPointerText, toWaitClass } from "./wait_objects.ts";
import type { WaitRow } from "./wait_rows.ts";

/** Everything read once, at the window's end or on the way there; the same for every route. */
export interface Closing extends CgroupFigures {
  readonly isFinal: boolean;
  readonly endMs: number;
  readonly ledgers: readonly ThreadLedger[]; // of threads that ended
  readonly wallOffsetMs: number;
  readonly rows: readonly WaitRow[];
  readonly chains: readonly ChainRow[];
  readonly accounts: readonly ThreadAccount[];
  readonly files: readonly FileRow[];
  readonly samples: readonly SampleRow[];
  readonly processResources: readonly ProcessResourceMeasurement[];
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

/** What the books know beside what was read: names, processes, and what they had no room for. */
export interface MeasurementSources {
  /** When the window began, monotonic. */
  readonly beginMs: number;
  /** Adds to a monotonic time of then to make it unix time. */
  readonly beginWallOffsetMs: number;
  /** Our own CPU time by then. */
  readonly beginOwnCpuMs: number;
  readonly cpuCount: number;
  readonly stacks: Pick<UserStacks, "framesOf" | "samplesOf">;
  readonly exited: Pick<ExitedThreads, "foldedOf">;
  readonly oomKills: Pick<OomKills, "measurements">;
  readonly forgotten: Forgotten;
  /** Processes and OOM kills that have rows of their own. */
  readonly memoryRowCount: number;
  /** What had to give up what it was about. */
  readonly nameless: LossInput["nameless"];
  targetOf(slot: number): TargetId | undefined;
  objectOf(key: ObjectKey): WaitMeasurement["object"];
  systemCallOf(systemCall: number): string | undefined;
  processes(): Iterable<ProcessInfo>;
  /** When the kernel lost something of the category. */
  lossSpanOf(category: Category): LossSpan | undefined;
}

/** The kernel never gives a target this slot. */
const OVERFLOW_SLOT = 0;

interface Context {
  readonly closing: Closing;
  readonly share: RouteShare;
  readonly sources: MeasurementSources;
  isShared(targetId: TargetId | undefined): targetId is TargetId;
}

/** Yields, in steps, what one route is told. */
export function* toMeasurements(
  closing: Closing,
  share: RouteShare,
  options: { readonly sources: MeasurementSources },
): Steps<Measurements> {
  const { sources } = options;
  const isShared = (targetId: TargetId | undefined): targetId is TargetId =>
    targetId !== undefined && share.targetIds.has(targetId);
  const context: Context = { closing, share, sources, isShared };
  const { beginMs } = sources;
  const threads = (yield* threadLedgers(context)).filter((ledger) => isShared(ledger.targetId));
  const departed = departedOf(context);
  return {
    isFinal: closing.isFinal,
    window: {
      beginMs,
      endMs: closing.endMs,
      beginWallMs: beginMs + sources.beginWallOffsetMs,
      endWallMs: closing.endMs + closing.wallOffsetMs,
    },
    threads,
    ...(departed.threadCount > 0 ? { departed } : {}),
    processes: [...sources.processes()].filter((process) => isShared(process.targetId)),
    waits: yield* waitMeasurements(context),
    cpuSamples: sources.stacks.samplesOf(closing.samples, (slot) => {
      const targetId = sources.targetOf(slot);
      return isShared(targetId) ? targetId : undefined;
    }),
    lockChains: lockChains(context),
    ...toSocketMeasurements(closing.sockets, {
      targetIds: share.targetIds,
      targetOf: (slot) => sources.targetOf(slot),
      objectOf: (key) => sources.objectOf(key),
      wallOffsetMs: closing.wallOffsetMs,
    }),
    cgroups: closing.cgroups.filter((cgroup) => isShared(cgroup.targetId)),
    processResources: closing.processResources.filter(({ targetId }) => isShared(targetId)),
    cgroupResources: closing.cgroupResources.filter((cgroup) => isShared(cgroup.targetId)),
    oomKills: sources.oomKills.measurements({ isShared, wallOffsetMs: closing.wallOffsetMs }),
    fileOperations: share.planes.has("files") ? fileMeasurements(context) : [],
    host: { cpuCount: sources.cpuCount, pressure: closing.pressure },
    books: toBooks(context, targetCpuMs(threads, departed)),
  };
}

function* threadLedgers({ closing, sources }: Context): Steps<ThreadLedger[]> {
  const ledgers = [...closing.ledgers];
  yield* eachInSteps(closing.accounts, (account) => {
    const targetId = sources.targetOf(account.targetSlot);
    if (targetId !== undefined) ledgers.push(toThreadLedger(account, targetId));
  });
  return ledgers;
}

/** Ended threads without a ledger: the kernel's are not told apart by target, so every route gets them. */
function departedOf({ closing, share, sources }: Context): DepartedThreads {
  let departed = addDeparted(NO_DEPARTED, toDeparted(closing.counters.departed));
  for (const targetId of share.targetIds) departed = addDeparted(departed, sources.exited.foldedOf(targetId));
  return departed;
}

/**
 * Yields whose row it is, among the route's. Those of slot 0 hold what the
 * kernel's table had no room for: they are not told apart by target, so every
 * route gets them, under its first one.
 */
function rowTarget({ share, sources, isShared }: Context, slot: number): TargetId | undefined {
  const [firstTargetId] = share.targetIds;
  const targetId = slot === OVERFLOW_SLOT ? firstTargetId : sources.targetOf(slot);
  return isShared(targetId) ? targetId : undefined;
}

function* waitMeasurements(context: Context): Steps<WaitMeasurement[]> {
  const measurements: WaitMeasurement[] = [];
  yield* eachInSteps(context.closing.rows, (row) => {
    const targetId = rowTarget(context, row.key.targetSlot);
    if (targetId !== undefined) measurements.push(toWaitMeasurement(row, targetId, context));
  });
  return measurements;
}

function toWaitMeasurement(row: WaitRow, targetId: TargetId, { closing, sources }: Context): WaitMeasurement {
  const { key, waker } = row;
  return {
    targetId,
    processId: key.processId,
    threadId: key.threadId,
    waitClass: toWaitClass(key.waitClass) ?? "other",
    systemCall: sources.systemCallOf(key.systemCall),
    object: sources.objectOf(key.object),
    count: row.count,
    sleepCount: row.sleepCount,
    totalMs: row.totalMs,
    maxMs: row.maxMs,
    maxEndWallMs: row.maxEndMs + closing.wallOffsetMs,
    waker: waker === undefined ? undefined : { ...waker, command: sanitizeText(waker.command) },
    buckets: row.buckets,
    openMs: row.openMs,
    userStack: sources.stacks.framesOf(key.processId, key.stackId),
  };
}

function lockChains({ closing, sources, isShared }: Context): LockChainMeasurement[] {
  const measurements: LockChainMeasurement[] = [];
  for (const chain of closing.chains) {
    const targetId = sources.targetOf(chain.targetSlot);
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
      holderSystemCall: sources.systemCallOf(chain.systemCall),
      holderObject: sources.objectOf(chain.object),
      count: chain.count,
      totalMs: chain.totalMs,
    });
  }
  return measurements;
}

function fileMeasurements(context: Context): FileMeasurement[] {
  return toFileMeasurements(context.closing.files, {
    targetOf: (slot) => rowTarget(context, slot),
    objectOf: (key) => context.sources.objectOf(key),
    wallOffsetMs: context.closing.wallOffsetMs,
  });
}

function toBooks({ closing, share, sources }: Context, cpuMs: number): Books {
  const { counters, router, ownUse } = closing;
  const { forgotten, nameless } = sources;
  const nameCount = router.readByKind[NAME_KIND] ?? 0;
  const dropped = { forgotten: Math.min(forgotten.names, nameCount) };
  const losses = {
    kernel: counters.ledger,
    read: { ...share.losses, names: { readCount: nameCount, filteredCount: 0, dropped } },
    nameless,
  };
  const ledger = closing.isFinal ? toCategoryLedgers(losses) : toRunningLedgers(losses, { cpuCount: sources.cpuCount });
  return {
    ledger,
    completeness: toCompleteness(ledger, {
      hooks: counters.hooks,
      windowMs: closing.endMs - sources.beginMs,
      memoryRows: {
        keptCount: sources.memoryRowCount,
        processCount: forgotten.processResources,
        oomKillCount: forgotten.oomKills,
      },
      endedEarly: counters.endedEarly,
      spanOf: (category) => joinSpans(sources.lossSpanOf(category), share.lossSpanOf(category)),
    }),
    forgotten,
    cost: {
      programs: counters.programs,
      runTimeNote: counters.runTimeNote,
      hooks: counters.hooks,
      recordCount: router.readCount,
      recordBytes: router.readBytes,
      ownCpuMs: ownUse.cpuMs - sources.beginOwnCpuMs,
      ownMemoryBytes: ownUse.memoryBytes,
      mapMemoryBytes: counters.mapMemoryBytes,
      targetCpuMs: cpuMs,
    },
  };
}
