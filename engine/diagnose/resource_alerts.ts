/**
 * Limits that are nearly used up as alerts: what a resource monitor would say,
 * at every look. Making them has no effect: telling them is alerting's.
 *
 * @module
 */

import type { Alert, AlertSeverity } from "../api/alerts.ts";
import type { RuleId } from "./finding.ts";
import { formatShare } from "./format.ts";
import type { Report } from "./report.ts";
import type { FiguresOf } from "./sections/section_input.ts";
import { formatUse } from "./sections/resource_limits.ts";

type Row = FiguresOf<"resource_limits">[number];
type Resource = Row["resource"];

const SOURCE = "resource_monitor";

/** Whoever is at the end of one of these fails: what is used up is not there. */
const SEVERITIES: Readonly<Record<Row["status"], AlertSeverity | undefined>> = {
  OK: undefined,
  WARNING: "warning",
  CRITICAL: "critical",
  EMERGENCY: "fatal",
};

/** A rate that is used in full may be a machine that is well used; findings tell what it does harm to. */
const RATES: ReadonlySet<Resource> = new Set<Resource>(["cpu", "io"]);

/** Findings that tell the same trouble, and more of it: where one is above info, the monitor is silent. */
const TOLD_BY: Readonly<Record<Resource, readonly RuleId[]>> = {
  cpu: ["resource-limit", "cpu-throttling"],
  memory: ["memory-limit", "oom-kill"],
  io: ["io-limit"],
  tasks: [],
  descriptors: ["descriptor-limit"],
};

const RECOMMENDATIONS: Readonly<Record<Resource, readonly string[]>> = {
  cpu: [
    "Raise the CPU limit before the load grows.",
    "Look at CPU Usage by Process for what uses it.",
    "Lower the number of threads that are busy at once.",
    "Spread the load over more replicas.",
  ],
  memory: [
    "Raise the memory limit, or the kernel kills a process of the group.",
    "Look for what grows: a heap profile, caches without a bound.",
    "Give runtimes a heap limit below the limit of the group.",
    "Spread the load over more replicas.",
  ],
  io: [
    "Raise the I/O limit of the device.",
    "Read and write less: batches, caches, compression.",
    "Look at File System Statistics for the files that are waited for.",
    "Move what is written most to another device.",
  ],
  tasks: [
    "Raise the limit of tasks (pids.max), or fork() and new threads fail.",
    "Look for threads and processes that do not end.",
    "Use a pool instead of a thread or process per request.",
    "Reap children that have ended.",
  ],
  descriptors: [
    "Look for descriptors that are not closed.",
    "Raise the limit of descriptors (RLIMIT_NOFILE), or open() and accept() fail.",
    "Close idle connections, use keep-alive with a bound.",
    "Watch the number of descriptors over time: does it grow?",
  ],
};

/** Yields one alert per limit of which 80 % or more are used and that no finding above info tells. */
export function toResourceAlerts(report: Pick<Report, "sections" | "findings" | "window">): readonly Alert[] {
  return (report.sections.resource_limits ?? []).flatMap((row) => toAlert(row, report));
}

function toAlert(row: Row, { findings, window }: Pick<Report, "findings" | "window">): readonly Alert[] {
  const graveness = SEVERITIES[row.status];
  const isTold = findings.some((finding) => finding.severity !== "info" && isSameTrouble(finding, row));
  if (graveness === undefined || isTold) return [];
  const { resource, subject, use, unit, usage, limit } = row;
  const severity = RATES.has(resource) ? "warning" : graveness;
  const what = use === undefined ? resource : `${resource} (${use})`;
  return [{
    severity,
    title: `Resource Limit ${severity}`,
    message: `${what} of ${subject}: ${formatShare(row.utilization_percent / 100)} of the limit are used, ` +
      `${formatUse(usage, unit)} of ${formatUse(limit, unit)}.`,
    atWallMs: window.endWallMs,
    source: SOURCE,
    rule: `resource-monitor-${resource}`,
    subject: [subject, use ?? ""].join(" ").trim(),
    pod: undefined,
    namespace: undefined,
    errorCode: undefined,
    recommendations: RECOMMENDATIONS[resource],
    context: {
      resource_type: resource,
      utilization_percent: Math.round(row.utilization_percent * 100) / 100,
      ...(unit === "bytes" ? { usage_bytes: usage, limit_bytes: limit } : { usage: round(usage), limit, unit }),
      ...(resource === "descriptors" ? { process: subject } : { cgroup_path: subject }),
      ...(use === undefined ? {} : { use }),
    },
  }];
}

function isSameTrouble({ id, evidence }: Report["findings"][number], { resource, subject }: Row): boolean {
  // Of a kill the victim is what it is about.
  return TOLD_BY[resource].includes(id) && (id === "oom-kill" || evidence.object === subject);
}

function round(figure: number): number {
  return Math.round(figure * 100) / 100;
}
