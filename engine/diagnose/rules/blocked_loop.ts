/**
 * `blocked-loop`: an event loop computes for so long at a stretch that all its
 * other clients wait.
 *
 * Wrong when the loop has one client only, who gets its answer no sooner by
 * being alone. Time on a CPU per turn is a mean: one long turn among many
 * thousand quick ones does not show, and a busy loop of quick turns is healthy.
 *
 * @module
 */

import { finishedCount } from "../causes.ts";
import { incompletenessNotes, isReliable, type TargetFacts, type ThreadFacts } from "../facts.ts";
import { WAIT_CATEGORIES } from "../evidence.ts";
import type { Finding } from "../finding.ts";
import { formatMs, formatShare } from "../format.ts";
import { capSeverity, isWorthMentioning, severityOf, WINDOW_MS_MIN } from "../severity.ts";
import { isEventLoop, threadsOf } from "./service_threads.ts";

/** A turn this long is felt by every client of the loop. */
export const TURN_MS_MIN = 10;

/** Fewer turns are a start-up or a single job. */
const TURNS_MIN = 5;

export function blockedLoop(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, WAIT_CATEGORIES) || facts.windowMs < WINDOW_MS_MIN) return [];
  return threadsOf(facts).filter(isEventLoop).flatMap((thread) => judgeLoop(facts, thread));
}

function judgeLoop(facts: TargetFacts, thread: ThreadFacts): readonly Finding[] {
  const { ledger, sums } = thread;
  const turnCount = finishedCount(thread.waits);
  const turnMs = ledger.onCpuMs / Math.max(1, turnCount);
  const impact = {
    explainedMs: ledger.onCpuMs,
    share: sums.nonIdleMs > 0 ? Math.min(1, ledger.onCpuMs / sums.nonIdleMs) : 0,
    windowMs: facts.windowMs,
  };
  if (turnCount < TURNS_MIN || turnMs < TURN_MS_MIN || !isWorthMentioning(impact)) return [];
  const { command, threadId, processId } = ledger;
  const notes = incompletenessNotes(facts, WAIT_CATEGORIES);
  return [{
    id: "blocked-loop",
    targetId: facts.targetId,
    severity: capSeverity(severityOf(impact), "error"),
    title: `The event loop ${command} (${threadId}) computes ${formatMs(turnMs)} at a stretch, ` +
      `${formatShare(ledger.onCpuMs / facts.windowMs)} of the window: all its clients wait meanwhile.`,
    evidence: {
      object: `${command} (${threadId})`,
      cpu: {
        onCpuMs: ledger.onCpuMs,
        runnableMs: ledger.runnableMs,
        throttledMs: ledger.throttledMs,
        cpuCount: facts.host.cpuCount,
      },
      threads: [{ processId, threadId, command, totalMs: ledger.onCpuMs, count: turnCount }],
      threadCount: 1,
      notes: [...notes, `${turnCount} turns of the loop`],
    },
    consequences: [],
    nextStep: `Profile what \`${command}\` computes per request, and move it to a worker or cut it into pieces.`,
    explainedMs: ledger.onCpuMs,
    share: impact.share,
  }];
}
