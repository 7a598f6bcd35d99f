import { assert } from "../../tests/support/assert.ts";
import type { TaskSnapshotEntry } from "../api/tracer_backend.ts";
import { toSystemCallLookup } from "./event_mapper.ts";
import { toSnapshotRows } from "./snapshot_rows.ts";
import { anObject } from "./test_backend.ts";
import { OBJECT_KINDS } from "./wait_objects.ts";

const NAMES = toSystemCallLookup((systemCall) => systemCall === 74 ? "fsync" : undefined);

function aTask(overrides: Partial<TaskSnapshotEntry> = {}): TaskSnapshotEntry {
  return {
    processId: 100,
    threadId: 101,
    namespaceThreadId: 2,
    parentProcessId: 1,
    targetSlot: 1,
    command: "flusher",
    state: "blocked",
    waitClass: 3,
    systemCall: 74,
    systemCallArguments: [3n, 0n, 0n, 0n],
    object: anObject({ kind: OBJECT_KINDS.file, highLow: 8 << 20, lowLow: 42 }),
    nameComponents: ["data.bin", "srv"],
    onCpuMs: 10,
    runDelayMs: 1,
    lastRanMs: 400,
    ...overrides,
  };
}

Deno.test("toSnapshotRows() says what a thread is blocked on, and since when", () => {
  assert.deepEqual(
    toSnapshotRows({ atMs: 1000, tasks: [aTask()], processes: [] }, { systemCallOf: NAMES, readWord: () => undefined }),
    [{
      processId: 100,
      threadId: 101,
      command: "flusher",
      state: "blocked",
      waitClass: "diskWrite",
      systemCall: "fsync",
      object: { kind: "file", id: "8:0:42", path: "/srv/data.bin" },
      sinceMs: 600,
      lockOwner: undefined,
    }],
  );
});

Deno.test("toSnapshotRows() claims no class and no time for a thread that is not blocked", () => {
  for (const state of ["running", "runnable"] as const) {
    const [row] = toSnapshotRows({ atMs: 1000, tasks: [aTask({ state, waitClass: 0 })], processes: [] }, {
      systemCallOf: NAMES,
      readWord: () => undefined,
    });
    assert.deepEqual([row?.waitClass, row?.sinceMs], [undefined, undefined]);
  }
});

Deno.test("toSnapshotRows() leaves out threads of no target, and takes a clock that ran ahead for now", () => {
  const rows = toSnapshotRows({
    atMs: 1000,
    tasks: [aTask({ targetSlot: 0 }), aTask({ lastRanMs: 1000.5 })],
    processes: [],
  }, {
    systemCallOf: NAMES,
    readWord: () => undefined,
  });
  assert.deepEqual(rows.map((row) => row.sinceMs), [0]);
});

Deno.test("toSnapshotRows() names the owner that a contended glibc mutex holds 8 bytes further", () => {
  const waiter = aTask({
    threadId: 11,
    waitClass: 4,
    object: { kind: 9, port: 0, highLow: 0, highHigh: 0, lowLow: 0x1000, lowHigh: 0 },
    systemCallArguments: [0x1000n, 128n, 2n, 0n],
  });
  const holder = aTask({ threadId: 4012, namespaceThreadId: 12, command: "flusher" });
  const readWord = (processId: number, address: bigint) =>
    processId === waiter.processId && address === 0x1008n ? 12 : undefined;
  const [row] = toSnapshotRows({ atMs: 1000, tasks: [waiter, holder], processes: [] }, {
    systemCallOf: NAMES,
    readWord,
  });
  assert.deepEqual(row?.lockOwner, { threadId: 4012, command: "flusher" });
});
