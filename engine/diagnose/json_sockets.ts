/**
 * Peers, connections and listen queues as JSON. The shape is report_schema.ts.
 *
 * @module
 */

import type {
  ConnectionMeasurement,
  LatencyFigures,
  ListenQueueMeasurement,
  PeerMeasurement,
  TransferFigures,
} from "../api/socket_measurements.ts";
import { formatWallTime } from "./format.ts";
import { percentileMsMax } from "./histogram.ts";
import { openAtEnd } from "./open_connections.ts";
import type { Report } from "./report.ts";
import { JSON_ROWS_MAX, type JsonReport } from "./report_schema.ts";
import { describeObject } from "./wait_object.ts";

type JsonSockets = JsonReport["sockets"];

/** Yields the section; lists are cut at `JSON_ROWS_MAX`, what is left out is counted. */
export function toJsonSockets(
  report: Pick<Report, "peers" | "connections" | "omittedConnectionCount" | "listenQueues">,
): JsonSockets {
  const { peers, connections, listenQueues } = report;
  return {
    peers: peers.slice(0, JSON_ROWS_MAX).map(toJsonPeer),
    omittedPeers: Math.max(0, peers.length - JSON_ROWS_MAX),
    connections: connections.slice(0, JSON_ROWS_MAX).map(toJsonConnection),
    omittedConnections: report.omittedConnectionCount + Math.max(0, connections.length - JSON_ROWS_MAX),
    listenQueues: listenQueues.slice(0, JSON_ROWS_MAX).map(toJsonQueue),
  };
}

function toJsonPeer(peer: PeerMeasurement): JsonSockets["peers"][number] {
  const { connects } = peer;
  return {
    pid: peer.processId,
    role: peer.role,
    endpoint: peer.endpoint && describeObject(peer.endpoint),
    sends: toJsonTransfers(peer.sends),
    receives: toJsonTransfers(peer.receives),
    responses: toJsonLatency(peer.responses),
    unmeasuredResponses: peer.unmeasuredResponseCount,
    connects: {
      attempts: connects.attemptCount,
      established: connects.establishedCount,
      failed: connects.failedCount,
      pending: connects.pendingCount,
      failures: { ...connects.failures },
      handshakes: toJsonLatency(connects.handshakes),
    },
    accepts: peer.acceptCount,
    closes: peer.closeCount,
    open: openAtEnd(peer),
    retransmits: peer.retransmitCount,
    segments: peer.segmentCount,
    resetsReceived: peer.resetReceivedCount,
    resetsSent: peer.resetSentCount,
    roundTrip: peer.roundTrip && { ...peer.roundTrip },
  };
}

function toJsonTransfers(transfers: TransferFigures) {
  return {
    operations: transfers.operationCount,
    bytes: transfers.byteCount,
    wouldBlock: transfers.wouldBlockCount,
    failed: transfers.failedCount,
    errors: { ...transfers.errors },
  };
}

function toJsonLatency({ count, totalMs, maxMs, maxEndWallMs, buckets }: LatencyFigures) {
  return {
    count,
    totalMs,
    meanMs: count === 0 ? 0 : totalMs / count,
    p99MsMax: percentileMsMax(buckets, 99, { longestMs: maxMs }),
    longestMs: maxMs,
    longestAt: count === 0 ? undefined : formatWallTime(maxEndWallMs),
  };
}

function toJsonConnection(connection: ConnectionMeasurement): JsonSockets["connections"][number] {
  const { sent, received, responses, openedWallMs, closedWallMs } = connection;
  return {
    pid: connection.processId,
    role: connection.role,
    endpoint: describeObject(connection.endpoint),
    local: connection.local && { ...connection.local },
    remote: connection.remote && { ...connection.remote },
    openedAt: openedWallMs === undefined ? undefined : formatWallTime(openedWallMs),
    closedAt: closedWallMs === undefined ? undefined : formatWallTime(closedWallMs),
    sent: { operations: sent.operationCount, bytes: sent.byteCount },
    received: { operations: received.operationCount, bytes: received.byteCount },
    responses: { count: responses.count, totalMs: responses.totalMs, longestMs: responses.maxMs },
    retransmits: connection.retransmitCount,
    roundTrip: connection.roundTrip && { ...connection.roundTrip },
  };
}

function toJsonQueue(queue: ListenQueueMeasurement): JsonSockets["listenQueues"][number] {
  return {
    pid: queue.processId,
    endpoint: describeObject(queue.endpoint),
    address: queue.address,
    backlogMax: queue.backlogMax,
    queued: queue.queuedCount,
    dropped: queue.droppedCount,
  };
}
