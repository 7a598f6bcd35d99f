/**
 * `slow-responses`: a peer takes long to answer, seen from send to first receive
 * on the socket, whether or not a thread waited for it. Where threads did wait
 * `slow-peer` has the word.
 *
 * Wrong when the answer is not due: a long poll, a subscription, a job. Requests
 * that overlapped are in no figure here. Of a peer whose round trips alone take as
 * long, only what comes on top of the way counts; the rest is info.
 *
 * @module
 */

import { incompletenessNotes, isReliable, type TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import type { Severity } from "../../api/severity.ts";
import { formatMs, formatShare } from "../format.ts";
import { capSeverity, REPEATED_COUNT_MIN } from "../severity.ts";
import { latencyOfPeers, type PeerGroup, peerGroups, quickestRoundTripMs, sumOfPeers } from "./peer_group.ts";
import { isSocketPair } from "../wait_object.ts";
import { hasSlowPeer } from "./slow_peer.ts";

/** Of the answers, in percent: what counts as a rate of spikes. */
export const SPIKE_PERCENT_MIN = 5;

/** Of the answers, from which on being slow is the rule. */
const ERROR_SHARE_MIN = 0.5;

export function slowResponses(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, ["transfers"])) return [];
  return peerGroups(facts, "client").flatMap((group) =>
    // What goes through a pair may be answers or messages of their own: only who waited for one says which.
    isSocketPair(group.endpoint) ? [] : judgePeer(facts, group)
  );
}

function judgePeer(facts: TargetFacts, group: PeerGroup): readonly Finding[] {
  const { rttMs } = facts.thresholds;
  const wayMs = quickestRoundTripMs(group);
  const isFar = wayMs >= rttMs;
  const beyondWay = judgeAnswers(group, isFar ? rttMs + wayMs : rttMs);
  const onTheWay = isFar && beyondWay === undefined;
  const judged = onTheWay ? judgeAnswers(group, rttMs) : beyondWay;
  if (judged === undefined) return [];
  const { thresholdMs, severity, share, count, totalMs, longestMs, slowCount } = judged;
  if (hasSlowPeer(facts, group.endpoint)) return [];
  const unmeasured = sumOfPeers(group, (peer) => peer.unmeasuredResponseCount);
  return [{
    id: "slow-responses",
    targetId: facts.targetId,
    severity: onTheWay ? capSeverity(severity, "info") : severity,
    title: `${formatShare(share)} of the answers of ${group.name} took ${formatMs(thresholdMs)} or longer ` +
      `(${slowCount} of ${count}), up to ${formatMs(longestMs)}.`,
    evidence: {
      object: group.name,
      notes: [
        ...incompletenessNotes(facts, ["transfers"]),
        `${formatMs(totalMs / count)} on average; no thread was kept waiting for long`,
        ...(isFar ? [`the way alone takes ${formatMs(wayMs)}, there and back`] : []),
        ...(unmeasured === 0 ? [] : [`${unmeasured} exchanges overlapped and were not measured`]),
      ],
    },
    consequences: [],
    nextStep: onTheWay
      ? `Ask ${group.name} less often, or move closer: it is far away, and nothing is wrong with it.`
      : `Look at ${group.name} itself: its load, its slow log. Nothing here waits for it for long yet.`,
    explainedMs: 0,
    share: 0,
  }];
}

/** Yields what answers that took `thresholdMs` or longer come to; `undefined`: too few of them. */
function judgeAnswers(group: PeerGroup, thresholdMs: number) {
  const latency = latencyOfPeers(group, { of: (peer) => peer.responses, thresholdMs });
  const share = latency.slowCount / Math.max(1, latency.count);
  if (latency.slowCount < REPEATED_COUNT_MIN || share * 100 <= SPIKE_PERCENT_MIN) return undefined;
  const severity: Severity = share >= ERROR_SHARE_MIN ? "error" : "warning";
  return { ...latency, thresholdMs, share, severity };
}
