/**
 * The exporter behind `diagnose`: keeps a bounded digest of the events and the
 * final measurements, and makes the report of them.
 *
 * @module
 */

import type { TraceEvent } from "../api/events.ts";
import type { Exporter, ExportOutcome } from "../api/exporter.ts";
import type { Measurements } from "../api/measurements.ts";
import { EventDigest } from "./event_digest.ts";
import { noMeasurements } from "./no_measurements.ts";
import { EventLog } from "./event_log.ts";
import { type Report, type ReportListing, type ReportOptions, type RunEnd, toReport } from "./report.ts";
import { TimelineBuilder, TotalsTimeline } from "./timeline.ts";

/** What is kept for the report. */
export interface AccumulatorOptions extends ReportOptions {
  /** Whether single events are kept, for the reports that list them; default false. */
  readonly hasListing?: boolean;
  /** Whether the course over time is kept too, for which totals on the way are asked; default false. */
  readonly hasCourse?: boolean;
}

interface Listed {
  readonly log: EventLog;
  readonly slowWaits: TimelineBuilder;
  readonly states: TotalsTimeline | undefined;
}

/** Keeps what a run delivers, in bounded memory, until the report is asked for. */
export class DiagnosisAccumulator implements Exporter {
  readonly #options: ReportOptions;
  readonly #digest = new EventDigest();
  readonly #listed: Listed | undefined;
  #measurements: Measurements | undefined;

  /** Begins empty. */
  constructor(options: AccumulatorOptions) {
    this.#options = options;
    this.#listed = options.hasListing
      ? {
        log: new EventLog(),
        slowWaits: new TimelineBuilder(),
        states: options.hasCourse ? new TotalsTimeline() : undefined,
      }
      : undefined;
  }

  /** The course over time is made of totals on the way. */
  get wantsInterim(): boolean {
    return this.#listed?.states !== undefined;
  }

  /** Takes the batch at once: there is nothing an abort could interrupt, and refusing would lose data. */
  export(batch: readonly TraceEvent[]): Promise<ExportOutcome> {
    for (const event of batch) {
      this.#digest.add(event);
      this.#listed?.log.add(event);
      if (event.kind === "wait") this.#listed?.slowWaits.addWait(event);
    }
    return Promise.resolve({ exportedCount: batch.length, droppedCount: 0 });
  }

  /** Totals are cumulative, so the newest replace the older; nothing replaces the final ones. */
  exportMeasurements(measurements: Measurements): Promise<void> {
    if (this.#measurements?.isFinal) return Promise.resolve();
    this.#measurements = measurements;
    this.#listed?.states?.add(measurements);
    return Promise.resolve();
  }

  /**
   * Yields the report on what has arrived so far; it stays available after
   * disposal. `undefined`: no measurements came, so there was no run.
   */
  report(runEnd: RunEnd = { endReason: "duration" }): Report | undefined {
    if (this.#measurements === undefined) return undefined;
    const listing = this.#listing(this.#measurements);
    return toReport(
      { measurements: this.#measurements, digest: this.#digest.summary(), runEnd, ...(listing && { listing }) },
      this.#options,
    );
  }

  /** Yields the report on a run that handed over no measurements, at `atWallMs`: of no time, blind for everything. */
  reportOnNothing(given: { readonly reason: string; readonly atWallMs: number; readonly runEnd: RunEnd }): Report {
    const { reason, atWallMs, runEnd } = given;
    const measurements = noMeasurements(reason, atWallMs);
    return toReport({ measurements, digest: this.#digest.summary(), runEnd, emptyReason: reason }, this.#options);
  }

  #listing({ window }: Measurements): ReportListing | undefined {
    if (this.#listed === undefined) return undefined;
    const { log, slowWaits, states } = this.#listed;
    return { ...log.list(), slowWaits: slowWaits.timeline(window), states: states?.timeline(window) };
  }

  /** Holds no resource: memory goes with the object. */
  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}
