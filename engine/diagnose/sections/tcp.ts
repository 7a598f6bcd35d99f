/**
 * TCP: operations and bytes, the kernel's own round-trip times, retransmits and
 * response times.
 *
 * @module
 */

import { formatCount, formatMs, formatShare } from "../format.ts";
import { describeLatency, nearestRank, summariseLatency } from "./latency.ts";
import { type FiguresOf, percentOf, type SectionInput, sumOf } from "./section_input.ts";
import { describeTransfers, peersOf, protocolOf, summariseTransfers } from "./transfers.ts";

/** `undefined`: nothing was sent or received. */
export function tcpFigures({ measurements, thresholds }: SectionInput): FiguresOf<"tcp"> | undefined {
  const peers = peersOf(measurements, "tcp");
  const transfers = summariseTransfers(peers, measurements);
  if (transfers.send_operations + transfers.receive_operations + transfers.errors === 0) return undefined;
  const retransmits = sumOf(peers, (peer) => peer.retransmitCount);
  const segments = peers.some((peer) => peer.segmentCount !== undefined)
    ? sumOf(peers, (peer) => peer.segmentCount ?? 0)
    : undefined;
  const responses = (role: "client" | "server") =>
    summariseLatency(peers.filter((peer) => peer.role === role).map((peer) => peer.responses));
  return {
    ...transfers,
    ...roundTripsOf(measurements, thresholds.rttMs),
    retransmits,
    segments,
    retransmit_rate: segments === undefined ? undefined : Math.min(100, percentOf(retransmits, segments)),
    responses: responses("client"),
    served: responses("server"),
    unmeasured_responses: sumOf(peers, (peer) => peer.unmeasuredResponseCount),
  };
}

/** One figure per connection: its smoothed round-trip time when it was last seen. */
function roundTripsOf(measurements: SectionInput["measurements"], thresholdMs: number) {
  const trips = measurements.connections
    .filter(({ endpoint }) => protocolOf(endpoint) === "tcp")
    .flatMap(({ roundTrip }) => roundTrip === undefined ? [] : [roundTrip]);
  const values = trips.map((trip) => trip.lastMs);
  return {
    rtt_connections: trips.length,
    ...(trips.length === 0 ? {} : {
      avg_rtt_ms: sumOf(values, (value) => value) / values.length,
      max_rtt_ms: trips.reduce((largest, trip) => Math.max(largest, trip.maxMs), 0),
      p50_ms: nearestRank(values, 50),
      p95_ms: nearestRank(values, 95),
      p99_ms: nearestRank(values, 99),
    }),
    rtt_spikes: trips.filter((trip) => trip.maxMs > thresholdMs).length,
    rtt_threshold_ms: thresholdMs,
  };
}

export function renderTcp(figures: FiguresOf<"tcp">): readonly string[] {
  const { responses, served } = figures;
  const rate = figures.retransmit_rate === undefined
    ? ""
    : ` (${formatShare(figures.retransmit_rate / 100)} of segments)`;
  return [
    ...describeTransfers(figures),
    ...describeRoundTrips(figures),
    ...(figures.retransmits === 0 ? [] : [`Retransmits: ${figures.retransmits}${rate}`]),
    ...(responses === undefined ? [] : [`Response time of peers (${responses.count}): ${describeLatency(responses)}`]),
    ...(served === undefined ? [] : [`Own response time (${served.count}): ${describeLatency(served)}`]),
  ];
}

function describeRoundTrips(figures: FiguresOf<"tcp">): readonly string[] {
  const { avg_rtt_ms: average, p50_ms: p50 = 0, p95_ms: p95 = 0, p99_ms: p99 = 0, max_rtt_ms: max = 0 } = figures;
  if (average === undefined) return [];
  return [
    `Smoothed RTT of ${formatCount(figures.rtt_connections, "connection")}: average ${formatMs(average)}, ` +
    `P50 ${formatMs(p50)}, P95 ${formatMs(p95)}, P99 ${formatMs(p99)}, max ${formatMs(max)}`,
    `RTT spikes (> ${figures.rtt_threshold_ms} ms): ${figures.rtt_spikes}`,
  ];
}
