/**
 * What the threads waited for over time: recorded single waits laid into slices
 * of equal length, in bounded memory however long the run is.
 *
 * @module
 */

import type { WaitEvent } from "../api/events.ts";
import { TIMELINE_SLICE_MS_MIN, TIMELINE_SLICES_MAX } from "../api/limits.ts";
import type { Measurements, WaitClass } from "../api/measurements.ts";
import { WAIT_CLASS_ORDER } from "./facts.ts";

/** The run in slices, from the window's begin. */
export interface Timeline {
  /** Length of a slice. */
  readonly sliceMs: number;
  /** Monotonic time of the first slice's begin; at or shortly before the window's. */
  readonly beginMs: number;
  /** Waiting time per slice, in `WAIT_CLASS_ORDER`; threads add up, so it may exceed the slice. */
  readonly slices: readonly (readonly number[])[];
}

const CLASS_INDEX = new Map(WAIT_CLASS_ORDER.map((name, index) => [name, index]));

/** Takes single waits and spreads each over the slices in which it took place. */
export class TimelineBuilder {
  #sliceMs = TIMELINE_SLICE_MS_MIN;
  #slices = new Map<number, Float64Array>(); // by time / sliceMs, rounded down
  #firstIndex = Infinity;
  #lastIndex = -Infinity;

  /** Takes one wait. */
  add(wait: Pick<WaitEvent, "endMs" | "durationMs" | "waitClass">): void {
    const beginMs = wait.endMs - wait.durationMs;
    this.#makeRoom(beginMs, wait.endMs);
    const classIndex = indexOf(wait.waitClass);
    const last = Math.floor(wait.endMs / this.#sliceMs);
    for (let index = Math.floor(beginMs / this.#sliceMs); index <= last; index++) {
      const from = Math.max(beginMs, index * this.#sliceMs);
      const to = Math.min(wait.endMs, (index + 1) * this.#sliceMs);
      const slice = this.#slice(index);
      slice[classIndex] = (slice[classIndex] ?? 0) + to - from;
    }
  }

  /** Yields the slices that make up `window`; what was before it began is left out. */
  timeline(window: Pick<Measurements["window"], "beginMs" | "endMs">): Timeline {
    // An empty picture, or one of a moment in a long window, must not have more slices than the limit.
    while ((window.endMs - window.beginMs) / this.#sliceMs > TIMELINE_SLICES_MAX - 1) this.#halve();
    const first = Math.floor(window.beginMs / this.#sliceMs);
    const last = Math.max(first, Math.ceil(window.endMs / this.#sliceMs) - 1);
    return {
      sliceMs: this.#sliceMs,
      beginMs: first * this.#sliceMs,
      slices: Array.from({ length: last - first + 1 }, (_, offset) => {
        const slice = this.#slices.get(first + offset);
        return slice === undefined ? WAIT_CLASS_ORDER.map(() => 0) : Array.from(slice);
      }),
    };
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
      slice.forEach((ms, classIndex) => merged[classIndex] = (merged[classIndex] ?? 0) + ms);
    }
  }

  #slice(index: number): Float64Array {
    const known = this.#slices.get(index);
    if (known !== undefined) return known;
    const slice = new Float64Array(WAIT_CLASS_ORDER.length);
    this.#slices.set(index, slice);
    return slice;
  }
}

function indexOf(waitClass: WaitClass): number {
  return CLASS_INDEX.get(waitClass) ?? 0;
}
