/**
 * Geometry of the page's pictures; the page's script draws with the same.
 *
 * @module
 */

/** Width of every picture in its own units; the page stretches it. */
export const CHART_WIDTH = 1000;

/** Yields the least of 1, 2, 5 times a power of ten that is not below `value`; 1 for nothing. */
export function niceCeiling(value: number): number {
  if (!(value > 0)) return 1;
  const magnitude = 10 ** Math.floor(Math.log10(value));
  for (const step of [1, 2, 5]) {
    if (value <= step * magnitude * (1 + 1e-9)) return step * magnitude;
  }
  return 10 * magnitude;
}

/** Yields a length with as many digits as a picture can show. */
export function toUnits(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** What is stacked: one row of values per slice, one column per series. */
export interface Stack {
  /** In slice order; values are 0 or more. */
  readonly slices: readonly (readonly number[])[];
  /** Columns to draw, lowest first; the others count as 0. */
  readonly columns: readonly number[];
  /** Value at the top edge. */
  readonly max: number;
  /** Height in the picture's units. */
  readonly height: number;
}

/** Yields the largest sum of the drawn columns in any slice. */
export function stackMax({ slices, columns }: Pick<Stack, "slices" | "columns">): number {
  return slices.reduce(
    (max, slice) => Math.max(max, columns.reduce((sum, column) => sum + (slice[column] ?? 0), 0)),
    0,
  );
}

/** Yields one closed path per column, steps stacked on each other; "" for a column without any value. */
export function stackPaths(stack: Stack): readonly string[] {
  const { slices, columns, max, height } = stack;
  const width = CHART_WIDTH / Math.max(1, slices.length);
  const base = slices.map(() => 0);
  return columns.map((column) => {
    if (slices.every((slice) => (slice[column] ?? 0) <= 0)) return "";
    const toY = (value: number) => toUnits(height - Math.min(1, value / max) * height);
    const lower = base.map(toY);
    slices.forEach((slice, index) => base[index] = (base[index] ?? 0) + (slice[column] ?? 0));
    const upper = base.map(toY);
    const top = upper.map((y, index) => `V${y}H${toUnits((index + 1) * width)}`).join("");
    const bottom = lower.map((y, index) => `V${y}H${toUnits(index * width)}`).reverse().join("");
    return `M0 ${lower[0] ?? height}${top}${bottom}Z`;
  });
}

/** What a histogram's picture shows. */
export interface HistogramPicture {
  /** Bars of the occupied buckets as one path. */
  readonly path: string;
  /** First and last occupied bucket. */
  readonly first: number;
  readonly last: number;
}

/** Yields the bars of a log2 histogram from its first to its last occupied bucket; `undefined`: it is empty. */
export function histogramPicture(
  buckets: readonly number[],
  size: { readonly width: number; readonly height: number; readonly bucketsMin?: number },
): HistogramPicture | undefined {
  const first = buckets.findIndex((count) => count > 0);
  if (first < 0) return undefined;
  const last = buckets.findLastIndex((count) => count > 0);
  const slotCount = Math.max(size.bucketsMin ?? 1, last - first + 1);
  const slot = size.width / slotCount;
  const most = Math.max(...buckets);
  let path = "";
  for (let index = first; index <= last; index++) {
    const count = buckets[index] ?? 0;
    if (count <= 0) continue;
    // A single wait among millions is what somebody looks for: it never disappears.
    const barHeight = Math.max(1, count / most * size.height);
    const x = (index - first) * slot;
    path += `M${toUnits(x)} ${toUnits(size.height)}V${toUnits(size.height - barHeight)}` +
      `h${toUnits(slot * 0.86)}V${toUnits(size.height)}Z`;
  }
  return { path, first, last };
}

/** One part of a bar. */
export interface BarSegment {
  readonly x: string;
  readonly width: string;
}

/** Yields where each amount begins and how wide it is when `whole` is as wide as the picture. */
export function barSegments(amounts: readonly number[], whole: number): readonly BarSegment[] {
  let at = 0;
  return amounts.map((amount) => {
    const width = whole > 0 ? Math.max(0, amount) / whole * CHART_WIDTH : 0;
    const segment = { x: toUnits(at), width: toUnits(width) };
    at += width;
    return segment;
  });
}
