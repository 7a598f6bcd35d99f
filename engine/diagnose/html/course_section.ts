/**
 * The run over time: what the threads did, and what the recorded single waits
 * were for.
 *
 * @module
 */

import { formatTimeOfDay } from "../format.ts";
import { toWallMs } from "../facts.ts";
import type { Report } from "../report.ts";
import { STATE_NAMES, type Timeline } from "../timeline.ts";
import { CHART_WIDTH, niceCeiling, stackMax, stackPaths } from "./chart_paths.ts";
import { dataBlock, Markup, markup } from "./markup.ts";
import { section } from "./parts.ts";
import { PAGE_STATES, type PageState, stateLabel, toPageState } from "./states.ts";

const HEIGHT = 200;
const TIME_LABELS = 5;

/** What the page's script is told of one chart. */
export interface CourseData {
  readonly sliceMs: number;
  /** Of the first slice, from the window's begin; 0 or a little less. */
  readonly beginMs: number;
  /** Unix time of the window's begin. */
  readonly beginWallMs: number;
  readonly states: readonly PageState[];
  /** Threads, on average over the slice, per state. */
  readonly slices: readonly (readonly number[])[];
}

/** Yields the section; nothing where no single events were kept. */
export function renderCourse(report: Report): Markup | undefined {
  const { listing } = report;
  if (listing === undefined) return undefined;
  const states = listing.states && toCourseData(report, listing.states);
  const slowWaits = toCourseData(report, listing.slowWaits);
  return section({
    id: "course",
    title: "Over time",
    note: "How many threads were in each state, on average; idle ones are left out.",
  }, [
    states && renderChart("course-states", "All of the threads\u2019 time", states),
    renderChart("course-slow", "Recorded single waits", slowWaits),
  ]);
}

/** Yields the timeline as the page draws it: idling left out, states that never occur left out. */
export function toCourseData(report: Report, timeline: Timeline): CourseData {
  const columns = PAGE_STATES.filter((state) => state !== "idle");
  const all = timeline.slices.map((slice, sliceIndex) => {
    const amounts = new Map<PageState, number>();
    STATE_NAMES.forEach((name, index) => {
      const state = toPageState(name);
      amounts.set(state, (amounts.get(state) ?? 0) + (slice[index] ?? 0));
    });
    const coveredMs = coveredMsOf(report, { timeline, sliceIndex });
    return columns.map((state) => Math.round((amounts.get(state) ?? 0) / coveredMs * 1000) / 1000);
  });
  const kept = columns.flatMap((state, index) =>
    all.some((slice) => (slice[index] ?? 0) > 0) ? [{ state, index }] : []
  );
  return {
    sliceMs: timeline.sliceMs,
    beginMs: Math.round(timeline.beginMs - report.window.beginMs),
    beginWallMs: Math.round(report.window.beginWallMs),
    states: kept.map(({ state }) => state),
    slices: all.map((slice) => kept.map(({ index }) => slice[index] ?? 0)),
  };
}

/** The part of a slice that lies in the window; the last slice has what is left of it. */
function coveredMsOf(
  { window }: Report,
  { timeline, sliceIndex }: { readonly timeline: Timeline; readonly sliceIndex: number },
): number {
  const beginMs = Math.max(window.beginMs, timeline.beginMs + sliceIndex * timeline.sliceMs);
  const isLast = sliceIndex === timeline.slices.length - 1;
  const endMs = isLast ? window.endMs : timeline.beginMs + (sliceIndex + 1) * timeline.sliceMs;
  return Math.max(1, endMs - beginMs);
}

function renderChart(id: string, title: string, data: CourseData): Markup {
  if (data.states.length === 0) {
    return markup`<figure class="course"><figcaption>${title}</figcaption><p class="note">Nothing was recorded.</p></figure>`;
  }
  const columns = data.states.map((_, index) => index);
  const max = niceCeiling(stackMax({ slices: data.slices, columns }));
  const paths = stackPaths({ slices: data.slices, columns, max, height: HEIGHT });
  const wallMsAt = (part: number) => data.beginWallMs + data.beginMs + part * data.slices.length * data.sliceMs;
  return markup`<figure class="course" id="${id}"><figcaption>${title}</figcaption>
<div class="plot"><svg class="area" viewBox="0 0 ${CHART_WIDTH} ${HEIGHT}" preserveAspectRatio="none" tabindex="0" role="slider" aria-label="${title}, a moment of it" aria-valuemin="0" aria-valuemax="${
    data.slices.length - 1
  }" aria-valuenow="0" aria-valuetext="no moment chosen"><path class="grid" d="M0 ${
    HEIGHT / 2
  }H${CHART_WIDTH}M0 0H${CHART_WIDTH}"/>${
    paths.map((path, index) => {
      const state = data.states[index] ?? "other";
      return markup`<path class="s-${state}" data-state="${state}" d="${new Markup(path)}"/>`;
    })
  }<rect class="span" x="0" y="0" width="0" height="${HEIGHT}"/><path class="cursor" d=""/></svg>
<span class="y top">${max} thread${max === 1 ? "" : "s"}</span><span class="y half">${max / 2}</span></div>
<p class="x">${
    Array.from(
      { length: TIME_LABELS },
      (_, index) =>
        markup`<span>${formatTimeOfDay(wallMsAt(index / (TIME_LABELS - 1))).slice(0, axisDigits(data))}</span>`,
    )
  }</p><div class="keys" role="group" aria-label="States shown">${
    data.states.map((state) =>
      markup`<button type="button" class="toggle" aria-pressed="true" data-state="${state}"><i class="swatch s-${state}"></i>${
        stateLabel(state)
      }</button>`
    )
  }</div><output class="readout">Move over the chart, or use the arrow keys, to read a moment; drag, or hold Shift, to choose a span: the single events below follow it.</output>${
    dataBlock(`${id}-data`, data)
  }</figure>`;
}

/** A short run needs tenths of a second on its axis. */
function axisDigits({ slices, sliceMs }: CourseData): number {
  return slices.length * sliceMs < 20_000 ? 10 : 8;
}

/** Yields a time of the window as the page writes it. */
export function timeOfDay(report: Report, monotonicMs: number): string {
  return formatTimeOfDay(toWallMs(report.window, monotonicMs));
}
