import { assert } from "../../tests/support/assert.ts";
import { CONNECTIONS_MAX, SOCKET_ROWS_MAX } from "../api/limits.ts";
import type { SocketReading, SocketRow } from "../api/tracer_backend.ts";
import { type TargetId, toTargetId } from "../api/units.ts";
import { SocketBook, type SocketMeasurements, toSocketMeasurements } from "./socket_book.ts";
import { SocketOrdinals } from "./socket_ordinals.ts";
import { NO_COUNTS } from "./socket_rows.ts";
import { anObject, NO_OBJECT, TestBackend } from "./test_backend.ts";
import { aClose, aPeer, aSocket, counting, TCP_PEER } from "./test_sockets.ts";
import { OBJECT_KINDS, SOCKET_OPERATIONS, toWaitObject } from "./wait_objects.ts";

const SHOP = toTargetId("shop");
const MAIL = toTargetId("mail");
const TARGETS: ReadonlyMap<number, TargetId> = new Map([[1, SHOP], [2, MAIL]]);
const WALL_OFFSET_MS = 1_000_000;

function aBook(reading: Partial<SocketReading> = {}): { book: SocketBook; backend: TestBackend } {
  const backend = new TestBackend({ monotonicMs: () => 0 });
  backend.sockets = { sockets: [], peers: [], errors: [], listenQueues: [], ...reading };
  return { book: new SocketBook(backend), backend };
}

function measure(book: SocketBook, targetIds: readonly TargetId[] = [SHOP]): SocketMeasurements {
  const ordinals = new SocketOrdinals();
  return toSocketMeasurements(book.read(), {
    targetIds: new Set(targetIds),
    targetOf: (slot) => TARGETS.get(slot),
    objectOf: (key) => toWaitObject(key, { name: undefined, ordinals }),
    wallOffsetMs: WALL_OFFSET_MS,
  });
}

const UNIX_PEER = anObject({ kind: OBJECT_KINDS.unixPeer, lowLow: 77 });

Deno.test("a peer is what its sockets left behind and what those that are there do", () => {
  const { book } = aBook({
    peers: [aPeer({ counts: counting(5), connectCount: 4, connectFailureCount: 1, closeCount: 3 })],
    sockets: [
      aSocket({ key: 1n, counts: counting(7) }),
      aSocket({ key: 2n, counts: counting(1), closedMs: 50 }),
      aSocket({ key: 3n, connectMs: 10, wasOpen: false }),
    ],
    errors: [
      { ...aPeer(), operation: SOCKET_OPERATIONS.connect, error: 111, count: 1 },
      { ...aPeer(), operation: SOCKET_OPERATIONS.receive, error: 104, count: 2 },
    ],
  });
  const { peers: [peer, ...others], connections, omittedConnectionCount } = measure(book);
  assert.equal(others.length, 0);
  assert.deepEqual(peer?.endpoint, { kind: "peer", protocol: "tcp", address: "10.0.0.9", port: 5432 });
  assert.equal(peer?.sends.byteCount, 13);
  assert.deepEqual(peer?.receives.errors, { ECONNRESET: 2 });
  const { handshakes: _handshakes, ...connects } = peer?.connects ?? {};
  assert.deepEqual(connects, {
    attemptCount: 5,
    establishedCount: 3,
    failedCount: 1,
    pendingCount: 1,
    failures: { ECONNREFUSED: 1 },
  });
  assert.deepEqual([peer?.closeCount, peer?.openCount], [3, 1]);
  // The one that is not open yet is no connection; three that closed were not told one by one.
  assert.deepEqual([connections.length, omittedConnectionCount], [2, 2]);
});

Deno.test("a route gets the peers of its targets, and what found no room under its first", () => {
  const { book } = aBook({
    sockets: [
      aSocket({ key: 1n, targetSlot: 1, counts: counting(1) }),
      aSocket({ key: 2n, targetSlot: 2, counts: counting(2) }),
      aSocket({ key: 0n, processId: 0, targetSlot: 0, object: NO_OBJECT, counts: counting(4), wasOpen: false }),
    ],
  });
  const bytesOf = (ids: readonly TargetId[]) =>
    measure(book, ids).peers.map(({ targetId, endpoint, sends }) => [targetId, endpoint?.kind, sends.byteCount]);
  assert.deepEqual(bytesOf([SHOP]), [[SHOP, undefined, 4], [SHOP, "peer", 1]]);
  assert.deepEqual(bytesOf([MAIL, SHOP]), [[MAIL, undefined, 4], [MAIL, "peer", 2], [SHOP, "peer", 1]]);
});

Deno.test("connections have their times on the wall clock, and are undefined before the window and while open", () => {
  const { book } = aBook({ sockets: [aSocket({ counts: counting(100) })] });
  book.onClose(aClose());
  const { connections } = measure(book);
  assert.deepEqual(connections.map(({ openedWallMs, closedWallMs }) => [openedWallMs, closedWallMs]), [
    [undefined, undefined],
    [WALL_OFFSET_MS + 400, WALL_OFFSET_MS + 900],
  ]);
});

Deno.test("of many connections those with most bytes are kept", () => {
  const { book } = aBook({ peers: [aPeer({ closeCount: 3 * CONNECTIONS_MAX })] });
  for (let index = 0; index < 3 * CONNECTIONS_MAX; index++) {
    book.onClose(
      aClose({ sent: { operationCount: 1, byteCount: index }, received: { operationCount: 0, byteCount: 0 } }),
    );
  }
  const { connections, omittedConnectionCount } = measure(book);
  assert.equal(connections.length, CONNECTIONS_MAX);
  assert.equal(connections[0]?.sent.byteCount, 3 * CONNECTIONS_MAX - 1);
  assert.equal(connections.at(-1)?.sent.byteCount, 2 * CONNECTIONS_MAX);
  assert.equal(omittedConnectionCount, 2 * CONNECTIONS_MAX);
});

Deno.test("moveSlots() takes figures along to another slot, and forgets a target that is gone", () => {
  const { book, backend } = aBook({
    sockets: [
      aSocket({ targetSlot: 7, counts: counting(3) }),
      aSocket({ key: 2n, targetSlot: 8, counts: counting(9) }),
    ],
    peers: [aPeer({ targetSlot: 7, counts: counting(2) })],
    errors: [{ ...aPeer({ targetSlot: 7 }), operation: SOCKET_OPERATIONS.send, error: 32, count: 1 }],
  });
  book.onClose(aClose({ targetSlot: 7 }));
  book.moveSlots(new Map([[7, 1], [8, undefined]]));
  assert.deepEqual(backend.sockets, { sockets: [], peers: [], errors: [], listenQueues: [] });
  const { peers: [peer, ...others], connections } = measure(book);
  assert.deepEqual([others.length, connections.length], [0, 1]);
  assert.deepEqual([peer?.sends.byteCount, peer?.sends.errors, peer?.closeCount], [5, { EPIPE: 1 }, 0]);
});

Deno.test("collectIdle() makes room by sockets whose end nobody tells, once they rested between two looks", () => {
  const unix = (key: number, bytes: number): SocketRow =>
    aSocket({ key: BigInt(key), object: UNIX_PEER, counts: counting(bytes) });
  const tcp = Array.from({ length: SOCKET_ROWS_MAX / 2 }, (_, index) => aSocket({ key: BigInt(index + 1000) }));
  const { book, backend } = aBook({ sockets: [...tcp, unix(1, 5), unix(2, 5)] });
  book.collectIdle();
  assert.equal(backend.sockets.sockets.length, tcp.length + 2);
  backend.sockets = { ...backend.sockets, sockets: [...tcp, unix(1, 5), unix(2, 6)] };
  book.collectIdle();
  assert.deepEqual(backend.sockets.sockets.filter(({ object }) => object === UNIX_PEER).map(({ key }) => key), [2n]);
  const peer = measure(book).peers.find(({ endpoint }) => endpoint?.kind === "unixPeer");
  assert.deepEqual([peer?.sends.byteCount, peer?.closeCount, peer?.openCount], [11, 1, 1]);
});

Deno.test("collectIdle() lets sockets be while there is room", () => {
  const { book, backend } = aBook({ sockets: [aSocket({ object: UNIX_PEER })] });
  book.collectIdle();
  book.collectIdle();
  assert.equal(backend.sockets.sockets.length, 1);
});

Deno.test("a listen queue is told without a drop count where the kernel keeps none", () => {
  const queue = { processId: 100, targetSlot: 1, local: TCP_PEER, backlogMax: 16, queuedCount: 2, droppedCount: 3 };
  const { book } = aBook({
    listenQueues: [
      { ...queue, object: anObject({ kind: OBJECT_KINDS.tcpServer, port: 80 }) },
      { ...queue, object: anObject({ kind: OBJECT_KINDS.unixServer, lowLow: 5 }) },
      { ...queue, targetSlot: 2, object: anObject({ kind: OBJECT_KINDS.tcpServer, port: 81 }) },
    ],
  });
  assert.deepEqual(measure(book).listenQueues.map(({ address, droppedCount }) => [address, droppedCount]), [
    ["10.0.0.9", 3],
    [undefined, undefined],
  ]);
});

Deno.test("rows that only keep a place are not shown", () => {
  const { book } = aBook({ peers: [aPeer({ processId: 0, targetSlot: 0, object: NO_OBJECT, counts: NO_COUNTS })] });
  assert.deepEqual(measure(book).peers, []);
});
