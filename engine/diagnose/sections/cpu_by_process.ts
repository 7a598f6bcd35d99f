/**
 * CPU time of each process within the window, as the scheduler handed it out.
 *
 * @module
 */

import { formatCount, formatMs, formatShare } from "../format.ts";
import { groupAlike } from "./alike.ts";
import { type FiguresOf, percentOf, type SectionInput, sumOf } from "./section_input.ts";

const PROCESSES_MAX = 1000;
const PROCESSES_SHOWN_MAX = 10;

/** Percentages are of one CPU, so that two busy threads are 200 %. `undefined`: nothing ran. */
export function cpuByProcessFigures(
  { measurements, timeLedger }: SectionInput,
): FiguresOf<"cpu_by_process"> | undefined {
  const windowMs = measurements.window.endMs - measurements.window.beginMs;
  const rows = timeLedger.processes.map(({ info, sums }) => ({
    pid: info.processId,
    name: info.command,
    cpu_ms: sums.onCpuMs,
    percent: percentOf(sums.onCpuMs, windowMs),
  })).filter(({ cpu_ms }) => cpu_ms > 0)
    .sort((first, second) => second.cpu_ms - first.cpu_ms || first.pid - second.pid);
  if (rows.length === 0) return undefined;
  const totalMs = sumOf(rows, ({ cpu_ms }) => cpu_ms) + (timeLedger.departed?.onCpuMs ?? 0);
  const { cpuCount } = measurements.host;
  return {
    total_percent: percentOf(totalMs, windowMs),
    machine_percent: percentOf(totalMs, windowMs * cpuCount),
    cpu_count: cpuCount,
    processes: rows.slice(0, PROCESSES_MAX),
  };
}

export function renderCpuByProcess(figures: FiguresOf<"cpu_by_process">): readonly string[] {
  const groups = groupAlike(figures.processes)
    .map(({ label, rows }) => ({
      label,
      cpuMs: sumOf(rows, ({ cpu_ms }) => cpu_ms),
      percent: sumOf(rows, (row) => row.percent),
    }))
    .sort((first, second) => second.cpuMs - first.cpuMs);
  const shown = groups.slice(0, PROCESSES_SHOWN_MAX);
  const hidden = groups.length - shown.length;
  return [
    `Total: ${formatShare(figures.total_percent / 100)} of one CPU, ${formatShare(figures.machine_percent / 100)} of ` +
    `${formatCount(figures.cpu_count, "CPU")}`,
    ...shown.map(({ label, cpuMs, percent }) =>
      `${label}: ${formatShare(percent / 100)} of one CPU, ${formatMs(cpuMs)}`
    ),
    ...(hidden > 0 ? [`and ${formatCount(hidden, "more process", "more processes")}`] : []),
  ];
}
