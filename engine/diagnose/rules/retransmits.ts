/**
 * `retransmits`: segments to a peer, or to our clients, had to be sent again.
 *
 * Wrong when acknowledgements are merely late: a few in a thousand are ordinary
 * on any network. Silent below `RETRANSMIT_COUNT_MIN`.
 *
 * @module
 */

import { incompletenessNotes, isReliable, type TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { formatCount, formatMs, formatShare } from "../format.ts";
import { type PeerGroup, peerGroups, sumOfPeers } from "./peer_group.ts";

/** Fewer say nothing about a network. */
const RETRANSMIT_COUNT_MIN = 5;

/** Of the segments with payload: from here on throughput suffers. */
const WARNING_SHARE_MIN = 0.01;
const ERROR_SHARE_MIN = 0.05;

export function retransmits(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, ["connections"])) return [];
  return [...peerGroups(facts, "client"), ...peerGroups(facts, "server")].flatMap((group) => judgePeer(facts, group));
}

function judgePeer(facts: TargetFacts, group: PeerGroup): readonly Finding[] {
  const count = sumOfPeers(group, (peer) => peer.retransmitCount);
  // SYNs are sent again, too, and carry no payload: what is left of connections that never opened is not told here.
  const segmentCount = sumOfPeers(group, (peer) => peer.segmentCount ?? 0);
  const share = Math.min(1, count / Math.max(1, segmentCount));
  if (count < RETRANSMIT_COUNT_MIN || segmentCount < count || share < WARNING_SHARE_MIN) return [];
  const trips = group.peers.flatMap(({ roundTrip }) => roundTrip === undefined ? [] : [roundTrip.maxMs]);
  return [{
    id: "retransmits",
    targetId: facts.targetId,
    severity: share >= ERROR_SHARE_MIN ? "error" : "warning",
    title: `${formatShare(share)} of the segments to ${group.name} were sent again (${count} of ${segmentCount}).`,
    evidence: {
      object: group.name,
      notes: [
        ...incompletenessNotes(facts, ["connections"]),
        `${formatCount(sumOfPeers(group, (peer) => peer.openCount + peer.closeCount), "connection")}` +
        (trips.length === 0 ? "" : `, round trips up to ${formatMs(Math.max(...trips))} (smoothed)`),
      ],
    },
    consequences: [],
    nextStep: `Look for loss on the way to ${group.name}: interface errors and drops (ip -s link), full queues ` +
      "(tc -s qdisc), its receive buffers (nstat).",
    explainedMs: 0,
    share: 0,
  }];
}
