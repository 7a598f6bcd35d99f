/**
 * `connection-failures`: attempts to open connections to a peer that failed, by
 * what became of them on the wire: refused, timed out, unreachable, reset, or
 * given up by the program itself.
 *
 * Wrong when the program tries several addresses at once and drops those that
 * lose: they show as abandoned. Silent below `REPEATED_COUNT_MIN` failures. Not
 * about attempts that found no local port: `port-exhaustion` is.
 *
 * @module
 */

import { incompletenessNotes, isReliable, type TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { formatList, formatShare } from "../format.ts";
import { REPEATED_COUNT_MIN } from "../severity.ts";
import { errorsOfPeers, type PeerGroup, peerGroups, sumOfPeers } from "./peer_group.ts";

/** `port-exhaustion` speaks of these. */
export const NO_LOCAL_PORT = "EADDRNOTAVAIL";

/** Of all attempts, from which on a failure is the rule. */
const ERROR_SHARE_MIN = 0.5;

/** Without a single success, from this many attempts on. */
const CRITICAL_FAILED_COUNT_MIN = 10;

export function connectionFailures(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, ["connections"])) return [];
  return peerGroups(facts, "client").flatMap((group) => judgePeer(facts, group));
}

function judgePeer(facts: TargetFacts, group: PeerGroup): readonly Finding[] {
  const errors = errorsOfPeers(group, (peer) => peer.connects.failures).filter(([name]) => name !== NO_LOCAL_PORT);
  const failedCount = errors.reduce((total, [, count]) => total + count, 0);
  const decidedCount = sumOfPeers(group, ({ connects }) => connects.attemptCount - connects.pendingCount);
  const share = failedCount / Math.max(1, decidedCount);
  if (failedCount < REPEATED_COUNT_MIN || share * 100 < facts.thresholds.errorPercent) return [];
  const [commonest = ""] = errors[0] ?? [];
  const isHopeless = failedCount === decidedCount && failedCount >= CRITICAL_FAILED_COUNT_MIN;
  return [{
    id: "connection-failures",
    targetId: facts.targetId,
    severity: isHopeless ? "critical" : share >= ERROR_SHARE_MIN ? "error" : "warning",
    title: `${formatShare(share)} of the connections to ${group.name} failed (${failedCount} of ${decidedCount}): ${
      describeErrors(errors)
    }.`,
    evidence: {
      object: group.name,
      notes: [
        ...incompletenessNotes(facts, ["connections"]),
        ...errors.map(([name, count]) => `${count} ${name}`),
        `threshold ${facts.thresholds.errorPercent}%`,
      ],
    },
    consequences: [],
    nextStep: nextStepFor(commonest, group.name),
    explainedMs: 0,
    share: 0,
  }];
}

const MEANINGS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "refused",
  ETIMEDOUT: "timed out",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "network unreachable",
  ECONNRESET: "reset",
  abandoned: "given up by the program",
};

function describeErrors(errors: readonly (readonly [name: string, count: number])[]): string {
  return formatList(errors.map(([name]) => MEANINGS[name] ?? name), { itemsMax: 3 });
}

function nextStepFor(error: string, name: string): string {
  switch (error) {
    case "ECONNREFUSED":
      return `Check that something listens at ${name}: nobody does, or a firewall answers in its stead.`;
    case "ETIMEDOUT":
      return `Check the way to ${name}: nothing answers. A firewall that drops, a wrong address, a host that is down.`;
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return `Check routes and neighbours on the way to ${name} (ip route get, ip neigh).`;
    case "abandoned":
      return `Compare the program's connect timeout with how long ${name} takes to answer; its listen queue may be full.`;
    default:
      return `Look at ${name} and what lies before it: it ends connections before they are open.`;
  }
}
