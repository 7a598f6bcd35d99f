/**
 * `busy-polling`: a thread wakes up again and again only to sleep again, and
 * uses a CPU for it.
 *
 * Wrong when each of the short sleeps is followed by work: then what is called
 * polling is a slow pace on purpose. Cheap polling (below `POLLING_CPU_SHARE_MIN`
 * of a CPU) is info.
 *
 * @module
 */

import { finishedCount } from "../causes.ts";
import { evidenceOfWaits, WAIT_CATEGORIES } from "../evidence.ts";
import { isReliable, type TargetFacts, type ThreadFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { formatMs, formatShare } from "../format.ts";
import { INFO_EXPLAINED_MS_MIN, WINDOW_MS_MIN } from "../severity.ts";
import { threadsOf } from "./service_threads.ts";

/** Wake-ups a second from which a loop polls; timers of libraries are slower. */
export const WAKE_UPS_PER_SECOND_MIN = 200;

/** Longer sleeps cannot make that many. */
const SLEEP_MS_MAX = 5;

/** Of all the thread's waits, so many are sleeps: it does little else. */
const SLEEPS_SHARE_MIN = 0.8;

/** Of one CPU, from which polling is worth a warning. */
export const POLLING_CPU_SHARE_MIN = 0.05;

export function busyPolling(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, WAIT_CATEGORIES) || facts.windowMs < WINDOW_MS_MIN) return [];
  return threadsOf(facts).flatMap((thread) => judgeThread(facts, thread));
}

function judgeThread(facts: TargetFacts, thread: ThreadFacts): readonly Finding[] {
  const { ledger, sums } = thread;
  const sleeps = thread.waits.filter(({ waitClass }) => waitClass === "sleep");
  const sleepCount = finishedCount(sleeps);
  const perSecond = sleepCount / (facts.windowMs / 1000);
  const meanMs = sleeps.reduce((sum, wait) => sum + wait.totalMs, 0) / Math.max(1, sleepCount);
  const isPolling = perSecond >= WAKE_UPS_PER_SECOND_MIN && meanMs <= SLEEP_MS_MAX &&
    sleepCount >= SLEEPS_SHARE_MIN * finishedCount(thread.waits);
  if (!isPolling || ledger.onCpuMs < INFO_EXPLAINED_MS_MIN) return [];
  const cpuShare = ledger.onCpuMs / facts.windowMs;
  const { command, threadId } = ledger;
  return [{
    id: "busy-polling",
    targetId: facts.targetId,
    severity: cpuShare >= POLLING_CPU_SHARE_MIN ? "warning" : "info",
    title: `${command} (${threadId}) wakes up ${perSecond.toFixed(0)} times a second to sleep ${formatMs(meanMs)} ` +
      `again, and uses ${formatShare(cpuShare)} of a CPU for it.`,
    evidence: { object: `${command} (${threadId})`, ...evidenceOfWaits(facts, sleeps) },
    consequences: [],
    nextStep: `Have \`${command}\` wait for what it polls (a condition, an eventfd, epoll) instead of looking again.`,
    explainedMs: ledger.onCpuMs,
    share: sums.nonIdleMs > 0 ? Math.min(1, ledger.onCpuMs / sums.nonIdleMs) : 0,
  }];
}
