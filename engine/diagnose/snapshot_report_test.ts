import { assert } from "../../tests/support/assert.ts";
import { schemaProblems } from "../../tests/support/json_schema.ts";
import { WAIT_CLASS_ORDER } from "./facts.ts";
import { type NowRow, renderJsonSnapshot, renderTextSnapshot } from "./snapshot_report.ts";
import { BEGIN_WALL_MS, FILE, PEER } from "./test_measurements.ts";

const OPTIONS = { label: "pid 100 (shop)", atWallMs: BEGIN_WALL_MS };

const row = (overrides: Partial<NowRow>): NowRow => ({
  processId: 100,
  threadId: 100,
  command: "shop",
  state: "blocked",
  waitClass: "idle",
  systemCall: "epoll_wait",
  object: { kind: "none" },
  sinceMs: undefined,
  lockOwner: undefined,
  ...overrides,
});

const ROWS: readonly NowRow[] = [
  row({ object: { kind: "several" }, sinceMs: 12.5 }),
  row({ threadId: 101, command: "flusher", waitClass: "diskWrite", systemCall: "fsync", object: FILE, sinceMs: 80 }),
  row({
    threadId: 102,
    command: "writer",
    waitClass: "lock",
    systemCall: "futex",
    object: { kind: "lock", address: "0x10" },
    sinceMs: 79,
    lockOwner: { threadId: 101, command: "flusher" },
  }),
  row({ threadId: 103, command: "burner", state: "running", waitClass: undefined, systemCall: undefined, sinceMs: 3 }),
  row({ threadId: 104, command: "late", state: "runnable", waitClass: undefined, systemCall: undefined, sinceMs: 4 }),
  ...[105, 106, 107].map((threadId) => row({ threadId, command: "pool", waitClass: "parked", systemCall: "futex" })),
  row({ processId: 50, threadId: 50, command: "caller", waitClass: "network", systemCall: "recvfrom", object: PEER }),
];

Deno.test("renderTextSnapshot() says of every thread what it does, on what it is blocked and since when", () => {
  assert.equal(
    renderTextSnapshot(ROWS, OPTIONS),
    `podtrace diagnose --now: pid 100 (shop), at 2026-01-02T03:04:05.000Z
9 threads: 1 running, 1 waiting for a CPU, 7 blocked

caller (50), 1 thread
  caller 50                              ?  network: recvfrom 10.0.0.9:5432

shop (100), 8 threads
  burner 103                                running
  late 104                        ~4.00 ms  waiting for a CPU
  flusher 101                    ~80.00 ms  disk write: fsync /srv/shop/data.bin
  writer 102                     ~79.00 ms  lock: futex lock 0x10, held by flusher (101)
  shop 100                       ~12.50 ms  idle: epoll_wait several descriptors
  3 x pool                               ?  parked: futex

~ times are good to one scheduler tick; ? is not known
`,
  );
});

Deno.test("renderTextSnapshot() says when no thread was found", () => {
  assert.match(renderTextSnapshot([], OPTIONS), /No thread of the target was found\.\n$/);
});

Deno.test("renderJsonSnapshot() carries the same facts and leaves out what is not known", () => {
  const snapshot = JSON.parse(renderJsonSnapshot(ROWS, OPTIONS));
  assert.equal(snapshot.at, "2026-01-02T03:04:05.000Z");
  assert.equal(snapshot.threads.length, ROWS.length);
  assert.deepEqual(snapshot.threads[0], {
    pid: 50,
    tid: 50,
    name: "caller",
    state: "blocked",
    class: "network",
    systemCall: "recvfrom",
    object: "10.0.0.9:5432",
  });
  assert.deepEqual(snapshot.threads.find((thread: { tid: number }) => thread.tid === 102).lockOwner, {
    tid: 101,
    name: "flusher",
  });
});

Deno.test("renderTextSnapshot() and renderJsonSnapshot() let no name steer the terminal", () => {
  const rows = [row({ command: "a\x1b[2Jb\u202e", object: { kind: "file", id: "1:1:1", path: "/x\n/y" } })];
  for (const text of [renderTextSnapshot(rows, OPTIONS), renderJsonSnapshot(rows, OPTIONS)]) {
    assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/);
    assert.match(text, /a\\+x1b\[2Jb\\+u202e/);
  }
});

const SCHEMA = JSON.parse(await Deno.readTextFile(new URL("../../docs/now.schema.json", import.meta.url)));

Deno.test("renderJsonSnapshot() prints what docs/now.schema.json publishes, of every class and state", () => {
  const rows = [
    ...ROWS,
    ...WAIT_CLASS_ORDER.map((waitClass) => row({ waitClass })),
    ...(["running", "runnable"] as const).map((state) => row({ state, waitClass: undefined })),
  ];
  assert.deepEqual(schemaProblems(SCHEMA, JSON.parse(renderJsonSnapshot(rows, OPTIONS))), []);
  assert.deepEqual(schemaProblems(SCHEMA, JSON.parse(renderJsonSnapshot([], OPTIONS))), []);
  assert.notDeepEqual(schemaProblems(SCHEMA, { schemaVersion: 1, target: "", at: "", threads: [{}] }), []);
});
