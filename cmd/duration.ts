/**
 * Durations as Go writes them: "1h2m3.5s", "300ms", ".5s", "0".
 *
 * The syntax and the numbers are those of Go's `time.ParseDuration` and
 * `Duration.String`, because that is what Kubernetes users type.
 *
 * @module
 */

/** A parsed duration, or why the text is none. */
export type ParsedDuration =
  | { readonly kind: "duration"; readonly ns: bigint }
  | { readonly kind: "invalid"; readonly problem: string };

const NS_PER_US = 1_000n;
const NS_PER_MS = 1_000_000n;
const NS_PER_SECOND = 1_000_000_000n;
const NS_PER_MINUTE = 60n * NS_PER_SECOND;
const NS_PER_HOUR = 60n * NS_PER_MINUTE;

/** Both spellings of micro are accepted: U+00B5 (micro sign) and U+03BC (Greek mu). */
const NS_PER_UNIT: ReadonlyMap<string, bigint> = new Map([
  ["ns", 1n],
  ["us", NS_PER_US],
  ["\u00b5s", NS_PER_US],
  ["\u03bcs", NS_PER_US],
  ["ms", NS_PER_MS],
  ["s", NS_PER_SECOND],
  ["m", NS_PER_MINUTE],
  ["h", NS_PER_HOUR],
]);

const UNIT_NAMES = "ns, us, ms, s, m or h";

/** Go keeps a duration in an int64 of nanoseconds; the negative end reaches one further. */
const MAGNITUDE_NS_MAX = 1n << 63n;

/** One number with its unit: integer digits, fraction digits, unit. */
const TERM = /^([0-9]*)(?:(\.)([0-9]*))?([^0-9.]*)/u;

/**
 * Yields the nanoseconds `text` stands for, or what is wrong with it.
 *
 * @example
 * ```ts
 * import { assert } from "../tests/support/assert.ts";
 *
 * assert.deepEqual(parseDuration("1m0.5s"), { kind: "duration", ns: 60_500_000_000n });
 * assert.deepEqual(parseDuration("5"), { kind: "invalid", problem: 'no unit after "5", expected ns, us, ms, s, m or h' });
 * ```
 */
export function parseDuration(text: string): ParsedDuration {
  const isNegative = text.startsWith("-");
  let rest = isNegative || text.startsWith("+") ? text.slice(1) : text;
  if (rest === "0") return { kind: "duration", ns: 0n };
  if (rest === "") return invalid(`${quote(text)} has no digits`);

  let magnitudeNs = 0n;
  while (rest !== "") {
    const term = parseTerm(rest);
    if (typeof term === "string") return invalid(term);
    magnitudeNs += term.ns;
    if (magnitudeNs > MAGNITUDE_NS_MAX) return invalid(`${quote(text)} is beyond 292 years`);
    rest = rest.slice(term.length);
  }
  if (!isNegative && magnitudeNs === MAGNITUDE_NS_MAX) return invalid(`${quote(text)} is beyond 292 years`);
  return { kind: "duration", ns: isNegative ? -magnitudeNs : magnitudeNs };
}

/**
 * Yields the shortest Go spelling of `ns`: hours, minutes and seconds from one
 * second up, one fractional unit below it, "0s" for zero.
 */
export function formatDuration(ns: bigint): string {
  if (ns === 0n) return "0s";
  const sign = ns < 0n ? "-" : "";
  const magnitudeNs = ns < 0n ? -ns : ns;
  if (magnitudeNs < NS_PER_US) return `${sign}${magnitudeNs}ns`;
  if (magnitudeNs < NS_PER_MS) return `${sign}${decimal(magnitudeNs, NS_PER_US)}\u00b5s`;
  if (magnitudeNs < NS_PER_SECOND) return `${sign}${decimal(magnitudeNs, NS_PER_MS)}ms`;

  const hours = magnitudeNs / NS_PER_HOUR;
  const minutes = (magnitudeNs % NS_PER_HOUR) / NS_PER_MINUTE;
  const seconds = `${decimal(magnitudeNs % NS_PER_MINUTE, NS_PER_SECOND)}s`;
  if (hours > 0n) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0n ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}

/** Yields `ns` in milliseconds, fractional; exact up to 104 days. */
export function toMs(ns: bigint): number {
  return Number(ns) / 1e6;
}

/** The first term of `rest`, or what is wrong with it. */
function parseTerm(rest: string): { ns: bigint; length: number } | string {
  const [whole = "", integerDigits = "", , fractionDigits = "", unit = ""] = TERM.exec(rest) ?? [];
  const digits = unit === "" ? whole : whole.slice(0, -unit.length);
  if (integerDigits === "" && fractionDigits === "") return `expected digits at ${quote(rest)}`;
  if (unit === "") return `no unit after ${quote(digits)}, expected ${UNIT_NAMES}`;
  const nsPerUnit = NS_PER_UNIT.get(unit);
  if (nsPerUnit === undefined) return `unknown unit ${quote(unit)}, expected ${UNIT_NAMES}`;

  return { ns: BigInt(integerDigits) * nsPerUnit + fractionNs(fractionDigits, nsPerUnit), length: whole.length };
}

/**
 * `0.digits` of a unit, cut to whole nanoseconds the way Go cuts it: the digits
 * that fit an int64, then double arithmetic. So a third of an hour written with
 * nineteen digits is 20 minutes exactly, not a nanosecond less.
 */
function fractionNs(digits: string, nsPerUnit: bigint): bigint {
  let significand = 0n;
  let scale = 1;
  for (const digit of digits) {
    const next = significand * 10n + BigInt(digit);
    if (significand > (MAGNITUDE_NS_MAX - 1n) / 10n || next > MAGNITUDE_NS_MAX) break;
    significand = next;
    scale *= 10;
  }
  return BigInt(Math.trunc(Number(significand) * (Number(nsPerUnit) / scale)));
}

/** `value / unit` as a decimal without trailing zeros. */
function decimal(value: bigint, unit: bigint): string {
  const fractionWidth = String(unit).length - 1;
  const fraction = String(value % unit).padStart(fractionWidth, "0").replace(/0+$/, "");
  return fraction === "" ? String(value / unit) : `${value / unit}.${fraction}`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}

function invalid(problem: string): ParsedDuration {
  return { kind: "invalid", problem };
}
