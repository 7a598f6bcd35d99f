/**
 * `connection-failures`: attempts to open connections to a peer that failed, by
 * what became of them on the wire: refused, timed out, unreachable, reset, or
 * given up by the program itself.
 *
 * Wrong when the program tries several addresses at once and drops those that
 * lose: they show as abandoned. A name with two addresses of which one works
 * (`localhost` as ::1 and 127.0.0.1) is info. Silent below `REPEATED_COUNT_MIN`
 * failures. Not about attempts that found no local port: `port-exhaustion` is.
 *
 * @module
 */

import { incompletenessNotes, isReliable, type TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { formatList, formatShare } from "../format.ts";
import type { PeerMeasurement } from "../../api/socket_measurements.ts";
import { capSeverity, REPEATED_COUNT_MIN } from "../severity.ts";
import { describeObject, objectKey } from "../wait_object.ts";
import { errorsOfPeers, type PeerGroup, peerGroups, sumOfPeers } from "./peer_group.ts";

/** `port-exhaustion` speaks of these. */
export const NO_LOCAL_PORT = "EADDRNOTAVAIL";

/** Of all attempts, from which on a failure is the rule. */
const ERROR_SHARE_MIN = 0.5;

/** Without a single success, from this many attempts on. */
const CRITICAL_FAILED_COUNT_MIN = 10;

/** Connections elsewhere per failure, from which on the program got what it wanted; windows cut pairs in two. */
const FALLBACK_SHARE_MIN = 0.5;

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
  const severity = isHopeless ? "critical" : share >= ERROR_SHARE_MIN ? "error" : "warning";
  const fallback = fallbackOf(facts, group);
  return [{
    id: "connection-failures",
    targetId: facts.targetId,
    severity: fallback === undefined ? severity : capSeverity(severity, "info"),
    title: `${formatShare(share)} of the connections to ${group.name} failed (${failedCount} of ${decidedCount}): ${
      describeErrors(errors)
    }${fallback === undefined ? "" : `; ${fallback} took them instead`}.`,
    evidence: {
      object: group.name,
      notes: [
        ...incompletenessNotes(facts, ["connections"]),
        ...errors.map(([name, count]) => `${count} ${name}`),
        `threshold ${facts.thresholds.errorPercent}%`,
      ],
    },
    consequences: [],
    nextStep: fallback === undefined
      ? nextStepFor(commonest, group.name)
      : `Nothing, if one name stands for both: the program goes on to ${fallback}. To spare the attempt, name that address.`,
    explainedMs: 0,
    share: 0,
  }];
}

/**
 * Yields the address at which every process that failed here got through to the
 * same port: another of the loopback, or one of the other family, as a host has
 * two of. Other hosts of one family are no fallback: many programs talk to port
 * 443 of hosts that have nothing to do with each other.
 */
function fallbackOf(facts: TargetFacts, group: PeerGroup): string | undefined {
  const failing = group.peers.filter(({ connects }) => connects.failedCount > 0);
  const found = failing.map((peer) =>
    facts.peers.find((other) => other.processId === peer.processId && isFallback(other, peer))
  );
  const [first] = found;
  return first?.endpoint !== undefined && found.every((other) => other !== undefined)
    ? describeObject(first.endpoint)
    : undefined;
}

function isFallback(other: PeerMeasurement, peer: PeerMeasurement): boolean {
  const [from, to] = [peer.endpoint, other.endpoint];
  if (from?.kind !== "peer" || to?.kind !== "peer" || other.role !== "client") return false;
  if (from.port !== to.port || from.protocol !== to.protocol || objectKey(from) === objectKey(to)) return false;
  const isSameHostKind = isLoopback(from.address) === isLoopback(to.address);
  const mayBeOneHost = isLoopback(from.address) || isVersion6(from.address) !== isVersion6(to.address);
  const { establishedCount } = other.connects;
  return isSameHostKind && mayBeOneHost && establishedCount > 0 &&
    establishedCount >= FALLBACK_SHARE_MIN * peer.connects.failedCount;
}

function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}

function isVersion6(address: string): boolean {
  return address.includes(":");
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
