/**
 * `cpu-wait`: threads that wanted to run and had no CPU.
 *
 * Wrong when many short delays add up on a busy machine: threads that sleep
 * often and wait less than `CPU_DELAY_MS_MIN` for a CPU each time are left out,
 * unless that is half of their life. Time held back by a CPU limit is throttling
 * and not in these figures; while the limit is why there is no CPU, this rule
 * leaves the word to it.
 *
 * @module
 */

import { impactOf, judge } from "../evidence.ts";
import { incompletenessNotes, isReliable, type TargetFacts, type ThreadFacts } from "../facts.ts";
import { EVIDENCE_THREADS_MAX, type Finding } from "../finding.ts";
import { formatMs, formatShare } from "../format.ts";
import { isHeldBackByLimit } from "./cpu_limit.ts";
import { capSeverity, CPU_DELAY_MS_MIN, CPU_WAIT_SHARE_MIN, STARVED_SHARE_MIN, WINDOW_MS_MIN } from "../severity.ts";

export function cpuWait(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, ["scheduling"]) || facts.windowMs < WINDOW_MS_MIN) return [];
  const threads = Array.from(facts.processes.values()).flatMap((process) => process.threads).filter(isDelayed);
  const runnableMs = threads.reduce((sum, thread) => sum + thread.ledger.runnableMs, 0);
  const onCpuMs = threads.reduce((sum, thread) => sum + thread.ledger.onCpuMs, 0);
  const impact = impactOf(facts, runnableMs);
  const severity = judge(impact);
  if (severity === undefined || isHeldBackByLimit(facts, runnableMs)) return [];

  const wantedMs = onCpuMs + runnableMs;
  const isOrdinarySharing = runnableMs < CPU_WAIT_SHARE_MIN * wantedMs || impact.share < CPU_WAIT_SHARE_MIN;
  const shares = threads.map(({ ledger }) => ({
    processId: ledger.processId,
    threadId: ledger.threadId,
    command: ledger.command,
    totalMs: ledger.runnableMs,
    count: 0,
  })).sort((first, second) => second.totalMs - first.totalMs || first.threadId - second.threadId);
  const notes = incompletenessNotes(facts, ["scheduling"]);
  return [{
    id: "cpu-wait",
    targetId: facts.targetId,
    severity: isOrdinarySharing ? "info" : capSeverity(severity, "error"),
    title: `Waiting for a CPU takes ${formatShare(impact.share)} of the non-idle time: ` +
      `${formatMs(wantedMs)} were wanted, ${formatMs(onCpuMs)} were given.`,
    evidence: {
      cpu: {
        onCpuMs,
        runnableMs,
        throttledMs: facts.sums.throttledMs,
        cpuCount: facts.host.cpuCount,
        ...(facts.host.pressure?.cpuSomeMs === undefined ? {} : { cpuPressureMs: facts.host.pressure.cpuSomeMs }),
      },
      threads: shares.slice(0, EVIDENCE_THREADS_MAX),
      threadCount: shares.length,
      ...(notes.length > 0 ? { notes } : {}),
    },
    consequences: [],
    nextStep: `See what else runs on these ${facts.host.cpuCount} CPUs, and whether the target has more busy threads ` +
      "than CPUs or is pinned to few of them.",
    explainedMs: impact.explainedMs,
    share: impact.share,
  }];
}

/** Sleeps bound the number of times a thread became runnable from below; a busy thread hardly has any. */
function isDelayed({ ledger, waits, sums }: ThreadFacts): boolean {
  if (ledger.runnableMs >= STARVED_SHARE_MIN * sums.lifetimeMs) return true;
  const wokenCount = waits.reduce((sum, wait) => sum + wait.sleepCount - (wait.openMs > 0 ? 1 : 0), 0);
  return ledger.runnableMs >= CPU_DELAY_MS_MIN * Math.max(1, wokenCount);
}
