/**
 * What `diagnose --now` prints: what every thread is doing at this instant, on
 * what it is blocked, and since when if that can be known.
 *
 * @module
 */

import type { WaitClass, WaitObject } from "../api/measurements.ts";
import { IDLE_WAIT_CLASSES } from "../api/measurements.ts";
import { sanitizeText } from "../api/text.ts";
import { groupBy } from "./facts.ts";
import { formatCount, formatWallTime } from "./format.ts";
import { alignRight, fitName, fitText, wrapText } from "./text_layout.ts";
import { describeObject, objectKey, WAIT_CLASS_NAMES } from "./wait_object.ts";

/** One thread at the instant of the snapshot. */
export interface NowRow {
  /** As the host's pid namespace knows it. */
  readonly processId: number;
  /** As the host's pid namespace knows it. */
  readonly threadId: number;
  /** Its `comm`. */
  readonly command: string;
  /** On a CPU, waiting for one, or neither. */
  readonly state: "running" | "runnable" | "blocked";
  /** `undefined` unless blocked. */
  readonly waitClass: WaitClass | undefined;
  /** `undefined`: in none, or in one that cannot be told. */
  readonly systemCall: string | undefined;
  /** What it is blocked on. */
  readonly object: WaitObject;
  /** How long it has been in this state, good to one scheduler tick; `undefined`: not known. */
  readonly sinceMs: number | undefined;
  /** Who holds the lock it waits for; `undefined`: it waits for none, or not known. */
  readonly lockOwner: { readonly threadId: number; readonly command: string } | undefined;
}

/** What the rows do not say. */
export interface SnapshotOptions {
  /** What was looked at, for people. */
  readonly label: string;
  /** Unix time of the snapshot. */
  readonly atWallMs: number;
}

/** Like threads of one process are told in one line from this many on. */
const ALIKE_COUNT_MIN = 3;

const THREAD_COLUMNS = 26;
const LINE_BYTES_MAX = 4096;

/** Yields the snapshot as text: per process, who waits for something first, longest first. */
export function renderTextSnapshot(rows: readonly NowRow[], options: SnapshotOptions): string {
  const processes = groupBy([...rows].sort(compareRows), (row) => row.processId);
  const ordered = Array.from(processes.values()).sort((first, second) =>
    (first[0]?.processId ?? 0) - (second[0]?.processId ?? 0)
  );
  const lines = [
    ...wrapText(`${options.label}, at ${formatWallTime(options.atWallMs)}`, { first: "podtrace diagnose --now: " }),
    describeStates(rows),
    ...ordered.flatMap((process) => ["", ...renderProcess(process)]),
    ...(rows.some((row) => row.state === "blocked")
      ? ["", "~ times are good to one scheduler tick; ? is not known"]
      : []),
  ];
  return lines.map((line) => sanitizeText(line.trimEnd(), { bytesMax: LINE_BYTES_MAX })).join("\n") + "\n";
}

function describeStates(rows: readonly NowRow[]): string {
  if (rows.length === 0) return "No thread of the target was found.";
  const count = (state: NowRow["state"]) => rows.filter((row) => row.state === state).length;
  return `${formatCount(rows.length, "thread")}: ${count("running")} running, ${
    count("runnable")
  } waiting for a CPU, ` +
    `${count("blocked")} blocked`;
}

function renderProcess(rows: readonly NowRow[]): readonly string[] {
  const main = rows.find((row) => row.threadId === row.processId) ?? rows[0];
  const alike = Array.from(
    groupBy(rows, (row) => `${row.command} ${describeDoing(row)} ${objectKey(row.object)}`).values(),
  );
  return [
    `${main?.command ?? "?"} (${main?.processId ?? 0}), ${formatCount(rows.length, "thread")}`,
    ...alike.flatMap((group) => {
      const [first] = group;
      if (group.length < ALIKE_COUNT_MIN || first === undefined) return group.flatMap(renderRow);
      const label = `${group.length} x ${first.command}`;
      return wrapText(describeDoing(first), { first: `  ${fitText(label, THREAD_COLUMNS)}${sinceColumn(first)}  ` });
    }),
  ];
}

function renderRow(row: NowRow): readonly string[] {
  const label = fitName(row.command, ` ${row.threadId}`, THREAD_COLUMNS);
  return wrapText(describeDoing(row), { first: `  ${label}${sinceColumn(row)}  ` });
}

function sinceColumn(row: NowRow): string {
  if (row.state === "running") return alignRight("", 14);
  return alignRight(row.sinceMs === undefined ? "?" : `~${row.sinceMs.toFixed(2)} ms`, 14);
}

/** Yields "network: recvfrom 10.0.0.9:5432", "lock 0x7f…, held by flusher (12)". */
function describeDoing(row: NowRow): string {
  if (row.state === "running") return "running";
  if (row.state === "runnable") return "waiting for a CPU";
  const waitClass = WAIT_CLASS_NAMES[row.waitClass ?? "other"];
  const words = [
    ...(row.systemCall === undefined ? [] : [row.systemCall]),
    ...(row.object.kind === "none" ? [] : [describeObject(row.object)]),
  ];
  const owner = row.lockOwner === undefined ? "" : `, held by ${row.lockOwner.command} (${row.lockOwner.threadId})`;
  return `${waitClass}: ${words.join(" ") || "not named"}${owner}`;
}

/** Running, then runnable, then blocked on something, then idle; within that the longest first. */
function compareRows(first: NowRow, second: NowRow): number {
  const rank = (row: NowRow) => {
    if (row.state === "running") return 0;
    if (row.state === "runnable") return 1;
    return row.waitClass !== undefined && IDLE_WAIT_CLASSES.has(row.waitClass) ? 3 : 2;
  };
  return rank(first) - rank(second) || (second.sinceMs ?? -1) - (first.sinceMs ?? -1) ||
    first.threadId - second.threadId;
}

/** Yields the snapshot as indented JSON text ending in a newline. */
export function renderJsonSnapshot(rows: readonly NowRow[], options: SnapshotOptions): string {
  const snapshot = {
    schemaVersion: 1,
    target: options.label,
    at: formatWallTime(options.atWallMs),
    threads: [...rows].sort((first, second) => first.processId - second.processId || compareRows(first, second))
      .map((row) => ({
        pid: row.processId,
        tid: row.threadId,
        name: row.command,
        state: row.state,
        class: row.waitClass,
        systemCall: row.systemCall,
        object: row.object.kind === "none" ? undefined : describeObject(row.object),
        sinceMs: row.sinceMs,
        lockOwner: row.lockOwner && { tid: row.lockOwner.threadId, name: row.lockOwner.command },
      })),
  };
  const replacer = (_key: string, value: unknown) =>
    typeof value === "string" ? sanitizeText(value, { bytesMax: LINE_BYTES_MAX }) : value;
  return JSON.stringify(snapshot, replacer, 2) + "\n";
}
