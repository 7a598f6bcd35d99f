/**
 * What makes a finding how bad. Severity follows the share of the target's non-idle
 * time a cause explains, and failures; never raw counts.
 *
 * @module
 */

import { compareSeverity, type Severity } from "../api/severity.ts";

/** Yields the milder of the two. */
export function capSeverity(severity: Severity, cap: Severity): Severity {
  return compareSeverity(severity, cap) > 0 ? cap : severity;
}

/**
 * What each level takes: a share of the non-idle time, and as much of the
 * window. The second keeps a target quiet that hardly does anything: 5 ms of
 * disk in a process that was busy for 6 ms are 83 % and yet nobody's trouble.
 */
const LEVELS: readonly { readonly severity: Severity; readonly shareMin: number; readonly windowShareMin: number }[] = [
  { severity: "critical", shareMin: 0.50, windowShareMin: 0.25 },
  { severity: "error", shareMin: 0.25, windowShareMin: 0.10 },
  { severity: "warning", shareMin: 0.05, windowShareMin: 0.02 },
];

/** Less than this in total is never above info, however short the window: one hiccup of a disk takes as long. */
export const EXPLAINED_MS_MIN = 50;

/** Below this share of the non-idle time a cause is not even mentioned as info; the wait table still lists it. */
export const INFO_SHARE_MIN = 0.02;

/** Less than this in total is not mentioned as info either. */
export const INFO_EXPLAINED_MS_MIN = 20;

/** In a shorter window shares say more about the moment than about the target; time rules stay silent. */
export const WINDOW_MS_MIN = 500;

/**
 * A category that saw less than this cannot carry a rule: what was missed may
 * outweigh what was seen. Above it figures are lower bounds and say so.
 */
export const RELIABLE_PERCENT_MIN = 50;

/** Three times may be bad luck of the moment once, a pattern from then on. */
export const REPEATED_COUNT_MIN = 3;

/** Waits on children and pipes shorter than this on average are ordinary cooperation. */
export const SLOW_HELPER_MS_MIN = 10;

/**
 * A thread that waited less than this for a CPU per time it slept is merely
 * sharing it: the scheduler's own slice is about 3 ms.
 */
export const CPU_DELAY_MS_MIN = 4;

/** Of its life: a thread that waited as much for CPUs is starved, however short each delay was. */
export const STARVED_SHARE_MIN = 0.5;

/** Less of the time wanted on a CPU than this is ordinary sharing of a busy machine. */
export const CPU_WAIT_SHARE_MIN = 0.20;

/** Loading a program faults; a target that lives on memory it does not have shows more. */
export const PAGE_FAULT_SHARE_MIN = 0.10;

/** An open wait that covers this much of a thread's life never began or ended while we looked. */
export const DORMANT_SHARE_MIN = 0.90;

/** What a cause costs. */
export interface Impact {
  /** Of the target's non-idle time, 0 to 1. */
  readonly share: number;
  /** The time it explains. */
  readonly explainedMs: number;
  /** The window's length. */
  readonly windowMs: number;
}

/** Yields the severity that the impact alone justifies. */
export function severityOf(impact: Impact): Severity {
  if (impact.explainedMs < EXPLAINED_MS_MIN) return "info";
  const windowShare = impact.windowMs > 0 ? impact.explainedMs / impact.windowMs : 0;
  const level = LEVELS.find((candidate) =>
    impact.share >= candidate.shareMin && windowShare >= candidate.windowShareMin
  );
  return level?.severity ?? "info";
}

/** Whether the impact is worth a line at all. */
export function isWorthMentioning(impact: Impact): boolean {
  return impact.share >= INFO_SHARE_MIN && impact.explainedMs >= INFO_EXPLAINED_MS_MIN;
}
