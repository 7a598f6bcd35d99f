import { assert } from "../../tests/support/assert.ts";
import { CONNECTIONS_MAX, ENDED_PROCESSES_COLLECTED, SOCKET_ROWS_MAX } from "../api/limits.ts";
import type { SocketReading, SocketRow } from "../api/tracer_backend.ts";
import { type TargetId, toTargetId } from "../api/units.ts";
import type { KeptSocketsLimits } from "./kept_sockets.ts";
import { SocketBook, type SocketMeasurements, toSocketMeasurements } from "./socket_book.ts";
import { SocketOrdinals } from "./socket_ordinals.ts";
import { NO_COUNTS } from "./socket_rows.ts";
import { anObject, NO_OBJECT, TestBackend } from "./test_backend.ts";
import { aClose, aPeer, aQueue, aSocket, counting } from "./test_sockets.ts";
import { OBJECT_KINDS, SOCKET_OPERATIONS, toWaitObject } from "./wait_objects.ts";

const SHOP = toTargetId("shop");
const MAIL = toTargetId("mail");
const TARGETS: ReadonlyMap<number, TargetId> = new Map([[1, SHOP], [2, MAIL]]);
const WALL_OFFSET_MS = 1_000_000;

function aBook(
  reading: Partial<SocketReading> = {},
  limits: KeptSocketsLimits = {},
): { book: SocketBook; backend: TestBackend } {
  const backend = new TestBackend({ monotonicMs: () => 0 });
  backend.sockets = { sockets: [], peers: [], errors: [], listenQueues: [], ...reading };
  return { book: new SocketBook(backend, limits), backend };
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

Deno.test("collect() makes room by sockets whose end nobody tells, once they rested between two looks", () => {
  const unix = (key: number, bytes: number): SocketRow =>
    aSocket({ key: BigInt(key), object: UNIX_PEER, counts: counting(bytes), tellsEnd: false });
  const tcp = Array.from({ length: SOCKET_ROWS_MAX / 2 }, (_, index) => aSocket({ key: BigInt(index + 1000) }));
  const { book, backend } = aBook({ sockets: [...tcp, unix(1, 5), unix(2, 5)] });
  book.collect();
  assert.equal(backend.sockets.sockets.length, tcp.length + 2);
  backend.sockets = { ...backend.sockets, sockets: [...tcp, unix(1, 5), unix(2, 6)] };
  book.collect();
  assert.deepEqual(backend.sockets.sockets.filter(({ object }) => object === UNIX_PEER).map(({ key }) => key), [2n]);
  const peer = measure(book).peers.find(({ endpoint }) => endpoint?.kind === "unixPeer");
  assert.deepEqual([peer?.sends.byteCount, peer?.closeCount, peer?.openCount], [11, 0, 1]);
});

Deno.test("collect() lets sockets be while there is room", () => {
  const { book, backend } = aBook({ sockets: [aSocket({ object: UNIX_PEER, tellsEnd: false })] });
  book.collect();
  book.collect();
  assert.equal(backend.sockets.sockets.length, 1);
});

Deno.test("a listen queue is told without a drop count where the kernel keeps none", () => {
  const queue = aQueue({ droppedCount: 3 });
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

Deno.test("a port that was listened on twice is told once, with the drops of both and the state of the latest", () => {
  const { book, backend } = aBook({
    listenQueues: [aQueue({ key: { address: 8n, inode: 1n }, isClosed: true, droppedCount: 3, backlogMax: 5 })],
  });
  book.collect();
  assert.deepEqual(backend.sockets.listenQueues, []);
  backend.sockets = { ...backend.sockets, listenQueues: [aQueue({ droppedCount: 4, queuedCount: 1 })] };
  const told = measure(book).listenQueues;
  assert.deepEqual(told.map(({ backlogMax, queuedCount, droppedCount }) => [backlogMax, queuedCount, droppedCount]), [
    [16, 1, 7],
  ]);
});

Deno.test("collect() takes over the peers of processes that ended, and of no other", () => {
  const living = aPeer({ processId: 101, counts: counting(1) });
  const error = { ...aPeer(), operation: SOCKET_OPERATIONS.connect, error: 111, count: 2 };
  const { book, backend } = aBook({
    peers: [aPeer({ counts: counting(5), connectFailureCount: 2, connectCount: 2 }), living],
    errors: [error],
  });
  book.collect();
  assert.equal(backend.sockets.peers.length, 2);
  book.onProcessEnd(100);
  book.onProcessEnd(101);
  book.onProcessBegin(101); // the id was given again
  book.collect();
  assert.deepEqual([backend.sockets.peers, backend.sockets.errors], [[living], []]);
  // A socket that ended after its process.
  backend.sockets = { ...backend.sockets, peers: [living, aPeer({ counts: counting(3) })] };
  book.collect();
  assert.deepEqual(backend.sockets.peers, [living]);
  const peer = measure(book).peers.find(({ processId }) => processId === 100);
  assert.deepEqual([peer?.sends.byteCount, peer?.connects.failures], [8, { ECONNREFUSED: 2 }]);
});

Deno.test("collectWhenDue() waits for many processes that ended", () => {
  const { book, backend } = aBook({ peers: [aPeer({ processId: 1000, counts: counting(1) })] });
  for (let count = 0; count < ENDED_PROCESSES_COLLECTED - 1; count++) book.onProcessEnd(1000 + count);
  book.collectWhenDue();
  assert.equal(backend.sockets.peers.length, 1);
  book.onProcessEnd(999);
  book.collectWhenDue();
  assert.equal(backend.sockets.peers.length, 0);
});

Deno.test("leave() takes everything over, so that the next look begins with nothing", () => {
  const { book, backend } = aBook({
    sockets: [aSocket({ counts: counting(3) }), aSocket({ key: 0n, processId: 0, targetSlot: 0, object: NO_OBJECT })],
    peers: [aPeer({ counts: counting(2), closeCount: 1 })],
    errors: [{ ...aPeer(), operation: SOCKET_OPERATIONS.send, error: 32, count: 1 }],
    listenQueues: [aQueue({ droppedCount: 2 })],
  });
  book.leave();
  const { sockets, peers, errors, listenQueues } = backend.sockets;
  assert.deepEqual([sockets.map(({ key }) => key), peers, errors, listenQueues], [[0n], [], [], []]);
  const { peers: [peer], listenQueues: [queue] } = measure(book);
  assert.deepEqual([peer?.sends.byteCount, peer?.sends.errors, peer?.openCount, peer?.closeCount], [
    5,
    { EPIPE: 1 },
    0,
    1,
  ]);
  assert.deepEqual([queue?.droppedCount, queue?.queuedCount], [2, 0]);
});

Deno.test("what is too much to keep loses whose it was, counted, and nothing else", () => {
  const ended = [1, 2, 3, 4].map((processId) => aPeer({ processId, counts: counting(10 * processId) }));
  const { book } = aBook({
    peers: ended,
    errors: ended.map((row) => ({ ...row, operation: SOCKET_OPERATIONS.send, error: 32, count: row.processId })),
    listenQueues: [1, 2, 3].map((port) =>
      aQueue({ object: anObject({ kind: OBJECT_KINDS.tcpServer, port }), isClosed: true })
    ),
  }, { peersMax: 3, errorsMax: 3, queuesMax: 2 });
  for (const { processId } of ended) book.onProcessEnd(processId);
  book.collect();
  const { peers, listenQueues } = measure(book);
  const told = peers.map((
    { processId, endpoint, sends },
  ) => [processId, endpoint?.kind, sends.byteCount, sends.errors]);
  assert.deepEqual(told, [
    [4, "peer", 40, { EPIPE: 4 }],
    [3, "peer", 30, { EPIPE: 3 }],
    [2, "peer", 20, { EPIPE: 2 }],
    [0, undefined, 10, { other: 1 }],
  ]);
  assert.equal(listenQueues.length, 2);
  assert.deepEqual(book.namelessCounts, { connections: 2, listeners: 1 });
});

Deno.test("rows that only keep a place are not shown", () => {
  const { book } = aBook({ peers: [aPeer({ processId: 0, targetSlot: 0, object: NO_OBJECT, counts: NO_COUNTS })] });
  assert.deepEqual(measure(book).peers, []);
});
