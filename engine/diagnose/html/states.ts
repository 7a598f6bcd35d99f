/**
 * What a thread's time can be, as the page shows it: the engine's states with
 * the three kinds of idling as one.
 *
 * @module
 */

import type { WaitClass } from "../../api/measurements.ts";
import type { TimeSums } from "../facts.ts";
import type { StateName } from "../timeline.ts";
import { WAIT_CLASS_NAMES } from "../wait_object.ts";

/** In the order in which bars and stacks show them. */
export const PAGE_STATES = [
  "onCpu",
  "runnable",
  "throttled",
  "network",
  "diskRead",
  "diskWrite",
  "lock",
  "pipe",
  "child",
  "pageFault",
  "stopped",
  "other",
  "unattributed",
  "idle",
] as const;

/** One of them. */
export type PageState = (typeof PAGE_STATES)[number];

const IDLING: ReadonlySet<StateName> = new Set<StateName>(["idle", "sleep", "parked"]);

/** Yields the page's state for one of the engine's. */
export function toPageState(state: StateName): PageState {
  // The engine's states are the page's, but for the kinds of idling.
  return IDLING.has(state) ? "idle" : state as PageState;
}

/** Yields how a state is called. */
export function stateLabel(state: PageState): string {
  switch (state) {
    case "onCpu":
      return "on CPU";
    case "runnable":
      return "waiting for a CPU";
    case "throttled":
      return "throttled";
    case "unattributed":
      return "not attributed";
    default:
      return WAIT_CLASS_NAMES[state];
  }
}

/** Yields the amounts of `PAGE_STATES`, in milliseconds. */
export function stateAmounts(sums: TimeSums): readonly number[] {
  const amount = (state: PageState): number => {
    switch (state) {
      case "onCpu":
        return sums.onCpuMs;
      case "runnable":
        return sums.runnableMs;
      case "throttled":
        return sums.throttledMs;
      case "unattributed":
        return sums.unattributedMs + Math.abs(sums.residualMs);
      case "idle":
        return sums.byClass.idle + sums.byClass.sleep + sums.byClass.parked;
      default:
        return sums.byClass[state satisfies WaitClass];
    }
  };
  return PAGE_STATES.map((state) => Math.max(0, amount(state)));
}
