/**
 * What the target may use, and how much of it it does: CPU quota, memory, block
 * I/O, tasks, descriptors.
 *
 * @module
 */

import type { CgroupMeasurement } from "../../api/measurements.ts";
import type { CgroupResourceMeasurement, ProcessResourceMeasurement } from "../../api/resource_measurements.ts";
import { formatBytes, formatShare } from "../format.ts";
import { deviceUses } from "../rules/io_limit.ts";
import { commandsOf, type FiguresOf, percentOf, type SectionInput, sumOf } from "./section_input.ts";

type Row = FiguresOf<"resource_limits">[number];

const ROWS_MAX = 1000;
const ROWS_SHOWN_MAX = 8;

/** Utilisation in percent from which a limit is in that state; the reference's. */
const STATES = [
  { status: "EMERGENCY", percentMin: 95 },
  { status: "CRITICAL", percentMin: 90 },
  { status: "WARNING", percentMin: 80 },
] as const;

/** `undefined`: no limit is known. The fullest first. */
export function resourceLimitFigures({ measurements }: SectionInput): FiguresOf<"resource_limits"> | undefined {
  const windowMs = measurements.window.endMs - measurements.window.beginMs;
  const commandOf = commandsOf(measurements);
  const rows = [
    ...measurements.cgroups.flatMap((group) => cpuRow(group, { windowMs, measurements })),
    ...measurements.cgroupResources.flatMap(memoryRow),
    ...measurements.cgroupResources.flatMap((group) => ioRows(group, windowMs)),
    ...measurements.cgroupResources.flatMap(taskRow),
    ...measurements.processResources.flatMap((entry) => descriptorRow(entry, commandOf(entry.processId))),
  ];
  if (rows.length === 0) return undefined;
  return rows
    .sort((first, second) =>
      second.utilization_percent - first.utilization_percent || (first.subject < second.subject ? -1 : 1)
    )
    .slice(0, ROWS_MAX);
}

/** Of the quota of the whole window, so that it reaches 100 % only when all of it was used. */
function cpuRow(
  group: CgroupMeasurement,
  { windowMs, measurements }: { windowMs: number; measurements: SectionInput["measurements"] },
): readonly Row[] {
  const usageMs = group.cpuUsageMs ?? usageOfThreads(group, measurements);
  if (group.cpuLimit === undefined || usageMs === undefined) return [];
  return [toRow({
    resource: "cpu",
    subject: group.cpuLimitPath ?? group.path,
    unit: "CPUs",
    usage: windowMs > 0 ? usageMs / windowMs : 0,
    limit: group.cpuLimit,
  })];
}

/** Where the accounts are another hierarchy's (v1), the target's own threads are a lower bound of its only group. */
function usageOfThreads(
  { targetId }: CgroupMeasurement,
  { cgroups, threads }: SectionInput["measurements"],
): number | undefined {
  const isOnly = cgroups.filter((group) => group.targetId === targetId).length === 1;
  return isOnly
    ? sumOf(threads.filter((thread) => thread.targetId === targetId), (thread) => thread.onCpuMs)
    : undefined;
}

/** Without what could be given up at once: page cache counts as use, but is no need. */
function memoryRow({ path, memory }: CgroupResourceMeasurement): readonly Row[] {
  const usage = memory?.anonymousBytes ?? memory?.usageBytes;
  if (memory?.limitBytes === undefined || usage === undefined) return [];
  return [toRow({ resource: "memory", subject: memory.path ?? path, unit: "bytes", usage, limit: memory.limitBytes })];
}

function ioRows(group: CgroupResourceMeasurement, windowMs: number): readonly Row[] {
  if (windowMs <= 0) return [];
  return deviceUses(group, windowMs).map(({ device, use }) =>
    toRow({
      resource: "io",
      subject: use.path,
      use: `${use.what.toLowerCase()} of device ${device}`,
      unit: use.isBytes ? "bytes/s" : "operations/s",
      usage: use.perSecond,
      limit: use.limit,
    })
  );
}

function taskRow({ tasks }: CgroupResourceMeasurement): readonly Row[] {
  if (tasks?.limitCount === undefined) return [];
  const { path, usageCount, limitCount } = tasks;
  return [toRow({ resource: "tasks", subject: path, unit: "count", usage: usageCount, limit: limitCount })];
}

function descriptorRow(entry: ProcessResourceMeasurement, command: string): readonly Row[] {
  const usage = entry.fdCountEnd ?? entry.fdCountBegin;
  if (usage === undefined || entry.fdLimit === undefined) return [];
  const subject = `${command} (${entry.processId})`;
  return [toRow({ resource: "descriptors", subject, unit: "count", usage, limit: entry.fdLimit })];
}

function toRow(row: Omit<Row, "utilization_percent" | "status">): Row {
  const percent = percentOf(row.usage, row.limit);
  const state = STATES.find(({ percentMin }) => percent >= percentMin);
  return { ...row, utilization_percent: percent, status: state?.status ?? "OK" };
}

export function renderResourceLimits(figures: FiguresOf<"resource_limits">): readonly string[] {
  // A process far from its limit of descriptors is no news, nor is a group of tasks; the JSON has it.
  const isCounted = (resource: Row["resource"]) => resource === "descriptors" || resource === "tasks";
  const news = figures.filter(({ resource, status }) => !isCounted(resource) || status !== "OK");
  const shown = (news.length > 0 ? news : figures.slice(0, 1)).slice(0, ROWS_SHOWN_MAX);
  return shown.map(({ resource, subject, use, unit, usage, limit, utilization_percent, status }) => {
    const format = (value: number) => formatUse(value, unit);
    return `${resource} of ${subject}${use === undefined ? "" : ` (${use})`}: ${
      formatShare(utilization_percent / 100)
    } (${format(usage)} of ${format(limit)}), ${status}`;
  });
}

/** Yields a figure of a row with its unit. */
export function formatUse(value: number, unit: Row["unit"]): string {
  switch (unit) {
    case "bytes":
      return formatBytes(value);
    case "bytes/s":
      return `${formatBytes(Math.round(value))}/s`;
    case "operations/s":
      return `${Math.round(value)} operations/s`;
    case "CPUs":
      return `${value.toFixed(2)} CPUs`;
    case "count":
      return `${value}`;
  }
}
