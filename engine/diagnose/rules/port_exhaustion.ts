/**
 * `port-exhaustion`: no local port was left to connect to a peer from. The ports
 * of closed connections rest for a minute; a program that opens many to one
 * place runs out.
 *
 * Wrong when the socket was bound to one port on purpose: then the port is
 * merely in use.
 *
 * @module
 */

import { incompletenessNotes, isReliable, type TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { formatShare } from "../format.ts";
import { NO_LOCAL_PORT } from "./connection_failures.ts";
import { type PeerGroup, peerGroups, sumOfPeers } from "./peer_group.ts";

/** Of all attempts. */
const ERROR_SHARE_MIN = 0.1;

export function portExhaustion(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, ["connections"])) return [];
  return peerGroups(facts, "client").flatMap((group) => judgePeer(facts, group));
}

function judgePeer(facts: TargetFacts, group: PeerGroup): readonly Finding[] {
  const failedCount = sumOfPeers(group, ({ connects }) => connects.failures[NO_LOCAL_PORT] ?? 0);
  if (failedCount === 0) return [];
  const attemptCount = sumOfPeers(group, ({ connects }) => connects.attemptCount);
  const closeCount = sumOfPeers(group, (peer) => peer.closeCount);
  const share = failedCount / Math.max(1, attemptCount);
  return [{
    id: "port-exhaustion",
    targetId: facts.targetId,
    severity: share >= ERROR_SHARE_MIN ? "error" : "warning",
    title: `No local port was left for ${failedCount} of ${attemptCount} connections to ${group.name} ` +
      `(${formatShare(share)}).`,
    evidence: {
      object: group.name,
      notes: [
        ...incompletenessNotes(facts, ["connections"]),
        `${failedCount} ${NO_LOCAL_PORT}; ${closeCount} connections to it were closed in the window`,
      ],
    },
    consequences: [],
    nextStep: `Reuse connections to ${group.name}, or widen net.ipv4.ip_local_port_range (ss -s counts those at rest).`,
    explainedMs: 0,
    share: 0,
  }];
}
