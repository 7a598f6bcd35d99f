import { assert } from "../../tests/support/assert.ts";
import {
  PT_LATENCY,
  PT_LISTEN_KEY,
  PT_LISTEN_QUEUE,
  PT_OBJECT,
  PT_OBJECT_KIND,
  PT_OPERATION,
  PT_PEER,
  PT_PEER_KEY,
  PT_SOCKET,
  PT_SOCKET_COUNTS,
  PT_SOCKET_ERROR_KEY,
  PT_SOCKET_FLAG,
  PT_TRANSFERS,
} from "../../bpf/generated/layout.ts";
import {
  deleteRowsOfSlots,
  encodeErrorKeys,
  encodeListenKeys,
  encodePeerKeys,
  overflowSocketRows,
  readListenQueueRows,
  readPeerRows,
  readSocketErrorRows,
  readSocketRows,
  SLOTTED_TABLES,
} from "./socket_tables.ts";
import { aStruct, MemoryTable } from "./test_table.ts";
import { TextCache } from "./text_cache.ts";

const MS = 1_000_000;
const SOCKET_SIZES = { keyBytes: 8, valueBytes: PT_SOCKET.sizeBytes };

function aKey(address: bigint): Uint8Array {
  return aStruct(8, [[0, 8, address]]);
}

function aSocket(targetSlot: number): Uint8Array {
  const { offsets } = PT_SOCKET;
  const counts = (field: keyof typeof PT_SOCKET_COUNTS.offsets) => offsets.counts + PT_SOCKET_COUNTS.offsets[field];
  return aStruct(PT_SOCKET.sizeBytes, [
    [counts("sent") + PT_TRANSFERS.offsets.operations, 8, 3],
    [counts("sent") + PT_TRANSFERS.offsets.bytes, 8, 2 ** 40],
    [counts("received") + PT_TRANSFERS.offsets.wouldBlock, 4, 5],
    [counts("received") + PT_TRANSFERS.offsets.failed, 4, 6],
    [counts("responses") + PT_LATENCY.offsets.totalNs, 8, 12 * MS],
    [counts("responses") + PT_LATENCY.offsets.buckets + 4 * 11, 4, 2],
    [counts("unmeasured"), 4, 7],
    [counts("segments"), 4, 8],
    [counts("rttLastUs"), 4, 1500],
    [counts("rttMinUs"), 4, 1000],
    [counts("rttMaxUs"), 4, 2000],
    [offsets.openedNs, 8, 4000 * MS],
    [offsets.object + PT_OBJECT.offsets.kind, 4, PT_OBJECT_KIND.TCP_SERVER],
    [offsets.object + PT_OBJECT.offsets.port, 4, 80],
    [offsets.localLow, 8, 0x0100_007f_ffff_0000n],
    [offsets.remotePort, 4, 51_000],
    [offsets.tgid, 4, 100],
    [offsets.targetSlot, 4, targetSlot],
    [offsets.flags, 4, PT_SOCKET_FLAG.SERVER | PT_SOCKET_FLAG.WAS_OPEN],
  ]);
}

Deno.test("readSocketRows() yields every figure of a socket, times in milliseconds", () => {
  const map = new MemoryTable(SOCKET_SIZES, [[aKey(0xffff_8881_0000_0001n), aSocket(3)]]);
  const [row, ...others] = readSocketRows(map, new TextCache());
  assert.equal(others.length, 0);
  assert.equal(row?.key, 0xffff_8881_0000_0001n);
  assert.deepEqual([row?.processId, row?.targetSlot, row?.openedMs, row?.closedMs, row?.connectMs], [
    100,
    3,
    4000,
    0,
    0,
  ]);
  assert.deepEqual([row?.tellsEnd, row?.wasOpen, row?.object.port, row?.remotePort], [true, true, 80, 51_000]);
  assert.deepEqual(row?.local, { highLow: 0, highHigh: 0, lowLow: 0xffff_0000, lowHigh: 0x0100_007f });
  assert.deepEqual(row?.counts.sent, {
    operationCount: 3,
    byteCount: 2 ** 40,
    operationBytesMax: 0,
    wouldBlockCount: 0,
    failedCount: 0,
  });
  assert.deepEqual([row?.counts.received.wouldBlockCount, row?.counts.received.failedCount], [5, 6]);
  assert.deepEqual([row?.counts.responses.totalMs, row?.counts.responses.buckets[11]], [12, 2]);
  assert.deepEqual([row?.counts.unmeasuredCount, row?.counts.segmentCount], [7, 8]);
  assert.deepEqual(row?.counts.roundTrip, { lastMs: 1.5, minMs: 1, maxMs: 2 });
});

function aPeerKey(targetSlot: number): Uint8Array {
  const { offsets } = PT_PEER_KEY;
  return aStruct(PT_PEER_KEY.sizeBytes, [
    [offsets.tgid, 4, 100],
    [offsets.targetSlot, 4, targetSlot],
    [offsets.object + PT_OBJECT.offsets.kind, 4, PT_OBJECT_KIND.TCP_PEER],
  ]);
}

Deno.test("readPeerRows() yields what sockets left behind; no round trip where none was seen", () => {
  const { offsets } = PT_PEER;
  const value = aStruct(PT_PEER.sizeBytes, [
    [offsets.connects, 4, 10],
    [offsets.connectFailures, 4, 4],
    [offsets.accepts, 4, 2],
    [offsets.closes, 4, 1],
    [offsets.handshakes + PT_LATENCY.offsets.maxNs, 8, 9 * MS],
  ]);
  const map = new MemoryTable({ keyBytes: PT_PEER_KEY.sizeBytes, valueBytes: PT_PEER.sizeBytes }, [
    [aPeerKey(3), value],
  ]);
  const [row] = readPeerRows(map, new TextCache());
  assert.deepEqual([row?.processId, row?.targetSlot, row?.object.kind], [100, 3, PT_OBJECT_KIND.TCP_PEER]);
  assert.deepEqual([row?.connectCount, row?.connectFailureCount, row?.acceptCount, row?.closeCount], [10, 4, 2, 1]);
  assert.deepEqual([row?.handshakes.maxMs, row?.counts.roundTrip], [9, undefined]);
});

Deno.test("readSocketErrorRows() and readListenQueueRows() yield their figures; dropped ones survive an overflow", () => {
  const errorKey = new Uint8Array(PT_SOCKET_ERROR_KEY.sizeBytes);
  errorKey.set(aPeerKey(3));
  const view = new DataView(errorKey.buffer);
  view.setUint32(PT_SOCKET_ERROR_KEY.offsets.operation, PT_OPERATION.CONNECT, true);
  view.setUint32(PT_SOCKET_ERROR_KEY.offsets.error, 111, true);
  const errors = new MemoryTable({ keyBytes: PT_SOCKET_ERROR_KEY.sizeBytes, valueBytes: 8 }, [
    [errorKey, aStruct(8, [[0, 8, 70_000]])],
  ]);
  const [error] = readSocketErrorRows(errors, new TextCache());
  assert.deepEqual([error?.operation, error?.error, error?.count], [PT_OPERATION.CONNECT, 111, 70_000]);

  const { offsets } = PT_LISTEN_QUEUE;
  const queue = aStruct(PT_LISTEN_QUEUE.sizeBytes, [
    [offsets.tgid, 4, 100],
    [offsets.backlogMax, 4, 128],
    [offsets.queued, 4, 5],
    [offsets.firstDrops, 4, 0xffff_fffe],
    [offsets.lastDrops, 4, 3],
    [offsets.isClosed, 4, 1],
  ]);
  const key = { address: 0xffff_8881_0000_0001n, inode: 77n };
  const sizes = { keyBytes: PT_LISTEN_KEY.sizeBytes, valueBytes: PT_LISTEN_QUEUE.sizeBytes };
  const [row] = readListenQueueRows(new MemoryTable(sizes, [[encodeListenKeys([key]), queue]]), new TextCache());
  assert.deepEqual([row?.backlogMax, row?.queuedCount, row?.droppedCount], [128, 5, 5]);
  assert.deepEqual([row?.key, row?.isClosed], [key, true]);
});

Deno.test("encodePeerKeys() and encodeErrorKeys() yield the keys that rows were read from", () => {
  const object = { kind: 1, port: 80, highLow: 2, highHigh: 3, lowLow: 4, lowHigh: 5 };
  const keys = [1, 2].map((processId) => ({ processId, targetSlot: 7, object }));
  const bytes = encodePeerKeys(keys);
  const peers = new MemoryTable(
    { keyBytes: PT_PEER_KEY.sizeBytes, valueBytes: PT_PEER.sizeBytes },
    [0, 1].map((index) => [
      bytes.slice(index * PT_PEER_KEY.sizeBytes, (index + 1) * PT_PEER_KEY.sizeBytes),
      new Uint8Array(PT_PEER.sizeBytes),
    ]),
  );
  const read = readPeerRows(peers, new TextCache());
  assert.deepEqual(read.map(({ processId, targetSlot, object }) => ({ processId, targetSlot, object })), keys);

  const row = { processId: 9, targetSlot: 7, object, operation: PT_OPERATION.CONNECT, error: 111, count: 3 };
  const errors = new MemoryTable({ keyBytes: PT_SOCKET_ERROR_KEY.sizeBytes, valueBytes: 8 }, [
    [encodeErrorKeys([row]), aStruct(8, [[0, 8, 3]])],
  ]);
  assert.deepEqual(readSocketErrorRows(errors, new TextCache()), [row]);
});

Deno.test("overflowSocketRows() has a row for sockets, one for peers, and one for each kind of operation that fails", () => {
  const tables = overflowSocketRows().map(({ table }) => table);
  assert.deepEqual(tables, ["sockets", "peers", "socket_errors", "socket_errors", "socket_errors"]);
  assert.equal(new Set(overflowSocketRows().map(({ key }) => key.join())).size, 5);
});

Deno.test("deleteRowsOfSlots() takes the rows of slots that are gone, and never those of nobody", () => {
  const [inValue] = SLOTTED_TABLES;
  const sockets = new MemoryTable(SOCKET_SIZES, [0, 3, 4].map((slot) => [aKey(BigInt(slot)), aSocket(slot)]));
  deleteRowsOfSlots(sockets, { ...inValue, slots: new Set([0, 3]) });
  assert.deepEqual(readSocketRows(sockets, new TextCache()).map(({ targetSlot }) => targetSlot), [0, 4]);

  const inKey = SLOTTED_TABLES.find(({ table }) => table === "peers");
  assert.ok(inKey !== undefined);
  const peers = new MemoryTable(
    { keyBytes: PT_PEER_KEY.sizeBytes, valueBytes: PT_PEER.sizeBytes },
    [3, 4].map((slot) => [aPeerKey(slot), new Uint8Array(PT_PEER.sizeBytes)]),
  );
  deleteRowsOfSlots(peers, { ...inKey, slots: new Set([4]) });
  assert.deepEqual(readPeerRows(peers, new TextCache()).map(({ targetSlot }) => targetSlot), [3]);
});
