/**
 * What a measurement yields: a value beside its target, a verdict, and how it
 * was measured. Pure.
 *
 * @module
 */

import type { Interval } from "./statistics.ts";

/** `INFO` has no target: it says how far the other figures can be trusted. */
export type Verdict = "PASS" | "FAIL" | "UNDECIDED" | "INFO";

/** One row of the table. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** For people: "at most 1.5". */
  readonly target: string;
  readonly verdict: Verdict;
  /** How far the value may be off: a spread or an interval, with its unit. */
  readonly spread: string;
  /** One line. */
  readonly how: string;
}

/** A measurement that could not be made. */
export interface FailedFigure {
  readonly name: string;
  /** What was attempted, found and wanted. */
  readonly problem: string;
}

/** Yields `PASS` up to `most`, else `FAIL`; a value that is no number fails. */
export function judgeAtMost(value: number, most: number): Verdict {
  return value <= most ? "PASS" : "FAIL";
}

/** Yields `PASS` from `least` on, else `FAIL`; a value that is no number fails. */
export function judgeAtLeast(value: number, least: number): Verdict {
  return value >= least ? "PASS" : "FAIL";
}

/** Yields whether the whole interval lies within the target, wholly outside, or on both sides. */
export function judgeIntervalAtMost(interval: Interval, most: number): Verdict {
  if (interval.high <= most) return "PASS";
  return interval.low > most ? "FAIL" : "UNDECIDED";
}

/** Yields whether `--check` has to fail: a miss, or a figure that could not be had. */
export function isMiss(figure: Figure | FailedFigure): boolean {
  return "problem" in figure || figure.verdict === "FAIL";
}

/** Yields the figure as the bench prints it: the figures first, then how they came about. */
export function figureLines(figure: Figure | FailedFigure): readonly string[] {
  if ("problem" in figure) return [`FAIL       ${figure.name}: ${figure.problem}`];
  const { name, value, unit, target, verdict, spread, how } = figure;
  return [
    `${verdict.padEnd(10)} ${name}: ${formatValue(value)} ${unit}, target ${target}; ${spread}`,
    `           ${how}`,
  ];
}

/** Yields three significant digits without an exponent. */
export function formatValue(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const magnitude = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)));
  return value.toFixed(Math.min(Math.max(2 - magnitude, 0), 6));
}
