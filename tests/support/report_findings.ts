/**
 * What the rules say of measurements, without the command line around them.
 *
 * @module
 */

import type { TraceEvent } from "../../engine/api/events.ts";
import type { Measurements } from "../../engine/api/measurements.ts";
import { DEFAULT_THRESHOLDS, type RuleThresholds } from "../../engine/api/thresholds.ts";
import { EventDigest } from "../../engine/diagnose/event_digest.ts";
import { toTargetFacts } from "../../engine/diagnose/facts.ts";
import type { Finding } from "../../engine/diagnose/finding.ts";
import { findingsOf } from "../../engine/diagnose/rules/all_rules.ts";

/** Yields the findings, ranked. */
export function findingsIn(
  measurements: Measurements,
  events: readonly TraceEvent[],
  thresholds: Partial<RuleThresholds> = {},
): readonly Finding[] {
  const digest = new EventDigest();
  for (const event of events) digest.add(event);
  return findingsOf(
    toTargetFacts(measurements, digest.summary(), { thresholds: { ...DEFAULT_THRESHOLDS, ...thresholds } }),
  );
}
