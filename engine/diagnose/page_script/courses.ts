/**
 * Charts over time: a moment is read by moving over them or with the arrow
 * keys, a span is chosen by dragging or with Shift.
 *
 * @module
 */

/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

import { CHART_WIDTH, niceCeiling, stackMax, stackPaths, toUnits } from "../html/chart_paths.ts";
import { all, byId, hiddenStates, listenToKeys } from "./elements.ts";
import { setSpan, type Span } from "./tables.ts";

const HEIGHT = 200;

/** As `CourseData` of the page's sections. */
interface Data {
  readonly sliceMs: number;
  readonly beginMs: number;
  readonly beginWallMs: number;
  readonly states: readonly string[];
  readonly slices: readonly (readonly number[])[];
}

/** Makes every chart of the page answer. */
export function startCourses(): void {
  for (const figure of all(document, "figure.course[id]", HTMLElement)) {
    const block = document.getElementById(`${figure.id}-data`);
    const area = figure.querySelector("svg.area");
    if (block === null || !(area instanceof SVGSVGElement)) continue;
    new Course(figure, { area, data: JSON.parse(block.textContent) });
  }
}

class Course {
  readonly #figure: HTMLElement;
  readonly #area: SVGSVGElement;
  readonly #data: Data;
  readonly #keys: readonly HTMLButtonElement[];
  #moment: number | undefined;
  #anchor: number | undefined; // where a span begins, or ends
  #isDragging = false;

  constructor(figure: HTMLElement, given: { area: SVGSVGElement; data: Data }) {
    this.#figure = figure;
    this.#area = given.area;
    this.#data = given.data;
    this.#keys = all(figure, "button.toggle", HTMLButtonElement);
    listenToKeys(this.#keys, () => this.#draw());
    const area = this.#area;
    area.addEventListener("pointerdown", (event) => {
      this.#isDragging = true;
      area.setPointerCapture(event.pointerId);
      this.#anchor = this.#indexAt(event);
      this.#setMoment(this.#anchor);
    });
    area.addEventListener("pointermove", (event) => this.#setMoment(this.#indexAt(event)));
    area.addEventListener("pointerup", (event) => {
      this.#isDragging = false;
      if (this.#anchor === this.#indexAt(event)) this.#anchor = undefined;
      this.#showSpan();
    });
    area.addEventListener("keydown", (event) => this.#onKey(event));
  }

  #indexAt(event: PointerEvent): number {
    const box = this.#area.getBoundingClientRect();
    const part = box.width > 0 ? (event.clientX - box.left) / box.width : 0;
    return this.#clamp(Math.floor(part * this.#data.slices.length));
  }

  #clamp(index: number): number {
    return Math.min(this.#data.slices.length - 1, Math.max(0, index));
  }

  #onKey(event: KeyboardEvent): void {
    const last = this.#data.slices.length - 1;
    const moment = this.#moment ?? -1;
    const page = Math.max(1, Math.round(last / 10));
    const to: Readonly<Record<string, number>> = {
      ArrowLeft: moment - 1,
      ArrowDown: moment - 1,
      ArrowRight: moment + 1,
      ArrowUp: moment + 1,
      PageDown: moment - page,
      PageUp: moment + page,
      Home: 0,
      End: last,
    };
    const next = to[event.key];
    if (event.key === "Escape") {
      this.#anchor = undefined;
      this.#showSpan();
    }
    if (next === undefined) return;
    event.preventDefault();
    if (!event.shiftKey) this.#anchor = undefined;
    else this.#anchor ??= this.#clamp(moment);
    this.#setMoment(this.#clamp(next));
    this.#showSpan();
  }

  #setMoment(index: number): void {
    this.#moment = index;
    const x = toUnits((index + 0.5) / this.#data.slices.length * CHART_WIDTH);
    this.#area.querySelector("path.cursor")?.setAttribute("d", `M${x} 0V${HEIGHT}`);
    this.#area.setAttribute("aria-valuenow", String(index));
    if (this.#isDragging) this.#showSpan();
    this.#read();
  }

  /** First and last slice of the chosen span. */
  #span(): readonly [first: number, last: number] | undefined {
    if (this.#anchor === undefined || this.#moment === undefined) return undefined;
    return [Math.min(this.#anchor, this.#moment), Math.max(this.#anchor, this.#moment)];
  }

  #showSpan(): void {
    const span = this.#span();
    const rect = this.#area.querySelector("rect.span");
    const width = CHART_WIDTH / this.#data.slices.length;
    rect?.setAttribute("x", toUnits((span?.[0] ?? 0) * width));
    rect?.setAttribute("width", span === undefined ? "0" : toUnits((span[1] - span[0] + 1) * width));
    const table = byId("events-table", HTMLTableElement);
    if (table !== undefined && !this.#isDragging) setSpan(table, this.#toMs(span));
    this.#read();
  }

  #toMs(span: readonly [first: number, last: number] | undefined): Span {
    if (span === undefined) return undefined;
    const { beginMs, sliceMs } = this.#data;
    return { beginMs: beginMs + span[0] * sliceMs, endMs: beginMs + (span[1] + 1) * sliceMs };
  }

  /** Says in words what is drawn at the moment, or on average over the span. */
  #read(): void {
    const { slices, states, sliceMs, beginMs, beginWallMs } = this.#data;
    const [first, last] = this.#span() ?? [this.#moment ?? 0, this.#moment ?? 0];
    const timeAt = (index: number) =>
      new Date(Math.max(beginWallMs, beginWallMs + beginMs + index * sliceMs)).toISOString().slice(11, 21);
    const hidden = hiddenStates(this.#keys);
    const values = states.map((state, column) => {
      const sum = slices.slice(first, last + 1).reduce((total, slice) => total + (slice[column] ?? 0), 0);
      return { state, threads: sum / (last - first + 1) };
    }).filter(({ state, threads }) => threads >= 0.0005 && !hidden.has(state))
      .sort((a, b) => b.threads - a.threads);
    const labelOf = (state: string) =>
      this.#keys.find((key) => key.dataset["state"] === state)?.textContent.trim() ?? state;
    const said = values.length === 0
      ? "nothing"
      : values.map(({ state, threads }) => `${labelOf(state)} ${threads.toFixed(2)}`).join(", ");
    const text = `${timeAt(first)} to ${timeAt(last + 1)}: ${said}`;
    const output = this.#figure.querySelector("output.readout");
    if (output !== null) {
      output.textContent = text;
      output.setAttribute("data-read", "");
    }
    this.#area.setAttribute("aria-valuetext", text);
  }

  #draw(): void {
    const { slices, states } = this.#data;
    const hidden = hiddenStates(this.#keys);
    const columns = states.flatMap((state, index) => hidden.has(state) ? [] : [index]);
    const max = niceCeiling(stackMax({ slices, columns }));
    const paths = stackPaths({ slices, columns, max, height: HEIGHT });
    for (const path of all(this.#area, "path[data-state]", SVGPathElement)) {
      const column = states.indexOf(path.dataset["state"] ?? "");
      path.setAttribute("d", paths[columns.indexOf(column)] ?? "");
    }
    const top = this.#figure.querySelector(".y.top");
    const half = this.#figure.querySelector(".y.half");
    if (top !== null) top.textContent = `${max} thread${max === 1 ? "" : "s"}`;
    if (half !== null) half.textContent = String(max / 2);
    if (this.#moment !== undefined) this.#read();
  }
}
