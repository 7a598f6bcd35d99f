/**
 * Evidence that several rules share: figures, threads and slow single waits of
 * a cause, and the sentences for the locks it explains.
 *
 * @module
 */

import type { Category, WaitMeasurement } from "../api/measurements.ts";
import type { Severity } from "../api/severity.ts";
import { type Cause, type ContendedLock, describeHolders, toWaitFigures } from "./causes.ts";
import { delegatedConsequences } from "./delegation.ts";
import { groupBy, incompletenessNotes, type TargetFacts, threadNameOf, toWallMs } from "./facts.ts";
import { type Evidence, EVIDENCE_THREADS_MAX, type ThreadShare } from "./finding.ts";
import { formatCount, formatList, formatMs } from "./format.ts";
import { type Impact, isWorthMentioning, severityOf } from "./severity.ts";
import { dearestStacks } from "./stacks.ts";
import { describeObject } from "./wait_object.ts";

/** What every rule of waits reads. */
export const WAIT_CATEGORIES: readonly Category[] = ["scheduling", "waits"];

/** Yields evidence for a cause: its own waits, who waited, first and last slow one. */
export function evidenceOfCause(facts: TargetFacts, cause: Cause): Evidence {
  const slow = facts.digest.slowCauses.get(`${facts.targetId} ${cause.key}`);
  return {
    object: describeObject(cause.object),
    ...evidenceOfWaits(facts, cause.waits),
    ...(slow === undefined ? {} : {
      slowWaits: {
        count: slow.count,
        firstEndWallMs: toWallMs(facts.window, slow.firstEndMs),
        lastEndWallMs: toWallMs(facts.window, slow.lastEndMs),
      },
    }),
  };
}

/** Yields figures, system calls and threads of `waits`. */
export function evidenceOfWaits(facts: TargetFacts, waits: readonly WaitMeasurement[]): Evidence {
  const threads = threadSharesOf(facts, waits);
  const userStacks = dearestStacks(waits);
  const notes = incompletenessNotes(facts, WAIT_CATEGORIES);
  return {
    systemCalls: systemCallsOf(waits),
    ...(waits.length > 0 ? { waits: toWaitFigures(waits) } : {}),
    threads: threads.slice(0, EVIDENCE_THREADS_MAX),
    threadCount: threads.length,
    ...(userStacks.length > 0 ? { userStacks } : {}),
    ...(notes.length > 0 ? { notes } : {}),
  };
}

/** Yields the system calls of `waits`, most time first. */
export function systemCallsOf(waits: readonly WaitMeasurement[]): readonly string[] {
  return Array.from(
    groupBy(waits, (wait) => wait.systemCall),
    ([name, group]) => ({ name, totalMs: group.reduce((sum, wait) => sum + wait.totalMs, 0) }),
  ).sort((first, second) => second.totalMs - first.totalMs)
    .flatMap(({ name }) => name === undefined ? [] : [name]);
}

/** Yields who waited, most time first; equals by id. */
export function threadSharesOf(facts: TargetFacts, waits: readonly WaitMeasurement[]): readonly ThreadShare[] {
  return Array.from(
    groupBy(waits, (wait) => `${wait.processId} ${wait.threadId}`).values(),
    (group) => {
      const [first] = group;
      const ids = { processId: first?.processId ?? 0, threadId: first?.threadId ?? 0 };
      return {
        ...threadNameOf(facts, ids),
        totalMs: group.reduce((sum, wait) => sum + wait.totalMs, 0),
        count: group.reduce((sum, wait) => sum + wait.count, 0),
      };
    },
  ).sort((first, second) =>
    second.totalMs - first.totalMs || first.processId - second.processId || first.threadId - second.threadId
  );
}

/** Yields one sentence per wait that the cause explains beside its own: locks held meanwhile, children, pipes. */
export function describeConsequences(facts: TargetFacts, cause: Cause): readonly string[] {
  return [
    ...cause.locks.map((lock) => describeLockConsequence(facts, lock)),
    ...delegatedConsequences(facts, cause.key),
  ];
}

/** Yields one sentence: who waited for the lock, how long, and who held it meanwhile. */
function describeLockConsequence(facts: TargetFacts, lock: ContendedLock): string {
  const waiters = threadSharesOf(facts, lock.waits);
  const names = formatList(waiters.map((thread) => thread.command), { itemsMax: 3 });
  const held = lock.root === undefined ? "" : `, held by ${describeHolders(lock.root)}`;
  return `${formatCount(waiters.length, "thread")} (${names}) waited ${formatMs(lock.totalMs)} ` +
    `for ${lock.name}${held}.`;
}

/**
 * Yields explained time against the target's non-idle time and the window.
 *
 * `hasDelegated`: the explained time is a wait that the non-idle time leaves
 * out because it is counted elsewhere; it is then taken of both together.
 */
export function impactOf(
  facts: TargetFacts,
  explainedMs: number,
  options: { readonly hasDelegated?: boolean } = {},
): Impact {
  const baseMs = facts.sums.nonIdleMs + (options.hasDelegated ? facts.sums.delegatedMs : 0);
  return {
    explainedMs,
    share: baseMs > 0 ? Math.min(1, explainedMs / baseMs) : 0,
    windowMs: facts.windowMs,
  };
}

/** Yields the severity of the impact, or `undefined` when it is not worth a line. */
export function judge(impact: Impact): Severity | undefined {
  return isWorthMentioning(impact) ? severityOf(impact) : undefined;
}
