/**
 * `stopped`: threads that were halted by a signal, a debugger or the freezer.
 * Stopped time is no non-idle time, so it is judged against the lifetime of the
 * threads it hit.
 *
 * Wrong for a job somebody put in the background on purpose, so it is never
 * above error.
 *
 * @module
 */

import { totalMs } from "../causes.ts";
import { evidenceOfWaits, WAIT_CATEGORIES } from "../evidence.ts";
import { isReliable, type ProcessFacts, type TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { formatMs, formatShare } from "../format.ts";
import { capSeverity, isWorthMentioning, severityOf, WINDOW_MS_MIN } from "../severity.ts";

export function stopped(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, WAIT_CATEGORIES) || facts.windowMs < WINDOW_MS_MIN) return [];
  return Array.from(facts.processes.values()).flatMap((process) => judgeProcess(facts, process));
}

function judgeProcess(facts: TargetFacts, process: ProcessFacts): readonly Finding[] {
  const waits = process.waits.filter((wait) => wait.waitClass === "stopped");
  const stoppedMs = totalMs(waits);
  const { lifetimeMs } = process.sums;
  const impact = {
    explainedMs: stoppedMs,
    share: lifetimeMs > 0 ? Math.min(1, stoppedMs / lifetimeMs) : 0,
    windowMs: facts.windowMs,
  };
  if (!isWorthMentioning(impact)) return [];
  const { command, processId } = process.info;
  const isHaltedStill = waits.some((wait) => wait.openMs > 0);
  return [{
    id: "stopped",
    targetId: facts.targetId,
    severity: capSeverity(severityOf(impact), "error"),
    title:
      `${command} (${processId}) ${isHaltedStill ? "is" : "was"} stopped for ${formatShare(impact.share)} of its ` +
      `threads' time (${formatMs(stoppedMs)}).`,
    evidence: evidenceOfWaits(facts, waits),
    consequences: [],
    nextStep: `Look for a debugger, a SIGSTOP or a frozen cgroup (State and TracerPid in /proc/${processId}/status).`,
    explainedMs: stoppedMs,
    share: impact.share,
  }];
}
