/**
 * `rtt-spikes`: the way to a peer got slow, as the kernel's own smoothed
 * round-trip times say; what is slow there is the network, not the peer's work.
 *
 * Wrong when the peer delays its acknowledgements: up to 40 ms may be that, so
 * a threshold below says little. A peer that is merely far away (its best time
 * is above the threshold too) is info.
 *
 * @module
 */

import type { PeerMeasurement } from "../../api/socket_measurements.ts";
import { incompletenessNotes, isReliable, type TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { formatCount, formatMs } from "../format.ts";
import { WINDOW_MS_MIN } from "../severity.ts";
import { describeObject } from "../wait_object.ts";

export function rttSpikes(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, ["transfers"]) || facts.windowMs < WINDOW_MS_MIN) return [];
  return facts.peers.flatMap((peer) => judgePeer(facts, peer));
}

function judgePeer(facts: TargetFacts, peer: PeerMeasurement): readonly Finding[] {
  const { endpoint, roundTrip, role } = peer;
  const thresholdMs = facts.thresholds.rttMs;
  if (endpoint === undefined || roundTrip === undefined || roundTrip.maxMs < thresholdMs) return [];
  const isFar = roundTrip.minMs >= thresholdMs;
  const name = describeObject(endpoint);
  const notes = incompletenessNotes(facts, ["transfers"]);
  return [{
    id: "rtt-spikes",
    targetId: facts.targetId,
    severity: isFar ? "info" : "warning",
    title: isFar
      ? `${name} is far away: round trips take ${formatMs(roundTrip.minMs)} at best.`
      : `Round trips to ${name} went up to ${formatMs(roundTrip.maxMs)} (smoothed), from ${
        formatMs(roundTrip.minMs)
      } ` +
        "at best.",
    evidence: {
      object: name,
      notes: [
        ...notes,
        `last seen ${formatMs(roundTrip.lastMs)}; ${formatCount(peer.retransmitCount, "retransmit")}; threshold ` +
        `${thresholdMs} ms`,
      ],
    },
    consequences: [],
    nextStep: role === "client"
      ? `Look at the way to ${name}: a full queue, a saturated link, packet loss (tc -s qdisc, ping).`
      : `Look at the way of these clients: a full queue, a saturated link, packet loss (ss -ti shows each of them).`,
    explainedMs: 0,
    share: 0,
  }];
}
