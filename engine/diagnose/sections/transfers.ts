/**
 * Sends and receives of several peers together: what the TCP and UDP sections
 * share.
 *
 * @module
 */

import type { Measurements } from "../../api/measurements.ts";
import type { PeerMeasurement, SocketEndpoint, TransferFigures } from "../../api/socket_measurements.ts";
import { formatBytes, formatCount, formatList, formatShare } from "../format.ts";
import { percentOf, rateOf, secondsOf, sumCounts, sumOf } from "./section_input.ts";

/** In the JSON's own words. */
export interface TransferSummary {
  readonly send_operations: number;
  readonly receive_operations: number;
  readonly sends_per_second: number;
  readonly receives_per_second: number;
  readonly would_block: number;
  readonly errors: number;
  readonly error_rate: number;
  readonly error_breakdown: Record<string, number>;
  readonly sent_bytes: number;
  readonly received_bytes: number;
  readonly total_bytes: number;
  readonly avg_bytes: number;
  readonly peak_bytes?: number | undefined;
  readonly bytes_per_second: number;
}

const ERRORS_NAMED_MAX = 4;

/** Yields the peers that are spoken to through `protocol`. */
export function peersOf(measurements: Measurements, protocol: "tcp" | "udp"): readonly PeerMeasurement[] {
  return measurements.peers.filter(({ endpoint }) => protocolOf(endpoint) === protocol);
}

/** Yields the protocol; `undefined`: another kind of socket, or not known. */
export function protocolOf(endpoint: SocketEndpoint | undefined): "tcp" | "udp" | undefined {
  return endpoint?.kind === "peer" || endpoint?.kind === "server" ? endpoint.protocol : undefined;
}

/** Yields all of it together. */
export function summariseTransfers(peers: readonly PeerMeasurement[], measurements: Measurements): TransferSummary {
  const sends = peers.map((peer) => peer.sends);
  const receives = peers.map((peer) => peer.receives);
  const both = [...sends, ...receives];
  const operations = sumOf(both, (part) => part.operationCount);
  const errors = sumOf(both, (part) => part.failedCount);
  const bytes = sumOf(both, (part) => part.byteCount);
  const sendCount = sumOf(sends, (part) => part.operationCount);
  return {
    send_operations: sendCount,
    receive_operations: operations - sendCount,
    sends_per_second: rateOf(sendCount, measurements),
    receives_per_second: rateOf(operations - sendCount, measurements),
    would_block: sumOf(both, (part) => part.wouldBlockCount),
    errors,
    error_rate: percentOf(errors, operations + errors),
    error_breakdown: sumCounts(both.map((part) => part.errors)),
    sent_bytes: sumOf(sends, (part) => part.byteCount),
    received_bytes: sumOf(receives, (part) => part.byteCount),
    total_bytes: bytes,
    avg_bytes: operations > 0 ? bytes / operations : 0,
    peak_bytes: largestOperation(both),
    bytes_per_second: bytes / secondsOf(measurements),
  };
}

/** `undefined`: not recorded, as in recordings of older versions, where bytes have no largest part. */
function largestOperation(parts: readonly TransferFigures[]): number | undefined {
  const isKnown = parts.every(({ byteCount, operationBytesMax }) => byteCount === 0 || operationBytesMax > 0);
  return isKnown ? parts.reduce((most, part) => Math.max(most, part.operationBytesMax), 0) : undefined;
}

/** Yields lines: operations and bytes, then errors if there are any. */
export function describeTransfers(summary: TransferSummary): readonly string[] {
  const errors = Object.entries(summary.error_breakdown).map(([name, count]) => `${name} ${count}`);
  const atMost = summary.peak_bytes === undefined ? "" : `, at most ${formatBytes(summary.peak_bytes)}`;
  return [
    `Send operations: ${summary.send_operations} (${summary.sends_per_second.toFixed(1)}/s, ` +
    `${formatBytes(summary.sent_bytes)}), receive operations: ${summary.receive_operations} ` +
    `(${summary.receives_per_second.toFixed(1)}/s, ${formatBytes(summary.received_bytes)})`,
    `Average ${formatBytes(Math.round(summary.avg_bytes))} per operation${atMost}, throughput ` +
    `${formatBytes(Math.round(summary.bytes_per_second))}/s, would block ${formatCount(summary.would_block, "time")}`,
    ...(summary.errors === 0 ? [] : [
      `Errors: ${summary.errors} (${formatShare(summary.error_rate / 100)})` +
      `${errors.length === 0 ? "" : `: ${formatList(errors, { itemsMax: ERRORS_NAMED_MAX })}`}`,
    ]),
  ];
}
