/**
 * When the single events happened: slow waits, failures, processes.
 *
 * @module
 */

import { countByStretch } from "../event_times.ts";
import { formatCount, formatShare, formatWallTime } from "../format.ts";
import { type FiguresOf, percentOf, type SectionInput, sumOf } from "./section_input.ts";

const BUCKET_COUNT = 5;

/** `undefined`: there were no single events. Five equal stretches of the window otherwise. */
export function timelineFigures({ measurements, digest }: SectionInput): FiguresOf<"timeline"> | undefined {
  const { window } = measurements;
  const counts = countByStretch(digest.eventTimes, { ...window, stretchCount: BUCKET_COUNT });
  const total = sumOf(counts, (count) => count);
  if (total === 0) return undefined;
  const stretchMs = (window.endWallMs - window.beginWallMs) / BUCKET_COUNT;
  return counts.map((count, index) => ({
    from: formatWallTime(window.beginWallMs + index * stretchMs),
    to: formatWallTime(window.beginWallMs + (index + 1) * stretchMs),
    events: count,
    percentage: percentOf(count, total),
  }));
}

export function renderTimeline(figures: FiguresOf<"timeline">): readonly string[] {
  const [first] = figures;
  // Seconds are enough, unless a stretch is shorter than one.
  const end = first !== undefined && Date.parse(first.to) - Date.parse(first.from) < 1000 ? 23 : 19;
  return figures.map(({ from, to, events, percentage }) =>
    `${from.slice(11, end)}-${to.slice(11, end)}: ${formatCount(events, "single event")} (${
      formatShare(percentage / 100)
    })`
  );
}
