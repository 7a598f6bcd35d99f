/**
 * What was looked for and not found. Such a sentence is only true of a category
 * that saw everything, so it is withheld, with the reason, otherwise.
 *
 * @module
 */

import { type FilterCategory, UNCOLLECTED_CATEGORIES, type UncollectedCategory } from "../api/filter.ts";
import type { Category, Completeness, WaitClass } from "../api/measurements.ts";
import type { TargetFacts } from "./facts.ts";

/** What was looked for and not found, in every target. */
export interface Absences {
  /** Things that did not happen: "disk waits", "throttling". */
  readonly absent: readonly string[];
  /** Statements that a category cannot vouch for, and why not. */
  readonly withheld: readonly { readonly statement: string; readonly reason: string }[];
}

interface Subject {
  readonly statement: string;
  readonly topic: FilterCategory;
  readonly categories: readonly Category[];
  readonly isAbsent: (facts: TargetFacts) => boolean;
}

const SUBJECTS: readonly Subject[] = [
  waitSubject("network waits", "net", ["network"]),
  waitSubject("disk waits", "fs", ["diskRead", "diskWrite"]),
  waitSubject("lock waits", "lock", ["lock"]),
  waitSubject("pipe waits", "time", ["pipe"]),
  waitSubject("major page faults", "mem", ["pageFault"]),
  waitSubject("stopped threads", "time", ["stopped"]),
  { statement: "throttling", topic: "cpu", categories: ["scheduling"], isAbsent: hasNoThrottling },
  {
    statement: "failed children",
    topic: "proc",
    categories: ["lifecycle"],
    isAbsent: (facts) =>
      facts.digest.childGroups.every((group) => group.targetId !== facts.targetId || group.failedCount === 0),
  },
];

/**
 * Yields what is absent from every target, and what cannot be said.
 *
 * @param options.categories what was asked about; `undefined`: everything
 * @param options.uncollected what was asked about and cannot be told
 */
export function toAbsences(
  targets: readonly TargetFacts[],
  options: {
    readonly categories?: ReadonlySet<FilterCategory> | undefined;
    readonly uncollected?: readonly UncollectedCategory[] | undefined;
  } = {},
): Absences {
  const absent: string[] = [];
  const withheld = (options.uncollected ?? []).map((name): { statement: string; reason: string } => ({
    statement: name,
    reason: UNCOLLECTED_CATEGORIES[name].reason,
  }));
  if (targets.length === 0) return { absent, withheld };
  for (const { statement, topic, categories, isAbsent } of SUBJECTS) {
    if (options.categories?.has(topic) === false) continue;
    if (!targets.every(isAbsent)) continue;
    const reason = targets.flatMap((facts) => reasonsAgainst(facts.completeness, categories)).at(0);
    if (reason === undefined) absent.push(statement);
    else withheld.push({ statement: `no ${statement}`, reason });
  }
  return { absent, withheld };
}

function waitSubject(statement: string, topic: FilterCategory, classes: readonly WaitClass[]): Subject {
  return {
    statement,
    topic,
    categories: ["scheduling", "waits"],
    isAbsent: (facts) => classes.every((waitClass) => facts.sums.byClass[waitClass] === 0),
  };
}

function hasNoThrottling(facts: TargetFacts): boolean {
  return facts.sums.throttledMs === 0 && facts.cgroups.every((cgroup) => (cgroup.throttledMs ?? 0) === 0);
}

function reasonsAgainst(
  completeness: Readonly<Record<Category, Completeness>>,
  categories: readonly Category[],
): readonly string[] {
  return categories.flatMap((category) => {
    const verdict = completeness[category];
    if (verdict.verdict === "complete") return [];
    return verdict.verdict === "blind"
      ? [`${category} is BLIND: ${verdict.reason}`]
      : [`${category} is PARTIAL ${verdict.percent.toFixed(1)}%: ${verdict.reason}`];
  });
}
