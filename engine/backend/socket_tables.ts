/**
 * The kernel's socket tables, read in batches.
 *
 * @module
 */

import {
  decodePtListenKey,
  decodePtListenQueue,
  decodePtPeer,
  decodePtPeerKey,
  decodePtSocket,
  decodePtSocketErrorKey,
  PT_ERROR_OTHER,
  PT_LISTEN_KEY,
  PT_LISTEN_QUEUE,
  PT_OBJECT,
  PT_OPERATION,
  PT_PEER_KEY,
  PT_SOCKET,
  PT_SOCKET_ERROR_KEY,
  PT_SOCKET_FLAG,
  type PtLatency,
  type PtListenKey,
  type PtPeerKey,
  type PtSocket,
  type PtSocketCounts,
  type PtTransfers,
} from "../../bpf/generated/layout.ts";
import type { LatencyRow, ListenKey, SocketCounts, TransferRow } from "../api/socket_counts.ts";
import type { ListenQueueRow, PeerRow, SocketErrorRow, SocketKey, SocketRow } from "../api/tracer_backend.ts";
import type { RoundTripFigures } from "../api/socket_measurements.ts";
import type { FilteredRemoval } from "./address_filter.ts";
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
  options: {
    readonly slots: ReadonlySet<number>;
    readonly slotOffset: number;
    readonly isInKey: boolean;
    /** How its rows are removed (default: as those of any table). */
    readonly removal?: Pick<FilteredRemoval, "deleteBatch">;
  },
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
  (options.removal ?? map).deleteBatch(keys);
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
  const isOldRecording = map.keyBytes < PT_LISTEN_KEY.sizeBytes; // its keys were addresses alone
  return readRows(map, texts, (keys, values, at) => {
    const value = decodePtListenQueue(values, at.value);
    return {
      key: isOldRecording ? NO_LISTEN_KEY : toListenKey(decodePtListenKey(keys, at.key)),
      isClosed: value.isClosed !== 0,
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

/** Yields the rows that take what has no room of its own, with the table each belongs to; they are there from the start. */
export function overflowSocketRows(): readonly { readonly table: string; readonly key: Uint8Array<ArrayBuffer> }[] {
  const operations = [PT_OPERATION.SEND, PT_OPERATION.RECEIVE, PT_OPERATION.CONNECT];
  const others = operations.map((operation) => ({ ...NOBODY, operation, error: PT_ERROR_OTHER, count: 0 }));
  return [
    { table: "sockets", key: new Uint8Array(8) },
    { table: "peers", key: encodePeerKeys([NOBODY]) },
    ...others.map((other) => ({ table: "socket_errors", key: encodeErrorKeys([other]) })),
  ];
}

const NOBODY: SocketKey = {
  processId: 0,
  targetSlot: 0,
  object: { kind: 0, port: 0, highLow: 0, highHigh: 0, lowLow: 0, lowHigh: 0 },
};

/** Yields the keys of peers as their table has them, one after the other. */
export function encodePeerKeys(keys: readonly SocketKey[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(keys.length * PT_PEER_KEY.sizeBytes);
  const view = new DataView(bytes.buffer);
  for (const [index, key] of keys.entries()) writePeerKey(view, index * PT_PEER_KEY.sizeBytes, key);
  return bytes;
}

/** Yields the keys of errors as their table has them, one after the other. */
export function encodeErrorKeys(rows: readonly SocketErrorRow[]): Uint8Array<ArrayBuffer> {
  const { sizeBytes, offsets } = PT_SOCKET_ERROR_KEY;
  const bytes = new Uint8Array(rows.length * sizeBytes);
  const view = new DataView(bytes.buffer);
  for (const [index, row] of rows.entries()) {
    writePeerKey(view, index * sizeBytes + offsets.peer, row);
    view.setUint32(index * sizeBytes + offsets.operation, row.operation, true);
    view.setUint32(index * sizeBytes + offsets.error, row.error, true);
  }
  return bytes;
}

function writePeerKey(view: DataView<ArrayBuffer>, at: number, { processId, targetSlot, object }: SocketKey): void {
  const { offsets } = PT_PEER_KEY;
  view.setUint32(at + offsets.tgid, processId, true);
  view.setUint32(at + offsets.targetSlot, targetSlot, true);
  const objectAt = at + offsets.object;
  view.setUint32(objectAt + PT_OBJECT.offsets.kind, object.kind, true);
  view.setUint32(objectAt + PT_OBJECT.offsets.port, object.port, true);
  view.setUint32(objectAt + PT_OBJECT.offsets.high, object.highLow, true);
  view.setUint32(objectAt + PT_OBJECT.offsets.high + 4, object.highHigh, true);
  view.setUint32(objectAt + PT_OBJECT.offsets.low, object.lowLow, true);
  view.setUint32(objectAt + PT_OBJECT.offsets.low + 4, object.lowHigh, true);
}

/** Yields the keys of listening sockets as their table has them, one after the other. */
export function encodeListenKeys(keys: readonly ListenKey[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(keys.length * PT_LISTEN_KEY.sizeBytes);
  const view = new DataView(bytes.buffer);
  const { address, inode } = PT_LISTEN_KEY.offsets;
  for (const [index, key] of keys.entries()) {
    view.setBigUint64(index * PT_LISTEN_KEY.sizeBytes + address, key.address, true);
    view.setBigUint64(index * PT_LISTEN_KEY.sizeBytes + inode, key.inode, true);
  }
  return bytes;
}

const NO_LISTEN_KEY: ListenKey = { address: 0n, inode: 0n };

function toListenKey(key: PtListenKey): ListenKey {
  return { address: toWord(key.addressLow, key.addressHigh), inode: toWord(key.inodeLow, key.inodeHigh) };
}

function toWord(low: number, high: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
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
    tellsEnd: socket.inodeLow === 0 && socket.inodeHigh === 0,
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
