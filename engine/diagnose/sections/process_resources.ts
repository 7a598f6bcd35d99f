/**
 * What each process has and uses: descriptors, threads, page faults, memory.
 *
 * @module
 */

import { formatBytes, formatCount } from "../format.ts";
import { commandsOf, type FiguresOf, type SectionInput } from "./section_input.ts";

type Row = FiguresOf<"process_resources">["processes"][number];

const ROWS_MAX = 1000;
const ROWS_SHOWN_MAX = 5;

/** `undefined`: no process was looked at so. Most resident memory first. */
export function processResourceFigures({ measurements }: SectionInput): FiguresOf<"process_resources"> | undefined {
  const commandOf = commandsOf(measurements);
  const rows = measurements.processResources.map((entry): Row => ({
    target: entry.targetId,
    pid: entry.processId,
    name: commandOf(entry.processId),
    descriptors_begin: entry.fdCountBegin,
    descriptors_end: entry.fdCountEnd,
    descriptor_limit: entry.fdLimit,
    threads_begin: entry.threadCountBegin,
    threads_end: entry.threadCountEnd,
    threads_started: entry.threadsStartedCount,
    minor_faults: entry.minorFaultCount,
    major_faults: entry.majorFaultCount,
    resident_bytes_begin: entry.residentBytesBegin,
    resident_bytes_end: entry.residentBytesEnd,
  })).sort((first, second) => residentOf(second) - residentOf(first) || first.pid - second.pid);
  if (rows.length === 0) return undefined;
  return { processes: rows.slice(0, ROWS_MAX), omitted: Math.max(0, rows.length - ROWS_MAX) };
}

function residentOf(row: Row): number {
  return row.resident_bytes_end ?? row.resident_bytes_begin ?? 0;
}

export function renderProcessResources({ processes, omitted }: FiguresOf<"process_resources">): readonly string[] {
  const shown = processes.slice(0, ROWS_SHOWN_MAX);
  const hiddenCount = processes.length - shown.length + omitted;
  return [
    ...shown.map((row) => `${row.name} (${row.pid}): ${describeRow(row).join(", ")}`),
    ...(hiddenCount > 0 ? [`and ${formatCount(hiddenCount, "more process", "more processes")}`] : []),
  ];
}

function describeRow(row: Row): readonly string[] {
  const { descriptor_limit: limit, threads_started: started } = row;
  const descriptors = describeChange(row.descriptors_begin, row.descriptors_end, String);
  const threads = describeChange(row.threads_begin, row.threads_end, String);
  const resident = describeChange(row.resident_bytes_begin, row.resident_bytes_end, formatBytes);
  return [
    ...(resident === undefined ? [] : [`memory ${resident}`]),
    ...(descriptors === undefined ? [] : [
      `descriptors ${descriptors}${limit === undefined ? "" : ` of ${limit}`}`,
    ]),
    ...(threads === undefined ? [] : [`threads ${threads}${started > 0 ? ` (${started} started)` : ""}`]),
    `page faults ${row.minor_faults} minor, ${row.major_faults} major`,
  ];
}

/** Yields "12", or "10 -> 12" when it changed; `undefined`: nobody could tell. */
export function describeChange(
  begin: number | undefined,
  end: number | undefined,
  format: (value: number) => string,
): string | undefined {
  const last = end ?? begin;
  if (last === undefined) return undefined;
  const [from, to] = [begin === undefined ? undefined : format(begin), format(last)];
  if (end === undefined) return `${to} at the begin`;
  return from === undefined || from === to ? to : `${from} -> ${to}`;
}
