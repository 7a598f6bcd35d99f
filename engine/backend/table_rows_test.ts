import { assert } from "../../tests/support/assert.ts";
import {
  PT_CHAIN_KEY,
  PT_CHAIN_VALUE,
  PT_NO_SYSTEM_CALL,
  PT_OBJECT,
  PT_THREAD,
  PT_THREAD_STATE,
  PT_WAIT_CLASS,
  PT_WAIT_KEY,
  PT_WAIT_VALUE,
} from "../../bpf/generated/layout.ts";
import type { ChainRow, ThreadAccount } from "../api/tracer_backend.ts";
import {
  type KernelAccount,
  overflowRows,
  readChains,
  readRunningThreads,
  readThreads,
  WaitTable,
} from "./table_rows.ts";
import { aStruct, MemoryTable } from "./test_table.ts";
import { TextCache } from "./text_cache.ts";

const WAIT_SIZES = { keyBytes: PT_WAIT_KEY.sizeBytes, valueBytes: PT_WAIT_VALUE.sizeBytes };
const MS = 1_000_000;

function aWaitKey(threadId: number): Uint8Array {
  const { offsets } = PT_WAIT_KEY;
  return aStruct(PT_WAIT_KEY.sizeBytes, [
    [offsets.tgid, 4, 100],
    [offsets.tid, 4, threadId],
    [offsets.targetSlot, 4, 3],
    [offsets.waitClass, 2, PT_WAIT_CLASS.DISK_WRITE],
    [offsets.systemCall, 2, 74],
    [offsets.object + PT_OBJECT.offsets.kind, 4, 7],
    [offsets.object + PT_OBJECT.offsets.high, 8, 0x0000_0801_0000_0002n],
    [offsets.object + PT_OBJECT.offsets.low, 8, 0x0000_0003_0000_0004n],
    [offsets.stackId, 4, -1],
  ]);
}

function aWaitValue(count: number): Uint8Array {
  const { offsets } = PT_WAIT_VALUE;
  return aStruct(PT_WAIT_VALUE.sizeBytes, [
    [offsets.count, 4, count],
    [offsets.sleeps, 4, 9],
    [offsets.totalNs, 8, 5_000_000_000],
    [offsets.maxNs, 8, 2 * MS],
    [offsets.maxEndNs, 8, 9_000_000_000_000n],
    [offsets.wakerTid, 4, 12],
    [offsets.wakerTgid, 4, 10],
    [offsets.buckets + 11 * 4, 4, 6],
  ], [[offsets.wakerComm, "flusher"]]);
}

function aWaitTable(...rows: readonly (readonly [threadId: number, count: number])[]) {
  const map = new MemoryTable(WAIT_SIZES, rows.map(([threadId, count]) => [aWaitKey(threadId), aWaitValue(count)]));
  return { map, table: new WaitTable(map, new TextCache()) };
}

Deno.test("WaitTable.readAll() visits every row that counted something, with all of its figures", () => {
  const { table } = aWaitTable([101, 6], [102, 0], [103, 2 ** 32 - 1]);
  const rows: unknown[] = [];
  table.readAll((row) => {
    rows.push([row.threadId, row.count]);
    if (row.threadId !== 101) return;
    assert.deepEqual(row.key(), {
      processId: 100,
      threadId: 101,
      targetSlot: 3,
      waitClass: PT_WAIT_CLASS.DISK_WRITE,
      systemCall: 74,
      object: { kind: 7, port: 0, highLow: 2, highHigh: 0x801, lowLow: 4, lowHigh: 3 },
      stackId: -1,
    });
    assert.deepEqual([row.targetSlot, row.sleepCount, row.totalMs, row.maxMs, row.maxEndMs], [
      3,
      9,
      5000,
      2,
      9_000_000,
    ]);
    assert.deepEqual([row.wakerThreadId, row.wakerProcessId, row.wakerCommand()], [12, 10, "flusher"]);
    assert.deepEqual([row.bucket(10), row.bucket(11), row.bucket(31)], [0, 6, 0]);
  });
  assert.deepEqual(rows, [[101, 6], [103, 2 ** 32 - 1]]);
});

Deno.test("WaitTable.deleteRows() deletes the rows of those threads and slots alone, and never the rows of nobody", () => {
  const { map, table } = aWaitTable([101, 1], [102, 1], [0, 1], [103, 0]);
  const none = new Set<number>();
  table.deleteRows({ threadIds: new Set([0, 101, 103, 999]), targetSlots: none });
  const left: number[] = [];
  table.readAll((row) => left.push(row.threadId));
  assert.deepEqual([left, map.size], [[102, 0], 2]);

  table.deleteRows({ threadIds: new Set([999]), targetSlots: new Set([99]) });
  assert.equal(map.size, 2);
  table.deleteRows({ threadIds: none, targetSlots: new Set([3]) }); // the slot of all of them
  left.length = 0;
  table.readAll((row) => left.push(row.threadId));
  assert.deepEqual([left, map.size], [[0], 1]);
});

Deno.test("readChains() yields what holders of locks did", () => {
  const key = PT_CHAIN_KEY.offsets;
  const value = PT_CHAIN_VALUE.offsets;
  const map = new MemoryTable({ keyBytes: PT_CHAIN_KEY.sizeBytes, valueBytes: PT_CHAIN_VALUE.sizeBytes }, [[
    aStruct(PT_CHAIN_KEY.sizeBytes, [
      [key.tgid, 4, 100],
      [key.holderTid, 4, 102],
      [key.targetSlot, 4, 1],
      [key.waitClass, 2, PT_WAIT_CLASS.NONE],
      [key.systemCall, 2, PT_NO_SYSTEM_CALL],
      [key.lockAddress, 8, 0x7fff_1234_5678n],
    ]),
    aStruct(PT_CHAIN_VALUE.sizeBytes, [
      [value.count, 8, 3],
      [value.totalNs, 8, 250_000],
      [value.holderTgid, 4, 100],
    ], [[value.holderComm, "flusher"]]),
  ]]);
  const rows: ChainRow[] = [];
  const steps = readChains(map, { texts: new TextCache(), visit: (row) => rows.push(row) });
  for (const _step of steps) { /* all of them */ }

  assert.deepEqual(rows, [{
    processId: 100,
    targetSlot: 1,
    holderThreadId: 102,
    holderProcessId: 100,
    holderCommand: "flusher",
    waitClass: 0,
    systemCall: PT_NO_SYSTEM_CALL,
    lockAddressLow: 0x1234_5678,
    lockAddressHigh: 0x7fff,
    object: { kind: 0, port: 0, highLow: 0, highHigh: 0, lowLow: 0, lowHigh: 0 },
    count: 3,
    totalMs: 0.25,
  }]);
});

const TASK_ADDRESS = 0xffff_8880_0123_4567n;
const END_MS = 1000;

interface ThreadFigures {
  readonly state: number;
  readonly sinceMs?: number;
  readonly pendingMs?: number;
  readonly waitClass?: number;
}

/** The account of a thread with 10, 20, 30 and 40 ms booked from 500 ms on, closed at 1000 ms. */
function accountOf(
  figures: ThreadFigures,
  kernel: KernelAccount | undefined = undefined,
): ThreadAccount | undefined {
  const { offsets } = PT_THREAD;
  const value = aStruct(PT_THREAD.sizeBytes, [
    [offsets.beginNs, 8, 500 * MS],
    [offsets.sinceNs, 8, (figures.sinceMs ?? 600) * MS],
    [offsets.onCpuNs, 8, 10 * MS],
    [offsets.runnableNs, 8, 20 * MS],
    [offsets.throttledNs, 8, 30 * MS],
    [offsets.blockedNs, 8, 40 * MS],
    [offsets.pendingNs, 8, (figures.pendingMs ?? 0) * MS],
    [offsets.seedExecNs, 8, 7 * MS],
    [offsets.seedDelayNs, 8, 8 * MS],
    [offsets.tid, 4, 101],
    [offsets.tgid, 4, 100],
    [offsets.namespaceTid, 4, 2],
    [offsets.targetSlot, 4, 3],
    [offsets.state, 4, figures.state],
    [offsets.futexOwner, 4, 12],
    [offsets.waitClass, 2, figures.waitClass ?? PT_WAIT_CLASS.NONE],
    [offsets.systemCall, 2, 202],
    [offsets.stackId, 4, -1],
  ], [[offsets.comm, "worker"]]);
  const map = new MemoryTable({ keyBytes: 8, valueBytes: PT_THREAD.sizeBytes }, [[
    aStruct(8, [[0, 8, TASK_ADDRESS]]),
    value,
  ]]);
  const kernelAccounts = new Map(kernel === undefined ? [] : [[TASK_ADDRESS, kernel]]);
  return readThreads(map, { texts: new TextCache(), endMs: END_MS, kernelAccounts })[0];
}

Deno.test("readThreads() closes the interval a thread is in at the window's end, so that its time is its span", () => {
  const { RUNNING, RUNNABLE, BLOCKED } = PT_THREAD_STATE;
  const table = [
    [RUNNING, [410, 20, 30, 40]],
    [RUNNABLE, [10, 420, 30, 40]],
    [BLOCKED, [10, 20, 30, 440]],
  ] as const;
  for (const [state, parts] of table) {
    const account = accountOf({ state });
    assert.ok(account !== undefined);
    assert.deepEqual([account.onCpuMs, account.runnableMs, account.throttledMs, account.blockedMs], parts);
    assert.equal(account.endMs - account.beginMs, 500);
    assert.equal(parts.reduce<number>((total, part) => total + part, 0), 500);
  }
});

Deno.test("readThreads() leaves out a thread that is being taken in", () => {
  assert.equal(accountOf({ state: 0 }), undefined);
});

Deno.test("readThreads() ends a thread that a program wrote a little later where that program wrote it", () => {
  const account = accountOf({ state: PT_THREAD_STATE.RUNNING, sinceMs: END_MS + 1 });
  assert.deepEqual([account?.endMs, account?.onCpuMs], [END_MS + 1, 10]);
});

Deno.test("readThreads() takes the scheduler's accounts from when the thread was seen first", () => {
  const state = PT_THREAD_STATE.RUNNING;
  const known = accountOf({ state }, {
    isRunning: true,
    switchCount: 0,
    execMs: 107,
    delayMs: 28,
    minorFaultCount: 9,
    majorFaultCount: 3,
  });
  assert.deepEqual([known?.kernelOnCpuMs, known?.kernelRunDelayMs], [100, 20]);
  const behind = accountOf({ state }, {
    isRunning: true,
    switchCount: 0,
    execMs: 1,
    delayMs: 1,
    minorFaultCount: 0,
    majorFaultCount: 0,
  });
  assert.deepEqual([behind?.kernelOnCpuMs, behind?.kernelRunDelayMs], [0, 0]);
  const unknown = accountOf({ state });
  assert.deepEqual([unknown?.kernelOnCpuMs, unknown?.kernelRunDelayMs], [undefined, undefined]);
});

Deno.test("readThreads() says what a thread is still blocked on, also when it was woken and has not run yet", () => {
  const { RUNNING, RUNNABLE, BLOCKED } = PT_THREAD_STATE;
  const waitClass = PT_WAIT_CLASS.LOCK;
  const blocked = accountOf({ state: BLOCKED, waitClass })?.openWait;
  assert.deepEqual([blocked?.sinceMs, blocked?.lockOwnerThreadId, blocked?.key.waitClass], [600, 12, waitClass]);
  assert.equal(accountOf({ state: RUNNABLE, waitClass, pendingMs: 25 })?.openWait?.sinceMs, END_MS - 25);
  assert.equal(accountOf({ state: RUNNABLE, waitClass })?.openWait, undefined);
  assert.equal(accountOf({ state: RUNNING, waitClass })?.openWait, undefined);
  assert.equal(accountOf({ state: BLOCKED })?.openWait, undefined);
});

/** A thread's row: born at 500 ms, last changed at `sinceMs`, with `blockedMs` booked. */
function aThreadRow(figures: { sinceMs: number; blockedMs: number; state?: number }): Uint8Array<ArrayBuffer> {
  const { offsets } = PT_THREAD;
  return aStruct(PT_THREAD.sizeBytes, [
    [offsets.beginNs, 8, 500 * MS],
    [offsets.sinceNs, 8, figures.sinceMs * MS],
    [offsets.blockedNs, 8, figures.blockedMs * MS],
    [offsets.tid, 4, 101],
    [offsets.state, 4, figures.state ?? PT_THREAD_STATE.RUNNING],
    [offsets.stackId, 4, -1],
  ]);
}

/** Reads to the end; yields the accounts. */
function runningAccounts(
  map: MemoryTable,
  kernelAccounts: ReadonlyMap<bigint, KernelAccount> = new Map(),
): readonly ThreadAccount[] {
  const accounts: ThreadAccount[] = [];
  const options = {
    texts: new TextCache(),
    nowMs: () => END_MS,
    areFaultsTold: kernelAccounts.size > 0,
    kernelAccounts: () => kernelAccounts,
    visit: (account: ThreadAccount) => accounts.push(account),
  };
  for (const _step of readRunningThreads(map, options)) { /* all of them */ }
  return accounts;
}

Deno.test("readRunningThreads() takes each thread to be in its state until the instant it yields", () => {
  const keys = [1, 2, 3].map((address) => aStruct(8, [[0, 8, address]]));
  const rows = [
    aThreadRow({ sinceMs: 700, blockedMs: 200 }),
    aThreadRow({ sinceMs: 500, blockedMs: 0, state: 0 }),
    aThreadRow({ sinceMs: 500, blockedMs: 0, state: PT_THREAD_STATE.BLOCKED }),
  ];
  const map = new MemoryTable(
    { keyBytes: 8, valueBytes: PT_THREAD.sizeBytes },
    keys.map((key, index) => [key, rows[index] ?? key]),
  );
  const accounts = runningAccounts(map);
  assert.deepEqual(accounts.map(({ onCpuMs, blockedMs, endMs }) => [onCpuMs, blockedMs, endMs]), [
    [300, 200, END_MS],
    [0, 500, END_MS],
  ]);
  assert.ok(accounts.every(({ kernelOnCpuMs }) => kernelOnCpuMs === undefined));
});

Deno.test("readRunningThreads() reads a row again that was being changed, and leaves out a thread that ended then", () => {
  const key = aStruct(8, [[0, 8, 1]]);
  const sizes = { keyBytes: 8, valueBytes: PT_THREAD.sizeBytes };
  const torn = aThreadRow({ sinceMs: 500, blockedMs: 300 }); // booked, not moved on yet
  const settling = new MemoryTable(sizes, [[key, torn]]);
  settling.lookup = () => aThreadRow({ sinceMs: 800, blockedMs: 300 });
  assert.deepEqual(runningAccounts(settling).map(({ onCpuMs, blockedMs }) => [onCpuMs, blockedMs]), [[200, 300]]);

  const ended = new MemoryTable(sizes, [[key, torn]]);
  ended.lookup = () => undefined;
  assert.deepEqual(runningAccounts(ended), []);

  const restless = new MemoryTable(sizes, [[key, torn]]);
  const [account] = runningAccounts(restless);
  assert.deepEqual([account?.onCpuMs, account?.blockedMs], [500, 300], "its ledger shows 300 ms too many");
});

const FIGURES: KernelAccount = {
  isRunning: false,
  switchCount: 0,
  execMs: 30,
  delayMs: 70,
  minorFaultCount: 0,
  majorFaultCount: 0,
};

Deno.test("a thread whose last switch nobody told of is off the CPU for as long as the scheduler says", () => {
  const key = aStruct(8, [[0, 8, 1]]);
  const sizes = { keyBytes: 8, valueBytes: PT_THREAD.sizeBytes };
  const map = new MemoryTable(sizes, [[key, aThreadRow({ sinceMs: 500, blockedMs: 0 })]]);
  const account = (kernel: Partial<KernelAccount>) => {
    const [found] = runningAccounts(map, new Map([[1n, { ...FIGURES, ...kernel }]]));
    const { onCpuMs, runnableMs, blockedMs, openWait } = found ?? {};
    return { parts: [onCpuMs, runnableMs, blockedMs], waitClass: openWait?.key.waitClass, sinceMs: openWait?.sinceMs };
  };
  assert.deepEqual(account({}), { parts: [30, 70, 400], waitClass: PT_WAIT_CLASS.OTHER, sinceMs: END_MS - 400 });
  assert.deepEqual(account({ delayMs: 470 }), { parts: [30, 470, 0], waitClass: undefined, sinceMs: undefined });
  const asSaid = { parts: [500, 0, 0], waitClass: undefined, sinceMs: undefined };
  assert.deepEqual(account({ isRunning: true }), asSaid, "it is on a CPU");
  const away = { parts: [30, 70, 400], waitClass: PT_WAIT_CLASS.OTHER, sinceMs: END_MS - 400 };
  assert.deepEqual(account({ isRunning: true, switchCount: 1 }), away, "it left one untold, and came back untold");
  const [hidden] = runningAccounts(map, new Map([[2n, { ...FIGURES, isRunning: true }]]));
  assert.deepEqual([hidden?.onCpuMs, hidden?.blockedMs], [0, 500], "others have an account, this one has none");
  assert.deepEqual(account({ execMs: 490 }), asSaid, "what ticks and late switches make of it");
});

Deno.test("overflowRows() yields one empty row of nobody for each class", () => {
  const rows = overflowRows(WAIT_SIZES);
  assert.equal(rows.length, 12);
  const map = new MemoryTable(WAIT_SIZES, rows.map(({ key }) => [key, aWaitValue(1)]));
  const classes: number[] = [];
  new WaitTable(map, new TextCache()).readAll((row) => {
    const { waitClass, ...key } = row.key();
    classes.push(waitClass);
    assert.deepEqual([key.processId, key.threadId, key.targetSlot, key.object.kind], [0, 0, 0, 0]);
    assert.deepEqual([key.systemCall, key.stackId], [PT_NO_SYSTEM_CALL, -1]);
  });
  assert.deepEqual(classes.toSorted((a, b) => a - b), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  assert.ok(
    rows.every(({ value }) => value.byteLength === PT_WAIT_VALUE.sizeBytes && !value.some((byte) => byte !== 0)),
  );
});
