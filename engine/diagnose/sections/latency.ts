/**
 * Durations summed up: exact where they are exact, bounds where they come from
 * a histogram whose buckets double.
 *
 * @module
 */

import type { LatencyFigures } from "../../api/socket_measurements.ts";
import { formatMs } from "../format.ts";
import { percentileMsMax, sumBuckets } from "../histogram.ts";
import { sumOf } from "./section_input.ts";

/** Mean and maximum are exact; a percentile is the end of its bucket, so the true one is at most that. */
export interface LatencySummary {
  readonly count: number;
  readonly avg_ms: number;
  readonly max_ms: number;
  readonly p50_ms: number;
  readonly p95_ms: number;
  readonly p99_ms: number;
}

/** Yields all durations together; `undefined`: there are none. */
export function summariseLatency(
  parts: readonly Pick<LatencyFigures, "count" | "totalMs" | "maxMs" | "buckets">[],
): LatencySummary | undefined {
  const count = sumOf(parts, (part) => part.count);
  if (count === 0) return undefined;
  const maxMs = parts.reduce((longest, part) => Math.max(longest, part.maxMs), 0);
  const buckets = sumBuckets(parts.map((part) => part.buckets));
  const bound = (percentile: number) => percentileMsMax(buckets, percentile, { longestMs: maxMs }) ?? maxMs;
  return {
    count,
    avg_ms: sumOf(parts, (part) => part.totalMs) / count,
    max_ms: maxMs,
    p50_ms: bound(50),
    p95_ms: bound(95),
    p99_ms: bound(99),
  };
}

/** Yields the element at rank floor((n - 1) * percentile / 100); `undefined`: there are no values. */
export function nearestRank(values: readonly number[], percentile: number): number | undefined {
  const sorted = [...values].sort((first, second) => first - second);
  return sorted[Math.floor((sorted.length - 1) * percentile / 100)];
}

/** Yields "average 1.20 ms, P50 <= 1.02 ms, P95 <= 2.05 ms, P99 <= 4.10 ms, max 3.90 ms". */
export function describeLatency(summary: Omit<LatencySummary, "count">): string {
  return [
    `average ${formatMs(summary.avg_ms)}`,
    `P50 <= ${formatMs(summary.p50_ms)}`,
    `P95 <= ${formatMs(summary.p95_ms)}`,
    `P99 <= ${formatMs(summary.p99_ms)}`,
    `max ${formatMs(summary.max_ms)}`,
  ].join(", ");
}
