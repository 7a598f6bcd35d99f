/**
 * When single events happened, in bounded memory however long the run is.
 *
 * @module
 */

/** Divides one second, and is divided by no measurement that a person would read. */
export const EVENT_SLICE_MS_MIN = 125;

/** One second each for eight minutes; longer runs have longer slices. */
export const EVENT_SLICES_MAX = 512;

/** Events per slice of time. */
export interface EventCounts {
  /** Length of a slice: `EVENT_SLICE_MS_MIN` times a power of two. */
  readonly sliceMs: number;
  /** Events by slice: monotonic time / `sliceMs`, rounded down. */
  readonly counts: ReadonlyMap<number, number>;
}

/** Counts events by the time at which they happened. */
export class EventTimes {
  #sliceMs = EVENT_SLICE_MS_MIN;
  #counts = new Map<number, number>();

  /** Takes one event. */
  add(atMs: number): void {
    const index = Math.floor(atMs / this.#sliceMs);
    this.#counts.set(index, (this.#counts.get(index) ?? 0) + 1);
    if (this.#counts.size > EVENT_SLICES_MAX) this.#halve();
  }

  /** Yields a copy that later events do not change. */
  summary(): EventCounts {
    return { sliceMs: this.#sliceMs, counts: new Map(this.#counts) };
  }

  #halve(): void {
    const counts = this.#counts;
    this.#counts = new Map();
    this.#sliceMs *= 2;
    for (const [index, count] of counts) {
      const merged = Math.floor(index / 2);
      this.#counts.set(merged, (this.#counts.get(merged) ?? 0) + count);
    }
  }
}

/**
 * Yields events per stretch of equal length from `beginMs` to `endMs`; a slice
 * belongs to the stretch its middle lies in, and what is outside to the nearest.
 */
export function countByStretch(
  { sliceMs, counts }: EventCounts,
  options: { beginMs: number; endMs: number; stretchCount: number },
): readonly number[] {
  const { beginMs, endMs, stretchCount } = options;
  const stretches = new Array<number>(stretchCount).fill(0);
  const stretchMs = (endMs - beginMs) / stretchCount;
  if (!(stretchMs > 0)) return stretches;
  for (const [index, count] of counts) {
    const middleMs = (index + 0.5) * sliceMs;
    const stretch = Math.min(stretchCount - 1, Math.max(0, Math.floor((middleMs - beginMs) / stretchMs)));
    stretches[stretch] = (stretches[stretch] ?? 0) + count;
  }
  return stretches;
}
