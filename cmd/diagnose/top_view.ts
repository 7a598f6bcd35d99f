/**
 * `--top`: a screen of threads by where their time goes, drawn anew with every
 * second's totals.
 *
 * @module
 */

import type { Exporter } from "../../engine/api/exporter.ts";
import type { Measurements } from "../../engine/api/measurements.ts";
import {
  renderTopScreen,
  TOP_ORDERS,
  topOffsetMax,
  type TopOrder,
  type TopRow,
  type TopTotals,
  toTopRows,
  toTopTotals,
} from "../../engine/mod.ts";
import type { Key, Screen, ScreenListener } from "../screen.ts";
import type { OpenLiveView } from "./live_view.ts";

export interface TopViewOptions {
  readonly label: string;
  /** Takes the terminal over. */
  readonly openScreen: (listener: ScreenListener) => Screen;
}

/** Takes the terminal over until `finish`; `next` gets everything. */
export function openTopView(next: Exporter, options: TopViewOptions): OpenLiveView & { abandon(): void } {
  const end = new AbortController();
  const state = new TopState(options.label);
  const screen: Screen = options.openScreen({
    onKey: (key) => {
      if (key === "q" || key === "Q") end.abort();
      else if (state.press(key, screen.size().rows)) draw();
    },
    onResize: () => draw(),
    onGone: () => end.abort(),
  });
  function draw(): void {
    screen.draw(renderTopScreen(state.frame(screen.size().rows), screen.size()));
  }
  draw();
  return {
    exporter: {
      wantsInterim: true,
      export: (batch, exportOptions) => next.export(batch, exportOptions),
      exportMeasurements: (measurements, exportOptions) => {
        if (!measurements.isFinal) {
          state.update(measurements);
          draw();
        }
        return next.exportMeasurements(measurements, exportOptions);
      },
      [Symbol.asyncDispose]: () => next[Symbol.asyncDispose](),
    },
    endSignal: end.signal,
    finish: async () => await screen[Symbol.asyncDispose](),
    abandon: () => screen.abandon(),
    [Symbol.asyncDispose]: async () => await screen[Symbol.asyncDispose](),
  };
}

/** What keys and totals have made of the screen so far. */
class TopState {
  readonly #label: string;
  #measurements: Measurements | undefined;
  #totals: TopTotals | undefined;
  #rows: readonly TopRow[] = [];
  #order: TopOrder = "busy";
  #offset = 0;

  constructor(label: string) {
    this.#label = label;
  }

  update(measurements: Measurements): void {
    const totals = toTopTotals(measurements);
    this.#rows = toTopRows(totals, this.#totals);
    this.#totals = totals;
    this.#measurements = measurements;
  }

  /** Yields whether the key changed what is shown. */
  press(key: Key, screenRows: number): boolean {
    const order = ORDER_OF_KEY.get(key);
    if (order !== undefined) {
      this.#order = order;
      this.#offset = 0;
      return true;
    }
    const offset = this.#offsetAfter(key, screenRows);
    if (offset === undefined) return false;
    this.#offset = offset;
    return true;
  }

  frame(screenRows: number) {
    this.#offset = Math.min(this.#offset, topOffsetMax(this.#rows.length, { rows: screenRows }));
    return {
      label: this.#label,
      measurements: this.#measurements,
      rows: this.#rows,
      order: this.#order,
      offset: this.#offset,
    };
  }

  #offsetAfter(key: Key, screenRows: number): number | undefined {
    const offsetMax = topOffsetMax(this.#rows.length, { rows: screenRows });
    const steps = new Map<Key, number>([
      ["up", -1],
      ["down", 1],
      ["pageUp", -screenRows],
      ["pageDown", screenRows],
      ["home", -Infinity],
      ["end", Infinity],
    ]);
    const step = steps.get(key);
    return step === undefined ? undefined : Math.min(offsetMax, Math.max(0, this.#offset + step));
  }
}

const ORDER_OF_KEY: ReadonlyMap<Key, TopOrder> = new Map(
  // Object.entries widens the keys; TOP_ORDERS has only orders.
  Object.entries(TOP_ORDERS).map(([order, { key }]) => [key, order as TopOrder]),
);
