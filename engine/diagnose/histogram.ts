/**
 * What a log2 histogram of wait times allows to say: bounds, never exact
 * percentiles.
 *
 * @module
 */

/** Where bucket `index` begins, in milliseconds; bucket 0 also holds shorter waits. */
export function bucketFloorMs(index: number): number {
  return index === 0 ? 0 : 2 ** index / 1000;
}

/** Where bucket `index` ends (exclusive), in milliseconds. */
export function bucketCeilingMs(index: number): number {
  return 2 ** (index + 1) / 1000;
}

/** Yields the element-wise sum. */
export function sumBuckets(histograms: readonly (readonly number[])[]): readonly number[] {
  const [first] = histograms;
  if (first === undefined || histograms.length === 1) return first ?? [];
  let length = 0;
  for (const histogram of histograms) length = Math.max(length, histogram.length);
  const sum = new Array<number>(length).fill(0);
  for (const histogram of histograms) {
    for (let index = 0; index < histogram.length; index++) sum[index] = (sum[index] ?? 0) + (histogram[index] ?? 0);
  }
  return sum;
}

/**
 * Yields a figure that the percentile does not exceed: the end of the bucket
 * in which the element of rank floor((n - 1) * percentile / 100) lies.
 * `undefined`: no waits.
 */
export function percentileMsMax(
  buckets: readonly number[],
  percentile: number,
  options: { readonly longestMs?: number } = {},
): number | undefined {
  // Loops, not closures: this is asked of every row of a report, several times.
  let count = 0;
  for (const value of buckets) count += value;
  if (count === 0) return undefined;
  const rank = Math.floor((count - 1) * percentile / 100);
  let index = 0;
  for (let seen = buckets[0] ?? 0; seen <= rank; seen += buckets[index] ?? 0) index++;
  return Math.min(bucketCeilingMs(index), options.longestMs ?? Infinity);
}

/** Yields a figure that the time spent in single waits of at least `thresholdMs` does not fall short of. */
export function slowMsMin(buckets: readonly number[], thresholdMs: number): number {
  return buckets.reduce((sum, count, index) => {
    const floorMs = bucketFloorMs(index);
    return floorMs >= thresholdMs ? sum + count * floorMs : sum;
  }, 0);
}
