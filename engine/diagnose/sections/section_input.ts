/**
 * What a section of the report is made from.
 *
 * @module
 */

import type { Measurements, ProcessInfo } from "../../api/measurements.ts";
import type { RuleThresholds } from "../../api/thresholds.ts";
import type { DigestSummary } from "../event_digest.ts";
import type { JsonReport } from "../report_schema.ts";
import type { TimeLedger } from "../time_ledger.ts";

/** Everything a section may read. */
export interface SectionInput {
  /** Of the whole run. */
  readonly measurements: Measurements;
  /** What the single events came to. */
  readonly digest: DigestSummary;
  /** Where the time went. */
  readonly timeLedger: TimeLedger;
  /** What counts as slow. */
  readonly thresholds: RuleThresholds;
}

/** The sections, by their key in the JSON report. */
export type SectionId =
  | "cgroup_scope"
  | "tcp"
  | "connections"
  | "filesystem"
  | "udp"
  | "cpu"
  | "memory"
  | "resource_limits"
  | "cgroup_resources"
  | "process_resources"
  | "cpu_by_process"
  | "process_syscalls"
  | "process_activity"
  | "timeline"
  | "bursts"
  | "connection_patterns"
  | "network_pattern"
  | "peers"
  | "error_correlation";

/** What one section holds: the very object of the JSON report. */
export type FiguresOf<Id extends SectionId> = NonNullable<JsonReport[Id]>;

/** How many seconds were looked at; never 0. */
export function secondsOf({ window }: Pick<Measurements, "window">): number {
  return Math.max(0.001, (window.endMs - window.beginMs) / 1000);
}

/** Yields `count` per second. */
export function rateOf(count: number, measurements: Pick<Measurements, "window">): number {
  return count / secondsOf(measurements);
}

/** Yields `part` of `whole` in percent, 0 for nothing of nothing. */
export function percentOf(part: number, whole: number): number {
  return whole > 0 ? part / whole * 100 : 0;
}

/** Yields the sum of a figure. */
export function sumOf<T>(entries: readonly T[], figure: (entry: T) => number): number {
  return entries.reduce((sum, entry) => sum + figure(entry), 0);
}

/** Yields the sums by name, most first, equals by name. */
export function sumCounts(records: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums = new Map<string, number>();
  for (const record of records) {
    for (const name of Object.keys(record)) sums.set(name, (sums.get(name) ?? 0) + (record[name] ?? 0));
  }
  return Object.fromEntries(rankCounts(sums));
}

/** Yields the sum of `count` under each name, most first, equals by name; names without any are left out. */
export function countByName<T>(
  entries: readonly T[],
  of: { readonly name: (entry: T) => string; readonly count: (entry: T) => number },
): readonly (readonly [name: string, count: number])[] {
  const sums = new Map<string, number>();
  for (const entry of entries) {
    const name = of.name(entry);
    sums.set(name, (sums.get(name) ?? 0) + of.count(entry));
  }
  return rankCounts(sums);
}

function rankCounts(sums: ReadonlyMap<string, number>): readonly (readonly [name: string, count: number])[] {
  return [...sums].filter(([, count]) => count > 0).sort(compareCounts);
}

/** Most first, equals by name. */
export function compareCounts(first: readonly [string, number], second: readonly [string, number]): number {
  return second[1] - first[1] || (first[0] < second[0] ? -1 : first[0] > second[0] ? 1 : 0);
}

/** Yields the names of processes by id. */
export function commandsOf(measurements: Pick<Measurements, "processes">): (processId: number) => string {
  const commands = new Map(measurements.processes.map((info: ProcessInfo) => [info.processId, info.command]));
  return (processId) => commands.get(processId) ?? "?";
}
