/**
 * Where events and measurements go.
 *
 * @module
 */

import type { ExporterSpec } from "./bundle.ts";
import type { TraceEvent } from "./events.ts";
import type { Measurements } from "./measurements.ts";

/** What became of one batch; both add up to its length. */
export interface ExportOutcome {
  /** Events the destination took. */
  readonly exportedCount: number;
  /** Events it did not. */
  readonly droppedCount: number;
}

/** What comes with every batch. */
export interface ExportOptions {
  /** Aborts when the batch is given up. */
  readonly signal: AbortSignal;
  /** Added to the monotonic times of events it yields unix time; measured anew every second. */
  readonly wallOffsetMs: number;
}

/** Network exporters, the file recorder and the diagnosis accumulator. */
export interface Exporter extends AsyncDisposable {
  /**
   * Sends `batch` in full, or says how much of it was lost.
   *
   * @param batch 1 to `BATCH_EVENTS_MAX` events, oldest first; do not keep it
   * @throws {DOMException} `AbortError` when `options.signal` aborts
   */
  export(batch: readonly TraceEvent[], options: ExportOptions): Promise<ExportOutcome>;

  /**
   * Whether it wants totals every `INTERIM_INTERVAL_MS` while the run goes on,
   * and not only the final ones; asked each time, and never paid for otherwise.
   */
  readonly wantsInterim?: boolean;
  /** Takes cumulative totals; the last call before disposal has `isFinal`. */
  exportMeasurements(measurements: Measurements, options: { signal: AbortSignal }): Promise<void>;
}

/** One factory per type of spec; it throws when a destination cannot start. */
export type ExporterFactories = {
  readonly [Type in ExporterSpec["type"]]: (spec: Extract<ExporterSpec, { type: Type }>) => Exporter;
};
