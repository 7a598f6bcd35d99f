/**
 * `resource-limit`: the target uses nearly all of its CPU quota; a little more
 * work and it is throttled. While it is throttled already, `cpu-throttling` has
 * the word.
 *
 * Wrong when the work is a batch job that is meant to use all it may.
 *
 * @module
 */

import type { CgroupMeasurement } from "../../api/measurements.ts";
import { isReliable, type TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { formatShare } from "../format.ts";
import { INFO_SHARE_MIN, WINDOW_MS_MIN } from "../severity.ts";
import { impactOf } from "../evidence.ts";
import { throttledMsOf } from "./cpu_limit.ts";

/** Of the quota. */
const LEVELS = [
  { severity: "error", shareMin: 0.95 },
  { severity: "warning", shareMin: 0.80 },
] as const;

export function resourceLimit(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, ["scheduling"]) || facts.windowMs < WINDOW_MS_MIN) return [];
  if (impactOf(facts, throttledMsOf(facts)).share >= INFO_SHARE_MIN) return [];
  return facts.cgroups.flatMap((cgroup) => judgeCgroup(facts, cgroup));
}

function judgeCgroup(facts: TargetFacts, cgroup: CgroupMeasurement): readonly Finding[] {
  const { cpuLimit, cpuUsageMs } = cgroup;
  const path = cgroup.cpuLimitPath ?? cgroup.path;
  // Where the accounts are another hierarchy's (v1), the target's own threads are a lower bound of its only group.
  const usageMs = cpuUsageMs ?? (facts.cgroups.length === 1 ? facts.sums.onCpuMs : undefined);
  if (cpuLimit === undefined || usageMs === undefined || cpuLimit <= 0) return [];
  const share = usageMs / (cpuLimit * facts.windowMs);
  const level = LEVELS.find(({ shareMin }) => share >= shareMin);
  if (level === undefined) return [];
  return [{
    id: "resource-limit",
    targetId: facts.targetId,
    severity: level.severity,
    title: `Resource limit: ${path} uses ${formatShare(share)} of its ${cpuLimit.toFixed(2)} CPUs.`,
    evidence: {
      object: path,
      cpu: {
        onCpuMs: facts.sums.onCpuMs,
        runnableMs: facts.sums.runnableMs,
        throttledMs: facts.sums.throttledMs,
        cpuCount: facts.host.cpuCount,
        cpuLimit,
      },
      notes: [
        ...(cpuUsageMs === undefined ? ["of the target's own threads: the group's account could not be read"] : []),
        `thresholds: ${LEVELS.map(({ severity, shareMin }) => `${severity} ${shareMin * 100}%`).join(", ")}`,
      ],
    },
    consequences: [],
    nextStep: "Raise the CPU limit before the load grows, or find what uses the CPU (CPU Usage by Process).",
    explainedMs: 0,
    share: 0,
  }];
}
