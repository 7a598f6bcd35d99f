import { assert } from "../../tests/support/assert.ts";
import { countByStretch, EVENT_SLICE_MS_MIN, EVENT_SLICES_MAX, EventTimes } from "./event_times.ts";

Deno.test("EventTimes keeps every event and a bounded number of slices, however long the run", () => {
  const times = new EventTimes();
  const count = 3 * EVENT_SLICES_MAX + 1;
  for (let index = 0; index < count; index++) times.add(index * EVENT_SLICE_MS_MIN);
  const { sliceMs, counts } = times.summary();
  assert.equal(sliceMs, 4 * EVENT_SLICE_MS_MIN);
  assert.ok(counts.size <= EVENT_SLICES_MAX);
  assert.equal(Array.from(counts.values()).reduce((sum, events) => sum + events, 0), count);
});

Deno.test("countByStretch() puts every event into the stretch it happened in", () => {
  const times = new EventTimes();
  for (const atMs of [1000, 1001, 2999, 3000, 5900]) times.add(atMs);
  const counts = countByStretch(times.summary(), { beginMs: 1000, endMs: 6000, stretchCount: 5 });
  assert.deepEqual(counts, [2, 1, 1, 0, 1]);
});

Deno.test("countByStretch() leaves no event out that came a little early or late", () => {
  const times = new EventTimes();
  for (const atMs of [0, 9999]) times.add(atMs);
  assert.deepEqual(countByStretch(times.summary(), { beginMs: 1000, endMs: 6000, stretchCount: 2 }), [1, 1]);
  assert.deepEqual(countByStretch(times.summary(), { beginMs: 1000, endMs: 1000, stretchCount: 2 }), [0, 0]);
});
