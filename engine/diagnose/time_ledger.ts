/**
 * The time ledger: where every process's and thread's time went, whether it
 * adds up, and how much of the waiting has no name.
 *
 * @module
 */

import {
  type DepartedThreads,
  IDLE_WAIT_CLASSES,
  type ThreadLedger,
  type WaitClass,
  type WaitMeasurement,
  type WaitObject,
} from "../api/measurements.ts";
import { toWaitFigures } from "./causes.ts";
import { addSums, groupBy, type ProcessFacts, type TargetFacts, type TimeSums } from "./facts.ts";
import type { ThreadName, WaitFigures } from "./finding.ts";
import { sumBuckets } from "./histogram.ts";
import { isNamed, objectKey } from "./wait_object.ts";

/** On-CPU time may differ this much from the scheduler's own account. */
const ON_CPU_DIFFERENCE_MAX = 0.02;

/** Runnable time may differ this much from `run_delay`. */
const RUN_DELAY_DIFFERENCE_MAX = 0.05;

/** States must sum to the lifetime, and wait rows to the blocked time, up to this. */
const SUM_DIFFERENCE_MAX = 0.001;

/** Differences below this are the moments between two clock reads. */
export const DIFFERENCE_MS_MIN = 5;

/** Where the time of all targets went. */
export interface TimeLedger {
  /** All threads together. */
  readonly sums: TimeSums;
  /** Of the blocked time that is neither idle nor delegated, the part without a name; 0 to 1. */
  readonly unnamedShare: number;
  /** Whether it adds up. */
  readonly checks: readonly LedgerCheck[];
  /** Most non-idle time first. */
  readonly processes: readonly ProcessFacts[];
  /** Ended threads that could not be told apart any more; in no other figure. */
  readonly departed: DepartedThreads | undefined;
  /** Most time first; idle classes last. */
  readonly waits: readonly WaitGroup[];
}

/** One comparison of the ledger with itself or with the scheduler's accounts. */
export interface LedgerCheck {
  /** What is compared. */
  readonly name: "sum" | "waits" | "onCpu" | "runDelay";
  /** As the ledger has it. */
  readonly oursMs: number;
  /** As it should be. */
  readonly expectedMs: number;
  /** Relative, 0 to 1. */
  readonly difference: number;
  /** Relative, what is allowed. */
  readonly differenceMax: number;
  /** A difference of so much is none, whatever its share: clocks are read one after the other. */
  readonly differenceMsMax: number;
  /** `unknown`: there was nothing to compare with. */
  readonly verdict: "ok" | "off" | "unknown";
}

/** All waits of one process on one object through one system call. */
export interface WaitGroup {
  /** Who waited. */
  readonly process: { readonly processId: number; readonly command: string };
  /** What kind of wait. */
  readonly waitClass: WaitClass;
  /** Through which call; `undefined`: none, or not known. */
  readonly systemCall: string | undefined;
  /** For what. */
  readonly object: WaitObject;
  /** Threads of the process that waited so. */
  readonly threadCount: number;
  /** How long and how often. */
  readonly figures: WaitFigures;
  /** Their log2 histogram, as in `WaitMeasurement`. */
  readonly buckets: readonly number[];
  /** Who ended most of it. */
  readonly waker: ThreadName | undefined;
  /** What it is made of: where in the program it waited is found there (`dearestStacks`). */
  readonly rows: readonly WaitMeasurement[];
}

/** Yields one ledger over all targets. */
export function toTimeLedger(targets: readonly TargetFacts[], departed: DepartedThreads | undefined): TimeLedger {
  const sums = addSums(targets.map((facts) => facts.sums));
  const waits = targets.flatMap((facts) => facts.waits);
  const processes = targets.flatMap((facts) => Array.from(facts.processes.values()));
  return {
    sums,
    unnamedShare: unnamedShareOf(waits, sums),
    checks: checksOf(processes.flatMap((process) => process.threads.map((thread) => thread.ledger)), sums),
    processes: processes.sort((first, second) =>
      second.sums.nonIdleMs - first.sums.nonIdleMs || first.info.processId - second.info.processId
    ),
    departed,
    waits: rankGroups(targets.flatMap(waitGroupsOf)),
  };
}

function unnamedShareOf(waits: readonly WaitMeasurement[], sums: TimeSums): number {
  const nonIdle = waits.filter((wait) => !IDLE_WAIT_CLASSES.has(wait.waitClass));
  const total = nonIdle.reduce((sum, wait) => sum + wait.totalMs, 0) + sums.unattributedMs;
  const unnamed = nonIdle.filter((wait) => !isNamed(wait.object)).reduce((sum, wait) => sum + wait.totalMs, 0);
  return total > 0 ? (unnamed + sums.unattributedMs) / total : 0;
}

function checksOf(ledgers: readonly ThreadLedger[], sums: TimeSums): readonly LedgerCheck[] {
  const total = (list: readonly ThreadLedger[], figure: (ledger: ThreadLedger) => number) =>
    list.reduce((sum, ledger) => sum + figure(ledger), 0);
  const residualMs = total(ledgers, (ledger) => Math.abs(ledger.residualMs));
  const attributedMs = Object.values(sums.byClass).reduce((sum, ms) => sum + ms, 0);
  const withOnCpu = ledgers.filter((ledger) => ledger.kernelOnCpuMs !== undefined);
  const withDelay = ledgers.filter((ledger) => ledger.kernelRunDelayMs !== undefined);
  const runDelayMs = total(withDelay, (ledger) => ledger.kernelRunDelayMs ?? 0);
  const runnableMs = total(withDelay, (ledger) => ledger.runnableMs);
  const throttledMs = total(withDelay, (ledger) => ledger.throttledMs);
  // Until 6.17 a throttled task stays queued and its run_delay grows; later kernels take it off the queue.
  const oursMs = Math.abs(runDelayMs - runnableMs) <= Math.abs(runDelayMs - runnableMs - throttledMs)
    ? runnableMs
    : runnableMs + throttledMs;
  return [
    toCheck("sum", {
      oursMs: sums.lifetimeMs - residualMs,
      expectedMs: sums.lifetimeMs,
      differenceMax: SUM_DIFFERENCE_MAX,
      isKnown: ledgers.length > 0,
    }),
    toCheck("waits", {
      oursMs: attributedMs,
      expectedMs: sums.blockedMs,
      differenceMax: SUM_DIFFERENCE_MAX,
      isKnown: ledgers.length > 0,
    }),
    toCheck("onCpu", {
      oursMs: total(withOnCpu, (ledger) => ledger.onCpuMs),
      expectedMs: total(withOnCpu, (ledger) => ledger.kernelOnCpuMs ?? 0),
      differenceMax: ON_CPU_DIFFERENCE_MAX,
      isKnown: withOnCpu.length > 0,
    }),
    toCheck("runDelay", {
      oursMs,
      expectedMs: runDelayMs,
      differenceMax: RUN_DELAY_DIFFERENCE_MAX,
      isKnown: withDelay.length > 0,
    }),
  ];
}

function toCheck(
  name: LedgerCheck["name"],
  figures: { oursMs: number; expectedMs: number; differenceMax: number; isKnown: boolean },
): LedgerCheck {
  const { oursMs, expectedMs, differenceMax, isKnown } = figures;
  const differenceMs = Math.abs(oursMs - expectedMs);
  const difference = expectedMs > 0 ? differenceMs / expectedMs : differenceMs > 0 ? 1 : 0;
  const isOk = difference <= differenceMax || differenceMs <= DIFFERENCE_MS_MIN;
  const verdict = !isKnown ? "unknown" : isOk ? "ok" : "off";
  return { name, oursMs, expectedMs, difference, differenceMax, differenceMsMax: DIFFERENCE_MS_MIN, verdict };
}

function waitGroupsOf(facts: TargetFacts): readonly WaitGroup[] {
  const groups = groupBy(
    facts.waits,
    (wait) => `${wait.processId} ${wait.waitClass} ${wait.systemCall} ${objectKey(wait.object)}`,
  );
  return Array.from(groups.values()).flatMap((waits) => {
    const [first] = waits;
    if (first === undefined) return [];
    const longest = waits.reduce((best, wait) => wait.totalMs > best.totalMs ? wait : best);
    return [{
      process: {
        processId: first.processId,
        command: facts.processes.get(first.processId)?.info.command ?? "?",
      },
      waitClass: first.waitClass,
      systemCall: first.systemCall,
      object: first.object,
      threadCount: waits.length === 1 ? 1 : new Set(waits.map((wait) => wait.threadId)).size,
      figures: toWaitFigures(waits),
      buckets: sumBuckets(waits.map((wait) => wait.buckets)),
      waker: longest.waker,
      rows: waits,
    }];
  });
}

/** Most time first; idle classes last. */
function rankGroups(groups: readonly WaitGroup[]): readonly WaitGroup[] {
  const byTime = (first: WaitGroup, second: WaitGroup) =>
    second.figures.totalMs - first.figures.totalMs || first.process.processId - second.process.processId;
  return [
    ...groups.filter(({ waitClass }) => !IDLE_WAIT_CLASSES.has(waitClass)).sort(byTime),
    ...groups.filter(({ waitClass }) => IDLE_WAIT_CLASSES.has(waitClass)).sort(byTime),
  ];
}
