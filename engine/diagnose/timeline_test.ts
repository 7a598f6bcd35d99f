import { assert } from "../../tests/support/assert.ts";
import { checkProperty, property } from "../../tests/support/property.ts";
import { TIMELINE_SLICES_MAX } from "../api/limits.ts";
import { WAIT_CLASS_ORDER } from "./facts.ts";
import { type Timeline, TimelineBuilder } from "./timeline.ts";

const NETWORK = WAIT_CLASS_ORDER.indexOf("network");

function sumOf(timeline: Timeline): number {
  return timeline.slices.reduce((sum, slice) => sum + slice.reduce((part, ms) => part + ms, 0), 0);
}

Deno.test("TimelineBuilder spreads a wait over the slices in which it took place", () => {
  const builder = new TimelineBuilder();
  builder.add({ endMs: 1160, durationMs: 80, waitClass: "network" });
  const { sliceMs, beginMs, slices } = builder.timeline({ beginMs: 1000, endMs: 1200 });
  assert.deepEqual({ sliceMs, beginMs }, { sliceMs: 50, beginMs: 1000 });
  assert.deepEqual(slices.map((slice) => slice[NETWORK]), [0, 20, 50, 10]);
});

Deno.test("TimelineBuilder makes slices longer rather than more, and loses no time by it", () => {
  const waits = property.array(
    property.record({
      endMs: property.integer({ min: 1_000_000, max: 90_000_000 }),
      durationMs: property.integer({ min: 1, max: 1_000_000 }),
    }),
    { minLength: 1, maxLength: 50 },
  );
  checkProperty(waits, (all) => {
    const builder = new TimelineBuilder();
    for (const wait of all) builder.add({ ...wait, waitClass: "lock" });
    const timeline = builder.timeline({ beginMs: 0, endMs: 90_000_000 });
    assert.ok(timeline.slices.length <= TIMELINE_SLICES_MAX);
    const expectedMs = all.reduce((sum, wait) => sum + wait.durationMs, 0);
    assert.ok(Math.abs(sumOf(timeline) - expectedMs) < 1e-3, `${sumOf(timeline)} instead of ${expectedMs}`);
  });
});

Deno.test("TimelineBuilder leaves out what was before the window, and is empty without waits", () => {
  const builder = new TimelineBuilder();
  builder.add({ endMs: 1010, durationMs: 500, waitClass: "network" });
  assert.equal(sumOf(builder.timeline({ beginMs: 1000, endMs: 1100 })), 10);
  const empty = new TimelineBuilder().timeline({ beginMs: 0, endMs: 86_400_000 });
  assert.ok(empty.slices.length <= TIMELINE_SLICES_MAX && empty.slices.length > TIMELINE_SLICES_MAX / 2 - 1);
  assert.equal(sumOf(empty), 0);
});
