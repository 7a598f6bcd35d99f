/**
 * Where in the program time went: the hottest stacks of computing and of each
 * kind of wait.
 *
 * @module
 */

import { HTML_STACKS_PER_PART_MAX } from "../../api/limits.ts";
import { IDLE_WAIT_CLASSES } from "../../api/measurements.ts";
import { SAMPLES_PER_SECOND } from "../../api/profile_measurements.ts";
import { formatCount, formatShare } from "../format.ts";
import type { Report } from "../report.ts";
import type { ProfilePart } from "../stack_profile.ts";
import { WAIT_CLASS_NAMES } from "../wait_object.ts";
import { renderStack } from "./answer_section.ts";
import { type Markup, markup } from "./markup.ts";
import { formatDuration, formatNumber, section, stateName } from "./parts.ts";
import { toPageState } from "./states.ts";

/** Yields the section; nothing where no stack was taken. */
export function renderStackProfile({ stackProfile }: Report): Markup | undefined {
  const parts = (stackProfile?.parts ?? []).filter(({ waitClass }) =>
    waitClass === undefined || !IDLE_WAIT_CLASSES.has(waitClass)
  );
  if (parts.length === 0) return undefined;
  return section({
    id: "stacks",
    title: "Hottest stacks",
    note: "The innermost function first. Computing is sampled, so its times are estimates.",
  }, parts.map(renderPart));
}

function renderPart(part: ProfilePart): Markup {
  const { waitClass, totalMs, count, stacks, withoutStackMs, omittedStackCount } = part;
  const shown = stacks.slice(0, HTML_STACKS_PER_PART_MAX);
  const hiddenCount = stacks.length - shown.length + omittedStackCount;
  const name = waitClass === undefined
    ? stateName("onCpu", "computing")
    : stateName(toPageState(waitClass), WAIT_CLASS_NAMES[waitClass]);
  const figures = waitClass === undefined
    ? `about ${formatDuration(totalMs)}, ${formatNumber(count)} samples at ${SAMPLES_PER_SECOND} a second and CPU`
    : `${formatDuration(totalMs)} in ${formatCount(count, "wait")}`;
  return markup`<details class="part"${waitClass === undefined && markup` open`}><summary>${name} ${figures}</summary>${
    shown.map(({ frames, share }) => renderStack(frames.map(({ text }) => text), share))
  }${hiddenCount > 0 && markup`<p class="note">and ${formatCount(hiddenCount, "more stack")}</p>`}${
    withoutStackMs > 0 && totalMs > 0 &&
    markup`<p class="note">Of ${formatShare(withoutStackMs / totalMs)} no stack could be taken.</p>`
  }</details>`;
}
