/**
 * `rtt-spikes`: the way to a peer got slow, as the kernel's own smoothed
 * round-trip times say; what is slow there is the network, not the peer's work.
 *
 * A connection that exchanged too little, or too few of the connections, are
 * silent; one that got quick again is info. Connections to one address are
 * measured against the best of them; clients of a port may be anywhere, so each
 * against its own best.
 *
 * Wrong when the peer delays its acknowledgements: up to 40 ms may be that, so
 * a threshold below says little. A peer that is merely far away (its best time
 * is above the threshold too) is info, clients that are far away are nothing.
 *
 * @module
 */

import type { Severity } from "../../api/severity.ts";
import type { ConnectionMeasurement, RoundTripFigures } from "../../api/socket_measurements.ts";
import { groupBy, incompletenessNotes, isReliable, type TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { formatCount, formatMs } from "../format.ts";
import { REPEATED_COUNT_MIN, WINDOW_MS_MIN } from "../severity.ts";
import { describeObject, objectKey } from "../wait_object.ts";

/** Of the connections: one in twenty may be bad luck. */
const SLOW_SHARE_MIN = 0.05;

interface Trip extends RoundTripFigures {
  readonly connection: ConnectionMeasurement;
}

/** What the round trips of one endpoint come to. */
interface Verdict {
  readonly severity: Severity;
  /** The best of those it is about. */
  readonly bestMs: number;
  /** Those that got slow; none: all of them are far away. */
  readonly slow: readonly Trip[];
}

export function rttSpikes(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, ["transfers"]) || facts.windowMs < WINDOW_MS_MIN) return [];
  const trips = facts.connections.flatMap((connection) =>
    connection.roundTrip === undefined ? [] : [{ ...connection.roundTrip, connection }]
  );
  const groups = groupBy(trips, ({ connection }) => `${connection.role} ${objectKey(connection.endpoint)}`);
  return Array.from(groups.values()).flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const verdict = judgeTrips(group, { role: first.connection.role, thresholdMs: facts.thresholds.rttMs });
    return verdict === undefined ? [] : [toFinding(facts, { verdict, first, connectionCount: group.length })];
  });
}

function judgeTrips(
  trips: readonly Trip[],
  { role, thresholdMs }: { role: ConnectionMeasurement["role"]; thresholdMs: number },
): Verdict | undefined {
  const bestMs = minOf(trips);
  if (role === "client" && bestMs >= thresholdMs) {
    return hasRepeated(trips) ? { severity: "info", bestMs, slow: [] } : undefined;
  }
  const bestOf = (trip: Trip) => role === "client" ? bestMs : trip.minMs;
  const slow = trips.filter((trip) => trip.maxMs >= thresholdMs && bestOf(trip) < thresholdMs);
  if (slow.length < SLOW_SHARE_MIN * trips.length || !hasRepeated(slow)) return undefined;
  const isOver = slow.length < REPEATED_COUNT_MIN && slow.every(({ lastMs }) => lastMs < thresholdMs);
  return { severity: isOver ? "info" : "warning", bestMs: role === "client" ? bestMs : minOf(slow), slow };
}

/** Whether more than a moment speaks of it: several connections, or several exchanges on one. */
function hasRepeated(trips: readonly Trip[]): boolean {
  return trips.length >= REPEATED_COUNT_MIN ||
    trips.some(({ connection: { sent, received } }) =>
      Math.min(sent.operationCount, received.operationCount) >= REPEATED_COUNT_MIN
    );
}

function minOf(trips: readonly Trip[]): number {
  return trips.reduce((best, { minMs }) => Math.min(best, minMs), Infinity);
}

function toFinding(
  facts: TargetFacts,
  { verdict, first, connectionCount }: { verdict: Verdict; first: Trip; connectionCount: number },
): Finding {
  const { severity, bestMs, slow } = verdict;
  const { endpoint, role } = first.connection;
  const name = describeObject(endpoint);
  const isFar = slow.length === 0;
  const worst = slow.reduce((max, trip) => trip.maxMs > max.maxMs ? trip : max, slow[0] ?? first);
  const retransmitCount = slow.reduce((total, { connection }) => total + connection.retransmitCount, 0);
  return {
    id: "rtt-spikes",
    targetId: facts.targetId,
    severity,
    title: isFar
      ? `${name} is far away: round trips take ${formatMs(bestMs)} at best.`
      : `Round trips to ${name} went up to ${formatMs(worst.maxMs)} (smoothed), from ${formatMs(bestMs)} at best.`,
    evidence: {
      object: name,
      notes: [
        ...incompletenessNotes(facts, ["transfers"]),
        isFar
          ? `threshold ${facts.thresholds.rttMs} ms`
          : `on ${slow.length} of ${formatCount(connectionCount, "connection")}; the slowest was last seen at ` +
            `${formatMs(worst.lastMs)}; ${formatCount(retransmitCount, "retransmit")} on them; threshold ` +
            `${facts.thresholds.rttMs} ms`,
      ],
    },
    consequences: [],
    nextStep: role === "client"
      ? `Look at the way to ${name}: a full queue, a saturated link, packet loss (tc -s qdisc, ping).`
      : `Look at the way of these clients: a full queue, a saturated link, packet loss (ss -ti shows each of them).`,
    explainedMs: 0,
    share: 0,
  };
}
