/**
 * Every rule, and the order in which findings are told.
 *
 * @module
 */

import type { TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { childWait } from "./child_wait.ts";
import { cpuThrottling } from "./cpu_throttling.ts";
import { cpuWait } from "./cpu_wait.ts";
import { crashLoop } from "./crash_loop.ts";
import { diskStall } from "./disk_stall.ts";
import { lockContention } from "./lock_contention.ts";
import { pageFault } from "./page_fault.ts";
import { pipeWait } from "./pipe_wait.ts";
import { slowPeer } from "./slow_peer.ts";
import { stopped } from "./stopped.ts";

type Rule = (facts: TargetFacts) => readonly Finding[];

const RULES: readonly Rule[] = [
  slowPeer,
  diskStall,
  lockContention,
  cpuWait,
  cpuThrottling,
  pipeWait,
  childWait,
  pageFault,
  stopped,
  crashLoop,
];

/** Yields what every rule says of every target, ranked. */
export function findingsOf(targets: readonly TargetFacts[]): readonly Finding[] {
  return rankFindings(targets.flatMap((facts) => RULES.flatMap((rule) => rule(facts))));
}

/** Yields findings above info first; then by explained time, then by failures, then by name. */
export function rankFindings(findings: readonly Finding[]): readonly Finding[] {
  const isInfo = (finding: Finding) => finding.severity === "info" ? 1 : 0;
  const failedCount = (finding: Finding) => finding.evidence.failures?.failedCount ?? 0;
  return [...findings].sort((first, second) =>
    isInfo(first) - isInfo(second) || second.explainedMs - first.explainedMs ||
    failedCount(second) - failedCount(first) || compareText(first.title, second.title)
  );
}

function compareText(first: string, second: string): number {
  return first < second ? -1 : first > second ? 1 : 0;
}
