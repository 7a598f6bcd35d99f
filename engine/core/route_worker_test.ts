import { assert } from "../../tests/support/assert.ts";
import { BATCH_AGE_MS_MAX, BATCH_EVENTS_MAX, EXPORT_TIMEOUT_MS, ROUTE_QUEUE_EVENTS_MAX } from "../api/limits.ts";
import type { TraceEvent } from "../api/events.ts";
import type { RouteStats } from "../api/stats.ts";
import { toTargetId } from "../api/units.ts";
import { toForkEvent } from "./event_mapper.ts";
import { emptyRouteCounts, RouteWorker, toRouteStats } from "./route_worker.ts";
import { aFork } from "./test_backend.ts";
import { settle, TEST_WALL_OFFSET_MS, TestExporter, TestTime } from "./test_host.ts";
import type { Measurements } from "../api/measurements.ts";

const EVENT: TraceEvent = toForkEvent(aFork(), toTargetId("a"));

class Bench {
  readonly time = new TestTime();
  readonly turn = { nowMs: this.time.monotonicMs(), wallOffsetMs: TEST_WALL_OFFSET_MS };
  readonly exporter = new TestExporter();
  readonly counts = emptyRouteCounts();
  readonly reports: string[] = [];
  readonly worker = new RouteWorker({
    lease: { exporter: this.exporter, release: () => this.exporter[Symbol.asyncDispose]() },
    counts: this.counts,
    turn: this.turn,
    timer: this.time,
    report: (cause) => this.reports.push(cause.message),
  });

  accept(eventCount: number): void {
    for (let index = 0; index < eventCount; index++) this.worker.accept(EVENT);
  }

  async tick(afterMs = 0): Promise<void> {
    this.time.advance(afterMs);
    this.turn.nowMs = this.time.monotonicMs();
    this.worker.tick();
    await settle();
  }

  /** Closes while time passes as it must. */
  async close(): Promise<void> {
    let isClosed = false;
    const closed = this.worker.close().then(() => isClosed = true);
    for (let round = 0; round < 8 && !isClosed; round++) {
      await settle();
      if (!isClosed) this.time.advance(EXPORT_TIMEOUT_MS);
    }
    await closed;
  }

  stats(): RouteStats {
    const stats = toRouteStats(this.counts, [this.worker]);
    const { queue_full, export_failed, shutdown } = stats.droppedCount;
    const droppedCount = queue_full + export_failed + shutdown;
    assert.equal(stats.matchedCount, stats.exportedCount + stats.waitingCount + droppedCount, "the books balance");
    return stats;
  }
}

Deno.test("tick() sends a batch when it is full, and leaves the rest to wait for its age", async () => {
  const bench = new Bench();
  bench.accept(BATCH_EVENTS_MAX + 1);

  await bench.tick();
  assert.deepEqual(bench.exporter.batchSizes, [BATCH_EVENTS_MAX]);
  await bench.tick(BATCH_AGE_MS_MAX - 1);
  assert.equal(bench.exporter.batchSizes.length, 1);
  await bench.tick(1);

  assert.deepEqual(bench.exporter.batchSizes, [BATCH_EVENTS_MAX, 1]);
  assert.equal(bench.stats().exportedCount, BATCH_EVENTS_MAX + 1);
  await bench.close();
});

Deno.test("accept() drops and counts what a full queue cannot take", async () => {
  const bench = new Bench();
  bench.accept(ROUTE_QUEUE_EVENTS_MAX);
  assert.equal(bench.stats().droppedCount.queue_full, 0);

  bench.accept(3);

  assert.equal(bench.stats().droppedCount.queue_full, 3);
  assert.equal(bench.stats().waitingCount, ROUTE_QUEUE_EVENTS_MAX);
  await bench.close();
  assert.equal(bench.stats().exportedCount, ROUTE_QUEUE_EVENTS_MAX);
});

Deno.test("tick() counts what an exporter does not take, and reports a failing one once", async () => {
  const bench = new Bench();
  bench.exporter.mood = "half";
  bench.accept(BATCH_EVENTS_MAX);
  await bench.tick();
  assert.deepEqual([bench.stats().exportedCount, bench.stats().droppedCount.export_failed], [256, 256]);

  bench.exporter.mood = "failing";
  bench.accept(2 * BATCH_EVENTS_MAX);
  await bench.tick();

  assert.equal(bench.stats().droppedCount.export_failed, 256 + 2 * BATCH_EVENTS_MAX);
  assert.deepEqual(bench.reports, ["Cannot export events: Cannot send: the other side is gone"]);
  bench.exporter.mood = "prompt";
  await bench.close();
});

Deno.test("tick() gives a hanging export up at the time-out, counts its batch and goes on", async () => {
  const bench = new Bench();
  bench.exporter.mood = "hanging";
  bench.accept(BATCH_EVENTS_MAX);
  await bench.tick();
  await bench.tick(EXPORT_TIMEOUT_MS - 1);
  assert.equal(bench.stats().waitingCount, BATCH_EVENTS_MAX);

  await bench.tick(1);
  assert.equal(bench.stats().droppedCount.export_failed, BATCH_EVENTS_MAX);
  bench.exporter.mood = "prompt";
  bench.accept(BATCH_EVENTS_MAX);
  await bench.tick();

  assert.equal(bench.stats().exportedCount, BATCH_EVENTS_MAX);
  await bench.close();
});

Deno.test("tick() sends nothing on top of an export that never ends", async () => {
  const bench = new Bench();
  bench.exporter.mood = "deaf";
  bench.accept(BATCH_EVENTS_MAX);
  await bench.tick();
  await bench.tick(EXPORT_TIMEOUT_MS);
  bench.accept(BATCH_EVENTS_MAX);
  await bench.tick(BATCH_AGE_MS_MAX);

  assert.equal(bench.exporter.batchSizes.length, 1);
  assert.equal(bench.stats().waitingCount, BATCH_EVENTS_MAX);
  await bench.close();
  assert.equal(bench.stats().droppedCount.shutdown, BATCH_EVENTS_MAX);
  assert.equal(bench.exporter.disposeCount, 1);
});

Deno.test("close() sends what waits, then measurements, then closes the exporter", async () => {
  const bench = new Bench();
  bench.accept(BATCH_EVENTS_MAX + 7);

  await bench.close();

  assert.deepEqual(bench.exporter.batchSizes, [BATCH_EVENTS_MAX, 7]);
  assert.equal(bench.stats().exportedCount, BATCH_EVENTS_MAX + 7);
  assert.equal(bench.exporter.disposeCount, 1);
  assert.equal(bench.time.sleeperCount, 0, "no timer is left");
});

Deno.test("close() drops as shutdown what an exporter keeps hanging on, in bounded time", async () => {
  const bench = new Bench();
  bench.exporter.mood = "deaf";
  bench.accept(3 * BATCH_EVENTS_MAX);
  await bench.tick();

  await bench.close();
  bench.accept(1);

  assert.equal(bench.stats().waitingCount, 0);
  const { export_failed, shutdown } = bench.stats().droppedCount;
  assert.equal(export_failed + shutdown, 3 * BATCH_EVENTS_MAX + 1);
  assert.ok(shutdown >= 2 * BATCH_EVENTS_MAX + 1);
  assert.equal(bench.time.sleeperCount, 0);
});

/** Only passed on here, never looked into. */
const INTERIM = { isFinal: false } as Measurements;

Deno.test("wantsInterim asks the exporter, unless totals wait already or the exporter is stuck or closed", async () => {
  const bench = new Bench();
  assert.equal(bench.worker.wantsInterim, false);
  bench.exporter.wantsInterim = true;
  assert.equal(bench.worker.wantsInterim, true);
  bench.worker.offerInterim(INTERIM);
  assert.equal(bench.worker.wantsInterim, false);
  await bench.tick();
  assert.deepEqual([bench.exporter.measurements.length, bench.worker.wantsInterim], [1, true]);

  bench.exporter.mood = "deaf";
  bench.worker.offerInterim(INTERIM);
  await bench.tick();
  await bench.tick(EXPORT_TIMEOUT_MS);
  assert.equal(bench.worker.wantsInterim, false);
  bench.worker.offerInterim(INTERIM);
  await bench.close();
  assert.deepEqual([bench.exporter.measurements.length, bench.worker.wantsInterim], [1, false]);
  assert.deepEqual(bench.reports.length, 1);
});

Deno.test("tick() hands over totals and events one after the other, never at once", async () => {
  const bench = new Bench();
  bench.exporter.mood = "hanging";
  bench.accept(BATCH_EVENTS_MAX);
  await bench.tick();
  bench.worker.offerInterim(INTERIM);
  await bench.tick();
  assert.deepEqual(bench.exporter.measurements, [], "the exporter is at a batch");
  bench.exporter.mood = "prompt";
  await bench.tick(EXPORT_TIMEOUT_MS);
  await bench.tick();
  assert.equal(bench.exporter.measurements.length, 1);
  await bench.close();
});
