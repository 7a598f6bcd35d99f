import { assert } from "../../tests/support/assert.ts";
import { PT_BOOKS, PT_CATEGORY, PT_DEPARTED, PT_DROP_REASON, PT_HOOK, PT_LEDGER } from "../../bpf/generated/layout.ts";
import { CATEGORIES } from "../api/measurements.ts";
import { sumBooks, withUnlearned } from "./loss_counters.ts";
import { aStruct } from "./test_table.ts";

const NO_MISSES = { recursionMisses: new Map<string, number>() };

/** Offset of a figure of a category in one CPU's books. */
function at(category: number, field: Exclude<keyof typeof PT_LEDGER.offsets, "dropped">): number {
  return PT_BOOKS.offsets.ledger + category * PT_LEDGER.sizeBytes + PT_LEDGER.offsets[field];
}

function droppedAt(category: number, reason: number): number {
  return PT_BOOKS.offsets.ledger + category * PT_LEDGER.sizeBytes + PT_LEDGER.offsets.dropped + reason * 8;
}

/** The books of several CPUs, one after the other. */
function booksOf(...cpus: readonly (readonly (readonly [offset: number, count: number | bigint])[])[]) {
  const bytes = new Uint8Array(cpus.length * PT_BOOKS.sizeBytes);
  cpus.forEach((counts, cpu) => {
    const places = counts.map(([offset, count]) => [offset, 8, count] as const);
    bytes.set(aStruct(PT_BOOKS.sizeBytes, places), cpu * PT_BOOKS.sizeBytes);
  });
  return bytes;
}

Deno.test("sumBooks() sums the copies of all CPUs, each figure in its category", () => {
  const { SCHEDULING, LIFECYCLE } = PT_CATEGORY;
  const { ledger, calls } = sumBooks(
    booksOf(
      [[at(SCHEDULING, "seen"), 10], [at(SCHEDULING, "filtered"), 3], [at(LIFECYCLE, "delivered"), 4]],
      [[at(SCHEDULING, "seen"), 5n], [at(SCHEDULING, "aggregated"), 2], [PT_BOOKS.offsets.calls, 7]],
      [[PT_BOOKS.offsets.calls, 1], [PT_BOOKS.offsets.calls + PT_HOOK.SCHED_WAKEUP * 8, 2 ** 40]],
    ),
    NO_MISSES,
  );
  assert.deepEqual(ledger.scheduling, { seen: 15, filtered: 3, aggregated: 2, delivered: 0, dropped: {} });
  assert.deepEqual(ledger.lifecycle, { seen: 0, filtered: 0, aggregated: 0, delivered: 4, dropped: {} });
  assert.deepEqual([calls.length, calls[0], calls[PT_HOOK.SCHED_WAKEUP]], [PT_HOOK.COUNT, 8, 2 ** 40]);
  assert.equal(calls.filter((count) => count > 0).length, 2);
});

Deno.test("sumBooks() counts calls that ended at the first look as seen and filtered, for each of their subjects", () => {
  const bystandersAt = (hook: number) => PT_BOOKS.offsets.bystanders + hook * 8;
  const { ledger, calls } = sumBooks(
    booksOf(
      [[at(PT_CATEGORY.SCHEDULING, "seen"), 4], [at(PT_CATEGORY.SCHEDULING, "filtered"), 1]],
      [[PT_BOOKS.offsets.calls, 2], [bystandersAt(PT_HOOK.SCHED_SWITCH), 10], [bystandersAt(PT_HOOK.SCHED_WAKING), 3]],
      [[bystandersAt(PT_HOOK.SCHED_SWITCH), 100], [bystandersAt(PT_HOOK.TASK_ITERATOR), 1000]],
    ),
    NO_MISSES,
  );
  const passed = 2 * 110 + 3;
  assert.deepEqual([ledger.scheduling.seen, ledger.scheduling.filtered], [4 + passed, 1 + passed]);
  assert.deepEqual([calls[PT_HOOK.SCHED_SWITCH], calls[PT_HOOK.SCHED_WAKING]], [112, 3]);
  assert.deepEqual([ledger.waits.seen, ledger.lifecycle.filtered], [0, 0]);
});

Deno.test("sumBooks() has every category in the kernel's order", () => {
  const numbers = Object.entries(PT_CATEGORY).filter(([name]) => name !== "COUNT").map(([, number]) => number);
  const { ledger } = sumBooks(booksOf(numbers.map((number) => [at(number, "seen"), number + 1])), NO_MISSES);
  assert.deepEqual(CATEGORIES.map((category) => ledger[category].seen), numbers.map((number) => number + 1));
});

Deno.test("sumBooks() names each drop by its reason, and leaves out what is 0", () => {
  const { WAITS, NAMES } = PT_CATEGORY;
  const { ledger } = sumBooks(
    booksOf([
      [droppedAt(WAITS, PT_DROP_REASON.RING_FULL), 1],
      [droppedAt(WAITS, PT_DROP_REASON.MAP_FULL), 2],
      [droppedAt(WAITS, PT_DROP_REASON.KEY_OVERFLOW), 3],
      [droppedAt(NAMES, PT_DROP_REASON.KEY_OVERFLOW), 4],
    ], [[droppedAt(WAITS, PT_DROP_REASON.MAP_FULL), 5]]),
    NO_MISSES,
  );
  assert.deepEqual(ledger.waits.dropped, { ring_full: 1, map_full: 7, key_overflow: 3 });
  assert.deepEqual(ledger.names.dropped, { key_overflow: 4 });
});

Deno.test("sumBooks() counts what a call would have looked at that the kernel left out", () => {
  const { ledger } = sumBooks(booksOf([[at(PT_CATEGORY.SCHEDULING, "seen"), 100]]), {
    recursionMisses: new Map([["sched_switch", 3], ["sched_waking", 1], ["process_exec", 2], ["task_iterator", 9]]),
  });
  assert.deepEqual([ledger.scheduling.seen, ledger.scheduling.dropped], [107, { recursion: 7 }]);
  assert.deepEqual([ledger.lifecycle.seen, ledger.lifecycle.dropped], [2, { recursion: 2 }]);
  assert.deepEqual(ledger.waits.dropped, {});
});

Deno.test("sumBooks() yields the totals of threads that ended without a record, in milliseconds", () => {
  const place = (field: keyof typeof PT_DEPARTED.offsets) => PT_BOOKS.offsets.departed + PT_DEPARTED.offsets[field];
  const { departed } = sumBooks(
    booksOf(
      [[place("threadCount"), 2], [place("lifetimeNs"), 9_000_000], [place("onCpuNs"), 1_000_000]],
      [[place("threadCount"), 1], [place("runnableNs"), 2_000_000], [place("blockedNs"), 5_500_000]],
    ),
    NO_MISSES,
  );
  assert.deepEqual(departed, {
    threadCount: 3,
    lifetimeMs: 9,
    onCpuMs: 1,
    runnableMs: 2,
    throttledMs: 0,
    blockedMs: 5.5,
  });
});

Deno.test("sumBooks() yields nothing counted where there are no books", () => {
  const { ledger, calls, departed } = sumBooks(undefined, NO_MISSES);
  for (const category of CATEGORIES) assert.equal(ledger[category].seen, 0);
  assert.ok(calls.every((count) => count === 0) && departed.threadCount === 0);
});

Deno.test("withUnlearned() counts ports without room as hits of their own that were dropped", () => {
  const { ledger } = sumBooks(undefined, { recursionMisses: new Map() });
  assert.equal(withUnlearned(ledger, 0), ledger);
  const { listeners, connections } = withUnlearned(withUnlearned(ledger, 2), 3);
  assert.deepEqual([listeners.seen, listeners.dropped], [5, { map_full: 5 }]);
  assert.equal(connections, ledger.connections);
});
