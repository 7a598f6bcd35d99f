/**
 * The hottest stacks in text.
 *
 * @module
 */

import { SAMPLES_PER_SECOND } from "../api/profile_measurements.ts";
import { IDLE_WAIT_CLASSES } from "../api/measurements.ts";
import { formatCount, formatMs, formatShare } from "./format.ts";
import type { Report } from "./report.ts";
import type { HotStack, ProfilePart } from "./stack_profile.ts";
import { describeFrames } from "./stacks.ts";
import { alignRight, COLUMNS, wrapText } from "./text_layout.ts";
import { WAIT_CLASS_NAMES } from "./wait_object.ts";

/** Parts and stacks shown; the JSON has more of both. */
const PARTS_MAX = 5;
const STACKS_MAX = 4;

/** Below this share of its part a stack is noise. */
const SHARE_MIN = 0.01;

/** Yields the section's lines; none where no stack was taken. */
export function renderStacks({ stackProfile }: Pick<Report, "stackProfile">, columns = COLUMNS): readonly string[] {
  const parts = (stackProfile?.parts ?? []).filter(({ waitClass }) =>
    waitClass === undefined || !IDLE_WAIT_CLASSES.has(waitClass)
  );
  if (parts.length === 0) return [];
  return [
    "HOTTEST STACKS, the innermost function first",
    ...parts.slice(0, PARTS_MAX).flatMap((part) => renderPart(part, columns)),
  ];
}

function renderPart(part: ProfilePart, columns: number): readonly string[] {
  const shown = part.stacks.slice(0, STACKS_MAX).filter((stack, index) => index === 0 || stack.share >= SHARE_MIN);
  const hiddenCount = part.stacks.length - shown.length + part.omittedStackCount;
  const withoutShare = part.totalMs > 0 ? part.withoutStackMs / part.totalMs : 0;
  return [
    `  ${headingOf(part)}`,
    ...shown.flatMap((stack) => renderStack(stack, columns)),
    ...(hiddenCount > 0 ? [`            and ${formatCount(hiddenCount, "more stack")}`] : []),
    ...(withoutShare >= SHARE_MIN ? [`    ${alignRight(formatShare(withoutShare), 6)}  no stack could be taken`] : []),
  ];
}

function headingOf({ waitClass, totalMs, count }: ProfilePart): string {
  if (waitClass !== undefined) {
    return `${WAIT_CLASS_NAMES[waitClass]}: ${formatMs(totalMs)} in ${formatCount(count, "wait")}`;
  }
  return `computing: about ${(totalMs / 1000).toFixed(2)} s, ` +
    `${formatCount(count, "sample")} at ${SAMPLES_PER_SECOND} a second and CPU`;
}

function renderStack({ share, frames }: HotStack, columns: number): readonly string[] {
  return wrapText(describeFrames(frames.map(({ text }) => text)), {
    first: `    ${alignRight(formatShare(share), 6)}  `,
    indent: 12,
    columns,
  });
}
