/**
 * Waits for other traced threads: a child, or the other end of a pipe or of a
 * pair of sockets. What such a wait means depends on what that other thread did
 * with the time.
 *
 * @module
 */

import type { WaitClass, WaitMeasurement } from "../api/measurements.ts";
import { causeKey } from "./event_digest.ts";
import {
  addSums,
  awaitedChildId,
  groupBy,
  isDormant,
  isPairWait,
  type ProcessFacts,
  type TargetFacts,
  threadNameOf,
  type TimeSums,
} from "./facts.ts";
import { finishedCount, totalMs } from "./causes.ts";
import type { ThreadName } from "./finding.ts";
import { formatCount, formatList, formatMs } from "./format.ts";
import { describeObject } from "./wait_object.ts";

/** One use of the time is what a thread "did" when it took this share of its life. */
const DOMINANT_SHARE_MIN = 0.5;

/**
 * What the awaited threads did. `cause`: mostly one wait that has a rule of its
 * own. `busy`: on, or waiting for, a CPU. `serving`: waiting for work
 * themselves. `dawdling`: asleep or blocked on nothing in particular.
 */
export type Occupation =
  | { readonly kind: "cause"; readonly causeKey: string }
  | { readonly kind: "busy" | "serving" | "dawdling" | "unknown" };

export interface DelegatedWait {
  readonly kind: "child" | "pipeRead" | "pipeWrite" | "pair";
  readonly waiter: ThreadName; // the thread that waited most
  readonly waits: readonly WaitMeasurement[];
  readonly totalMs: number;
  readonly finishedCount: number;
  /** Whom it waited for, most time first, traced or not; empty when nobody is known. */
  readonly awaited: readonly ThreadName[];
  readonly occupation: Occupation;
  /** Whether every wait was going on before the window and after it. */
  readonly isDormant: boolean;
}

/** Yields every wait for a child, a pipe or the traced end of a pair of sockets, by waiting process and pipe or pair. */
export function delegatedWaits(facts: TargetFacts): readonly DelegatedWait[] {
  return facts.derived.of(facts, findDelegatedWaits);
}

function findDelegatedWaits(facts: TargetFacts): readonly DelegatedWait[] {
  const childWaits = groupBy(
    facts.waits.filter((wait) => wait.waitClass === "child"),
    (wait) => wait.processId,
  );
  const pipeWaits = groupBy(
    facts.waits.filter((wait) => wait.waitClass === "pipe"),
    (wait) => `${wait.processId} ${isWrite(wait)} ${causeKey(wait)}`,
  );
  const pairWaits = groupBy(
    facts.waits.filter((wait) => isForTracedPair(facts, wait)),
    (wait) => `${wait.processId} ${causeKey(wait)}`,
  );
  return [
    ...Array.from(pairWaits.values(), (waits) => toDelegatedWait(facts, { kind: "pair", waits })),
    ...Array.from(childWaits.values(), (waits) => toDelegatedWait(facts, { kind: "child", waits })),
    ...Array.from(pipeWaits.values(), (waits) => {
      const kind = waits.some(isWrite) ? "pipeWrite" : "pipeRead";
      return toDelegatedWait(facts, { kind, waits });
    }),
  ];
}

/** Whether it waits for the other end of a pair of sockets, which a traced process holds. */
export function isForTracedPair(facts: TargetFacts, wait: WaitMeasurement): boolean {
  return isPairWait(wait) && wait.waker !== undefined && facts.processes.has(wait.waker.processId);
}

function isWrite(wait: WaitMeasurement): boolean {
  return /write|send|splice|tee/.test(wait.systemCall ?? "");
}

function toDelegatedWait(
  facts: TargetFacts,
  { kind, waits }: Pick<DelegatedWait, "kind" | "waits">,
): DelegatedWait {
  const longest = waits.reduce((best, wait) => wait.totalMs > best.totalMs ? wait : best);
  const { awaited, parts } = kind === "child" ? awaitedChildren(facts, waits) : awaitedPeer(facts, waits);
  return {
    kind,
    waiter: threadNameOf(facts, longest),
    waits,
    totalMs: totalMs(waits),
    finishedCount: finishedCount(waits),
    awaited,
    occupation: occupationOf(parts, {
      workClasses: kind === "child" ? ["idle", "parked"] : ["idle", "parked", "pipe"],
      betweenMs: kind === "child" ? pipeMsBetween(parts) : 0,
    }),
    isDormant: waits.every((wait) => isDormant(facts, wait)),
  };
}

interface Part {
  readonly sums: TimeSums;
  readonly waits: readonly WaitMeasurement[];
}

interface Awaited {
  readonly awaited: readonly ThreadName[];
  readonly parts: readonly Part[];
}

/** The children waited for and everything below them: a child may itself only wait for its own. */
function awaitedChildren(facts: TargetFacts, waits: readonly WaitMeasurement[]): Awaited {
  const waiterId = waits[0]?.processId ?? 0;
  const namedIds = new Set(waits.map(awaitedChildId));
  const isAny = [...namedIds].some((id) => id <= 0);
  const children = Array.from(facts.processes.values()).filter((process) =>
    process.info.processId !== waiterId &&
    (namedIds.has(process.info.processId) || (isAny && process.info.parentProcessId === waiterId))
  ).sort((first, second) => second.sums.lifetimeMs - first.sums.lifetimeMs);
  return {
    awaited: children.map(({ info }) => ({
      processId: info.processId,
      threadId: info.processId,
      command: info.command,
    })),
    parts: withDescendants(facts, children),
  };
}

function withDescendants(facts: TargetFacts, roots: readonly ProcessFacts[]): readonly ProcessFacts[] {
  const byParent = groupBy(Array.from(facts.processes.values()), (process) => process.info.parentProcessId);
  const found = new Set(roots);
  // A Set hands out entries that are added while it is walked.
  for (const process of found) {
    for (const child of byParent.get(process.info.processId) ?? []) found.add(child);
  }
  return [...found];
}

function awaitedPeer(facts: TargetFacts, waits: readonly WaitMeasurement[]): Awaited {
  const longest = waits.reduce((best, wait) => wait.totalMs > best.totalMs ? wait : best);
  const waker = longest.waker?.threadId ? longest.waker : otherEnd(facts, longest);
  const process = waker === undefined ? undefined : facts.processes.get(waker.processId);
  if (waker === undefined || process === undefined) return { awaited: waker === undefined ? [] : [waker], parts: [] };
  const thread = process.threadsById.get(waker.threadId);
  return { awaited: [waker], parts: [thread ?? process] };
}

/** Who waits most at the other end of the pipe, where nobody was seen to end the wait. */
function otherEnd(facts: TargetFacts, wait: WaitMeasurement): ThreadName | undefined {
  const [first] = facts.waits.filter((other) =>
    other.waitClass === "pipe" && causeKey(other) === causeKey(wait) && isWrite(other) !== isWrite(wait) &&
    other.processId !== wait.processId
  ).sort((one, other) => other.totalMs - one.totalMs);
  return first === undefined ? undefined : threadNameOf(facts, first);
}

/** Yields how long they waited in pipes for each other, as the parts of a pipeline do. */
function pipeMsBetween(parts: readonly Part[]): number {
  const waits = parts.flatMap((part) => part.waits);
  const ids = new Set(waits.map((wait) => wait.processId));
  return totalMs(waits.filter(({ waitClass, waker }) => waitClass === "pipe" && ids.has(waker?.processId ?? 0)));
}

/** `workClasses`: how one waits for work. Who reads a pipe has its own finding when that is slow. */
function occupationOf(
  parts: readonly Part[],
  { workClasses, betweenMs }: { workClasses: readonly WaitClass[]; betweenMs: number },
): Occupation {
  if (parts.length === 0) return { kind: "unknown" };
  const sums = addSums(parts.map((part) => part.sums));
  // Waiting for its own children, or in a pipe between two of them, is what the others do.
  const ownMs = sums.lifetimeMs - sums.byClass.child - betweenMs;
  const isDominant = (ms: number) => ms > 0 && ms >= DOMINANT_SHARE_MIN * ownMs;
  if (isDominant(sums.onCpuMs + sums.runnableMs + sums.throttledMs)) return { kind: "busy" };
  if (isDominant(workClasses.reduce((sum, waitClass) => sum + sums.byClass[waitClass], 0))) return { kind: "serving" };
  // A cause is of one class: where no class dominates, no row needs to be looked at.
  const classes = CLASSES_WITH_RULES.filter((waitClass) => isDominant(sums.byClass[waitClass]));
  if (classes.length === 0) return { kind: "dawdling" };
  const causes = groupBy(
    parts.flatMap((part) => part.waits).filter((wait) => classes.includes(wait.waitClass)),
    causeKey,
  );
  for (const [key, waits] of causes) {
    if (isDominant(totalMs(waits))) return { kind: "cause", causeKey: key };
  }
  return { kind: "dawdling" };
}

/** Whose waits are findings of their own. */
const CLASSES_WITH_RULES: readonly WaitClass[] = ["network", "diskRead", "diskWrite"];

/** Yields one sentence per wait that is explained by what the awaited threads waited for. */
export function delegatedConsequences(facts: TargetFacts, key: string): readonly string[] {
  return delegatedWaits(facts)
    .filter(({ occupation }) => occupation.kind === "cause" && occupation.causeKey === key)
    .map((wait) => `${describeWaiter(wait)} waited ${formatMs(wait.totalMs)} for ${describeAwaited(wait)}.`);
}

/** Yields "`worker` (14)": the thread that waited most, and its own id. */
export function describeWaiter(wait: DelegatedWait): string {
  return `${wait.waiter.command} (${wait.waiter.threadId})`;
}

/** Yields "its child `convert` (40)", "27 children (`convert`)", "pipe 99, read by `cat` (41)". */
export function describeAwaited(wait: DelegatedWait): string {
  const [first] = wait.awaited;
  if (wait.kind !== "child") {
    const pipe = describeObject(wait.waits[0]?.object ?? { kind: "none" });
    const role = wait.kind === "pair" ? "answered" : wait.kind === "pipeRead" ? "written" : "read";
    return first === undefined ? pipe : `${pipe}, ${role} by ${first.command} (${first.threadId})`;
  }
  if (first === undefined) return "children that are not traced";
  if (wait.awaited.length === 1) return `its child ${first.command} (${first.processId})`;
  const commands = [...new Set(wait.awaited.map((child) => child.command))];
  return `${formatCount(wait.awaited.length, "child", "children")} (${formatList(commands, { itemsMax: 3 })})`;
}
