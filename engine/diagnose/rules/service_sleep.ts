/**
 * `service-sleep`: a thread that serves clients sleeps on a timer between two of
 * them, and every client waits meanwhile.
 *
 * Wrong when the thread sleeps while there is nothing to do and clients come
 * rarely; short pauses (below `SLEEP_MS_MIN` each) are left out, and a thread
 * that took work fewer than three times serves nobody.
 *
 * @module
 */

import { totalMs } from "../causes.ts";
import { evidenceOfWaits, WAIT_CATEGORIES } from "../evidence.ts";
import { isReliable, type TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { formatMs, formatShare } from "../format.ts";
import { capSeverity, isWorthMentioning, severityOf, WINDOW_MS_MIN } from "../severity.ts";
import { type ServingThread, servingThreads } from "./service_threads.ts";

/** A sleep this long is felt by a client. */
export const SLEEP_MS_MIN = 5;

export function serviceSleep(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, WAIT_CATEGORIES) || facts.windowMs < WINDOW_MS_MIN) return [];
  return servingThreads(facts).flatMap((serving) => judgeThread(facts, serving));
}

function judgeThread(facts: TargetFacts, { thread, clients }: ServingThread): readonly Finding[] {
  const sleeps = thread.waits.filter((wait) => wait.waitClass === "sleep" && wait.totalMs >= SLEEP_MS_MIN * wait.count);
  const sleptMs = totalMs(sleeps);
  // Sleeping is no non-idle time: it is judged against what the thread would otherwise have had for its clients.
  const base = thread.sums.nonIdleMs + sleptMs;
  const impact = { explainedMs: sleptMs, share: base > 0 ? sleptMs / base : 0, windowMs: facts.windowMs };
  if (!isWorthMentioning(impact)) return [];
  const { command, threadId } = thread.ledger;
  const evidence = evidenceOfWaits(facts, sleeps);
  return [{
    id: "service-sleep",
    targetId: facts.targetId,
    severity: capSeverity(severityOf(impact), "error"),
    title: `${command} (${threadId}) sleeps ${formatMs(evidence.waits?.meanMs ?? 0)} at a time between ` +
      `${clients}, ${formatShare(impact.share)} of its ` +
      "time that is not idle: they wait meanwhile.",
    evidence: { object: `${command} (${threadId})`, ...evidence },
    consequences: [],
    nextStep: `Find where \`${command}\` sleeps (--stacks shows it) and do that work on a timer or another thread.`,
    explainedMs: sleptMs,
    share: impact.share,
  }];
}
