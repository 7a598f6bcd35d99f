import { assert } from "../../tests/support/assert.ts";
import { PT_PREFIX, PT_TASK_RECORD, PT_THREAD_STATE, PT_WAIT_CLASS } from "../../bpf/generated/layout.ts";
import { decodeTaskRecords, toTaskSnapshot } from "./task_snapshot.ts";
import { aStruct } from "./test_table.ts";
import { TextCache } from "./text_cache.ts";

const MS = 1_000_000;

interface Figures {
  readonly threadId: number;
  readonly slot?: number;
  readonly state?: number;
  readonly isCurrent?: boolean;
  readonly nowMs?: number;
  /** When it last ran, by the scheduler's clock. */
  readonly ranMs?: number;
  readonly text?: string;
}

function aRecord(figures: Figures): Uint8Array {
  const { offsets } = PT_TASK_RECORD;
  const { text = "" } = figures;
  return aStruct(PT_TASK_RECORD.sizeBytes, [
    [PT_PREFIX.offsets.targetSlot, 4, figures.slot ?? 1],
    [PT_PREFIX.offsets.tgid, 4, 100],
    [offsets.nowNs, 8, (figures.nowMs ?? 10_000) * MS],
    [offsets.execNs, 8, 30 * MS],
    [offsets.delayNs, 8, 4 * MS],
    [offsets.execStartNs, 8, (figures.ranMs ?? 0) * MS],
    [offsets.arguments + 8, 8, 0xffff_ffff_ffff_ffffn],
    [offsets.tid, 4, figures.threadId],
    [offsets.namespaceTid, 4, 2],
    [offsets.parentTgid, 4, 1],
    [offsets.state, 4, figures.state ?? PT_THREAD_STATE.BLOCKED],
    [offsets.waitClass, 2, PT_WAIT_CLASS.DISK_WRITE],
    [offsets.systemCall, 2, 74],
    [offsets.isCurrent, 4, Number(figures.isCurrent ?? false)],
    [offsets.textBytes, 4, text.length],
  ], [[offsets.comm, "flusher"], [offsets.text, text]]);
}

function snapshotOf(...figures: readonly Figures[]) {
  const bytes = new Uint8Array(figures.length * PT_TASK_RECORD.sizeBytes);
  figures.forEach((one, index) => bytes.set(aRecord(one), index * PT_TASK_RECORD.sizeBytes));
  const texts = new TextCache();
  return toTaskSnapshot(decodeTaskRecords(bytes, texts), { atMs: 10_000, texts });
}

/** The reader itself: on a CPU, and of no target. Its clock is 9000 ms behind ours. */
const READER: Figures = { threadId: 1, slot: 0, isCurrent: true, state: PT_THREAD_STATE.RUNNING, ranMs: 1_000 };

Deno.test("decodeTaskRecords() yields one record per thread, and nothing of a part of one", () => {
  const bytes = new Uint8Array(2 * PT_TASK_RECORD.sizeBytes + 8);
  bytes.set(aRecord({ threadId: 101 }));
  bytes.set(aRecord({ threadId: 102 }), PT_TASK_RECORD.sizeBytes);
  assert.deepEqual(decodeTaskRecords(bytes, new TextCache()).map(({ tid }) => tid), [101, 102]);
  assert.deepEqual(decodeTaskRecords(new Uint8Array(0), new TextCache()), []);
});

Deno.test("toTaskSnapshot() yields a target's thread with what it does", () => {
  const { atMs, tasks } = snapshotOf(READER, { threadId: 101, ranMs: 400, text: "data.bin\0srv\0" });
  assert.equal(atMs, 10_000);
  assert.deepEqual(tasks, [{
    processId: 100,
    threadId: 101,
    namespaceThreadId: 2,
    parentProcessId: 1,
    targetSlot: 1,
    command: "flusher",
    state: "blocked",
    waitClass: PT_WAIT_CLASS.DISK_WRITE,
    systemCall: 74,
    systemCallArguments: [0n, 0xffff_ffff_ffff_ffffn, 0n, 0n],
    object: { kind: 0, port: 0, highLow: 0, highHigh: 0, lowLow: 0, lowHigh: 0 },
    nameComponents: ["data.bin", "srv"],
    onCpuMs: 30,
    runDelayMs: 4,
    lastRanMs: 9_400,
  }]);
});

Deno.test("toTaskSnapshot() leaves out threads of no target, though it takes the time from them", () => {
  const { tasks } = snapshotOf(READER, { threadId: 101, slot: 0 }, { threadId: 102, slot: 2 });
  assert.deepEqual(tasks.map(({ threadId }) => threadId), [102]);
});

Deno.test("toTaskSnapshot() names the three states", () => {
  const { RUNNING, RUNNABLE, BLOCKED } = PT_THREAD_STATE;
  const { tasks } = snapshotOf(
    ...[RUNNING, RUNNABLE, BLOCKED].map((state, index) => ({ threadId: 101 + index, state })),
  );
  assert.deepEqual(tasks.map(({ state }) => state), ["running", "runnable", "blocked"]);
});

Deno.test("toTaskSnapshot() ties the scheduler's clock to ours by the thread on a CPU that ran last", () => {
  const slower: Figures = { ...READER, threadId: 2, isCurrent: false, ranMs: 990 };
  const [thread] = snapshotOf(slower, READER, { threadId: 101, ranMs: 400 }).tasks;
  assert.equal(thread?.lastRanMs, 9_400);
});

Deno.test("toTaskSnapshot() says no time for a thread that runs, never ran, or where no clock is known", () => {
  const running = { threadId: 101, state: PT_THREAD_STATE.RUNNING, ranMs: 1_000 };
  assert.equal(snapshotOf(READER, running).tasks[0]?.lastRanMs, undefined);
  assert.equal(snapshotOf(READER, { threadId: 101, ranMs: 0 }).tasks[0]?.lastRanMs, undefined);
  assert.equal(snapshotOf({ threadId: 101, ranMs: 400 }).tasks[0]?.lastRanMs, undefined);
});

Deno.test("toTaskSnapshot() never puts what a thread did last into the future", () => {
  const [thread] = snapshotOf(READER, { threadId: 101, ranMs: 1_005 }).tasks;
  assert.equal(thread?.lastRanMs, 10_000);
});
