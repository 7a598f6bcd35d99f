/**
 * `stuck-lock`: threads that have been waiting for a lock since before the
 * window and still are: nobody lets go, as in a deadlock.
 *
 * Wrong in a window shorter than the holder's work; a lock that any waiter got
 * in the window is `lock-contention` instead.
 *
 * @module
 */

import { type ContendedLock, toCauses } from "../causes.ts";
import { evidenceOfWaits, impactOf, WAIT_CATEGORIES } from "../evidence.ts";
import { groupBy, isDormant, isReliable, type TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { formatCount, formatList, formatMs } from "../format.ts";
import { WINDOW_MS_MIN } from "../severity.ts";
import { describeObject } from "../wait_object.ts";

/** Two threads and two locks make a deadlock; one thread may wait for a holder that is merely slow. */
const DEADLOCK_MIN = 2;
const LOCKS_NAMED_MAX = 3;

export function stuckLock(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, WAIT_CATEGORIES) || facts.windowMs < WINDOW_MS_MIN) return [];
  const stuck = toCauses(facts).locks.filter((lock) => isStuck(facts, lock));
  return Array.from(groupBy(stuck, (lock) => lock.processId).values(), (locks) => toFinding(facts, locks));
}

/**
 * Whether every wait for it was going on all the while and its holder, where it
 * is known, waits in a circle: nobody will let go of it.
 */
export function isStuck(facts: TargetFacts, lock: ContendedLock): boolean {
  const isUnexplained = lock.root === undefined || lock.root.kind === "cycle";
  return isUnexplained && lock.waits.length > 0 && lock.waits.every((wait) => isDormant(facts, wait));
}

function toFinding(facts: TargetFacts, locks: readonly ContendedLock[]): Finding {
  const waits = locks.flatMap((lock) => lock.waits);
  const threadCount = new Set(waits.map((wait) => wait.threadId)).size;
  const processId = locks[0]?.processId ?? 0;
  const command = facts.processes.get(processId)?.info.command ?? "?";
  const explainedMs = locks.reduce((sum, lock) => sum + lock.totalMs, 0);
  const isCircle = locks.some((lock) => lock.root?.kind === "cycle");
  const isDeadlock = isCircle || (locks.length >= DEADLOCK_MIN && threadCount >= DEADLOCK_MIN);
  const [only, ...others] = locks;
  const names = only !== undefined && others.length === 0
    ? only.name
    : `locks ${formatList(locks.map(shortName), { itemsMax: LOCKS_NAMED_MAX })}`;
  return {
    id: "stuck-lock",
    targetId: facts.targetId,
    severity: isDeadlock ? "critical" : "error",
    title:
      `${formatCount(threadCount, "thread")} of ${command} (${processId}) waited for ${
        others.length === 0 ? "" : `${locks.length} `
      }${names} during the whole window (${formatMs(facts.windowMs)}): nobody lets go` +
      `${isCircle ? ", they wait for each other: a deadlock" : isDeadlock ? ", as in a deadlock" : ""}.`,
    evidence: {
      ...evidenceOfWaits(facts, waits),
      object: names,
    },
    consequences: [],
    nextStep: `Run podtrace diagnose --pid ${processId} --now: it names who holds each lock; then take a core of it.`,
    explainedMs,
    share: impactOf(facts, explainedMs).share,
  };
}

function shortName({ object }: ContendedLock): string {
  return object.kind === "lock" ? object.address : describeObject(object);
}
