/**
 * What of a run is looked at and shown, from the words of `--filter` and the
 * thresholds. Pure.
 *
 * @module
 */

import { FILTER_CATEGORIES, type FilterCategory } from "../../engine/api/filter.ts";
import { DIAGNOSE_DURATION_MS_MAX, SLOW_SOCKET_MS_DEFAULT } from "../../engine/api/limits.ts";
import type { WaitClass } from "../../engine/api/measurements.ts";
import { DEFAULT_PLANES, type Plane } from "../../engine/api/plane.ts";
import { DEFAULT_THRESHOLDS, type RuleThresholds } from "../../engine/api/thresholds.ts";
import { closestOf } from "../suggestion.ts";
import { UsageError } from "../usage_error.ts";

/** Of one `--filter`; all names together are shorter. */
const FILTER_CHARS_MAX = 100;

/** What a look is aimed at. */
export interface Selection {
  /** `undefined`: everything, but for details per file. */
  readonly categories: ReadonlySet<FilterCategory> | undefined;
  readonly thresholds: RuleThresholds;
  /** Single waits at least this long become events, where a threshold says otherwise than `--slow-wait`. */
  readonly slowWaitMsByClass: Readonly<Partial<Record<WaitClass, number>>>;
  /** Connects and answers at least this long become events. */
  readonly slowSocketMs: number;
}

/** The words as they were given. */
export interface SelectionArguments {
  readonly filter: readonly string[];
  readonly errorThreshold: string | undefined;
  readonly rttThreshold: string | undefined;
  readonly fsThreshold: string | undefined;
}

/** @throws {UsageError} At the first thing that cannot be */
export function toSelection(given: SelectionArguments): Selection {
  const categories = toCategories(given.filter);
  const errorPercent = toErrorPercent(given.errorThreshold);
  const rttMs = toThresholdMs(given.rttThreshold, { option: "--rtt-threshold", name: "RTT threshold" });
  const fsMs = toThresholdMs(given.fsThreshold, { option: "--fs-threshold", name: "file system threshold" });
  return {
    categories,
    thresholds: {
      errorPercent: errorPercent ?? DEFAULT_THRESHOLDS.errorPercent,
      rttMs: rttMs ?? DEFAULT_THRESHOLDS.rttMs,
      slowPeerMs: rttMs ?? DEFAULT_THRESHOLDS.slowPeerMs,
      fsMs: fsMs ?? DEFAULT_THRESHOLDS.fsMs,
      slowReadMs: fsMs ?? DEFAULT_THRESHOLDS.slowReadMs,
    },
    slowSocketMs: rttMs ?? SLOW_SOCKET_MS_DEFAULT,
    slowWaitMsByClass: {
      ...(rttMs === undefined ? {} : { network: rttMs }),
      ...(fsMs === undefined ? {} : { diskRead: fsMs, diskWrite: fsMs, pageFault: fsMs }),
    },
  };
}

/** What has to be looked at for each category besides where the time goes. */
const PLANE_OF_CATEGORY: Readonly<Record<FilterCategory, Plane>> = {
  time: "time",
  net: "sockets",
  fs: "files",
  cpu: "time",
  mem: "memory",
  proc: "memory",
  lock: "time",
};

/**
 * Yields the planes that `categories` need; details per file only where fs is
 * asked for by name, what is computed only where stacks are.
 */
export function toPlanes(
  categories: ReadonlySet<FilterCategory> | undefined,
  options: { hasStacks?: boolean } = {},
): ReadonlySet<Plane> {
  const planes = categories === undefined
    ? DEFAULT_PLANES
    : new Set<Plane>(["time", ...Array.from(categories, (category) => PLANE_OF_CATEGORY[category])]);
  return options.hasStacks === true ? new Set<Plane>([...planes, "profile"]) : planes;
}

function toCategories(lists: readonly string[]): ReadonlySet<FilterCategory> | undefined {
  if (lists.length === 0) return undefined;
  const tooLong = lists.find((list) => list.length > FILTER_CHARS_MAX);
  if (tooLong !== undefined) {
    throw new UsageError(
      `invalid event filter: --filter has ${tooLong.length} characters, expected at most ${FILTER_CHARS_MAX}`,
    );
  }
  return new Set(lists.flatMap((list) => list.split(",")).map(toCategory));
}

function toCategory(word: string): FilterCategory {
  const name = word.trim().toLowerCase();
  const category = FILTER_CATEGORIES.find((candidate) => candidate === name);
  if (category !== undefined) return category;
  const known = FILTER_CATEGORIES.join(", ");
  if (name === "dns") {
    throw new UsageError(
      `invalid event filter: "dns" is not in this build yet (its sockets are part of net), expected ${known}`,
    );
  }
  const closest = closestOf(name, FILTER_CATEGORIES);
  const advice = closest === undefined ? "" : `, did you mean ${closest}?`;
  throw new UsageError(
    `invalid event filter: ${JSON.stringify(word)} is no category${advice}; expected ${known}`,
  );
}

function toErrorPercent(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const percent = toNumber(text);
  if (percent !== undefined && percent >= 0 && percent <= 100) return percent;
  throw new UsageError(
    `invalid error threshold: --error-threshold is ${JSON.stringify(text)}, expected a percentage from 0 to 100`,
  );
}

function toThresholdMs(
  text: string | undefined,
  { option, name }: { option: string; name: string },
): number | undefined {
  if (text === undefined) return undefined;
  const valueMs = toNumber(text);
  if (valueMs !== undefined && valueMs >= 0 && valueMs <= DIAGNOSE_DURATION_MS_MAX) return valueMs;
  throw new UsageError(
    `invalid ${name}: ${option} is ${
      JSON.stringify(text)
    }, expected milliseconds from 0 to ${DIAGNOSE_DURATION_MS_MAX}`,
  );
}

/** Decimal notation only. */
function toNumber(text: string): number | undefined {
  return /^-?[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : undefined;
}
