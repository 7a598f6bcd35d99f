/**
 * Where in the program waits were begun: stacks of several wait rows together.
 *
 * @module
 */

import type { StackFrame, WaitMeasurement } from "../api/measurements.ts";
import { groupBy } from "./facts.ts";
import type { StackShare } from "./finding.ts";

/** Stacks kept of one cause or row: a second and third place to look; more is a profile. */
export const STACKS_MAX = 3;

/** Frames shown of a stack in text. */
const FRAMES_SHOWN_MAX = 6;

/** Yields at most `STACKS_MAX` stacks of `waits`, most time first; none where no stack was taken. */
export function dearestStacks(waits: readonly WaitMeasurement[]): readonly StackShare[] {
  const withStack = waits.filter((wait) => wait.userStack.length > 0);
  const groups = groupBy(withStack, (wait) => withStack.length === 1 ? "" : stackKey(wait.userStack));
  const stacks = Array.from(groups.values(), (group) => ({
    frames: (group[0]?.userStack ?? []).map((frame) => frame.text),
    totalMs: group.reduce((sum, wait) => sum + wait.totalMs, 0),
    count: group.reduce((sum, wait) => sum + wait.count, 0),
  }));
  return stacks.sort((first, second) => second.totalMs - first.totalMs).slice(0, STACKS_MAX);
}

/** Yields the one string that equal stacks share; frames are sanitised: no line break is in one. */
function stackKey(stack: readonly StackFrame[]): string {
  let key = "";
  for (const frame of stack) key += `${frame.text}\n`;
  return key;
}

/** Yields the innermost frames on one line: "read+0x10 < load_prices+0x2c < main+0x81 ... 2 more". */
export function describeFrames(frames: readonly string[]): string {
  const shown = frames.slice(0, FRAMES_SHOWN_MAX).map(shortenBuildId).join(" < ");
  return frames.length > FRAMES_SHOWN_MAX ? `${shown} ... ${frames.length - FRAMES_SHOWN_MAX} more` : shown;
}

/** Forty digits name a build to machines; eight tell builds apart on a screen. */
function shortenBuildId(frame: string): string {
  return frame.replace(/\[buildid:([0-9a-f]{8})[0-9a-f]+\]/, "[buildid:$1...]");
}
