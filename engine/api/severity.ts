/**
 * How bad a finding is, as every mode of podtrace says it.
 *
 * @module
 */

/** From harmless to grave; also the values of `--fail-on`. */
export const SEVERITIES = ["info", "warning", "error", "critical"] as const;

/** One of them. */
export type Severity = (typeof SEVERITIES)[number];

/** Yields a negative number when `first` is the milder one, 0 for equals, else a positive one. */
export function compareSeverity(first: Severity, second: Severity): number {
  return SEVERITIES.indexOf(first) - SEVERITIES.indexOf(second);
}
