/**
 * Every rule, and the order in which findings are told.
 *
 * @module
 */

import type { TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { blockedLoop } from "./blocked_loop.ts";
import { busyPolling } from "./busy_polling.ts";
import { connectionChurn } from "./connection_churn.ts";
import { connectionFailures } from "./connection_failures.ts";
import { connectionResets } from "./connection_resets.ts";
import { listenOverflow } from "./listen_overflow.ts";
import { portExhaustion } from "./port_exhaustion.ts";
import { retransmits } from "./retransmits.ts";
import { slowHandshake } from "./slow_handshake.ts";
import { slowResponses } from "./slow_responses.ts";
import { slowService } from "./slow_service.ts";
import { eventLoss } from "./event_loss.ts";
import { resourceLimit } from "./resource_limit.ts";
import { rttSpikes } from "./rtt_spikes.ts";
import { serviceSleep } from "./service_sleep.ts";
import { stuckLock } from "./stuck_lock.ts";
import { childWait } from "./child_wait.ts";
import { cpuThrottling } from "./cpu_throttling.ts";
import { cpuWait } from "./cpu_wait.ts";
import { crashLoop } from "./crash_loop.ts";
import { descriptorLimit } from "./descriptor_limit.ts";
import { diskStall } from "./disk_stall.ts";
import { faultStorm } from "./fault_storm.ts";
import { fileErrors } from "./file_errors.ts";
import { ioLimit } from "./io_limit.ts";
import { lockContention } from "./lock_contention.ts";
import { memoryLimit } from "./memory_limit.ts";
import { oomKill } from "./oom_kill.ts";
import { pageFault } from "./page_fault.ts";
import { pipeWait } from "./pipe_wait.ts";
import { slowFiles } from "./slow_files.ts";
import { slowPeer } from "./slow_peer.ts";
import { spawnStorm } from "./spawn_storm.ts";
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
  serviceSleep,
  blockedLoop,
  busyPolling,
  stuckLock,
  connectionChurn,
  rttSpikes,
  connectionFailures,
  portExhaustion,
  slowHandshake,
  retransmits,
  connectionResets,
  slowResponses,
  listenOverflow,
  resourceLimit,
  oomKill,
  memoryLimit,
  faultStorm,
  descriptorLimit,
  spawnStorm,
  ioLimit,
  fileErrors,
  slowFiles,
];

/** Yields what every rule says of every target, ranked. */
export function findingsOf(targets: readonly TargetFacts[]): readonly Finding[] {
  return rankFindings([...targets.flatMap(findingsOfTarget), ...eventLoss(targets)]);
}

/** A service that is slow is a symptom: what was found otherwise decides whether it stands for itself. */
function findingsOfTarget(facts: TargetFacts): readonly Finding[] {
  const found = RULES.flatMap((rule) => rule(facts));
  return [...found, ...slowService(facts, found)];
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
