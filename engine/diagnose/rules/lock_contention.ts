/**
 * `lock-contention`: time spent waiting for a lock that its holder kept while
 * running, sleeping or waiting for another lock. A lock whose holder sat in
 * disk or network waits is a consequence of those instead (see causes.ts).
 *
 * A lock that nobody got in the whole window is `stuck-lock` instead.
 *
 * Wrong when the futex is no lock; the kernel side keeps conditions,
 * semaphores and idle workers apart as parked.
 *
 * @module
 */

import { type ContendedLock, describeActivity, describeHolders, toCauses } from "../causes.ts";
import { evidenceOfWaits, impactOf, judge, WAIT_CATEGORIES } from "../evidence.ts";
import { incompletenessNotes, isReliable, type TargetFacts } from "../facts.ts";
import type { Evidence, Finding, ThreadName } from "../finding.ts";
import { formatMs, formatShare } from "../format.ts";
import { isStuck } from "./stuck_lock.ts";
import { WINDOW_MS_MIN } from "../severity.ts";

export function lockContention(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, WAIT_CATEGORIES) || facts.windowMs < WINDOW_MS_MIN) return [];
  return toCauses(facts).locks.flatMap((lock) => isStuck(facts, lock) ? [] : judgeLock(facts, lock));
}

function judgeLock(facts: TargetFacts, lock: ContendedLock): readonly Finding[] {
  const impact = impactOf(facts, lock.totalMs);
  const severity = judge(impact);
  if (severity === undefined) return [];
  const evidence = evidenceOfLock(facts, lock);
  return [{
    id: "lock-contention",
    targetId: facts.targetId,
    severity,
    title: `Waiting for ${lock.name} takes ${formatShare(impact.share)} of the non-idle time; ${
      heldBy(lock, evidence.waker)
    }.`,
    evidence,
    consequences: [],
    nextStep: nextStepFor(lock, evidence.waker),
    explainedMs: impact.explainedMs,
    share: impact.share,
  }];
}

function evidenceOfLock(facts: TargetFacts, lock: ContendedLock): Evidence {
  const base = evidenceOfWaits(facts, lock.waits);
  const holder = lock.root?.holders[0];
  const waker = majorityWaker(lock);
  const notes = [
    ...base.notes ?? [],
    ...incompletenessNotes(facts, ["chains"]),
    ...(lock.elsewhereMs > 0
      ? [`${formatMs(lock.elsewhereMs)} more of the waiting for it are told with what other holders waited for`]
      : []),
  ];
  return {
    ...base,
    object: lock.name,
    ...(lock.root !== undefined && holder !== undefined
      ? { holder: { ...holder, activity: describeActivity(lock.root), share: lock.root.share } }
      : {}),
    ...(waker === undefined ? {} : { waker }),
    ...(notes.length > 0 ? { notes } : {}),
  };
}

/** Who ended most of the waiting: for a lock, the thread that released it. */
function majorityWaker(lock: ContendedLock): ThreadName | undefined {
  return lock.waits.reduce((best, wait) => wait.totalMs > best.totalMs ? wait : best, lock.waits[0] ?? noWait).waker;
}

const noWait = { totalMs: 0, waker: undefined };

function heldBy(lock: ContendedLock, waker: ThreadName | undefined): string {
  if (lock.root !== undefined) return `it is held by ${describeHolders(lock.root)}`;
  if (waker !== undefined) return `it is mostly released by ${waker.command} (${waker.threadId})`;
  return "its holder is not known";
}

function nextStepFor(lock: ContendedLock, waker: ThreadName | undefined): string {
  if (lock.root?.kind === "cycle") return "Take a core or attach a debugger: these threads wait for each other.";
  const holder = lock.root?.holders.at(-1) ?? waker;
  if (holder === undefined) return "Take stacks of the waiting threads to find the lock in the code.";
  if (lock.root?.waitClass === "sleep") return `Find where \`${holder.command}\` sleeps while it holds the lock.`;
  return `Shorten what \`${holder.command}\` does under the lock, or split the lock; its stack shows where it takes it.`;
}
