/**
 * Peers of all processes of a target by whom they talk to: a peer in trouble is
 * one trouble, however many processes turn to it.
 *
 * @module
 */

import type { LatencyFigures, PeerMeasurement, SocketEndpoint } from "../../api/socket_measurements.ts";
import { groupBy, type TargetFacts } from "../facts.ts";
import { bucketCeilingMs, bucketFloorMs, sumBuckets } from "../histogram.ts";
import { describeObject, objectKey } from "../wait_object.ts";

export interface PeerGroup {
  readonly endpoint: SocketEndpoint;
  /** As findings call it. */
  readonly name: string;
  readonly peers: readonly PeerMeasurement[];
}

/** Yields the peers of one role, one group per endpoint, in order of first appearance. */
export function peerGroups(facts: TargetFacts, role: PeerMeasurement["role"]): readonly PeerGroup[] {
  return facts.derived.of(facts, role === "client" ? clientGroups : serverGroups);
}

function clientGroups(facts: TargetFacts): readonly PeerGroup[] {
  return groupPeers(facts, "client");
}

function serverGroups(facts: TargetFacts): readonly PeerGroup[] {
  return groupPeers(facts, "server");
}

function groupPeers(facts: TargetFacts, role: PeerMeasurement["role"]): readonly PeerGroup[] {
  const named = facts.peers.flatMap((peer) =>
    peer.endpoint !== undefined && peer.role === role ? [{ peer, endpoint: peer.endpoint }] : []
  );
  return Array.from(groupBy(named, ({ endpoint }) => objectKey(endpoint)).values(), (group) => {
    const [first] = group;
    if (first === undefined) throw new RangeError("Cannot group peers: found a group without any");
    return {
      endpoint: first.endpoint,
      name: describeObject(first.endpoint),
      peers: group.map(({ peer }) => peer),
    };
  });
}

/** Yields the sum of one figure of all peers of the group. */
export function sumOfPeers(group: PeerGroup, figure: (peer: PeerMeasurement) => number): number {
  return group.peers.reduce((total, peer) => total + figure(peer), 0);
}

/** Yields error counts of all peers of the group by name, most first. */
export function errorsOfPeers(
  group: PeerGroup,
  errorsOf: (peer: PeerMeasurement) => Readonly<Record<string, number>>,
): readonly (readonly [name: string, count: number])[] {
  const totals = new Map<string, number>();
  for (const peer of group.peers) {
    for (const [name, count] of Object.entries(errorsOf(peer))) totals.set(name, (totals.get(name) ?? 0) + count);
  }
  return [...totals].sort((left, right) => right[1] - left[1] || (left[0] < right[0] ? -1 : 1));
}

/** Yields the quickest round trip to any of the group, in milliseconds; 0: none is known. */
export function quickestRoundTripMs(group: PeerGroup): number {
  const known = group.peers.flatMap(({ roundTrip }) => roundTrip === undefined ? [] : [roundTrip.minMs]);
  return known.length === 0 ? 0 : Math.min(...known);
}

/** What a latency of all peers of a group comes to. */
export interface GroupLatency {
  readonly count: number;
  readonly totalMs: number;
  readonly longestMs: number;
  /** How many took `thresholdMs` or longer, as far as the buckets tell. */
  readonly slowCount: number;
}

/** Yields figures of all peers of the group together. */
export function latencyOfPeers(
  group: PeerGroup,
  options: { readonly of: (peer: PeerMeasurement) => LatencyFigures; readonly thresholdMs: number },
): GroupLatency {
  const { thresholdMs } = options;
  const figures = group.peers.map(options.of);
  const count = figures.reduce((total, latency) => total + latency.count, 0);
  const totalMs = figures.reduce((total, latency) => total + latency.totalMs, 0);
  const longestMs = Math.max(0, ...figures.map(({ maxMs }) => maxMs));
  const isSlowOnAverage = count > 0 && totalMs / count >= thresholdMs;
  // The bucket in which the threshold lies holds quicker ones, too: it counts when being slow is the rule.
  const isSlow = (index: number) =>
    bucketFloorMs(index) >= thresholdMs || (isSlowOnAverage && bucketCeilingMs(index) > thresholdMs);
  const slowCount = sumBuckets(figures.map(({ buckets }) => buckets)).reduce(
    (total, inBucket, index) => isSlow(index) ? total + inBucket : total,
    0,
  );
  return { count, totalMs, longestMs, slowCount };
}
