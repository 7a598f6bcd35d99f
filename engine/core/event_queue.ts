/**
 * A bounded queue of events with the time each came in.
 *
 * @module
 */

import type { TraceEvent } from "../api/events.ts";
import { invariant } from "./invariant.ts";

/** First in, first out; holds its places from the start, so adding allocates nothing. */
export class EventQueue {
  readonly #events: (TraceEvent | undefined)[];
  readonly #arrivalsMs: Float64Array;
  readonly #mask: number;
  #head = 0;
  #length = 0;

  /** @param capacity a power of two */
  constructor(capacity: number) {
    invariant(capacity > 0 && (capacity & (capacity - 1)) === 0, `Expected a power of two, got ${capacity}`);
    this.#events = new Array<TraceEvent | undefined>(capacity).fill(undefined);
    this.#arrivalsMs = new Float64Array(capacity);
    this.#mask = capacity - 1;
  }

  get length(): number {
    return this.#length;
  }

  /** Yields false, and changes nothing, when the queue is full. */
  add(event: TraceEvent, arrivalMs: number): boolean {
    if (this.#length > this.#mask) return false;
    const index = (this.#head + this.#length) & this.#mask;
    this.#events[index] = event;
    this.#arrivalsMs[index] = arrivalMs;
    this.#length++;
    return true;
  }

  /** When the oldest event came in; `undefined` when there is none. */
  oldestMs(): number | undefined {
    return this.#length === 0 ? undefined : this.#arrivalsMs[this.#head];
  }

  /** Takes out up to `eventsMax` events, oldest first; the array is the caller's. */
  take(eventsMax: number): TraceEvent[] {
    const batch: TraceEvent[] = [];
    while (batch.length < eventsMax && this.#length > 0) {
      const event = this.#events[this.#head];
      invariant(event !== undefined, "Expected an event at the head of a queue that is not empty");
      batch.push(event);
      this.#events[this.#head] = undefined;
      this.#head = (this.#head + 1) & this.#mask;
      this.#length--;
    }
    return batch;
  }
}
