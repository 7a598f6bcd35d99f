/**
 * Rows of sockets for tests.
 *
 * @module
 */

import type { SocketCounts } from "../api/socket_counts.ts";
import type { CloseRecord, ListenQueueRow, ObjectKey, PeerRow, SocketRow } from "../api/tracer_backend.ts";
import { NO_COUNTS } from "./socket_rows.ts";
import { anObject } from "./test_backend.ts";
import { OBJECT_KINDS } from "./wait_objects.ts";

/** 10.0.0.9:5432 over TCP. */
export const TCP_PEER: ObjectKey = anObject({
  kind: OBJECT_KINDS.tcpPeer,
  port: 5432,
  lowLow: 0xffff_0000,
  lowHigh: 0x0900_000a,
});

/** Yields counts of `sent` bytes in as many sends. */
export function counting(sentBytes: number, overrides: Partial<SocketCounts> = {}): SocketCounts {
  const sent = {
    ...NO_COUNTS.sent,
    operationCount: sentBytes,
    byteCount: sentBytes,
    operationBytesMax: Math.min(sentBytes, 1),
  };
  return { ...NO_COUNTS, sent, ...overrides };
}

const NOWHERE = { highLow: 0, highHigh: 0, lowLow: 0, lowHigh: 0 };

const ENDS = { local: NOWHERE, localPort: 40_000, remote: NOWHERE, remotePort: 5432 };

export function aSocket(overrides: Partial<SocketRow> = {}): SocketRow {
  return {
    key: 1n,
    processId: 100,
    targetSlot: 1,
    object: TCP_PEER,
    counts: NO_COUNTS,
    openedMs: 0,
    closedMs: 0,
    connectMs: 0,
    tellsEnd: true,
    wasOpen: true,
    ...ENDS,
    ...overrides,
  };
}

export function aPeer(overrides: Partial<PeerRow> = {}): PeerRow {
  return {
    processId: 100,
    targetSlot: 1,
    object: TCP_PEER,
    counts: NO_COUNTS,
    handshakes: NO_COUNTS.responses,
    connectCount: 0,
    connectFailureCount: 0,
    acceptCount: 0,
    closeCount: 0,
    ...overrides,
  };
}

export function aClose(overrides: Partial<CloseRecord> = {}): CloseRecord {
  return {
    kind: "close",
    processId: 100,
    targetSlot: 1,
    object: TCP_PEER,
    closedMs: 900,
    openedMs: 400,
    sent: { operationCount: 1, byteCount: 10 },
    received: { operationCount: 1, byteCount: 20 },
    responses: { count: 1, totalMs: 5, maxMs: 5 },
    retransmitCount: 0,
    roundTrip: undefined,
    ...ENDS,
    ...overrides,
  };
}

/** Listens on 10.0.0.9:80. */
export function aQueue(overrides: Partial<ListenQueueRow> = {}): ListenQueueRow {
  return {
    key: { address: 4096n, inode: 7n },
    isClosed: false,
    processId: 100,
    targetSlot: 1,
    object: anObject({ kind: OBJECT_KINDS.tcpServer, port: 80 }),
    local: TCP_PEER,
    backlogMax: 16,
    queuedCount: 0,
    droppedCount: 0,
    ...overrides,
  };
}
