/**
 * What is shown while a window is open, as one value that sits in front of the
 * diagnosis: nothing, a line per event, or a screen.
 *
 * @module
 */

import type { Exporter } from "../../engine/api/exporter.ts";
import type { ProcessContext } from "../process_context.ts";
import { EventFollower, type LineFormat, toOmittedLine } from "./event_follower.ts";
import { LinePrinter } from "./line_printer.ts";
import type { OutputFormat } from "../options.ts";
import type { WindowView } from "./recorded_facts.ts";
import type { Selection } from "./selection.ts";

export interface OpenLiveView extends AsyncDisposable {
  /** Takes what the engine yields and hands it on. */
  readonly exporter: Exporter;
  /** Aborts when whoever looks wants no more, or has gone. */
  readonly endSignal: AbortSignal;
  /**
   * Resolves when everything is shown and the terminal is as it was; before the report.
   *
   * @throws {OutputGoneError} When the reader is gone
   * @throws {RunError} When something could not be written
   */
  finish(): Promise<void>;
}

/** Opens what `view` asks for, in front of `next`. */
export function openLiveView(
  next: Exporter,
  options: {
    readonly context: Pick<ProcessContext, "stdout" | "elapsedMs">;
    readonly view: Pick<WindowView, "live" | "selection">;
    readonly output: OutputFormat;
  },
): OpenLiveView {
  const { context, view, output } = options;
  if (view.live === "none") return openNoView(next);
  return openFollowView(next, { context, format: output === "json" ? "json" : "text", selection: view.selection });
}

/** Shows nothing. */
export function openNoView(next: Exporter): OpenLiveView {
  return {
    exporter: next,
    endSignal: new AbortController().signal,
    finish: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** A line per event on stdout. */
export function openFollowView(
  next: Exporter,
  options: {
    readonly context: Pick<ProcessContext, "stdout" | "elapsedMs">;
    readonly format: LineFormat;
    readonly selection: Pick<Selection, "categories">;
  },
): OpenLiveView {
  const { context, format, selection } = options;
  const end = new AbortController();
  const printer = new LinePrinter({
    output: context.stdout,
    elapsedMs: () => context.elapsedMs(),
    describeOmitted: (count) => toOmittedLine(count, format),
    onGone: () => end.abort(),
  });
  return {
    exporter: new EventFollower(next, { printer, format, categories: selection.categories }),
    endSignal: end.signal,
    finish: () => printer.finish(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
