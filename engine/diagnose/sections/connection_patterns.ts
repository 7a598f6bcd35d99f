/**
 * How connections are opened over time: steadily, in bursts, or now and then.
 *
 * @module
 */

import { describeObject } from "../wait_object.ts";
import { type FiguresOf, rateOf, type SectionInput, sumOf } from "./section_input.ts";

const WINDOW_SHARE = 0.1;
const WINDOW_MS_MIN = 100;

/** Standard deviation in means: above it bursty, below the other steady. */
const BURSTY_MIN = 0.5;
const STEADY_MAX = 0.1;

/** `undefined`: no connection was opened whose time is known. */
export function connectionPatternFigures(
  { measurements }: SectionInput,
): FiguresOf<"connection_patterns"> | undefined {
  const { window } = measurements;
  const opened = measurements.connections.filter(({ role, openedWallMs }) =>
    role === "client" && openedWallMs !== undefined
  );
  const durationMs = window.endWallMs - window.beginWallMs;
  if (opened.length === 0 || durationMs <= 0) return undefined;
  const stretchMs = Math.max(durationMs * WINDOW_SHARE, WINDOW_MS_MIN);
  const counts = new Array<number>(Math.max(1, Math.round(durationMs / stretchMs))).fill(0);
  for (const { openedWallMs = 0 } of opened) {
    const index = Math.floor((openedWallMs - window.beginWallMs) / stretchMs);
    const stretch = Math.min(counts.length - 1, Math.max(0, index));
    counts[stretch] = (counts[stretch] ?? 0) + 1;
  }
  return {
    pattern: patternOf(counts),
    window_ms: stretchMs,
    average_rate_per_second: rateOf(opened.length, measurements),
    peak_rate_per_second: counts.reduce((most, count) => Math.max(most, count), 0) / stretchMs * 1000,
    unique_targets: new Set(opened.map(({ endpoint }) => describeObject(endpoint))).size,
    connections: opened.length,
    not_counted: measurements.omittedConnectionCount,
  };
}

function patternOf(counts: readonly number[]): "bursty" | "steady" | "sporadic" {
  const mean = sumOf(counts, (count) => count) / counts.length;
  const variance = sumOf(counts, (count) => (count - mean) ** 2) / counts.length;
  const deviation = Math.sqrt(variance) / mean;
  return deviation > BURSTY_MIN ? "bursty" : deviation < STEADY_MAX ? "steady" : "sporadic";
}

export function renderConnectionPatterns(figures: FiguresOf<"connection_patterns">): readonly string[] {
  const missing = figures.not_counted > 0 ? `; ${figures.not_counted} more connections are not in this` : "";
  return [
    `Pattern: ${figures.pattern}, average ${figures.average_rate_per_second.toFixed(1)}/s, peak ` +
    `${figures.peak_rate_per_second.toFixed(1)}/s, unique targets ${figures.unique_targets}${missing}`,
  ];
}
