/**
 * `memory-limit`: a cgroup whose memory is nearly used up by what cannot be
 * given back, or that was held up because it had to reclaim.
 *
 * A group whose limit is full of page cache is healthy: the kernel drops cache
 * before it harms anybody. So only anonymous and shared memory count, and time
 * in which the group was short of memory (PSI, v2 only).
 *
 * @module
 */

import type { Severity } from "../../api/severity.ts";
import type { CgroupResourceMeasurement } from "../../api/resource_measurements.ts";
import type { TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { formatBytes, formatCount, formatMs, formatShare } from "../format.ts";
import { WINDOW_MS_MIN } from "../severity.ts";

/** Of the limit, held by memory that cannot be given back. */
const HELD_SHARE_MIN = 0.90;

/** With less left than this the next allocations fail. */
const HELD_SHARE_ERROR_MIN = 0.98;

/** Of the window, in which some task of the group was short of memory. */
const PRESSURE_SHARE_MIN = 0.05;

/** The same, as bad as a cause of time. */
const PRESSURE_SHARE_ERROR_MIN = 0.25;

export function memoryLimit(facts: TargetFacts): readonly Finding[] {
  if (facts.windowMs < WINDOW_MS_MIN) return [];
  return facts.cgroupResources.flatMap((group) => judgeGroup(facts, group));
}

function judgeGroup(facts: TargetFacts, group: CgroupResourceMeasurement): readonly Finding[] {
  const { memory } = group;
  const path = memory?.path ?? group.path;
  const limitBytes = memory?.limitBytes ?? memory?.highBytes;
  if (memory === undefined || limitBytes === undefined || limitBytes === 0) return [];
  const heldShare = Math.min(1, (memory.anonymousBytes ?? 0) / limitBytes);
  const pressureMs = facts.cgroups.find((cgroup) => cgroup.path === group.path)?.pressure?.memorySomeMs ?? 0;
  const severity = severityOfGroup({ heldShare, pressureShare: pressureMs / facts.windowMs });
  if (severity === undefined) return [];
  const events = [
    ...countNote(memory.maxEventCount, "time", "it was at its limit and had to reclaim"),
    ...countNote(memory.highEventCount, "time", "it was slowed down at memory.high"),
    ...(pressureMs > 0 ? [`short of memory for ${formatMs(pressureMs)} (PSI)`] : []),
    ...((memory.swapBytes ?? 0) > 0 ? [`${formatBytes(memory.swapBytes ?? 0)} swapped out`] : []),
  ];
  return [{
    id: "memory-limit",
    targetId: facts.targetId,
    severity,
    title: heldShare >= HELD_SHARE_MIN
      ? `${formatShare(heldShare)} of the memory limit of ${formatBytes(limitBytes)} is taken by memory that ` +
        "cannot be given back."
      : `Under the memory limit of ${formatBytes(limitBytes)} tasks were short of memory for ${
        formatShare(pressureMs / facts.windowMs)
      } of the time.`,
    evidence: {
      object: path,
      notes: [
        `${formatBytes(memory.anonymousBytes ?? 0)} anonymous and shared, ${formatBytes(memory.usageBytes ?? 0)} ` +
        "with page cache",
        ...events,
      ],
    },
    consequences: [],
    nextStep: `Raise the memory limit of ${path}, or look for what grows: heap profile, caches without a bound.`,
    explainedMs: 0,
    share: 0,
  }];
}

function severityOfGroup(group: { heldShare: number; pressureShare: number }): Severity | undefined {
  const { heldShare, pressureShare } = group;
  if (heldShare >= HELD_SHARE_ERROR_MIN || pressureShare >= PRESSURE_SHARE_ERROR_MIN) return "error";
  return heldShare >= HELD_SHARE_MIN || pressureShare >= PRESSURE_SHARE_MIN ? "warning" : undefined;
}

function countNote(count: number | undefined, noun: string, what: string): readonly string[] {
  return count === undefined || count === 0 ? [] : [`${formatCount(count, noun)} ${what}`];
}
