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
  assert.deepEqual(toSnapshotRows({ atMs: 1000, tasks: [aTask()] }, NAMES), [{
    processId: 100,
    threadId: 101,
    command: "flusher",
    state: "blocked",
    waitClass: "diskWrite",
    systemCall: "fsync",
    object: { kind: "file", id: "8:0:42", path: "/srv/data.bin" },
    sinceMs: 600,
    lockOwner: undefined,
  }]);
});

Deno.test("toSnapshotRows() claims no class and no time for a thread that is not blocked", () => {
  for (const state of ["running", "runnable"] as const) {
    const [row] = toSnapshotRows({ atMs: 1000, tasks: [aTask({ state, waitClass: 0 })] }, NAMES);
    assert.deepEqual([row?.waitClass, row?.sinceMs], [undefined, undefined]);
  }
});

Deno.test("toSnapshotRows() leaves out threads of no target, and takes a clock that ran ahead for now", () => {
  const rows = toSnapshotRows({ atMs: 1000, tasks: [aTask({ targetSlot: 0 }), aTask({ lastRanMs: 1000.5 })] }, NAMES);
  assert.deepEqual(rows.map((row) => row.sinceMs), [0]);
});
