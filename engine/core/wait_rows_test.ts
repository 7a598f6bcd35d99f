import { assert } from "../../tests/support/assert.ts";
import { property } from "../../tests/support/property.ts";
import { HISTOGRAM_BUCKET_COUNT } from "../api/measurements.ts";
import type { ThreadAccount } from "../api/tracer_backend.ts";
import { anAccount, anObject, aRow, aWaitKey } from "./test_backend.ts";
import { addOpenRow, addRow, bucketOf, mergeRows, RetiredRows, toWaitKeyText, type WaitRow } from "./wait_rows.ts";

const BUCKETS: readonly [durationMs: number, bucket: number][] = [
  [0, 0],
  [0.001, 0],
  [0.001999, 0],
  [0.002, 1],
  [0.003999, 1],
  [0.004, 2],
  [1, 9],
  [1000, 19],
  [2 ** 31 / 1000, 31],
  [2 ** 40, 31],
  [-1, 0],
  [NaN, 0],
];

for (const [durationMs, bucket] of BUCKETS) {
  Deno.test(`bucketOf() yields ${bucket} for ${durationMs} ms`, () => {
    assert.equal(bucketOf(durationMs), bucket);
  });
}

Deno.test("mergeRows() adds what adds up, and keeps the longest wait with its own end", () => {
  const left = aRow({ count: 2, totalMs: 12, maxMs: 7, maxEndMs: 900, openMs: 1 });
  const waker = { threadId: 5, processId: 5, command: "kworker" };
  const right = aRow({ count: 1, totalMs: 30, maxMs: 30, maxEndMs: 400, waker });

  const merged = mergeRows(left, right);

  assert.deepEqual([merged.count, merged.totalMs, merged.maxMs, merged.maxEndMs, merged.openMs], [3, 42, 30, 400, 1]);
  assert.equal(merged.sleepCount, 6);
  assert.equal(merged.waker, waker);
  assert.equal(merged.buckets[12], 4);
  assert.deepEqual(mergeRows(right, left), { ...merged });
});

/** The rows after the open wait of `account` was added to those of `before`. */
function withOpenWait(account: ThreadAccount, before: readonly WaitRow[] = []): readonly WaitRow[] {
  const rows = new Map<string, WaitRow>();
  for (const row of before) addRow(rows, row);
  addOpenRow(rows, account);
  return [...rows.values()];
}

Deno.test("addOpenRow() counts the wait as one that ended with the window, from when the thread was seen", () => {
  const key = aWaitKey({ waitClass: 2 });
  const account = (sinceMs: number) =>
    anAccount({ beginMs: 100, endMs: 1000, openWait: { key, sinceMs, lockOwnerThreadId: 0, joinedMs: 0 } });

  const [inside] = withOpenWait(account(600));
  assert.deepEqual([inside?.count, inside?.totalMs, inside?.maxMs, inside?.openMs, inside?.maxEndMs], [
    1,
    400,
    400,
    400,
    1000,
  ]);
  assert.equal(inside?.buckets[bucketOf(400)], 1);
  assert.equal(withOpenWait(account(-5000))[0]?.openMs, 900, "a wait older than the window counts from its begin");
  assert.equal(withOpenWait(account(1001))[0]?.openMs, 0);
  assert.deepEqual(withOpenWait(anAccount()), []);
});

Deno.test("addOpenRow() makes the wait longer that an earlier sleep of the same call was counted as", () => {
  const key = aWaitKey({ waitClass: 1 });
  const buckets = new Array<number>(HISTOGRAM_BUCKET_COUNT).fill(0);
  buckets[bucketOf(30)] = 2;
  const row = aRow({ key, count: 2, totalMs: 60, maxMs: 31, maxEndMs: 590, buckets });
  const openWait = { key, sinceMs: 600, lockOwnerThreadId: 0, joinedMs: 29 };
  const account = anAccount({ beginMs: 100, endMs: 1000, openWait });

  const [joined, ...others] = withOpenWait(account, [row]);
  assert.equal(others.length, 0);
  assert.deepEqual([joined?.count, joined?.sleepCount, joined?.totalMs, joined?.maxMs, joined?.openMs], [
    2,
    4,
    460,
    429,
    400,
  ]);
  assert.deepEqual([joined?.buckets[bucketOf(30)], joined?.buckets[bucketOf(429)]], [1, 1]);

  const [alone] = withOpenWait(account);
  assert.deepEqual([alone?.count, alone?.totalMs, alone?.maxMs], [1, 400, 400], "its row is not there any more");
});

Deno.test("RetiredRows fold the oldest into their process, then into their class, and lose no time", () => {
  const retired = new RetiredRows({ rowsMax: 2 });
  for (let number = 1; number <= 6; number++) {
    const key = aWaitKey({
      processId: number,
      threadId: number,
      object: anObject({ kind: 8, lowLow: number }),
      stackId: 9,
    });
    retired.add(aRow({ key, count: 1, totalMs: number, maxMs: number }));
  }

  const rows = [...retired.rows()];
  const shown = rows.map(({ key, count, totalMs }) => [key.processId, key.threadId, key.stackId, count, totalMs]);
  assert.deepEqual(shown, [
    [5, 5, 9, 1, 5],
    [6, 6, 9, 1, 6],
    [3, 0, -1, 1, 3],
    [4, 0, -1, 1, 4],
    [0, 0, -1, 2, 3],
  ]);
  assert.equal(retired.namelessCount, 2);
});

Deno.test("RetiredRows keep counts, time and the number of rows in bounds, whatever comes", () => {
  const keys = property.record({
    processId: property.nat(4),
    threadId: property.nat(9),
    targetSlot: property.constantFrom(1, 2),
    waitClass: property.constantFrom(1, 4),
    lowLow: property.nat(3),
  });
  property.assert(property.property(property.array(keys), property.integer({ min: 1, max: 5 }), (list, rowsMax) => {
    const retired = new RetiredRows({ rowsMax });
    for (const { lowLow, ...key } of list) {
      retired.add(aRow({ key: aWaitKey({ ...key, object: anObject({ kind: 8, lowLow }) }), count: 2, totalMs: 3 }));
    }
    const rows = [...retired.rows()];
    assert.equal(sum(rows, (row) => row.count), list.length * 2);
    assert.equal(sum(rows, (row) => row.totalMs), list.length * 3);
    assert.ok(rows.length <= 2 * rowsMax + 4, "two levels and one row per slot and class");
    for (const slot of [1, 2]) {
      const ofSlot = rows.filter((row) => row.key.targetSlot === slot);
      assert.equal(sum(ofSlot, (row) => row.count), list.filter((key) => key.targetSlot === slot).length * 2);
    }
  }));
});

Deno.test("moveSlots() gives rows their new slot, merges them, and forgets those of a target that is gone", () => {
  const retired = new RetiredRows();
  for (const targetSlot of [1, 2, 3]) retired.add(aRow({ key: aWaitKey({ targetSlot }), count: targetSlot }));

  retired.moveSlots(new Map([[1, 2], [3, undefined]]));

  assert.deepEqual([...retired.rows()].map((row) => [row.key.targetSlot, row.count]), [[2, 3]]);
});

Deno.test("toWaitKeyText() tells keys apart by every field", () => {
  const key = aWaitKey();
  const others = (["processId", "threadId", "targetSlot", "waitClass", "systemCall", "stackId"] as const)
    .map((field) => aWaitKey({ [field]: 4242 }));
  const texts = [key, ...others, aWaitKey({ object: anObject({ kind: 4242 }) })].map(toWaitKeyText);
  assert.equal(new Set(texts).size, texts.length);
  assert.equal(toWaitKeyText(key), toWaitKeyText({ ...key }));
  assert.equal(aRow().buckets.length, HISTOGRAM_BUCKET_COUNT);
});

function sum(rows: readonly WaitRow[], of: (row: WaitRow) => number): number {
  return rows.reduce((total, row) => total + of(row), 0);
}
