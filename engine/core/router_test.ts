import { assert } from "../../tests/support/assert.ts";
import { EVENT_KINDS, type EventKind, toEventKindMask, type TraceEvent } from "../api/events.ts";
import { TARGETS_MAX } from "../api/limits.ts";
import type { BackendRecord, RecordView, SocketRecord } from "../api/tracer_backend.ts";
import { toTargetId } from "../api/units.ts";
import { type EventNames, toSystemCallLookup } from "./event_mapper.ts";
import { type RecordConsumer, Router, type RouteSink, toRoutingTable } from "./router.ts";
import { aClose, TCP_PEER } from "./test_sockets.ts";
import { aFork, anAccount, aName, anExit, anObject, aWait, aWaitKey } from "./test_backend.ts";

const NAMES: EventNames = {
  objectOf: () => ({ kind: "timer" }),
  systemCallOf: toSystemCallLookup((systemCall) => systemCall === 0 ? "read" : undefined),
};

interface Sink extends RouteSink {
  readonly events: TraceEvent[];
}

function aSink(kinds: readonly EventKind[], slowWaitMs = 0): Sink {
  const events: TraceEvent[] = [];
  const receiver = { accept: (event: TraceEvent) => events.push(event) };
  const thresholds = { slowWaitMs, slowFileMs: 10, slowResponseMs: 100, slowConnectMs: 100 };
  return { kinds: toEventKindMask(kinds), ...thresholds, events, receiver };
}

function open(sinks: readonly RouteSink[], names = NAMES): { router: Router; consumed: string[] } {
  const consumed: string[] = [];
  const ended = new Set<number>();
  const consumer: RecordConsumer = {
    onName: () => consumed.push("name"),
    onFork: (_, targetId) => consumed.push(`fork of ${targetId}`),
    onExec: (_, targetId) => consumed.push(`exec of ${targetId}`),
    onClose: () => consumed.push("close"),
    // As the book does: one end per process.
    onExit: (record, targetId) => {
      consumed.push(`exit of ${targetId}`);
      const isFirst = record.processEnded && !ended.has(record.thread.processId);
      if (isFirst) ended.add(record.thread.processId);
      return isFirst;
    },
    onOomKill: (_, targetId) => consumed.push(`OOM kill in ${targetId}`),
  };
  const router = new Router(consumer, names);
  router.use(toRoutingTable([{ slot: 1, targetId: toTargetId("a"), sinks }]));
  return { router, consumed };
}

/** A view that counts how often it is decoded. */
function aView(kind: number, record: BackendRecord, targetSlot = 1): RecordView & { readonly decodeCount: number } {
  let decodeCount = 0;
  return {
    kind,
    targetSlot,
    sizeBytes: 88,
    decode: () => {
      decodeCount++;
      return record;
    },
    get decodeCount() {
      return decodeCount;
    },
  };
}

Deno.test("visit() decodes a record once however many routes want it, and gives all of them one event", () => {
  const sinks = [aSink(["wait"]), aSink(["wait"]), aSink(["exit"])];
  const { router } = open(sinks);
  const view = aView(1, aWait());

  router.visit(view);

  assert.equal(view.decodeCount, 1);
  assert.deepEqual(sinks.map((sink) => sink.events.length), [1, 1, 0]);
  assert.equal(sinks[0]?.events[0], sinks[1]?.events[0]);
  assert.deepEqual(sinks[0]?.events[0], {
    kind: "wait",
    targetId: toTargetId("a"),
    endMs: 1000,
    durationMs: 50,
    processId: 100,
    threadId: 101,
    waitClass: "network",
    systemCall: "read",
    object: { kind: "timer" },
    wakerThreadId: 0,
  });
});

const UNWANTED: readonly [what: string, kind: number, slot: number][] = [
  ["no route wants its kind", 1, 1],
  ["its slot is nobody's", 1, 2],
  ["its slot is beyond the table", 1, TARGETS_MAX + 1],
  ["its slot is far beyond the table", 1, 0xffffffff],
  ["its kind is not known", 31, 1],
  ["its kind is beyond the mask", 33, 1],
];

for (const [what, kind, slot] of UNWANTED) {
  Deno.test(`visit() decodes nothing when ${what}`, () => {
    const { router } = open([aSink(["exit"])]);
    const view = aView(kind, aWait(), slot);

    router.visit(view);

    assert.equal(view.decodeCount, 0);
    const counts = router.counts();
    assert.deepEqual([counts.readCount, counts.unmatchedCount, counts.matchedCount], [1, 1, 0]);
  });
}

Deno.test("visit() judges a wait by the threshold of its class where there is one", () => {
  const slowWaitMsOfClass = [undefined, 100, 5]; // network, disk reads
  const sink = { ...aSink(["wait"], 20), slowWaitMsOfClass };
  const { router } = open([sink]);
  const table = [[1, 99, 0], [1, 100, 1], [2, 4, 1], [2, 5, 2], [3, 19, 2], [3, 20, 3]] as const;
  for (const [waitClass, durationMs, count] of table) {
    router.visit(aView(1, aWait({ durationMs, key: aWaitKey({ waitClass }) })));
    assert.equal(sink.events.length, count, `${durationMs} ms of class ${waitClass}`);
  }
});

Deno.test("visit() keeps a wait from a route whose threshold it does not reach", () => {
  const sinks = [aSink(["wait"], 50), aSink(["wait"], 50.001)];
  const { router } = open(sinks);

  router.visit(aView(1, aWait({ durationMs: 50 })));
  router.visit(aView(1, aWait({ durationMs: 49.999 })));

  assert.deepEqual(sinks.map((sink) => sink.events.length), [1, 0]);
  const { matchedCount, unmatchedCount } = router.counts();
  assert.deepEqual({ matchedCount, unmatchedCount }, { matchedCount: 1, unmatchedCount: 1 });
});

Deno.test("visit() gives the engine names and lives with no route at all, and counts them as its own", () => {
  const { router, consumed } = open([]);

  router.visit(aView(2, aName()));
  router.visit(aView(2, aName(), 77));
  router.visit(aView(3, aFork()));
  router.visit(
    aView(4, {
      kind: "exec",
      targetSlot: 1,
      atMs: 1,
      processId: 9,
      command: "sh",
      path: "/bin/sh",
      argumentList: ["sh"],
      isArgumentListCut: false,
    }),
  );
  router.visit(aView(5, anExit()));

  assert.deepEqual(consumed, ["name", "name", "fork of a", "exec of a", "exit of a"]);
  assert.equal(router.counts().internalCount, 5);
});

Deno.test("visit() makes an exit of a thread that ended, not of one that only left its target", () => {
  const sink = aSink(["exit"]);
  const { router, consumed } = open([sink]);
  const thread = anAccount({ command: "bad\x1b[2J" });

  router.visit(aView(5, anExit({ thread, leftTarget: true })));
  router.visit(aView(5, anExit({ thread, exitCode: 0x8b, processEnded: true })));
  router.visit(aView(5, anExit({ thread, exitCode: 3 << 8 })));

  assert.equal(consumed.length, 3);
  const exits = sink.events.map((event) => event.kind === "exit" ? event : undefined);
  assert.deepEqual(exits.map((exit) => [exit?.exitCode, exit?.signal, exit?.processEnded]), [
    [0, 11, true],
    [3, 0, false],
  ]);
  assert.equal(exits[0]?.command, "bad\\x1b[2J");
  const { internalCount, matchedCount } = router.counts();
  assert.deepEqual({ internalCount, matchedCount }, { internalCount: 1, matchedCount: 2 });
});

Deno.test("counts() tells what was read by kind and in bytes", () => {
  const { router } = open([aSink(["wait"])]);
  for (const view of [aView(1, aWait()), aView(1, aWait()), aView(5, anExit()), aView(99, aWait())]) router.visit(view);

  const counts = router.counts();
  assert.deepEqual([counts.readByKind[1], counts.readByKind[5], counts.readByKind[0]], [2, 1, 1]);
  assert.equal(counts.readBytes, 4 * 88);
  assert.equal(counts.readCount, counts.unmatchedCount + counts.internalCount + counts.matchedCount);
});

Deno.test("toSystemCallLookup() names a call by its number when the host has no name, and none by nothing", () => {
  assert.equal(NAMES.systemCallOf(0), "read");
  assert.equal(NAMES.systemCallOf(999), "syscall_999");
  assert.equal(NAMES.systemCallOf(aWaitKey({ systemCall: 0xffff }).systemCall), undefined);
});

Deno.test("toRoutingTable() asserts that a slot fits the table", () => {
  const at = (slot: number) => toRoutingTable([{ slot, targetId: toTargetId("a"), sinks: [] }]);
  at(TARGETS_MAX);
  assert.throws(() => at(TARGETS_MAX + 1), assert.AssertionError);
});

Deno.test("visit() says once that a process ended, though all threads that end together found none left", () => {
  const sink = aSink(["exit"]);
  const { router } = open([sink]);

  for (const threadId of [101, 102, 103]) {
    router.visit(aView(5, anExit({ processEnded: true, thread: anAccount({ threadId }) })));
  }

  assert.deepEqual(sink.events.map((event) => event.kind === "exit" && event.processEnded), [true, false, false]);
});

const PEER_NAMES: EventNames = {
  ...NAMES,
  objectOf: () => ({ kind: "peer", protocol: "tcp", address: "10.0.0.9", port: 5432 }),
};

const RESPONSE: SocketRecord = {
  kind: "response",
  targetSlot: 1,
  processId: 100,
  atMs: 1000,
  durationMs: 150,
  object: TCP_PEER,
  operation: 1,
  error: 0,
};

Deno.test("socket records reach the routes that ask for their kind and are not that patient", () => {
  const [wanting, patient, other] = [
    aSink(["response"]),
    { ...aSink(["response"]), slowResponseMs: 200 },
    aSink(["wait"]),
  ];
  const { router, consumed } = open([wanting, patient, other], PEER_NAMES);
  router.visit(aView(EVENT_KINDS.response, RESPONSE));
  router.visit(aView(EVENT_KINDS.response, { ...RESPONSE, durationMs: 250 }));
  assert.deepEqual(wanting.events.map((event) => event.kind === "response" && event.durationMs), [150, 250]);
  assert.deepEqual([patient.events.length, other.events.length, consumed], [1, 0, []]);
  assert.deepEqual(router.counts().matchedCount, 2);
});

Deno.test("a connection that closed is the book's own business, whether or not a route asks", () => {
  const { router, consumed } = open([aSink(["wait"])]);
  router.visit(aView(EVENT_KINDS.close, aClose()));
  assert.deepEqual([consumed, router.counts().internalCount], [["close"], 1]);
});

Deno.test("a connect that failed is told however quick it was; one that was established only when slow", () => {
  const sink = { ...aSink(["connect"]), slowConnectMs: 100 };
  const { router } = open([sink], PEER_NAMES);
  const connect = { ...RESPONSE, kind: "connect" as const, durationMs: 1, operation: 2 };
  for (const error of [0, 111, 4095]) router.visit(aView(EVENT_KINDS.connect, { ...connect, error }));
  assert.deepEqual(sink.events.map((event) => event.kind === "connect" && event.error), ["ECONNREFUSED", "abandoned"]);
  assert.equal(router.counts().unmatchedCount, 1);
});

function aFile(durationMs: number, errno: number): BackendRecord {
  return {
    kind: "file",
    endMs: 100,
    durationMs,
    key: { processId: 100, targetSlot: 1, operation: 2, errno, object: anObject({ kind: 7, lowLow: 1 }) },
    threadId: 101,
    systemCall: 0,
    byteCount: 5,
  };
}

Deno.test("visit() hands an operation on a file to routes whose threshold it reaches, a failed one to every route that asks", () => {
  const quick = { ...aSink(["file"]), slowFileMs: 5 };
  const slow = { ...aSink(["file"]), slowFileMs: 50 };
  const deaf = aSink(["exit"]);
  const { router } = open([quick, slow, deaf]);

  for (const record of [aFile(4, 0), aFile(5, 0), aFile(1, 2)]) router.visit(aView(8, record));

  const got = ({ events }: Sink) => events.map((event) => event.kind === "file" && [event.durationMs, event.errno]);
  assert.deepEqual(got(quick), [[5, 0], [1, 2]]);
  assert.deepEqual(got(slow), [[1, 2]]);
  assert.deepEqual(deaf.events, []);
  const { matchedCount, unmatchedCount } = router.counts();
  assert.deepEqual([matchedCount, unmatchedCount], [2, 1]);
});

Deno.test("visit() has an OOM kill kept by the engine whoever asks, and an exec's secrets hidden", () => {
  const sink = aSink(["exec"]);
  const { router, consumed } = open([sink]);
  const bytes = { virtualBytes: 4, anonymousBytes: 3, fileBytes: 2, sharedBytes: 1 };
  router.visit(aView(7, { kind: "oomKill", targetSlot: 1, atMs: 1, processId: 9, command: "hog", ...bytes }));
  const argumentList = ["mysql", "--password", "hunter2", "a\u001b[31mb"];
  router.visit(aView(4, {
    kind: "exec",
    targetSlot: 1,
    atMs: 1,
    processId: 9,
    command: "mysql",
    path: "/bin/mysql",
    argumentList,
    isArgumentListCut: true,
  }));

  assert.deepEqual(consumed, ["OOM kill in a", "exec of a"]);
  const [event] = sink.events;
  assert.ok(event?.kind === "exec");
  assert.deepEqual(event.argumentList.slice(0, 3), ["mysql", "--password", "***"], "incident 19");
  assert.ok(!event.argumentList.join().includes("\u001b"), "incident 7");
  assert.equal(event.isArgumentListCut, true);
});
