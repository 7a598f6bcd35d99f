/**
 * `event-loss`: a category was not seen whole, so its figures are lower bounds
 * and rules that need it may be silent. Said once for all targets.
 *
 * Categories nobody asked for are left out; those the kernel cannot show are
 * info, as nothing was lost that could have been had; so are small losses.
 *
 * @module
 */

import type { Category } from "../../api/measurements.ts";
import { NOT_ASKED_FOR } from "../../api/plane.ts";
import { isReliable, type TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";

export function eventLoss(targets: readonly TargetFacts[]): readonly Finding[] {
  const [facts] = targets;
  if (facts === undefined) return [];
  return Object.entries(facts.completeness).flatMap(([name, completeness]) => {
    if (completeness.verdict === "complete" || completeness.reason === NOT_ASKED_FOR) return [];
    const category = name as Category; // the record's own keys
    const isLost = completeness.verdict === "partial";
    const isSilencing = !isReliable(facts, [category]);
    const consequence = isSilencing ? "rules that need it are silent" : "figures from it are lower bounds";
    return [{
      id: "event-loss" as const,
      targetId: facts.targetId,
      severity: isLost && isSilencing ? "warning" as const : "info" as const,
      title: isLost
        ? `Only ${completeness.percent.toFixed(1)}% of ${category} were seen (${completeness.reason}): ${consequence}.`
        : `Nothing of ${category} could be seen (${completeness.reason}): ${consequence}.`,
      evidence: { object: category, notes: [] },
      consequences: [],
      nextStep: isLost
        ? "Look at fewer targets or for a shorter time, or leave categories out with --filter; then look again."
        : "See what this kernel and host allow: podtrace doctor.",
      explainedMs: 0,
      share: 0,
    }];
  });
}
