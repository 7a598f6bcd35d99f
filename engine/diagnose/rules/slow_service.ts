/**
 * `slow-service`: our own answers take long, seen from first receive to first
 * send on the sockets of a port of ours. What a client of the target feels.
 *
 * Wrong when an answer is not due: long polls, streams. It is a symptom: while
 * another finding above info says what the time goes to, this one is info, the
 * consequence of that.
 *
 * @module
 */

import { incompletenessNotes, isReliable, type TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { formatMs, formatShare } from "../format.ts";
import { REPEATED_COUNT_MIN } from "../severity.ts";
import { latencyOfPeers, type PeerGroup, peerGroups } from "./peer_group.ts";
import { isSocketPair } from "../wait_object.ts";
import { SPIKE_PERCENT_MIN } from "./slow_responses.ts";

/** Of the answers, from which on being slow is the rule. */
const ERROR_SHARE_MIN = 0.5;

/** @param others what else was found of the target */
export function slowService(facts: TargetFacts, others: readonly Finding[]): readonly Finding[] {
  if (!isReliable(facts, ["transfers"])) return [];
  const isExplained = others.some(({ severity, targetId }) => severity !== "info" && targetId === facts.targetId);
  return peerGroups(facts, "server").flatMap((group) =>
    isSocketPair(group.endpoint) ? [] : judgePort(facts, group, { isExplained })
  );
}

function judgePort(
  facts: TargetFacts,
  group: PeerGroup,
  { isExplained }: { readonly isExplained: boolean },
): readonly Finding[] {
  const thresholdMs = facts.thresholds.rttMs;
  const { count, totalMs, longestMs, slowCount } = latencyOfPeers(group, { of: (peer) => peer.responses, thresholdMs });
  const share = slowCount / Math.max(1, count);
  if (slowCount < REPEATED_COUNT_MIN || share * 100 <= SPIKE_PERCENT_MIN) return [];
  return [{
    id: "slow-service",
    targetId: facts.targetId,
    severity: isExplained ? "info" : share >= ERROR_SHARE_MIN ? "error" : "warning",
    title: `${formatShare(share)} of our answers to ${group.name} took ${formatMs(thresholdMs)} or longer ` +
      `(${slowCount} of ${count}), up to ${formatMs(longestMs)}.`,
    evidence: {
      object: group.name,
      notes: [
        ...incompletenessNotes(facts, ["transfers"]),
        `${formatMs(totalMs / count)} on average, from the first byte of a request to the first of its answer`,
      ],
    },
    consequences: [],
    nextStep: isExplained
      ? "See to the findings above first: they say what the time goes to."
      : "Look at the time ledger of the threads that serve it: sleeping, computing, or waiting for a sign of another of its " +
        "processes, as databases do for a row's lock, is told as no wait for anything.",
    explainedMs: 0,
    share: 0,
  }];
}
