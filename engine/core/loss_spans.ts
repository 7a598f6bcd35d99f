/**
 * When losses fell: between two looks at counters that only grow.
 *
 * @module
 */

import type { LossSpan } from "../api/measurements.ts";

/** Remembers, per key, from when to when its counter was seen to grow; as exact as the looks are frequent. */
export class LossSpans<Key extends string> {
  readonly #totals = new Map<Key, number>();
  readonly #spans = new Map<Key, LossSpan>();
  #lookedMs: number;

  /** @param beginMs when every counter was 0, monotonic */
  constructor(beginMs: number) {
    this.#lookedMs = beginMs;
  }

  /** Takes the counters as they stand at `atMs`, monotonic. */
  look(atMs: number, totals: Iterable<readonly [key: Key, total: number]>): void {
    for (const [key, total] of totals) {
      if (total <= (this.#totals.get(key) ?? 0)) continue;
      this.#totals.set(key, total);
      this.#spans.set(key, { beginMs: this.#spans.get(key)?.beginMs ?? this.#lookedMs, endMs: atMs });
    }
    this.#lookedMs = atMs;
  }

  /** Yields between which looks the counter grew; `undefined`: it never did. */
  spanOf(key: Key): LossSpan | undefined {
    return this.#spans.get(key);
  }
}

/** Yields the span that covers both. */
export function joinSpans(first: LossSpan | undefined, second: LossSpan | undefined): LossSpan | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return { beginMs: Math.min(first.beginMs, second.beginMs), endMs: Math.max(first.endMs, second.endMs) };
}
