/**
 * What a CPU limit did to a target: how long it was held back, and whether the
 * limit is why its threads had no CPU.
 *
 * @module
 */

import type { CgroupMeasurement } from "../../api/measurements.ts";
import { impactOf } from "../evidence.ts";
import type { TargetFacts } from "../facts.ts";
import { severityOf } from "../severity.ts";

/** Of the quota: who uses as much is held to it. */
const USED_SHARE_MIN = 0.8;

/** Of the periods of the quota. */
const THROTTLED_PERIODS_SHARE_MIN = 0.5;

/**
 * Whether a wait of `runnableMs` for a CPU is the limit's doing: throttling is
 * the larger part; or it is told above info, most periods ended in it and the quota
 * was used up. In the latter case everybody rushes for the CPU after each period.
 */
export function isHeldBackByLimit(facts: TargetFacts, runnableMs: number): boolean {
  const throttledMs = throttledMsOf(facts);
  if (runnableMs <= throttledMs) return true;
  const cgroup = tightestCgroup(facts);
  const { cpuLimit = 0, periodCount = 0, throttledPeriodCount = 0, cpuUsageMs = facts.sums.onCpuMs } = cgroup ?? {};
  return severityOf(impactOf(facts, throttledMs)) !== "info" &&
    periodCount > 0 && throttledPeriodCount >= THROTTLED_PERIODS_SHARE_MIN * periodCount &&
    cpuLimit > 0 && cpuUsageMs >= USED_SHARE_MIN * cpuLimit * facts.windowMs;
}

/** Yields the time threads were held back, from their own accounts or else from their cgroup's. */
export function throttledMsOf(facts: TargetFacts): number {
  if (facts.sums.throttledMs > 0) return facts.sums.throttledMs;
  // A cgroup counts each of its per-CPU queues; what its threads lost cannot exceed what they were runnable.
  return Math.min(tightestCgroup(facts)?.throttledMs ?? 0, facts.sums.runnableMs);
}

/** Yields the group that was held back longest. */
export function tightestCgroup(facts: TargetFacts): CgroupMeasurement | undefined {
  return facts.cgroups.reduce<CgroupMeasurement | undefined>(
    (best, cgroup) => (cgroup.throttledMs ?? 0) > (best?.throttledMs ?? -1) ? cgroup : best,
    undefined,
  );
}
