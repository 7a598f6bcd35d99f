/**
 * Which processes did most.
 *
 * @module
 */

import { formatCount, formatShare } from "../format.ts";
import { groupAlike } from "./alike.ts";
import { type FiguresOf, percentOf, type SectionInput, sumOf } from "./section_input.ts";

const PROCESSES_MAX = 1000;
const PROCESSES_SHOWN_MAX = 5;

/** Events are waits, forks, execs, exits and other single events of a process; `undefined`: there were none. */
export function processActivityFigures(
  { measurements, digest, timeLedger }: SectionInput,
): FiguresOf<"process_activity"> | undefined {
  const rows = timeLedger.processes.map(({ info, waits }) => ({
    pid: info.processId,
    name: info.command,
    event_count: sumOf(waits, (wait) => wait.count) + (digest.processEventCounts.get(info.processId) ?? 0),
  })).filter(({ event_count }) => event_count > 0);
  if (rows.length === 0) return undefined;
  // Processes that only ended have no row, but their events are of the whole.
  const total = sumOf(measurements.waits, (wait) => wait.count) +
    sumOf([...digest.processEventCounts.values()], (n) => n);
  return rows
    .sort((first, second) => second.event_count - first.event_count || first.pid - second.pid)
    .slice(0, PROCESSES_MAX)
    .map((row) => ({ ...row, percentage: percentOf(row.event_count, total) }));
}

export function renderProcessActivity(figures: FiguresOf<"process_activity">): readonly string[] {
  const groups = groupAlike(figures)
    .map(({ label, rows }) => ({
      label,
      events: sumOf(rows, ({ event_count }) => event_count),
      percentage: sumOf(rows, (row) => row.percentage),
    }))
    .sort((first, second) => second.events - first.events);
  return [
    `Active processes: ${figures.length}; events are single ones and every wait, however short`,
    ...groups.slice(0, PROCESSES_SHOWN_MAX).map(({ label, events, percentage }) =>
      `${label}: ${formatCount(events, "event")} (${formatShare(percentage / 100)})`
    ),
  ];
}
