/**
 * Stretches of time in which far more single events happened than usually.
 *
 * @module
 */

import { countByStretch } from "../event_times.ts";
import { formatCount, formatLifetime, formatTimeOfDay } from "../format.ts";
import { type FiguresOf, type SectionInput, sumOf } from "./section_input.ts";

const EVENTS_MIN = 10;
const WINDOW_MS_MIN = 2000;
const STRETCH_MS = 1000;
const TIMES_AVERAGE_MIN = 2;
const BURSTS_MAX = 1000;
const BURSTS_SHOWN_MAX = 3;

/** `undefined`: no bursts, or too little happened to tell. */
export function burstFigures({ measurements, digest }: SectionInput): FiguresOf<"bursts"> | undefined {
  const { window } = measurements;
  const durationMs = window.endMs - window.beginMs;
  const stretchMs = Math.max(STRETCH_MS, digest.eventTimes.sliceMs);
  const stretchCount = Math.floor(durationMs / stretchMs);
  if (durationMs < WINDOW_MS_MIN || stretchCount < 2) return undefined;
  const counts = countByStretch(digest.eventTimes, { ...window, stretchCount });
  const total = sumOf(counts, (count) => count);
  if (total < EVENTS_MIN) return undefined;
  const average = total / stretchCount;
  const bursts = counts.flatMap((events, index) =>
    events <= TIMES_AVERAGE_MIN * average ? [] : [{
      at: new Date(window.beginWallMs + index * durationMs / stretchCount).toISOString(),
      length_ms: durationMs / stretchCount,
      events,
      times_average: events / average,
    }]
  );
  return bursts.length === 0 ? undefined : bursts.slice(0, BURSTS_MAX);
}

export function renderBursts(figures: FiguresOf<"bursts">): readonly string[] {
  const shown = figures.slice(0, BURSTS_SHOWN_MAX).map(({ at, length_ms: lengthMs, events, times_average }) =>
    `${formatTimeOfDay(Date.parse(at))}: ${formatCount(events, "event")} in ${formatLifetime(lengthMs)}, ${
      times_average.toFixed(1)
    } times the average`
  );
  const hidden = figures.length - shown.length;
  return hidden > 0 ? [...shown, `and ${formatCount(hidden, "more burst")}`] : shown;
}
