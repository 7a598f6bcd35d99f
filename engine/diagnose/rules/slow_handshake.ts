/**
 * `slow-handshake`: connections to a peer take long to open. A handshake is one
 * round trip; one of a second or more is a SYN that was sent again.
 *
 * A peer whose round trips alone take that long is merely far away: then only
 * what comes on top of the way counts, and the rest is info. Fewer than
 * `REPEATED_COUNT_MIN` are silent unless a SYN got lost. While `slow-peer` tells of
 * the same peer, this is its explanation and no trouble of its own.
 *
 * @module
 */

import type { Severity } from "../../api/severity.ts";
import { capSeverity, REPEATED_COUNT_MIN } from "../severity.ts";
import { incompletenessNotes, isReliable, type TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { formatMs, formatShare } from "../format.ts";
import { latencyOfPeers, type PeerGroup, peerGroups, quickestRoundTripMs, sumOfPeers } from "./peer_group.ts";
import { hasSlowPeer } from "./slow_peer.ts";

/** Of the handshakes: one in twenty may be bad luck. */
const SLOW_SHARE_MIN = 0.05;
const ERROR_SLOW_SHARE_MIN = 0.5;

/** TCP_TIMEOUT_INIT: when a SYN without an answer is sent again. */
const SYN_RETRANSMIT_MS = 1000;

export function slowHandshake(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, ["connections"])) return [];
  return peerGroups(facts, "client").flatMap((group) => judgePeer(facts, group));
}

function judgePeer(facts: TargetFacts, group: PeerGroup): readonly Finding[] {
  const { rttMs } = facts.thresholds;
  const wayMs = quickestRoundTripMs(group);
  const isFar = wayMs >= rttMs;
  const beyondWay = judgeHandshakes(group, isFar ? rttMs + wayMs : rttMs);
  const onTheWay = isFar && beyondWay === undefined;
  const judged = onTheWay ? judgeHandshakes(group, rttMs) : beyondWay;
  if (judged === undefined) return [];
  const { thresholdMs, severity, share, count, totalMs, longestMs, slowCount } = judged;
  const isLost = longestMs >= SYN_RETRANSMIT_MS;
  const retransmitCount = sumOfPeers(group, (peer) => peer.retransmitCount);
  return [{
    id: "slow-handshake",
    targetId: facts.targetId,
    severity: onTheWay || hasSlowPeer(facts, group.endpoint) ? capSeverity(severity, "info") : severity,
    title: `${slowCount} of ${count} connections to ${group.name} (${formatShare(share)}) took ` +
      `${formatMs(thresholdMs)} or longer to open, up to ${formatMs(longestMs)}.`,
    evidence: {
      object: group.name,
      notes: [
        ...incompletenessNotes(facts, ["connections"]),
        `${formatMs(totalMs / count)} on average; ${retransmitCount} segments to it were sent again`,
        ...(isFar ? [`the way alone takes ${formatMs(wayMs)}, there and back`] : []),
        ...(isLost ? ["a handshake of a second or more is a SYN that got lost, or was dropped by a full queue"] : []),
      ],
    },
    consequences: [],
    nextStep: onTheWay
      ? `Keep connections to ${group.name} open, or move closer: it is far away, and nothing is wrong with it.`
      : isLost
      ? `Look at the listen queue of ${group.name} (ss -ltn there: Recv-Q against Send-Q), then for packet loss.`
      : `Look at the way to ${group.name}: its round trips, what inspects connections on it.`,
    explainedMs: 0,
    share: 0,
  }];
}

/** Yields what handshakes of `thresholdMs` or longer come to; `undefined`: too few of them. */
function judgeHandshakes(group: PeerGroup, thresholdMs: number) {
  const latency = latencyOfPeers(group, { of: ({ connects }) => connects.handshakes, thresholdMs });
  const { slowCount, longestMs } = latency;
  const share = slowCount / Math.max(1, latency.count);
  if (slowCount === 0 || share < SLOW_SHARE_MIN) return undefined;
  const isRepeated = slowCount >= REPEATED_COUNT_MIN;
  if (!isRepeated && longestMs < SYN_RETRANSMIT_MS) return undefined;
  const severity: Severity = isRepeated && share >= ERROR_SLOW_SHARE_MIN ? "error" : "warning";
  return { ...latency, thresholdMs, share, severity };
}
