/**
 * What of a run is looked at and shown, from the words of `--filter` and the
 * thresholds. Pure.
 *
 * @module
 */

import {
  FILTER_CATEGORIES,
  type FilterCategory,
  UNCOLLECTED_CATEGORIES,
  type UncollectedCategory,
} from "../../engine/api/filter.ts";
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
  /** What was asked for by name and is not collected: told with the reason; missing: nothing. */
  readonly uncollected?: readonly UncollectedCategory[] | undefined;
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
  const { categories, uncollected } = toCategories(given.filter);
  const errorPercent = toErrorPercent(given.errorThreshold);
  const rttMs = toThresholdMs(given.rttThreshold, { option: "--rtt-threshold", name: "RTT threshold" });
  const fsMs = toThresholdMs(given.fsThreshold, { option: "--fs-threshold", name: "file system threshold" });
  return {
    categories,
    ...(uncollected.length === 0 ? {} : { uncollected }),
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

/** Names of the reference that stand for what is not collected, and for nothing else that is. */
const REFUSED_NAMES: readonly string[] = ["crypto", "usdt"];

const UNCOLLECTED_NAMES = Object.keys(UNCOLLECTED_CATEGORIES) as readonly UncollectedCategory[];

function toCategories(
  lists: readonly string[],
): { readonly categories: Selection["categories"]; readonly uncollected: readonly UncollectedCategory[] } {
  if (lists.length === 0) return { categories: undefined, uncollected: [] };
  const tooLong = lists.find((list) => list.length > FILTER_CHARS_MAX);
  if (tooLong !== undefined) {
    throw new UsageError(
      `invalid event filter: --filter has ${tooLong.length} characters, expected at most ${FILTER_CHARS_MAX}`,
    );
  }
  const names = [...new Set(lists.flatMap((list) => list.split(",")).map((word) => word.trim().toLowerCase()))];
  const uncollected = UNCOLLECTED_NAMES.filter((name) => names.includes(name));
  const known = names.filter((name) => !UNCOLLECTED_NAMES.some((candidate) => candidate === name));
  const standIns = uncollected.map((name) => UNCOLLECTED_CATEGORIES[name].standIn);
  return { categories: new Set([...known.map(toCategory), ...standIns]), uncollected };
}

function toCategory(name: string): FilterCategory {
  const category = FILTER_CATEGORIES.find((candidate) => candidate === name);
  if (category !== undefined) return category;
  const known = [...FILTER_CATEGORIES, ...UNCOLLECTED_NAMES];
  if (REFUSED_NAMES.includes(name)) {
    throw new UsageError(
      `invalid event filter: ${JSON.stringify(name)} is not collected in this version; expected ${known.join(", ")}`,
    );
  }
  const closest = closestOf(name, known);
  const advice = closest === undefined ? "" : `; did you mean ${closest}?`;
  throw new UsageError(
    `invalid event filter: ${JSON.stringify(name)} is no category; expected ${known.join(", ")}${advice}`,
  );
}

/** Yields one sentence per category that was asked for and is not collected. */
export function describeUncollected({ uncollected = [] }: Pick<Selection, "uncollected">): readonly string[] {
  return uncollected.map((name) => `--filter ${name}: ${UNCOLLECTED_CATEGORIES[name].reason}`);
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
