/**
 * What becomes of a flood whose reader stands still for a second: every record
 * read or counted as lost, and the loss shown with its time.
 *
 * @module
 */

import type { Exporter, ExportOutcome } from "../../../engine/api/exporter.ts";
import { DRAIN_INTERVAL_MS } from "../../../engine/api/limits.ts";
import type { LossSpan, Measurements } from "../../../engine/api/measurements.ts";
import { CLOCK } from "../../../engine/ffi/libc.ts";
import { BURST_COUNTS, runBurst } from "./burst_producer.ts";
import { type Figure, formatValue, type Verdict } from "./figure.ts";
import { RingBackend } from "./ring_backend.ts";
import { BENCH_TARGET_COUNT, openBenchEngine, WaitRing } from "./wait_ring.ts";

const PER_SECOND = 1_000_000;
const BURST_MS = 5000;
const STALL_AFTER_MS = 2000;
const STALL_MS = 1000;

/** Keeps the totals, counts the events. */
class TotalsExporter implements Exporter {
  eventCount = 0;
  measurements: Measurements | undefined;

  export(batch: readonly unknown[]): Promise<ExportOutcome> {
    this.eventCount += batch.length;
    return Promise.resolve({ exportedCount: batch.length, droppedCount: 0 });
  }

  exportMeasurements(measurements: Measurements): Promise<void> {
    this.measurements = measurements;
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

/** Measures once: the flood takes five seconds. */
export async function measureBurst(): Promise<readonly Figure[]> {
  using waits = await WaitRing.open();
  const counts = new Int32Array(new SharedArrayBuffer(8));
  const reader = new StallingReader(() => waits.libc.clockMs(CLOCK.MONOTONIC));
  const backend = new RingBackend({
    libc: waits.libc,
    ring: waits.ring,
    onWait: () => reader.rest(),
    kernelCounts: () => ({
      submittedCount: Atomics.load(counts, BURST_COUNTS.taken),
      seenCount: Atomics.load(counts, BURST_COUNTS.asked),
    }),
  });
  const exporter = new TotalsExporter();
  const enough = new AbortController();
  {
    await using engine = openBenchEngine(backend, { kinds: "all", exporter });

    const run = engine.run({ signal: enough.signal });
    const request = { slotCount: BENCH_TARGET_COUNT, perSecond: PER_SECOND, durationMs: BURST_MS, counts };
    await runBurst({ fd: waits.produce.fd, ...request });
    enough.abort();
    await run;
  }
  if (exporter.measurements === undefined) throw new Error("Cannot measure the burst: found no totals, wanted some");
  const { eventCount, measurements } = exporter;
  return [toBurstFigure(measurements, { eventCount, stall: reader.stall })];
}

/** Rests between drains as the product does, and once for a second, in which nothing else runs either. */
class StallingReader {
  readonly #beganMs = performance.now();
  readonly #clockMs: () => number;
  stall: LossSpan = { beginMs: NaN, endMs: NaN };

  constructor(clockMs: () => number) {
    this.#clockMs = clockMs;
  }

  async rest(): Promise<void> {
    if (Number.isNaN(this.stall.beginMs) && performance.now() - this.#beganMs >= STALL_AFTER_MS) {
      const beginMs = this.#clockMs();
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STALL_MS);
      this.stall = { beginMs, endMs: this.#clockMs() };
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, DRAIN_INTERVAL_MS));
  }
}

/** Yields the figure: the residual, and whether the time told for the loss holds the stall. */
export function toBurstFigure(
  measurements: Pick<Measurements, "books">,
  { eventCount, stall }: { eventCount: number; stall: LossSpan },
): Figure {
  const { ledger, completeness } = measurements.books;
  const { seen, delivered, dropped, residual } = ledger.slowWaits;
  const lostCount = Object.values(dropped).reduce((total, count) => total + count, 0);
  const verdict = completeness.slowWaits;
  const span = verdict.verdict === "partial" ? verdict.span : undefined;
  const spanMs = span === undefined ? NaN : span.endMs - span.beginMs;
  const isTold = span !== undefined && span.beginMs <= stall.beginMs && span.endMs >= stall.endMs;
  const isBalanced = residual === 0 && delivered === eventCount && seen === delivered + lostCount && lostCount > 0;
  const judged: Verdict = isBalanced && isTold ? "PASS" : "FAIL";
  return {
    name: "burst",
    value: residual,
    unit: "records unaccounted for",
    target: "0, the loss shown with its time span",
    verdict: judged,
    spread: `${seen} seen, ${delivered} delivered, ${lostCount} lost ` +
      `(${Object.entries(dropped).map(([reason, count]) => `${count} ${reason}`).join(", ")}) ` +
      `within ${formatValue(spanMs / 1000)} s`,
    how: `${PER_SECOND / 1e6} million 88-byte records a second for ${BURST_MS / 1000} s from another thread into the ` +
      `real ring; the reading thread stands still for ${STALL_MS / 1000} s after ${STALL_AFTER_MS / 1000} s`,
  };
}
