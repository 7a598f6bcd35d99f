/**
 * Measurements and events joined per target: what the rules and the renderers
 * read. Nothing is judged here.
 *
 * @module
 */

import {
  type Category,
  type CgroupMeasurement,
  type Completeness,
  type HostMeasurement,
  IDLE_WAIT_CLASSES,
  type LockChainMeasurement,
  type Measurements,
  type ProcessInfo,
  type ThreadLedger,
  WAIT_CLASSES,
  type WaitClass,
  type WaitMeasurement,
} from "../api/measurements.ts";
import type { ConnectionMeasurement, ListenQueueMeasurement, PeerMeasurement } from "../api/socket_measurements.ts";
import { DEFAULT_THRESHOLDS, type RuleThresholds } from "../api/thresholds.ts";
import type { FileMeasurement } from "../api/file_measurements.ts";
import type {
  CgroupResourceMeasurement,
  OomKillMeasurement,
  ProcessResourceMeasurement,
} from "../api/resource_measurements.ts";
import type { TargetId } from "../api/units.ts";
import { DerivedFacts } from "./derived_facts.ts";
import type { DigestSummary } from "./event_digest.ts";
import { DORMANT_SHARE_MIN, RELIABLE_PERCENT_MIN } from "./severity.ts";
import { isSocketPair } from "./wait_object.ts";

/** Every wait class, in the order reports use. */
export const WAIT_CLASS_ORDER = Object.keys(WAIT_CLASSES) as readonly WaitClass[];

/** Where the time of one thread, or of several together, went. */
export interface TimeSums {
  /** From birth, or the window's begin, to death, or its end. */
  readonly lifetimeMs: number;
  /** Running. */
  readonly onCpuMs: number;
  /** Waiting for a CPU; throttled time not included. */
  readonly runnableMs: number;
  /** Held back by a CPU limit. */
  readonly throttledMs: number;
  /** Neither running nor wanting to. */
  readonly blockedMs: number;
  /** Blocked time by class, as far as the wait table knows it. */
  readonly byClass: Readonly<Record<WaitClass, number>>;
  /** Blocked time that no wait row accounts for. */
  readonly unattributedMs: number;
  /** Lifetime that no state accounts for. */
  readonly residualMs: number;
  /** Waits that are absence of work: idle, sleep, parked, stopped. */
  readonly idleMs: number;
  /**
   * Waits for what another traced thread did (a child, the other end of a
   * pipe or of a pair of sockets), which is on that thread's own account and would halve every share
   * if counted twice; and waits for input that never came in the window.
   */
  readonly delegatedMs: number;
  /** Lifetime without idle and delegated waits: what shares are taken of. */
  readonly nonIdleMs: number;
}

/** One thread. */
export interface ThreadFacts {
  /** Its account as measured. */
  readonly ledger: ThreadLedger;
  /** Its own waits. */
  readonly waits: readonly WaitMeasurement[];
  /** Where its time went. */
  readonly sums: TimeSums;
}

/** One process. */
export interface ProcessFacts {
  /** Name, parent, command line. */
  readonly info: ProcessInfo;
  /** Those with a ledger of their own. */
  readonly threads: readonly ThreadFacts[];
  /** The same by id; of two with one id, the later. */
  readonly threadsById: ReadonlyMap<number, ThreadFacts>;
  /** All of its waits, those of threads that could not be told apart included. */
  readonly waits: readonly WaitMeasurement[];
  /** Where the time of its threads went. */
  readonly sums: TimeSums;
}

/** Everything rules know of one target. */
export interface TargetFacts {
  /** Whose facts they are. */
  readonly targetId: TargetId;
  /** From when on rules call something slow or failing. */
  readonly thresholds: RuleThresholds;
  /** What was looked at. */
  readonly window: Measurements["window"];
  /** The window's length. */
  readonly windowMs: number;
  /** The machine. */
  readonly host: HostMeasurement;
  /** CPU limits and pressure of the target's cgroups. */
  readonly cgroups: readonly CgroupMeasurement[];
  /** Descriptors, threads, faults and memory of its processes. */
  readonly processResources: readonly ProcessResourceMeasurement[];
  /** Memory and I/O of its cgroups. */
  readonly cgroupResources: readonly CgroupResourceMeasurement[];
  /** Its processes that were killed for want of memory. */
  readonly oomKills: readonly OomKillMeasurement[];
  /** Its operations on files; empty unless they were asked for. */
  readonly fileOperations: readonly FileMeasurement[];
  /** What each category saw, of the whole run. */
  readonly completeness: Readonly<Record<Category, Completeness>>;
  /** By process id. */
  readonly processes: ReadonlyMap<number, ProcessFacts>;
  /** Waits of all its threads. */
  readonly waits: readonly WaitMeasurement[];
  /** What holders of its locks did. */
  readonly lockChains: readonly LockChainMeasurement[];
  /** What its sockets exchanged, by process and peer. */
  readonly peers: readonly PeerMeasurement[];
  /** Its connections, those with most bytes. */
  readonly connections: readonly ConnectionMeasurement[];
  /** Its listening sockets. */
  readonly listenQueues: readonly ListenQueueMeasurement[];
  /** Where the time of all its threads went. */
  readonly sums: TimeSums;
  /** Events of the whole run; its tables carry target ids. */
  readonly digest: DigestSummary;
  /** What rules made of these facts already. */
  readonly derived: DerivedFacts;
}

/** Yields one entry per target, in order of first appearance. */
export function toTargetFacts(
  measurements: Measurements,
  digest: DigestSummary,
  options: { readonly thresholds?: RuleThresholds | undefined } = {},
): readonly TargetFacts[] {
  const thresholds = options.thresholds ?? DEFAULT_THRESHOLDS;
  const targetIds = new Set<TargetId>();
  const { threads, processes, waits, cgroups, oomKills } = measurements;
  for (const list of [threads, processes, waits, cgroups, oomKills]) {
    for (const { targetId } of list) targetIds.add(targetId);
  }
  return Array.from(targetIds, (targetId) => factsOfTarget(targetId, { measurements, digest, thresholds }));
}

function factsOfTarget(
  targetId: TargetId,
  { measurements, digest, thresholds }: {
    measurements: Measurements;
    digest: DigestSummary;
    thresholds: RuleThresholds;
  },
): TargetFacts {
  const ofTarget = (entry: { readonly targetId: TargetId }) => entry.targetId === targetId;
  const waits = measurements.waits.filter(ofTarget);
  const processes = toProcessFacts({
    infos: measurements.processes.filter(ofTarget),
    ledgers: measurements.threads.filter(ofTarget),
    waits,
    targetId,
  });
  return {
    targetId,
    thresholds,
    window: measurements.window,
    windowMs: measurements.window.endMs - measurements.window.beginMs,
    host: measurements.host,
    cgroups: measurements.cgroups.filter(ofTarget),
    processResources: measurements.processResources.filter((row) => ofTarget(row) && row.processId !== 0),
    cgroupResources: measurements.cgroupResources.filter(ofTarget),
    oomKills: measurements.oomKills.filter(ofTarget),
    fileOperations: measurements.fileOperations.filter(ofTarget),
    completeness: measurements.books.completeness,
    processes,
    waits,
    lockChains: measurements.lockChains.filter(ofTarget),
    peers: measurements.peers.filter(ofTarget),
    connections: measurements.connections.filter(ofTarget),
    listenQueues: measurements.listenQueues.filter(ofTarget),
    sums: addSums(Array.from(processes.values(), (process) => process.sums)),
    digest,
    derived: new DerivedFacts(),
  };
}

function toProcessFacts(
  input: {
    infos: readonly ProcessInfo[];
    ledgers: readonly ThreadLedger[];
    waits: readonly WaitMeasurement[];
    targetId: TargetId;
  },
): ReadonlyMap<number, ProcessFacts> {
  const infos = new Map(input.infos.map((info) => [info.processId, info]));
  const ledgers = groupBy(input.ledgers, (ledger) => ledger.processId);
  const waits = groupBy(input.waits, (wait) => wait.processId);
  const tracedIds = new Set([...infos.keys(), ...ledgers.keys(), ...waits.keys()]);
  const lifetimes = new Map(input.ledgers.map((ledger) => [threadKey(ledger), ledger.endMs - ledger.beginMs]));
  const hasTracedChild = new Set(Array.from(infos.values(), (info) => info.parentProcessId));
  const isDelegated = (wait: WaitMeasurement) =>
    waitsForTraced(wait, { tracedIds, hasTracedChild }) || isListening(wait, lifetimes.get(threadKey(wait)));

  const processes = new Map<number, ProcessFacts>();
  for (const processId of tracedIds) {
    const ownLedgers = ledgers.get(processId) ?? [];
    const ownWaits = waits.get(processId) ?? [];
    const waitsByThread = groupBy(ownWaits, (wait) => wait.threadId);
    const threads = ownLedgers.map((ledger) => {
      const threadWaits = waitsByThread.get(ledger.threadId) ?? [];
      return { ledger, waits: threadWaits, sums: sumsOf([ledger], { waits: threadWaits, isDelegated }) };
    });
    processes.set(processId, {
      info: infos.get(processId) ?? unknownProcess(processId, { ledgers: ownLedgers, targetId: input.targetId }),
      threads,
      threadsById: new Map(threads.map((thread) => [thread.ledger.threadId, thread])),
      waits: ownWaits,
      sums: sumsOf(ownLedgers, { waits: ownWaits, isDelegated }),
    });
  }
  return processes;
}

function threadKey(ids: { readonly processId: number; readonly threadId: number }): string {
  return `${ids.processId} ${ids.threadId}`;
}

function waitsForTraced(
  wait: WaitMeasurement,
  { tracedIds, hasTracedChild }: { tracedIds: ReadonlySet<number>; hasTracedChild: ReadonlySet<number> },
): boolean {
  if (wait.waitClass === "pipe" || isPairWait(wait)) {
    return wait.waker !== undefined && tracedIds.has(wait.waker.processId);
  }
  if (wait.waitClass !== "child") return false;
  const childId = awaitedChildId(wait);
  return tracedIds.has(childId) || (childId <= 0 && hasTracedChild.has(wait.processId));
}

/** Whether it waits for the other end of a pair of sockets: delegated, like a pipe, where that end is traced. */
export function isPairWait(wait: WaitMeasurement): boolean {
  return wait.waitClass === "network" && isSocketPair(wait.object);
}

/** Yields the child a child wait names; 0 or less: any of them, as inside vfork(). */
export function awaitedChildId(wait: WaitMeasurement): number {
  return wait.object.kind === "child" ? wait.object.processId : 0;
}

/** Whether it waited all the while for input that may well not be due: a subscription, a log pipe, a long-lived child. */
function isListening(wait: WaitMeasurement, lifetimeMs: number | undefined): boolean {
  if (lifetimeMs === undefined || !isDormantFor(wait, lifetimeMs)) return false;
  if (wait.waitClass === "network") return wait.threadId !== wait.processId && wait.systemCall !== "connect";
  return wait.waitClass === "pipe" || wait.waitClass === "child";
}

function unknownProcess(
  processId: number,
  { ledgers, targetId }: { ledgers: readonly ThreadLedger[]; targetId: TargetId },
): ProcessInfo {
  const main = ledgers.find((ledger) => ledger.threadId === processId) ?? ledgers[0];
  return {
    processId,
    parentProcessId: 0,
    targetId,
    command: main?.command ?? "?",
    commandLine: [],
    exited: ledgers.length > 0 && ledgers.every((ledger) => ledger.exited),
  };
}

function sumsOf(
  ledgers: readonly ThreadLedger[],
  { waits, isDelegated }: {
    waits: readonly WaitMeasurement[];
    isDelegated: (wait: WaitMeasurement) => boolean;
  },
): TimeSums {
  const byClass = emptyByClass();
  let idleMs = 0;
  let delegatedMs = 0;
  let attributedMs = 0;
  for (const wait of waits) {
    byClass[wait.waitClass] += wait.totalMs;
    attributedMs += wait.totalMs;
    if (IDLE_WAIT_CLASSES.has(wait.waitClass)) idleMs += wait.totalMs;
    else if (isDelegated(wait)) delegatedMs += wait.totalMs;
  }
  const sum = (figure: (ledger: ThreadLedger) => number) =>
    ledgers.reduce((total, ledger) => total + figure(ledger), 0);
  const lifetimeMs = sum((ledger) => ledger.endMs - ledger.beginMs);
  const blockedMs = sum((ledger) => ledger.blockedMs);
  return {
    lifetimeMs,
    onCpuMs: sum((ledger) => ledger.onCpuMs),
    runnableMs: sum((ledger) => ledger.runnableMs),
    throttledMs: sum((ledger) => ledger.throttledMs),
    blockedMs,
    byClass,
    unattributedMs: Math.max(0, blockedMs - attributedMs),
    residualMs: sum((ledger) => ledger.residualMs),
    idleMs,
    delegatedMs,
    nonIdleMs: Math.max(0, lifetimeMs - idleMs - delegatedMs),
  };
}

/** Yields the figure-wise sum. */
export function addSums(parts: readonly TimeSums[]): TimeSums {
  const byClass = emptyByClass();
  for (const part of parts) {
    for (const waitClass of WAIT_CLASS_ORDER) byClass[waitClass] += part.byClass[waitClass];
  }
  const sum = (figure: (part: TimeSums) => number) => parts.reduce((total, part) => total + figure(part), 0);
  return {
    lifetimeMs: sum((part) => part.lifetimeMs),
    onCpuMs: sum((part) => part.onCpuMs),
    runnableMs: sum((part) => part.runnableMs),
    throttledMs: sum((part) => part.throttledMs),
    blockedMs: sum((part) => part.blockedMs),
    byClass,
    unattributedMs: sum((part) => part.unattributedMs),
    residualMs: sum((part) => part.residualMs),
    idleMs: sum((part) => part.idleMs),
    delegatedMs: sum((part) => part.delegatedMs),
    nonIdleMs: sum((part) => part.nonIdleMs),
  };
}

function emptyByClass(): Record<WaitClass, number> {
  return Object.fromEntries(WAIT_CLASS_ORDER.map((name) => [name, 0])) as Record<WaitClass, number>;
}

/** Yields the lists of entries that share a key, in order of first appearance. */
export function groupBy<T, Key>(entries: readonly T[], keyOf: (entry: T) => Key): Map<Key, T[]> {
  const groups = new Map<Key, T[]>();
  for (const entry of entries) {
    const key = keyOf(entry);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [entry]);
    else group.push(entry);
  }
  return groups;
}

/** Whether every one of `categories` saw enough to carry a rule. */
export function isReliable(facts: Pick<TargetFacts, "completeness">, categories: readonly Category[]): boolean {
  return categories.every((category) => {
    const completeness = facts.completeness[category];
    if (completeness.verdict === "complete") return true;
    return completeness.verdict === "partial" && completeness.percent >= RELIABLE_PERCENT_MIN;
  });
}

/** Yields why figures from `categories` are lower bounds, one note per category that is not complete. */
export function incompletenessNotes(
  facts: Pick<TargetFacts, "completeness">,
  categories: readonly Category[],
): readonly string[] {
  return categories.flatMap((category) => {
    const completeness = facts.completeness[category];
    return completeness.verdict === "partial"
      ? [`a lower bound: ${category} are PARTIAL ${completeness.percent.toFixed(1)}% (${completeness.reason})`]
      : [];
  });
}

/** Finds the process and thread name for an id. */
export function threadNameOf(
  facts: TargetFacts,
  ids: { readonly processId: number; readonly threadId: number },
): { processId: number; threadId: number; command: string } {
  const process = facts.processes.get(ids.processId);
  const thread = process?.threadsById.get(ids.threadId);
  return { ...ids, command: thread?.ledger.command ?? process?.info.command ?? "?" };
}

/** Yields a monotonic time of the window as unix time. */
export function toWallMs(window: Measurements["window"], monotonicMs: number): number {
  return window.beginWallMs + (monotonicMs - window.beginMs);
}

/**
 * Whether the wait was going on all the while: its thread neither began nor
 * ended it in the window, so it may be a subscription or a reader waiting for
 * input as well as something that hangs.
 */
export function isDormant(facts: TargetFacts, wait: WaitMeasurement): boolean {
  const thread = facts.processes.get(wait.processId)?.threadsById.get(wait.threadId);
  return isDormantFor(wait, thread?.sums.lifetimeMs ?? facts.windowMs);
}

function isDormantFor(wait: WaitMeasurement, lifetimeMs: number): boolean {
  return wait.count <= 1 && wait.openMs > 0 && wait.openMs >= DORMANT_SHARE_MIN * lifetimeMs;
}
