/**
 * Rows of sockets and of peers brought together: all that one process did with
 * one peer. Pure.
 *
 * @module
 */

import { HISTOGRAM_BUCKET_COUNT } from "../api/measurements.ts";
import type { RoundTripFigures } from "../api/socket_measurements.ts";
import type { LatencyRow, SocketCounts, TransferRow } from "../api/socket_counts.ts";
import type { PeerRow, SocketErrorRow, SocketKey, SocketRow } from "../api/tracer_backend.ts";
import { toObjectText } from "./wait_objects.ts";

/** A peer's row with the sockets that are still there. */
export interface PeerTotals extends PeerRow {
  readonly openCount: number;
  readonly pendingCount: number;
}

const NO_TRANSFERS: TransferRow = {
  operationCount: 0,
  byteCount: 0,
  operationBytesMax: 0,
  wouldBlockCount: 0,
  failedCount: 0,
};

const NO_LATENCY: LatencyRow = {
  totalMs: 0,
  maxMs: 0,
  maxEndMs: 0,
  buckets: new Array<number>(HISTOGRAM_BUCKET_COUNT).fill(0),
};

/** A socket that did nothing. */
export const NO_COUNTS: SocketCounts = {
  sent: NO_TRANSFERS,
  received: NO_TRANSFERS,
  responses: NO_LATENCY,
  unmeasuredCount: 0,
  retransmitCount: 0,
  segmentCount: 0,
  resetReceivedCount: 0,
  resetSentCount: 0,
  roundTrip: undefined,
};

/** Yields what two sockets counted together; of the round trips the later one is the right one's. */
export function addCounts(left: SocketCounts, right: SocketCounts): SocketCounts {
  return {
    sent: addTransfers(left.sent, right.sent),
    received: addTransfers(left.received, right.received),
    responses: addLatency(left.responses, right.responses),
    unmeasuredCount: left.unmeasuredCount + right.unmeasuredCount,
    retransmitCount: left.retransmitCount + right.retransmitCount,
    segmentCount: left.segmentCount + right.segmentCount,
    resetReceivedCount: left.resetReceivedCount + right.resetReceivedCount,
    resetSentCount: left.resetSentCount + right.resetSentCount,
    roundTrip: addRoundTrips(left.roundTrip, right.roundTrip),
  };
}

function addTransfers(left: TransferRow, right: TransferRow): TransferRow {
  return {
    operationCount: left.operationCount + right.operationCount,
    byteCount: left.byteCount + right.byteCount,
    operationBytesMax: Math.max(left.operationBytesMax, right.operationBytesMax),
    wouldBlockCount: left.wouldBlockCount + right.wouldBlockCount,
    failedCount: left.failedCount + right.failedCount,
  };
}

function addLatency(left: LatencyRow, right: LatencyRow): LatencyRow {
  const longer = right.maxMs > left.maxMs ? right : left;
  return {
    totalMs: left.totalMs + right.totalMs,
    maxMs: longer.maxMs,
    maxEndMs: longer.maxEndMs,
    buckets: left.buckets.map((count, index) => count + (right.buckets[index] ?? 0)),
  };
}

function addRoundTrips(
  left: RoundTripFigures | undefined,
  right: RoundTripFigures | undefined,
): RoundTripFigures | undefined {
  if (left === undefined || right === undefined) return right ?? left;
  return {
    lastMs: right.lastMs,
    minMs: Math.min(left.minMs, right.minMs),
    maxMs: Math.max(left.maxMs, right.maxMs),
  };
}

/** Yields a map key of `key`. */
export function toSocketKeyText(key: SocketKey): string {
  return `${key.targetSlot}/${key.processId}/${toObjectText(key.object)}`;
}

/** Yields the totals of a peer whose only socket is `socket`. */
export function totalsOfSocket(socket: SocketRow): PeerTotals {
  const isPending = socket.connectMs > 0;
  const isOpen = socket.wasOpen && socket.closedMs === 0;
  return {
    processId: socket.processId,
    targetSlot: socket.targetSlot,
    object: socket.object,
    counts: socket.counts,
    handshakes: NO_LATENCY,
    connectCount: 0,
    connectFailureCount: 0,
    acceptCount: 0,
    closeCount: 0,
    openCount: Number(isOpen),
    pendingCount: Number(isPending),
  };
}

/** Yields the totals of a peer none of whose sockets is left. */
export function totalsOfPeer(peer: PeerRow): PeerTotals {
  return { ...peer, openCount: 0, pendingCount: 0 };
}

/** Yields what a socket leaves behind when its row is taken away: it has ended only if it was seen to. */
export function totalsOfHandedOn(socket: SocketRow): PeerTotals {
  const closeCount = Number(socket.wasOpen && socket.closedMs !== 0);
  return { ...totalsOfSocket(socket), openCount: 0, pendingCount: 0, closeCount };
}

/** Adds `part` to the totals that are there under its key. */
export function addTotals(totals: Map<string, PeerTotals>, part: PeerTotals): void {
  const text = toSocketKeyText(part);
  const present = totals.get(text);
  totals.set(text, present === undefined ? part : mergeTotals(present, part));
}

function mergeTotals(left: PeerTotals, right: PeerTotals): PeerTotals {
  return {
    processId: left.processId,
    targetSlot: left.targetSlot,
    object: left.object,
    counts: addCounts(left.counts, right.counts),
    handshakes: addLatency(left.handshakes, right.handshakes),
    connectCount: left.connectCount + right.connectCount,
    connectFailureCount: left.connectFailureCount + right.connectFailureCount,
    acceptCount: left.acceptCount + right.acceptCount,
    closeCount: left.closeCount + right.closeCount,
    openCount: left.openCount + right.openCount,
    pendingCount: left.pendingCount + right.pendingCount,
  };
}

/** Yields a map key of the errors that `row` counts. */
export function toErrorText(row: SocketErrorRow): string {
  return `${toSocketKeyText(row)}/${row.operation}/${row.error}`;
}

/** Adds `row` to the errors that are there under its key. */
export function addError(errors: Map<string, SocketErrorRow>, row: SocketErrorRow): void {
  const text = toErrorText(row);
  const present = errors.get(text);
  errors.set(text, present === undefined ? row : { ...present, count: present.count + row.count });
}

/** Yields whether anything was counted: rows that only reserve their place are not shown. */
export function isEmptyTotals(totals: PeerTotals): boolean {
  const { sent, received } = totals.counts;
  return totals.connectCount + totals.acceptCount + totals.closeCount + totals.openCount + totals.pendingCount === 0 &&
    [sent, received].every((row) => row.operationCount + row.wouldBlockCount + row.failedCount === 0);
}
