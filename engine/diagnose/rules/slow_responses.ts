/**
 * `slow-responses`: a peer takes long to answer, seen from send to first receive
 * on the socket, whether or not a thread waited for it. Where threads did wait
 * `slow-peer` has the word.
 *
 * Wrong when the answer is not due: a long poll, a subscription, a job. Requests
 * that overlapped are in no figure here.
 *
 * @module
 */

import { incompletenessNotes, isReliable, type TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { formatMs, formatShare } from "../format.ts";
import { REPEATED_COUNT_MIN } from "../severity.ts";
import { latencyOfPeers, type PeerGroup, peerGroups, sumOfPeers } from "./peer_group.ts";
import { hasSlowPeer } from "./slow_peer.ts";

/** Of the answers, in percent: what counts as a rate of spikes. */
export const SPIKE_PERCENT_MIN = 5;

/** Of the answers, from which on being slow is the rule. */
const ERROR_SHARE_MIN = 0.5;

export function slowResponses(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, ["transfers"])) return [];
  return peerGroups(facts, "client").flatMap((group) => judgePeer(facts, group));
}

function judgePeer(facts: TargetFacts, group: PeerGroup): readonly Finding[] {
  const thresholdMs = facts.thresholds.rttMs;
  const { count, totalMs, longestMs, slowCount } = latencyOfPeers(group, { of: (peer) => peer.responses, thresholdMs });
  const share = slowCount / Math.max(1, count);
  if (slowCount < REPEATED_COUNT_MIN || share * 100 <= SPIKE_PERCENT_MIN) return [];
  if (hasSlowPeer(facts, group.endpoint)) return [];
  const unmeasured = sumOfPeers(group, (peer) => peer.unmeasuredResponseCount);
  return [{
    id: "slow-responses",
    targetId: facts.targetId,
    severity: share >= ERROR_SHARE_MIN ? "error" : "warning",
    title: `${formatShare(share)} of the answers of ${group.name} took ${formatMs(thresholdMs)} or longer ` +
      `(${slowCount} of ${count}), up to ${formatMs(longestMs)}.`,
    evidence: {
      object: group.name,
      notes: [
        ...incompletenessNotes(facts, ["transfers"]),
        `${formatMs(totalMs / count)} on average; no thread was kept waiting for long`,
        ...(unmeasured === 0 ? [] : [`${unmeasured} exchanges overlapped and were not measured`]),
      ],
    },
    consequences: [],
    nextStep: `Look at ${group.name} itself: its load, its slow log. Nothing here waits for it for long yet.`,
    explainedMs: 0,
    share: 0,
  }];
}
