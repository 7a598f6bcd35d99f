/**
 * `fault-storm`: page faults served from memory, so many that they take a good
 * part of the CPU time: memory that is given back and taken again and again.
 *
 * Their time is not measured but estimated, and said so. Wrong while a program
 * starts, which touches all its memory for the first time: memory that stays
 * resident explains as many faults as it has pages, and those do not count.
 *
 * @module
 */

import { groupBy, incompletenessNotes, isReliable, type TargetFacts, threadNameOf } from "../facts.ts";
import type { ProcessResourceMeasurement } from "../../api/resource_measurements.ts";
import { impactOf, judge } from "../evidence.ts";
import type { Finding } from "../finding.ts";
import { formatCount, formatMs, formatShare } from "../format.ts";
import { capSeverity, WINDOW_MS_MIN } from "../severity.ts";

/** What one costs at least: entry, zeroing 4 KiB, exit. */
const FAULT_MS = 0.0005;

/** The smallest page any supported kernel has. */
const PAGE_BYTES = 4096;

/** Below this rate faults are ordinary work of an allocator. */
const FAULTS_PER_SECOND_MIN = 20_000;

export function faultStorm(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, ["scheduling", "lifecycle"]) || facts.windowMs < WINDOW_MS_MIN) return [];
  return Array.from(groupBy(facts.processResources, ({ processId }) => processId).values())
    .flatMap(([resources]) => resources === undefined ? [] : judgeProcess(facts, resources));
}

function judgeProcess(facts: TargetFacts, resources: ProcessResourceMeasurement): readonly Finding[] {
  const { processId, minorFaultCount, majorFaultCount } = resources;
  const repeatedCount = minorFaultCount - grownPages(resources);
  const perSecond = repeatedCount / facts.windowMs * 1000;
  const impact = impactOf(facts, repeatedCount * FAULT_MS);
  const severity = judge(impact);
  if (perSecond < FAULTS_PER_SECOND_MIN || severity === undefined) return [];
  const { command } = threadNameOf(facts, { processId, threadId: processId });
  return [{
    id: "fault-storm",
    targetId: facts.targetId,
    severity: capSeverity(severity, "warning"), // of an estimate
    title: `${command} (${processId}) takes ${
      Math.round(perSecond)
    } page faults a second for memory it had given back.`,
    evidence: {
      object: `${command} (${processId})`,
      notes: [
        `${formatCount(minorFaultCount, "fault")} served from memory, ${majorFaultCount} read back from disk`,
        `at least ${formatMs(impact.explainedMs)} or ${formatShare(impact.share)} of the non-idle time, estimated at ` +
        `${FAULT_MS * 1000} us each`,
        ...incompletenessNotes(facts, ["lifecycle"]),
      ],
    },
    consequences: [],
    nextStep: "Keep memory instead of giving it back: malloc trim and mmap thresholds, a pool, or huge pages.",
    explainedMs: impact.explainedMs,
    share: impact.share,
  }];
}

/** Faults that memory which came and stayed explains. */
function grownPages({ residentBytesBegin = 0, residentBytesEnd = 0 }: ProcessResourceMeasurement): number {
  return Math.max(0, residentBytesEnd - residentBytesBegin) / PAGE_BYTES;
}
