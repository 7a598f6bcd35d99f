/**
 * Where the threads' time went over time: amounts laid into slices of equal
 * length, in bounded memory however long the run is.
 *
 * @module
 */

import type { WaitEvent } from "../api/events.ts";
import { INTERIM_INTERVAL_MS, TIMELINE_SLICE_MS_MIN, TIMELINE_SLICES_MAX } from "../api/limits.ts";
import { type Measurements, WAIT_CLASSES, type WaitClass } from "../api/measurements.ts";

const CLASS_NAMES = Object.keys(WAIT_CLASSES) as readonly WaitClass[];

/** States of a thread, in the order in which pictures stack them; a wait class is a state of its own. */
export const STATE_NAMES = ["onCpu", "runnable", "throttled", ...CLASS_NAMES, "unattributed"] as const;

/** One of them. */
export type StateName = (typeof STATE_NAMES)[number];

/** The run in slices, from the window's begin. */
export interface Timeline {
  /** Length of a slice. */
  readonly sliceMs: number;
  /** Monotonic time of the first slice's begin; at or shortly before the window's. */
  readonly beginMs: number;
  /** Time per slice, in `STATE_NAMES`; threads add up, so it may exceed the slice. */
  readonly slices: readonly (readonly number[])[];
}

const STATE_INDEX = new Map<StateName, number>(STATE_NAMES.map((name, index) => [name, index]));

/** Time spent in one state, evenly from begin to end. */
export interface StateSpan {
  readonly state: StateName;
  readonly beginMs: number; // monotonic
  readonly endMs: number;
  readonly amountMs: number;
}

/** Takes spans and keeps what they come to per slice. */
export class TimelineBuilder {
  readonly #originMs: number;
  #sliceMs: number;
  #slices = new Map<number, Float64Array>(); // by time since the origin / sliceMs, rounded down
  #firstIndex = Infinity;
  #lastIndex = -Infinity;

  /**
   * Begins with slices of this length, the first at the origin; they get longer
   * rather than more.
   */
  constructor(options: { readonly sliceMsMin?: number; readonly originMs?: number } = {}) {
    this.#originMs = options.originMs ?? 0;
    this.#sliceMs = options.sliceMsMin ?? TIMELINE_SLICE_MS_MIN;
  }

  /** Takes one recorded wait. */
  addWait({ endMs, durationMs, waitClass }: Pick<WaitEvent, "endMs" | "durationMs" | "waitClass">): void {
    this.add({ state: waitClass, beginMs: endMs - durationMs, endMs, amountMs: durationMs });
  }

  /** Takes one span. */
  add({ state, beginMs, endMs, amountMs }: StateSpan): void {
    const [from, to] = [beginMs - this.#originMs, endMs - this.#originMs];
    this.#makeRoom(from, to);
    const stateIndex = STATE_INDEX.get(state) ?? 0;
    const perMs = to > from ? amountMs / (to - from) : 0;
    const last = Math.floor(to / this.#sliceMs);
    for (let index = Math.floor(from / this.#sliceMs); index <= last; index++) {
      const partMs = Math.min(to, (index + 1) * this.#sliceMs) - Math.max(from, index * this.#sliceMs);
      const slice = this.#slice(index);
      slice[stateIndex] = (slice[stateIndex] ?? 0) + partMs * perMs;
    }
  }

  /**
   * Yields the slices that make up `window`; what was before it began is left
   * out, and less than half a slice at its end is part of the slice before.
   */
  timeline(window: Pick<Measurements["window"], "beginMs" | "endMs">): Timeline {
    const [from, to] = [window.beginMs - this.#originMs, window.endMs - this.#originMs];
    // An empty picture, or one of a moment in a long window, must not have more slices than the limit.
    while ((to - from) / this.#sliceMs > TIMELINE_SLICES_MAX - 1) this.#halve();
    const first = Math.floor(from / this.#sliceMs);
    const last = Math.max(first, Math.round(to / this.#sliceMs) - 1);
    const slices = Array.from({ length: last - first + 1 }, (_, offset) => this.#amounts(first + offset));
    if (this.#lastIndex > last) {
      const rest = this.#amounts(last + 1);
      slices.push((slices.pop() ?? []).map((ms, index) => ms + (rest[index] ?? 0)));
    }
    return { sliceMs: this.#sliceMs, beginMs: this.#originMs + first * this.#sliceMs, slices };
  }

  #amounts(index: number): readonly number[] {
    const slice = this.#slices.get(index);
    return slice === undefined ? STATE_NAMES.map(() => 0) : Array.from(slice);
  }

  #makeRoom(beginMs: number, endMs: number): void {
    while (true) {
      const first = Math.min(this.#firstIndex, Math.floor(beginMs / this.#sliceMs));
      const last = Math.max(this.#lastIndex, Math.floor(endMs / this.#sliceMs));
      if (last - first < TIMELINE_SLICES_MAX) {
        this.#firstIndex = first;
        this.#lastIndex = last;
        return;
      }
      this.#halve();
    }
  }

  /** Half as many slices of twice the length. */
  #halve(): void {
    const slices = this.#slices;
    this.#slices = new Map();
    this.#sliceMs *= 2;
    this.#firstIndex = Math.floor(this.#firstIndex / 2);
    this.#lastIndex = Math.floor(this.#lastIndex / 2);
    for (const [index, slice] of slices) {
      const merged = this.#slice(Math.floor(index / 2));
      slice.forEach((ms, stateIndex) => merged[stateIndex] = (merged[stateIndex] ?? 0) + ms);
    }
  }

  #slice(index: number): Float64Array {
    const known = this.#slices.get(index);
    if (known !== undefined) return known;
    const slice = new Float64Array(STATE_NAMES.length);
    this.#slices.set(index, slice);
    return slice;
  }
}

/** Takes cumulative totals as they come and keeps what each interval between two of them added. */
export class TotalsTimeline {
  #builder: TimelineBuilder | undefined;
  #previous = new Float64Array(STATE_NAMES.length);
  #previousMs: number | undefined;
  #intervalCount = 0;

  /** Takes totals, newer than those before. */
  add(measurements: Pick<Measurements, "window" | "threads" | "waits">): void {
    const { window } = measurements;
    const beginMs = this.#previousMs ?? window.beginMs;
    if (window.endMs <= beginMs) return;
    this.#builder ??= new TimelineBuilder({ sliceMsMin: INTERIM_INTERVAL_MS, originMs: window.beginMs });
    const totals = totalsOf(measurements);
    for (const [index, state] of STATE_NAMES.entries()) {
      // A row that was read while it changed may tell a little less than the time before.
      const amountMs = (totals[index] ?? 0) - (this.#previous[index] ?? 0);
      if (amountMs > 0) this.#builder.add({ state, beginMs, endMs: window.endMs, amountMs });
    }
    this.#previous = totals;
    this.#previousMs = window.endMs;
    this.#intervalCount++;
  }

  /** Yields the course; `undefined`: totals came once, so there is none. */
  timeline(window: Pick<Measurements["window"], "beginMs" | "endMs">): Timeline | undefined {
    return this.#intervalCount < 2 ? undefined : this.#builder?.timeline(window);
  }
}

function totalsOf({ threads, waits }: Pick<Measurements, "threads" | "waits">): Float64Array<ArrayBuffer> {
  const totals = new Float64Array(STATE_NAMES.length);
  const add = (state: StateName, ms: number) => {
    const index = STATE_INDEX.get(state) ?? 0;
    totals[index] = (totals[index] ?? 0) + ms;
  };
  let unattributedMs = 0;
  for (const thread of threads) {
    add("onCpu", thread.onCpuMs);
    add("runnable", thread.runnableMs);
    add("throttled", thread.throttledMs);
    unattributedMs += thread.blockedMs;
  }
  for (const wait of waits) {
    add(wait.waitClass, wait.totalMs);
    unattributedMs -= wait.totalMs;
  }
  add("unattributed", Math.max(0, unattributedMs));
  return totals;
}
