/**
 * `connection-resets`: a peer, or our clients, reset connections instead of
 * closing them: what was under way on them is lost.
 *
 * Wrong when a reset is how the other side says goodbye: some load balancers,
 * health checks and clients in a hurry do. Then nothing was under way, and no
 * send or receive fails; such resets are info.
 *
 * @module
 */

import { incompletenessNotes, isReliable, type TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { formatShare } from "../format.ts";
import { REPEATED_COUNT_MIN } from "../severity.ts";
import { type PeerGroup, peerGroups, sumOfPeers } from "./peer_group.ts";

/** Of the connections. */
const ERROR_SHARE_MIN = 0.5;

export function connectionResets(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, ["connections", "transfers"])) return [];
  return [...peerGroups(facts, "client"), ...peerGroups(facts, "server")].flatMap((group) => judgePeer(facts, group));
}

function judgePeer(facts: TargetFacts, group: PeerGroup): readonly Finding[] {
  const resetCount = sumOfPeers(group, (peer) => peer.resetReceivedCount);
  const connectionCount = sumOfPeers(group, (peer) => peer.openCount + peer.closeCount);
  const hurtCount = sumOfPeers(
    group,
    ({ sends, receives }) =>
      (receives.errors["ECONNRESET"] ?? 0) + (sends.errors["ECONNRESET"] ?? 0) + (sends.errors["EPIPE"] ?? 0),
  );
  const share = Math.min(1, resetCount / Math.max(1, connectionCount));
  if (resetCount < REPEATED_COUNT_MIN || share * 100 < facts.thresholds.errorPercent) return [];
  const isHurt = hurtCount * 2 >= resetCount;
  const who = group.peers.some(({ role }) => role === "client") ? group.name : `the ${group.name}`;
  return [{
    id: "connection-resets",
    targetId: facts.targetId,
    severity: !isHurt ? "info" : share >= ERROR_SHARE_MIN ? "error" : "warning",
    title: `${formatShare(share)} of the connections with ${who} were reset by the other side ` +
      `(${resetCount} of ${connectionCount}).`,
    evidence: {
      object: group.name,
      notes: [
        ...incompletenessNotes(facts, ["connections", "transfers"]),
        `${hurtCount} sends and receives failed with ECONNRESET or EPIPE`,
      ],
    },
    consequences: [],
    nextStep: isHurt
      ? `Look at why ${who} resets: a crash, a timeout shorter than ours, a proxy or a limit in between.`
      : `Nothing of ours failed by it; ${who} may end connections this way on purpose.`,
    explainedMs: 0,
    share: 0,
  }];
}
