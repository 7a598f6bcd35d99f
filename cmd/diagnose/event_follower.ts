/**
 * `--follow`: shows events as they pass to the diagnosis.
 *
 * @module
 */

import type { TraceEvent } from "../../engine/api/events.ts";
import type { Exporter, ExportOptions, ExportOutcome } from "../../engine/api/exporter.ts";
import type { FilterCategory } from "../../engine/api/filter.ts";
import type { Category, Measurements } from "../../engine/api/measurements.ts";
import { categoryOfEvent, timeOfEvent, toEventJson, toEventLine } from "../../engine/mod.ts";
import type { LinePrinter } from "./line_printer.ts";

export type LineFormat = "text" | "json";

export interface EventFollowerOptions {
  readonly printer: LinePrinter;
  readonly format: LineFormat;
  /** What is shown; `undefined`: everything. The absence of work never is an event. */
  readonly categories: ReadonlySet<FilterCategory> | undefined;
}

/** Prints what it passes on; a slow reader delays neither the diagnosis nor the engine. */
export class EventFollower implements Exporter {
  readonly #next: Exporter;
  readonly #options: EventFollowerOptions;

  /** @param next takes everything on; disposed with this one */
  constructor(next: Exporter, options: EventFollowerOptions) {
    this.#next = next;
    this.#options = options;
  }

  get wantsInterim(): boolean {
    return this.#next.wantsInterim === true;
  }

  export(batch: readonly TraceEvent[], options: ExportOptions): Promise<ExportOutcome> {
    const { printer, format, categories } = this.#options;
    const toLine = format === "json" ? toEventJson : toEventLine;
    const shown = batch.filter((event) => isShown(event, categories));
    // Two rings feed one batch: in the order of time they read as one story.
    shown.sort((first, second) => timeOfEvent(first) - timeOfEvent(second));
    printer.print(shown.map((event) => toLine(event, options)));
    return this.#next.export(batch, options);
  }

  exportMeasurements(measurements: Measurements, options: { signal: AbortSignal }): Promise<void> {
    const { printer, format } = this.#options;
    if (measurements.isFinal) printer.print(toLostLines(measurements, format));
    return this.#next.exportMeasurements(measurements, options);
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#next[Symbol.asyncDispose]();
  }
}

function isShown(event: TraceEvent, categories: ReadonlySet<FilterCategory> | undefined): boolean {
  return categories?.has(categoryOfEvent(event)) ?? true;
}

/** Yields the line that stands for `count` lines, in either format. */
export function toOmittedLine(count: number, format: LineFormat): string {
  return format === "json"
    ? JSON.stringify({ type: "omitted", lineCount: count })
    : `(${count} more ${count === 1 ? "line" : "lines"} not shown)`;
}

/** Categories whose records become lines. */
const EVENT_CATEGORIES: readonly Category[] = ["slowWaits", "lifecycle", "socketEvents", "slowFiles"];

/** Yields a line per category and reason for which events were lost before they could be shown. */
export function toLostLines({ books }: Pick<Measurements, "books">, format: LineFormat): readonly string[] {
  return EVENT_CATEGORIES.flatMap((category) =>
    Object.entries(books.ledger[category].dropped).filter(([, count]) => count > 0).map(([reason, eventCount]) =>
      format === "json"
        ? JSON.stringify({ type: "lost", category, reason, eventCount })
        : `(${eventCount} ${eventCount === 1 ? "event" : "events"} lost: ${category}, ${reason})`
    )
  );
}

/** Yields a JSON report as the last line of a stream of JSON lines. */
export function toReportLine(report: string): string {
  return JSON.stringify({ type: "report", report: JSON.parse(report) }) + "\n";
}
