/**
 * The kernel's socket tables, read in batches.
 *
 * @module
 */

import {
  decodePtListenQueue,
  decodePtPeer,
  decodePtPeerKey,
  decodePtSocket,
  decodePtSocketErrorKey,
  PT_LISTEN_QUEUE,
  PT_PEER_KEY,
  PT_SOCKET,
  PT_SOCKET_ERROR_KEY,
  PT_SOCKET_FLAG,
  type PtLatency,
  type PtPeerKey,
  type PtSocket,
  type PtSocketCounts,
  type PtTransfers,
} from "../../bpf/generated/layout.ts";
import type {
  LatencyRow,
  ListenQueueRow,
  PeerRow,
  SocketCounts,
  SocketErrorRow,
  SocketKey,
  SocketRow,
  TransferRow,
} from "../api/tracer_backend.ts";
import type { RoundTripFigures } from "../api/socket_measurements.ts";
import type { TableMap } from "./table_rows.ts";
import { type RecordSource, type TextCache, toCount } from "./text_cache.ts";

/** Where each socket table keeps the slot of a row. */
export const SLOTTED_TABLES = [
  { table: "sockets", slotOffset: PT_SOCKET.offsets.targetSlot, isInKey: false },
  { table: "listen_queues", slotOffset: PT_LISTEN_QUEUE.offsets.targetSlot, isInKey: false },
  { table: "peers", slotOffset: PT_PEER_KEY.offsets.targetSlot, isInKey: true },
  {
    table: "socket_errors",
    slotOffset: PT_SOCKET_ERROR_KEY.offsets.peer + PT_PEER_KEY.offsets.targetSlot,
    isInKey: true,
  },
] as const;

/** Removes the rows of `slots`; slot 0 is nobody's and stays. */
export function deleteRowsOfSlots(
  map: TableMap,
  options: { readonly slots: ReadonlySet<number>; readonly slotOffset: number; readonly isInKey: boolean },
): void {
  const { slots, slotOffset, isInKey } = options;
  const doomed: Uint8Array[] = [];
  map.lookupBatch((keys, values, count) => {
    for (let index = 0; index < count; index++) {
      const at = index * map.keyBytes;
      const slot = isInKey
        ? keys.getUint32(at + slotOffset, true)
        : values.getUint32(index * map.valueBytes + slotOffset, true);
      if (slot === 0 || !slots.has(slot)) continue;
      doomed.push(new Uint8Array(keys.buffer, keys.byteOffset + at, map.keyBytes).slice());
    }
  });
  if (doomed.length === 0) return;
  const keys = new Uint8Array(doomed.length * map.keyBytes);
  doomed.forEach((key, index) => keys.set(key, index * map.keyBytes));
  map.deleteBatch(keys);
}

/** Sockets that are there; the row that stands for many is among them. */
export function readSocketRows(map: TableMap, texts: TextCache): readonly SocketRow[] {
  return readRows(map, texts, (keys, values, at) => {
    const key = keys.view.getBigUint64(at.key, true);
    return toSocketRow(key, decodePtSocket(values, at.value));
  });
}

/** What sockets that are gone left behind. */
export function readPeerRows(map: TableMap, texts: TextCache): readonly PeerRow[] {
  return readRows(map, texts, (keys, values, at) => {
    const value = decodePtPeer(values, at.value);
    return {
      ...toSocketKey(decodePtPeerKey(keys, at.key)),
      counts: toSocketCounts(value.counts),
      handshakes: toLatencyRow(value.handshakes),
      connectCount: value.connects,
      connectFailureCount: value.connectFailures,
      acceptCount: value.accepts,
      closeCount: value.closes,
    };
  });
}

/** Failed operations by peer and errno. */
export function readSocketErrorRows(map: TableMap, texts: TextCache): readonly SocketErrorRow[] {
  return readRows(map, texts, (keys, values, at) => {
    const key = decodePtSocketErrorKey(keys, at.key);
    const count = toCount(values.view.getUint32(at.value, true), values.view.getUint32(at.value + 4, true));
    return { ...toSocketKey(key.peer), operation: key.operation, error: key.error, count };
  });
}

/** Listening sockets. */
export function readListenQueueRows(map: TableMap, texts: TextCache): readonly ListenQueueRow[] {
  return readRows(map, texts, (_keys, values, at) => {
    const value = decodePtListenQueue(values, at.value);
    return {
      processId: value.tgid,
      targetSlot: value.targetSlot,
      object: value.object,
      local: {
        highLow: value.localHighLow,
        highHigh: value.localHighHigh,
        lowLow: value.localLowLow,
        lowHigh: value.localLowHigh,
      },
      backlogMax: value.backlogMax,
      queuedCount: value.queued,
      droppedCount: (value.lastDrops - value.firstDrops) >>> 0,
    };
  });
}

function readRows<Row>(
  map: TableMap,
  texts: TextCache,
  toRow: (keys: RecordSource, values: RecordSource, at: { key: number; value: number }) => Row,
): readonly Row[] {
  const rows: Row[] = [];
  map.lookupBatch((keys, values, count) => {
    const sources = [{ view: keys, texts }, { view: values, texts }] as const;
    for (let index = 0; index < count; index++) {
      rows.push(toRow(...sources, { key: index * map.keyBytes, value: index * map.valueBytes }));
    }
  });
  return rows;
}

/** Yields the seam's form of a socket. Pure. */
export function toSocketRow(key: bigint, socket: PtSocket): SocketRow {
  return {
    key,
    processId: socket.tgid,
    targetSlot: socket.targetSlot,
    object: socket.object,
    counts: toSocketCounts(socket.counts),
    openedMs: socket.openedMs,
    closedMs: socket.closedMs,
    connectMs: socket.connectMs,
    isServer: (socket.flags & PT_SOCKET_FLAG.SERVER) !== 0,
    wasOpen: (socket.flags & PT_SOCKET_FLAG.WAS_OPEN) !== 0,
    ...toSocketEnds(socket),
  };
}

/** Yields both ends of a connection. */
export function toSocketEnds(
  ends: Pick<
    PtSocket,
    | "localHighLow"
    | "localHighHigh"
    | "localLowLow"
    | "localLowHigh"
    | "localPort"
    | "remoteHighLow"
    | "remoteHighHigh"
    | "remoteLowLow"
    | "remoteLowHigh"
    | "remotePort"
  >,
): Pick<SocketRow, "local" | "localPort" | "remote" | "remotePort"> {
  return {
    local: {
      highLow: ends.localHighLow,
      highHigh: ends.localHighHigh,
      lowLow: ends.localLowLow,
      lowHigh: ends.localLowHigh,
    },
    localPort: ends.localPort,
    remote: {
      highLow: ends.remoteHighLow,
      highHigh: ends.remoteHighHigh,
      lowLow: ends.remoteLowLow,
      lowHigh: ends.remoteLowHigh,
    },
    remotePort: ends.remotePort,
  };
}

function toSocketKey(key: PtPeerKey): SocketKey {
  return { processId: key.tgid, targetSlot: key.targetSlot, object: key.object };
}

function toSocketCounts(counts: PtSocketCounts): SocketCounts {
  return {
    sent: toTransferRow(counts.sent),
    received: toTransferRow(counts.received),
    responses: toLatencyRow(counts.responses),
    unmeasuredCount: counts.unmeasured,
    retransmitCount: counts.retransmits,
    segmentCount: counts.segments,
    resetReceivedCount: counts.resetsReceived,
    resetSentCount: counts.resetsSent,
    roundTrip: toRoundTrip(counts),
  };
}

/** Yields the kernel's microseconds as figures; `undefined` while it has seen no exchange. */
export function toRoundTrip(
  counts: Pick<PtSocketCounts, "rttLastUs" | "rttMinUs" | "rttMaxUs">,
): RoundTripFigures | undefined {
  if (counts.rttLastUs === 0) return undefined;
  return { lastMs: counts.rttLastUs / 1000, minMs: counts.rttMinUs / 1000, maxMs: counts.rttMaxUs / 1000 };
}

function toTransferRow(transfers: PtTransfers): TransferRow {
  return {
    operationCount: toCount(transfers.operationsLow, transfers.operationsHigh),
    byteCount: toCount(transfers.bytesLow, transfers.bytesHigh),
    operationBytesMax: transfers.maxBytes,
    wouldBlockCount: transfers.wouldBlock,
    failedCount: transfers.failed,
  };
}

function toLatencyRow({ totalMs, maxMs, maxEndMs, buckets }: PtLatency): LatencyRow {
  return { totalMs, maxMs, maxEndMs, buckets };
}
