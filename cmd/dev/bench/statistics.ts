/**
 * The statistics of the bench. Pure.
 *
 * @module
 */

/** Both ends belong to it. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** A mean with the interval that holds the true one in 95 of 100 runs. */
export interface Estimate extends Interval {
  readonly mean: number;
}

/** Yields the value at `share` (0 to 1) of the sorted values, interpolated. @throws {RangeError} If there are none */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((first, second) => first - second);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)];
  const above = sorted[Math.ceil(place)];
  if (below === undefined || above === undefined) {
    throw new RangeError(`Cannot take a quantile: expected values and a share from 0 to 1, got ${share} of none`);
  }
  return below + (above - below) * (place - Math.floor(place));
}

/** Yields the middle value. @throws {RangeError} If there are none */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Yields the mean of ratios: as far from the values below as from those above. `NaN` if there are none. */
export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** Yields mean and 95 % interval of independent values (Student's t). @throws {RangeError} Below two values */
export function estimateMean(values: readonly number[]): Estimate {
  const count = values.length;
  if (count < 2) throw new RangeError(`Cannot estimate a mean: expected two values or more, got ${count}`);
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  const reach = studentT975(count - 1) * Math.sqrt(variance / count);
  return { mean, low: mean - reach, high: mean + reach };
}

/**
 * Yields what share of `before` is lost in `after`, in percent, from pairs: the
 * mean of the logarithms of the ratios, so that gains and losses weigh alike.
 *
 * @throws {RangeError} Below two pairs
 */
export function estimateLossPercent(pairs: readonly { readonly before: number; readonly after: number }[]): Estimate {
  const { mean, low, high } = estimateMean(pairs.map(({ before, after }) => Math.log(after / before)));
  const lossPercent = (logRatio: number) => (1 - Math.exp(logRatio)) * 100;
  return { mean: lossPercent(mean), low: lossPercent(high), high: lossPercent(low) };
}

/** Yields by how much `after` exceeds `before`, in percent; as {@linkcode estimateLossPercent}. */
export function estimateGrowthPercent(pairs: readonly { readonly before: number; readonly after: number }[]): Estimate {
  const { mean, low, high } = estimateMean(pairs.map(({ before, after }) => Math.log(after / before)));
  const growthPercent = (logRatio: number) => (Math.exp(logRatio) - 1) * 100;
  return { mean: growthPercent(mean), low: growthPercent(low), high: growthPercent(high) };
}

/** 97.5 % points of Student's t for 1 to 10 degrees of freedom; the expansion below is off by 0.1 % at 10. */
const T975_SMALL = [12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.306, 2.2622, 2.2281];

/** 97.5 % point of the normal distribution. */
const Z975 = 1.959964;

/** Yields the 97.5 % point of Student's t (Cornish-Fisher expansion around the normal distribution's). */
export function studentT975(degreesOfFreedom: number): number {
  const small = T975_SMALL[degreesOfFreedom - 1];
  if (small !== undefined) return small;
  const first = (Z975 ** 3 + Z975) / 4;
  const second = (5 * Z975 ** 5 + 16 * Z975 ** 3 + 3 * Z975) / 96;
  const third = (3 * Z975 ** 7 + 19 * Z975 ** 5 + 17 * Z975 ** 3 - 15 * Z975) / 384;
  return Z975 + first / degreesOfFreedom + second / degreesOfFreedom ** 2 + third / degreesOfFreedom ** 3;
}
