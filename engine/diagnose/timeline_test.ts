import { assert } from "../../tests/support/assert.ts";
import { checkProperty, property } from "../../tests/support/property.ts";
import { TIMELINE_SLICES_MAX } from "../api/limits.ts";
import { BEGIN_MS, buildMeasurements, PEER } from "./test_measurements.ts";
import { STATE_NAMES, type StateName, type Timeline, TimelineBuilder, TotalsTimeline } from "./timeline.ts";

function seriesOf(timeline: Timeline, state: StateName): readonly number[] {
  return timeline.slices.map((slice) => slice[STATE_NAMES.indexOf(state)] ?? 0);
}

function sumOf(timeline: Timeline): number {
  return timeline.slices.reduce((sum, slice) => sum + slice.reduce((part, ms) => part + ms, 0), 0);
}

Deno.test("TimelineBuilder spreads a wait over the slices in which it took place", () => {
  const builder = new TimelineBuilder();
  builder.addWait({ endMs: 1160, durationMs: 80, waitClass: "network" });
  const timeline = builder.timeline({ beginMs: 1000, endMs: 1200 });
  assert.deepEqual([timeline.sliceMs, timeline.beginMs], [50, 1000]);
  assert.deepEqual(seriesOf(timeline, "network"), [0, 20, 50, 10]);
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
    for (const wait of all) builder.addWait({ ...wait, waitClass: "lock" });
    const timeline = builder.timeline({ beginMs: 0, endMs: 90_000_000 });
    assert.ok(timeline.slices.length <= TIMELINE_SLICES_MAX);
    const expectedMs = all.reduce((sum, wait) => sum + wait.durationMs, 0);
    assert.ok(Math.abs(sumOf(timeline) - expectedMs) < 1e-3, `${sumOf(timeline)} instead of ${expectedMs}`);
  });
});

Deno.test("TimelineBuilder leaves out what was before the window, and is empty without waits", () => {
  const builder = new TimelineBuilder();
  builder.addWait({ endMs: 1010, durationMs: 500, waitClass: "network" });
  assert.equal(sumOf(builder.timeline({ beginMs: 1000, endMs: 1100 })), 10);
  const empty = new TimelineBuilder().timeline({ beginMs: 0, endMs: 86_400_000 });
  assert.ok(empty.slices.length <= TIMELINE_SLICES_MAX && empty.slices.length > TIMELINE_SLICES_MAX / 2 - 1);
  assert.equal(sumOf(empty), 0);
});

Deno.test("TotalsTimeline lays what each interval added where it was added", () => {
  const timeline = new TotalsTimeline();
  const until = (windowMs: number, onCpuMs: number, eachMs: number) =>
    buildMeasurements({
      windowMs,
      processes: [{
        processId: 100,
        command: "shop",
        threads: [{ threadId: 100, onCpuMs, waits: [{ waitClass: "network", object: PEER, eachMs }] }],
      }],
    });
  timeline.add(until(1000, 100, 500));
  assert.equal(timeline.timeline({ beginMs: BEGIN_MS, endMs: BEGIN_MS + 1000 }), undefined);
  timeline.add(until(3000, 1100, 500));
  timeline.add(until(3000, 1100, 500)); // the same again adds nothing
  const course = timeline.timeline({ beginMs: BEGIN_MS, endMs: BEGIN_MS + 3000 });
  assert.ok(course !== undefined);
  assert.deepEqual(seriesOf(course, "onCpu"), [100, 500, 500]);
  assert.deepEqual(seriesOf(course, "network"), [500, 0, 0]);
  assert.deepEqual(seriesOf(course, "parked"), [400, 500, 500]);
  assert.deepEqual(seriesOf(course, "unattributed"), [0, 0, 0]);
});
