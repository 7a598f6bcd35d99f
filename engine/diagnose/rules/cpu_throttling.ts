/**
 * `cpu-throttling`: threads held back by the CPU limit of their cgroup.
 *
 * Wrong when only the cgroup was throttled by others in it: the threads' own
 * throttled time decides; the cgroup's figures are evidence, and stand in only
 * where the kernel does not let us see the threads'.
 *
 * @module
 */

import type { CgroupMeasurement } from "../../api/measurements.ts";
import { impactOf, judge } from "../evidence.ts";
import { incompletenessNotes, isReliable, type TargetFacts } from "../facts.ts";
import { type CpuEvidence, EVIDENCE_THREADS_MAX, type Finding } from "../finding.ts";
import { formatMs, formatShare } from "../format.ts";
import { severityOf, WINDOW_MS_MIN } from "../severity.ts";
import { isHeldBackByLimit, throttledMsOf, tightestCgroup } from "./cpu_limit.ts";

export function cpuThrottling(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, ["scheduling"]) || facts.windowMs < WINDOW_MS_MIN) return [];
  const cgroup = tightestCgroup(facts);
  const isSeenOnThreads = facts.sums.throttledMs > 0;
  const impact = impactOf(facts, throttledMsOf(facts));
  if (judge(impact) === undefined) return [];

  const limit = cgroup?.cpuLimit === undefined ? "its CPU limit" : `its limit of ${cgroup.cpuLimit.toFixed(2)} CPUs`;
  const threads = Array.from(facts.processes.values()).flatMap((process) => process.threads)
    .filter((thread) => thread.ledger.throttledMs > 0)
    .map(({ ledger }) => ({
      processId: ledger.processId,
      threadId: ledger.threadId,
      command: ledger.command,
      totalMs: ledger.throttledMs,
      count: 0,
    })).sort((first, second) => second.totalMs - first.totalMs || first.threadId - second.threadId);
  const notes = [
    ...incompletenessNotes(facts, ["scheduling"]),
    ...(isSeenOnThreads ? [] : ["from the cgroup's account; the threads' own throttled time could not be read"]),
  ];
  return [{
    id: "cpu-throttling",
    targetId: facts.targetId,
    severity: severityOf(impact),
    title: `Throttled by ${limit} for ${formatShare(impact.share)} of the non-idle time.`,
    evidence: {
      ...(cgroup === undefined ? {} : { object: cgroup.cpuLimitPath ?? cgroup.path }),
      cpu: cpuEvidence(facts, cgroup),
      threads: threads.slice(0, EVIDENCE_THREADS_MAX),
      threadCount: threads.length,
      ...(notes.length > 0 ? { notes } : {}),
    },
    consequences: isSeenOnThreads && facts.sums.runnableMs > 0 && isHeldBackByLimit(facts, facts.sums.runnableMs)
      ? [
        `${
          formatMs(facts.sums.runnableMs)
        } more were spent waiting for a CPU, part of it in the rush after each period.`,
      ]
      : [],
    nextStep: "Raise the CPU limit, or lower the number of threads that are busy at once (GOMAXPROCS, worker counts).",
    explainedMs: impact.explainedMs,
    share: impact.share,
  }];
}

function cpuEvidence(facts: TargetFacts, cgroup: CgroupMeasurement | undefined): CpuEvidence {
  return {
    onCpuMs: facts.sums.onCpuMs,
    runnableMs: facts.sums.runnableMs,
    throttledMs: facts.sums.throttledMs,
    cpuCount: facts.host.cpuCount,
    ...(cgroup?.cpuLimit === undefined ? {} : { cpuLimit: cgroup.cpuLimit }),
    ...(cgroup?.periodCount === undefined ? {} : { periodCount: cgroup.periodCount }),
    ...(cgroup?.throttledPeriodCount === undefined ? {} : { throttledPeriodCount: cgroup.throttledPeriodCount }),
    ...(cgroup?.throttledMs === undefined ? {} : { cgroupThrottledMs: cgroup.throttledMs }),
    ...(cgroup?.pressure?.cpuSomeMs === undefined ? {} : { cpuPressureMs: cgroup.pressure.cpuSomeMs }),
  };
}
