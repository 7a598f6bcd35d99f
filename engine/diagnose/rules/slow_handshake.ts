/**
 * `slow-handshake`: connections to a peer take long to open. A handshake is one
 * round trip; one of a second or more is a SYN that was sent again.
 *
 * Wrong when the peer is merely far away: then every handshake is slow alike,
 * and `rtt-spikes` says so. While `slow-peer` tells of the same peer, this is its
 * explanation and no trouble of its own.
 *
 * @module
 */

import { capSeverity } from "../severity.ts";
import { incompletenessNotes, isReliable, type TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { formatMs, formatShare } from "../format.ts";
import { latencyOfPeers, type PeerGroup, peerGroups, sumOfPeers } from "./peer_group.ts";
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
  const thresholdMs = facts.thresholds.rttMs;
  const { count, totalMs, longestMs, slowCount } = latencyOfPeers(group, {
    of: ({ connects }) => connects.handshakes,
    thresholdMs,
  });
  const share = slowCount / Math.max(1, count);
  if (slowCount === 0 || share < SLOW_SHARE_MIN) return [];
  const isLost = longestMs >= SYN_RETRANSMIT_MS;
  const severity = share >= ERROR_SLOW_SHARE_MIN ? "error" : "warning";
  const retransmitCount = sumOfPeers(group, (peer) => peer.retransmitCount);
  return [{
    id: "slow-handshake",
    targetId: facts.targetId,
    severity: hasSlowPeer(facts, group.endpoint) ? capSeverity(severity, "info") : severity,
    title: `${slowCount} of ${count} connections to ${group.name} (${formatShare(share)}) took ` +
      `${formatMs(thresholdMs)} or longer to open, up to ${formatMs(longestMs)}.`,
    evidence: {
      object: group.name,
      notes: [
        ...incompletenessNotes(facts, ["connections"]),
        `${formatMs(totalMs / count)} on average; ${retransmitCount} segments to it were sent again`,
        ...(isLost ? ["a handshake of a second or more is a SYN that got lost, or was dropped by a full queue"] : []),
      ],
    },
    consequences: [],
    nextStep: isLost
      ? `Look at the listen queue of ${group.name} (ss -ltn there: Recv-Q against Send-Q), then for packet loss.`
      : `Look at the way to ${group.name}: its round trips, what inspects connections on it.`,
    explainedMs: 0,
    share: 0,
  }];
}
