/**
 * Opening connections, with the true outcome and the time of the handshake; and
 * what became of connections.
 *
 * @module
 */

import { openAtEnd } from "../open_connections.ts";
import { formatList, formatShare } from "../format.ts";
import { describeObject } from "../wait_object.ts";
import { describeLatency, summariseLatency } from "./latency.ts";
import {
  countByName,
  type FiguresOf,
  percentOf,
  rateOf,
  type SectionInput,
  sumCounts,
  sumOf,
} from "./section_input.ts";
import { peersOf } from "./transfers.ts";

const TOP_TARGETS_MAX = 5;
const TARGETS_MAX = 1000;

/** `undefined`: no connection began, was accepted, or ended. */
export function connectionFigures({ measurements }: SectionInput): FiguresOf<"connections"> | undefined {
  const peers = peersOf(measurements, "tcp");
  const connects = peers.map((peer) => peer.connects);
  const attempts = sumOf(connects, (part) => part.attemptCount);
  const accepted = sumOf(peers, (peer) => peer.acceptCount);
  const closed = sumOf(peers, (peer) => peer.closeCount);
  if (attempts + accepted + closed === 0) return undefined;
  const failed = sumOf(connects, (part) => part.failedCount);
  const established = sumOf(connects, (part) => part.establishedCount);
  const { count: _, ...handshakes } = summariseLatency(connects.map((part) => part.handshakes)) ?? { count: 0 };
  const named = "avg_ms" in handshakes
    ? {
      avg_latency_ms: handshakes.avg_ms,
      max_latency_ms: handshakes.max_ms,
      p50_ms: handshakes.p50_ms,
      p95_ms: handshakes.p95_ms,
      p99_ms: handshakes.p99_ms,
    }
    : {};
  return {
    total_connections: attempts,
    rate_per_second: rateOf(attempts, measurements),
    ...named,
    established,
    failed,
    pending: sumOf(connects, (part) => part.pendingCount),
    failure_rate: percentOf(failed, established + failed),
    error_breakdown: sumCounts(connects.map((part) => part.failures)),
    top_targets: topTargets(measurements),
    accepted,
    closed,
    resets_received: sumOf(peers, (peer) => peer.resetReceivedCount),
    resets_sent: sumOf(peers, (peer) => peer.resetSentCount),
    open_at_end: sumOf(peers, (peer) => openAtEnd(peer) ?? 0),
  };
}

function topTargets(measurements: SectionInput["measurements"]): FiguresOf<"connections">["top_targets"] {
  const counts = countByName(
    measurements.peers.filter(({ endpoint, connects }) => endpoint !== undefined && connects.attemptCount > 0),
    {
      name: ({ endpoint }) => describeObject(endpoint ?? { kind: "none" }),
      count: ({ connects }) => connects.attemptCount,
    },
  );
  return counts.slice(0, TARGETS_MAX).map(([Target, Count]) => ({ Target, Count }));
}

export function renderConnections(figures: FiguresOf<"connections">): readonly string[] {
  const { avg_latency_ms: avg, max_latency_ms: max, p50_ms: p50, p95_ms: p95, p99_ms: p99 } = figures;
  const errors = Object.entries(figures.error_breakdown).map(([name, count]) => `${name} ${count}`);
  const targets = figures.top_targets.map(({ Target, Count }) => `${Target} (${Count})`);
  const hasHandshakes = avg !== undefined && max !== undefined && p50 !== undefined && p95 !== undefined &&
    p99 !== undefined;
  return [
    `Total connections: ${figures.total_connections} (${figures.rate_per_second.toFixed(1)}/s), established ` +
    `${figures.established}, failed ${figures.failed} (${formatShare(figures.failure_rate / 100)}), pending ` +
    `${figures.pending}`,
    ...(hasHandshakes
      ? [`Handshake: ${describeLatency({ avg_ms: avg, max_ms: max, p50_ms: p50, p95_ms: p95, p99_ms: p99 })}`]
      : []),
    ...(errors.length === 0 ? [] : [`Error breakdown: ${errors.join(", ")}`]),
    ...(targets.length === 0 ? [] : [`Top connection targets: ${formatList(targets, { itemsMax: TOP_TARGETS_MAX })}`]),
    `Connection states: accepted ${figures.accepted}, closed ${figures.closed}, reset by peers ` +
    `${figures.resets_received}, reset by us ${figures.resets_sent}, open at the end ${figures.open_at_end}`,
  ];
}
