/**
 * What a recording has to say besides what was seen: what the run was to look
 * at, and how it ended. Plain data, to a file and back.
 *
 * @module
 */

import { FILTER_CATEGORIES, UNCOLLECTED_CATEGORIES, type UncollectedCategory } from "../../engine/api/filter.ts";
import type { WaitClass } from "../../engine/api/measurements.ts";
import { PLANES } from "../../engine/api/plane.ts";
import type { Target } from "../../engine/api/target.ts";
import { toCgroupId, toProcessId, toTargetId } from "../../engine/api/units.ts";
import { aFlag, aList, anObjectOf, aNumber, aSet, aTable, aText, maybe, oneOf, type Shape } from "../../engine/mod.ts";
import type { RequestedView } from "./request.ts";
import { END_REASONS, type RunFacts } from "./wiring.ts";

export type WindowView = Extract<RequestedView, { kind: "window" }>;

/** What shapes a report and cannot be chosen again at a replay. */
export type RecordedView = Omit<WindowView, "kind" | "failOn" | "live">;

/** What a run was asked for. */
export interface RecordedPlan {
  readonly targets: readonly Target[];
  readonly view: RecordedView;
  /** It was to last until a command ended: `view.durationMs` is only a bound. */
  readonly isOpenEnded: boolean;
}

/** Yields `plan` as JSON can hold it: no bigint in it, and no set. */
export function toPlanText(plan: RecordedPlan): unknown {
  const { durationMs, slowWaitMs, slowFileMs, hasUserStacks, planes, selection } = plan.view;
  const { categories } = selection;
  return {
    targets: plan.targets.map((target) => ({
      ...target,
      cgroups: target.cgroups.map(({ id, level, path }) => ({ id: String(id), level, path })),
    })),
    view: {
      durationMs,
      slowWaitMs,
      slowFileMs,
      hasUserStacks,
      planes: [...planes],
      selection: { ...selection, categories: categories && [...categories] },
    },
    isOpenEnded: plan.isOpenEnded,
  };
}

const A_TARGET: Shape<Target> = (value) => {
  const { id, label, cgroups, processIds, beginsAtExec, isSystemWide } = A_TARGET_TEXT(value);
  return {
    id: toTargetId(id),
    label,
    cgroups: cgroups.map((cgroup) => ({ ...cgroup, id: toCgroupId(BigInt(cgroup.id)) })),
    processIds: processIds.map(toProcessId),
    ...(beginsAtExec === true ? { beginsAtExec } : {}),
    isSystemWide,
  };
};

const A_TARGET_TEXT = anObjectOf({
  id: aText,
  label: aText,
  cgroups: aList(anObjectOf({ id: aText, level: aNumber, path: aText })),
  processIds: aList(aNumber),
  beginsAtExec: maybe(aFlag),
  isSystemWide: aFlag,
});

/** By wait class; a name this build does not know shapes nothing. */
const SLOW_WAITS: Shape<Readonly<Partial<Record<WaitClass, number>>>> = aTable(aNumber);

const UNCOLLECTED_NAMES = Object.keys(UNCOLLECTED_CATEGORIES) as readonly UncollectedCategory[];

/** What `toPlanText` made. */
export const A_PLAN: Shape<RecordedPlan> = anObjectOf({
  targets: aList(A_TARGET),
  view: anObjectOf({
    durationMs: aNumber,
    slowWaitMs: aNumber,
    slowFileMs: aNumber,
    hasUserStacks: aFlag,
    planes: aSet(oneOf(PLANES)),
    selection: anObjectOf({
      categories: maybe(aSet(oneOf(FILTER_CATEGORIES))),
      uncollected: maybe(aList(oneOf(UNCOLLECTED_NAMES))),
      thresholds: anObjectOf({
        errorPercent: aNumber,
        rttMs: aNumber,
        slowPeerMs: aNumber,
        fsMs: aNumber,
        slowReadMs: aNumber,
      }),
      slowWaitMsByClass: SLOW_WAITS,
      slowSocketMs: aNumber,
    }),
  }),
  isOpenEnded: aFlag,
});

/** How the run ended. */
export const RUN_FACTS: Shape<RunFacts> = anObjectOf({
  endReason: oneOf(END_REASONS),
  command: maybe(anObjectOf({
    argv: aList(aText),
    outcome: anObjectOf({
      exitCode: maybe(aNumber),
      signal: maybe(aText),
      stoppedBy: maybe(oneOf(["SIGTERM", "SIGKILL"])),
    }),
  })),
});
