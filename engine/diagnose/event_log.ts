/**
 * Single events, kept one by one in bounded memory for the reports that list
 * them: the longest of those that took time, and the first of the others.
 *
 * @module
 */

import type { TraceEvent } from "../api/events.ts";
import { LISTED_LONGEST_MAX, LISTED_MOMENTS_MAX } from "../api/limits.ts";

/** What a log holds at one moment. */
export interface EventList {
  /** Oldest first. */
  readonly events: readonly TraceEvent[];
  /** Shorter waits, connects and responses that found no room. */
  readonly omittedShorterCount: number;
  /** Later events of other kinds that found no room. */
  readonly omittedLaterCount: number;
}

/** How much is kept; both have the limits' defaults. */
export interface EventLogOptions {
  readonly longestMax?: number;
  readonly momentsMax?: number;
}

interface TimedEvent {
  readonly event: TraceEvent;
  readonly durationMs: number;
}

/** Takes events in any number and keeps the longest of those that took time and the first of the others. */
export class EventLog {
  readonly #longestMax: number;
  readonly #momentsMax: number;
  readonly #longest: TimedEvent[] = []; // once full: a binary heap, the shortest first
  readonly #moments: TraceEvent[] = [];
  #omittedShorterCount = 0;
  #omittedLaterCount = 0;

  /** Begins empty. */
  constructor(options: EventLogOptions = {}) {
    this.#longestMax = options.longestMax ?? LISTED_LONGEST_MAX;
    this.#momentsMax = options.momentsMax ?? LISTED_MOMENTS_MAX;
  }

  /** Takes one event. */
  add(event: TraceEvent): void {
    const durationMs = durationMsOf(event);
    if (durationMs !== undefined) this.#addTimed(event, durationMs);
    else if (this.#moments.length < this.#momentsMax) this.#moments.push(event);
    else this.#omittedLaterCount++;
  }

  /** Yields a copy that later events do not change. */
  list(): EventList {
    const events = [...this.#longest.map(({ event }) => event), ...this.#moments];
    return {
      events: events.sort((first, second) =>
        endMsOf(first) - endMsOf(second) || subjectOf(first) - subjectOf(second) || (first.kind < second.kind ? -1 : 1)
      ),
      omittedShorterCount: this.#omittedShorterCount,
      omittedLaterCount: this.#omittedLaterCount,
    };
  }

  #addTimed(event: TraceEvent, durationMs: number): void {
    const longest = this.#longest;
    if (longest.length < this.#longestMax) {
      longest.push({ event, durationMs });
      if (longest.length === this.#longestMax) longest.sort((first, second) => first.durationMs - second.durationMs);
      return;
    }
    this.#omittedShorterCount++;
    const [shortest] = longest;
    if (shortest !== undefined && durationMs > shortest.durationMs) this.#replaceShortest({ event, durationMs });
  }

  /** A sorted list is a heap already, so only the way down is needed. */
  #replaceShortest(entry: TimedEvent): void {
    const longest = this.#longest;
    let place = 0;
    while (true) {
      const child = this.#shorterChild(place);
      const below = longest[child];
      if (below === undefined || below.durationMs >= entry.durationMs) break;
      longest[place] = below;
      place = child;
    }
    longest[place] = entry;
  }

  #shorterChild(place: number): number {
    const left = 2 * place + 1;
    const [first, second] = [this.#longest[left], this.#longest[left + 1]];
    return first !== undefined && second !== undefined && second.durationMs < first.durationMs ? left + 1 : left;
  }
}

/** Yields when the event was over, monotonic. */
export function endMsOf(event: TraceEvent): number {
  return "endMs" in event ? event.endMs : event.atMs;
}

/** Yields how long it took; `undefined`: a moment, or the life of a connection, which says nothing of slowness. */
export function durationMsOf(event: TraceEvent): number | undefined {
  switch (event.kind) {
    case "wait":
    case "file":
    case "connect":
    case "response":
      return event.durationMs;
    default:
      return undefined;
  }
}

function subjectOf(event: TraceEvent): number {
  switch (event.kind) {
    case "fork":
      return event.childThreadId;
    case "wait":
    case "file":
    case "exit":
      return event.threadId;
    default:
      return event.processId;
  }
}
