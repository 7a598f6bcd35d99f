/**
 * The time ledger as a picture in text: a bar per process and thread, then the
 * waits behind it.
 *
 * @module
 */

import type { WaitClass } from "../api/measurements.ts";
import { addSums, groupBy, type ProcessFacts, type ThreadFacts, type TimeSums, WAIT_CLASS_ORDER } from "./facts.ts";
import { formatCount, formatLifetime, formatMs, formatShare, formatTimeOfDay } from "./format.ts";
import { sumBuckets } from "./histogram.ts";
import { redactCommandLine } from "../api/redact.ts";
import type { Report } from "./report.ts";
import { alignRight, type BarPart, COLUMNS, drawBar, fitName, fitText, wrapText } from "./text_layout.ts";
import { dearestStacks, describeFrames } from "./stacks.ts";
import { DIFFERENCE_MS_MIN, type LedgerCheck, type TimeLedger, type WaitGroup } from "./time_ledger.ts";
import { describeObject, WAIT_CLASS_NAMES } from "./wait_object.ts";

const PROCESSES_MAX = 8;
const THREADS_MAX = 6;
const WAITS_MAX = 10;

/** So many processes of one name and parent, or waits for so many children, are one line. */
const ALIKE_MIN = 3;

/** A thread below this share of non-idle time has a bar of nothing but dots. */
const ACTIVE_SHARE_MIN = 0.01;

const LABEL_COLUMNS = 24;

/** The figures beside a bar and the blanks between. */
const BESIDE_BAR_COLUMNS = LABEL_COLUMNS + 36;

/** The figures of a wait. */
const BESIDE_WAIT_COLUMNS = 53;

/** The bar of a row that `renderRow` made. */
const BAR = new RegExp(`^ {2}.{${LABEL_COLUMNS}} \\[(.+)\\] +\\S+ m?s `, "u");

const SYMBOLS: Readonly<Record<WaitClass, string>> = {
  network: "N",
  diskRead: "R",
  diskWrite: "W",
  lock: "L",
  pipe: "P",
  child: "C",
  pageFault: "F",
  other: "O",
  stopped: "S",
  idle: ".",
  sleep: ".",
  parked: ".",
};

/** Yields the section's lines. */
export function renderTimeLedger({ timeLedger }: Report, columns = COLUMNS): readonly string[] {
  const rows = renderProcesses(timeLedger.processes, columns);
  return [
    ...wrapText(legendOf(rows), { first: "WHERE THE TIME WENT  ", columns }),
    `  ${fitText("", LABEL_COLUMNS)} ${fitText("", columns - BESIDE_BAR_COLUMNS + 2)}${alignRight("time", 10)}${
      alignRight("cpu", 7)
    }` +
    `${alignRight("wait", 7)}${alignRight("idle", 7)}`.trimEnd(),
    ...rows,
    ...describeDeparted(timeLedger, columns),
    ...wrapText(describeChecks(timeLedger), { first: "  ", columns }),
    "",
    ...renderWaits(timeLedger.waits, columns),
  ];
}

function barParts(sums: TimeSums): readonly BarPart[] {
  const parts: BarPart[] = [
    { symbol: "#", amount: sums.onCpuMs },
    { symbol: "r", amount: sums.runnableMs },
    { symbol: "t", amount: sums.throttledMs },
    ...WAIT_CLASS_ORDER.filter((name) => SYMBOLS[name] !== ".")
      .map((name) => ({ symbol: SYMBOLS[name], amount: sums.byClass[name] })),
    { symbol: "?", amount: sums.unattributedMs + Math.abs(sums.residualMs) },
  ];
  return [...parts, { symbol: ".", amount: sums.idleMs - sums.byClass.stopped }].filter((part) => part.amount > 0);
}

/** Only what occurs in the bars is explained. */
function legendOf(rows: readonly string[]): string {
  const drawn = new Set(rows.flatMap((row) => Array.from(BAR.exec(row)?.[1] ?? "")));
  const names: readonly (readonly [symbol: string, name: string])[] = [
    ["#", "on CPU"],
    ["r", "waiting for a CPU"],
    ["t", "throttled"],
    ...WAIT_CLASS_ORDER.filter((name) => SYMBOLS[name] !== ".")
      .map((name) => [SYMBOLS[name], WAIT_CLASS_NAMES[name]] as const),
    ["?", "not attributed"],
    [".", "idle"],
  ];
  return names.filter(([symbol]) => drawn.has(symbol)).map((entry) => entry.join(" ")).join("  ");
}

function renderRow(label: string, { sums, columns }: { sums: TimeSums; columns: number }): string {
  const share = (ms: number) => formatShare(sums.lifetimeMs > 0 ? Math.max(0, ms) / sums.lifetimeMs : 0);
  // Being stopped is no idling: it shows as waiting here as it does in the bar.
  const idleMs = sums.idleMs - sums.byClass.stopped;
  return `  ${fitText(label, LABEL_COLUMNS)} [${drawBar(barParts(sums), columns - BESIDE_BAR_COLUMNS)}]` +
    alignRight(formatLifetime(sums.lifetimeMs), 10) + alignRight(share(sums.onCpuMs), 7) +
    alignRight(share(sums.lifetimeMs - sums.onCpuMs - idleMs), 7) + alignRight(share(idleMs), 7);
}

function renderProcesses(processes: readonly ProcessFacts[], columns: number): readonly string[] {
  const groups = groupAlike(processes);
  const shown = groups.slice(0, PROCESSES_MAX);
  const hidden = groups.slice(PROCESSES_MAX).flat();
  return [
    ...shown.flatMap((group) => renderGroup(group, columns)),
    ...(hidden.length > 0
      ? [renderRow(`and ${formatCount(hidden.length, "process", "processes")}`, { sums: sumsOfAll(hidden), columns })]
      : []),
  ];
}

/** Ended processes of one name and parent together, when there are many; most non-idle time first. */
function groupAlike(processes: readonly ProcessFacts[]): readonly (readonly ProcessFacts[])[] {
  const alike = groupBy(processes, ({ info }) => `${info.exited} ${info.parentProcessId} ${info.command}`);
  return Array.from(
    alike.values(),
    (group) => group[0]?.info.exited && group.length >= ALIKE_MIN ? [group] : group.map((one) => [one]),
  )
    .flat()
    .sort((first, second) => sumsOfAll(second).nonIdleMs - sumsOfAll(first).nonIdleMs);
}

function sumsOfAll(processes: readonly ProcessFacts[]): TimeSums {
  return addSums(processes.map(({ sums }) => sums));
}

function renderGroup(group: readonly ProcessFacts[], columns: number): readonly string[] {
  const [first] = group;
  if (first === undefined) return [];
  if (group.length === 1) return renderProcess(first, columns);
  const row = renderRow(`${group.length} ended: ${first.info.command}`, { sums: sumsOfAll(group), columns });
  return [row, ...commandLineOf(first, columns)];
}

function renderProcess(process: ProcessFacts, columns: number): readonly string[] {
  const { info, sums, threads } = process;
  const row = renderRow(fitName(info.command, ` (${info.processId})`, LABEL_COLUMNS), { sums, columns });
  const commandLine = commandLineOf(process, columns);
  if (threads.length < 2) return [row, ...commandLine];
  const ranked = [...threads].sort((first, second) =>
    second.sums.nonIdleMs - first.sums.nonIdleMs || first.ledger.threadId - second.ledger.threadId
  );
  const shownCount = countShown(ranked);
  const hidden = ranked.slice(shownCount);
  return [
    row,
    ...commandLine,
    ...ranked.slice(0, shownCount).map((thread) =>
      renderRow(fitName(`  ${thread.ledger.command}`, ` ${thread.ledger.threadId}`, LABEL_COLUMNS), {
        sums: thread.sums,
        columns,
      })
    ),
    ...(hidden.length > 0
      ? [renderRow(`  and ${hidden.length} more`, { sums: addSums(hidden.map((thread) => thread.sums)), columns })]
      : []),
  ];
}

function commandLineOf({ info }: ProcessFacts, columns: number): readonly string[] {
  const command = redactCommandLine(info.commandLine).join(" ");
  return command === "" || command === info.command ? [] : [fitText(`    ${command}`, columns).trimEnd()];
}

function describeDeparted({ departed }: TimeLedger, columns: number): readonly string[] {
  if (departed === undefined || departed.threadCount === 0) return [];
  return wrapText(
    `${formatCount(departed.threadCount, "thread")} ended without a ledger of their own, ` +
      `${formatMs(departed.lifetimeMs)} in all: on CPU ${formatMs(departed.onCpuMs)}, waiting for a CPU ` +
      `${formatMs(departed.runnableMs)}, throttled ${formatMs(departed.throttledMs)}, blocked ` +
      `${formatMs(departed.blockedMs)}.`,
    { first: "  ", columns },
  );
}

/** Threads that did something, up to the limit; "and 1 more" would take as much room as the one. */
function countShown(ranked: readonly ThreadFacts[]): number {
  const active = ranked.filter(({ sums }) => sums.nonIdleMs >= ACTIVE_SHARE_MIN * sums.lifetimeMs).length;
  const shownCount = Math.min(THREADS_MAX, Math.max(1, active));
  return ranked.length === shownCount + 1 ? ranked.length : shownCount;
}

const CHECK_NAMES: Readonly<Record<LedgerCheck["name"], string>> = {
  sum: "states sum to the lifetime",
  waits: "waits sum to the blocked time",
  onCpu: "on CPU agrees with the scheduler's account",
  runDelay: "waiting for a CPU agrees with run_delay",
};

/** Yields the ledger's comparisons and verdicts as one paragraph. */
export function describeChecks({ checks, unnamedShare }: TimeLedger): string {
  const texts = checks.map((check) => {
    const name = CHECK_NAMES[check.name];
    if (check.verdict === "unknown") return `${name}: nothing to compare with`;
    const differenceMs = Math.abs(check.oursMs - check.expectedMs);
    // A share of next to nothing would alarm for a moment between two clock reads.
    const off = differenceMs <= DIFFERENCE_MS_MIN ? formatMs(differenceMs) : formatShare(check.difference);
    const limit = check.verdict === "ok"
      ? ""
      : ` (allowed ${formatShare(check.differenceMax)}, or ${formatMs(check.differenceMsMax)})`;
    return `${name}: ${check.verdict}, ${off} off${limit}`;
  });
  return `Checks: ${texts.join("; ")}. ${formatShare(unnamedShare)} of the non-idle waiting has no name.`;
}

function renderWaits(waits: readonly WaitGroup[], columns: number): readonly string[] {
  const lines = foldChildren(waits.filter((wait) => SYMBOLS[wait.waitClass] !== "."));
  const idle = waits.filter((wait) => SYMBOLS[wait.waitClass] === ".");
  if (waits.length === 0) return ["No waits were recorded."];
  const shown = lines.slice(0, WAITS_MAX);
  const hidden = lines.slice(WAITS_MAX);
  const hiddenMs = hidden.reduce((sum, { wait }) => sum + wait.figures.totalMs, 0);
  if (shown.length === 0) return wrapText(`idle ones only: ${describeIdle(idle)}`, { first: "WAITS  ", columns });
  return [
    `${fitText("WAITS", columns - BESIDE_WAIT_COLUMNS)}${alignRight("count", 8)}${alignRight("total ms", 11)}${
      alignRight("mean ms", 9)
    }` +
    `${alignRight("longest ms", 11)}  ended at`,
    ...shown.flatMap((line) => renderWait(line, columns)),
    ...(hidden.length > 0 ? [`  and ${hidden.length} more, ${formatMs(hiddenMs)} together`] : []),
    ...(idle.length > 0 ? wrapText(describeIdle(idle), { first: "  idle, not counted as waiting: ", columns }) : []),
  ];
}

/** One line of the table: several waits for children in a row are one. */
export interface WaitLine {
  /** With the figures of all that are folded into it. */
  readonly wait: WaitGroup;
  /** How many children it waited for; `undefined`: nothing is folded into it. */
  readonly childCount: number | undefined;
}

/** Yields what was waited for. */
export function nameOfLine({ wait, childCount }: WaitLine): string {
  return childCount === undefined ? describeObject(wait.object) : formatCount(childCount, "child", "children");
}

/** Yields one line per wait, waits of one process for many children as one; most time first. */
export function foldChildren(waits: readonly WaitGroup[]): readonly WaitLine[] {
  const children = groupBy(
    waits.filter(({ waitClass }) => waitClass === "child"),
    ({ process, systemCall }) => `${process.processId} ${systemCall}`,
  );
  const lines: WaitLine[] = [];
  for (const wait of waits) if (wait.waitClass !== "child") lines.push({ wait, childCount: undefined });
  for (const group of children.values()) lines.push(...foldGroup(group));
  return lines.sort((first, second) => second.wait.figures.totalMs - first.wait.figures.totalMs);
}

function foldGroup(group: readonly WaitGroup[]): readonly WaitLine[] {
  const [first] = group;
  if (first === undefined || group.length < ALIKE_MIN) return group.map((wait) => ({ wait, childCount: undefined }));
  const longest = group.reduce((best, wait) => wait.figures.longestMs > best.figures.longestMs ? wait : best);
  const totalMs = group.reduce((sum, wait) => sum + wait.figures.totalMs, 0);
  const count = group.reduce((sum, wait) => sum + wait.figures.count, 0);
  const figures = { ...longest.figures, totalMs, count, meanMs: totalMs / Math.max(1, count) };
  const rows = group.flatMap((wait) => wait.rows);
  return [{
    wait: { ...first, figures, buckets: sumBuckets(group.map((wait) => wait.buckets)), waker: undefined, rows },
    childCount: group.length,
  }];
}

function renderWait(line: WaitLine, columns: number): readonly string[] {
  const { wait } = line;
  const { figures } = wait;
  const what = `${WAIT_CLASS_NAMES[wait.waitClass]}: ${wait.systemCall === undefined ? "" : `${wait.systemCall} `}`;
  const endedAt = figures.longestEndWallMs === undefined ? "" : formatTimeOfDay(figures.longestEndWallMs);
  const who = `${wait.process.command} (${wait.process.processId}), ${formatCount(wait.threadCount, "thread")}` +
    (wait.waker === undefined || wait.waker.threadId === 0
      ? ""
      : `, mostly ended by ${wait.waker.command} (${wait.waker.threadId})`);
  // A name that is cut cannot be looked for: it gets a line of its own.
  const subject = `  ${what}${nameOfLine(line)}`;
  const subjectColumns = columns - BESIDE_WAIT_COLUMNS;
  const isWhole = Array.from(subject).length <= subjectColumns;
  return [
    ...(isWhole ? [] : [fitText(subject, columns).trimEnd()]),
    fitText(isWhole ? subject : "", subjectColumns) + alignRight(String(figures.count), 8) +
    alignRight(figures.totalMs.toFixed(2), 11) + alignRight(figures.meanMs.toFixed(2), 9) +
    alignRight(figures.longestMs.toFixed(2), 11) + `  ${endedAt}`,
    fitText(`    ${who}`, columns).trimEnd(),
    ...renderDearestStack(wait, columns),
  ];
}

function renderDearestStack({ rows, figures }: WaitGroup, columns: number): readonly string[] {
  const [dearest] = dearestStacks(rows);
  if (dearest === undefined) return [];
  const share = formatShare(figures.totalMs > 0 ? dearest.totalMs / figures.totalMs : 0);
  return wrapText(describeFrames(dearest.frames), { first: `    ${share} in `, indent: 6, columns });
}

function describeIdle(waits: readonly WaitGroup[]): string {
  return WAIT_CLASS_ORDER.flatMap((waitClass) => {
    const group = waits.filter((wait) => wait.waitClass === waitClass);
    const totalMs = group.reduce((sum, wait) => sum + wait.figures.totalMs, 0);
    return totalMs > 0 ? [`${WAIT_CLASS_NAMES[waitClass]} ${formatMs(totalMs)}`] : [];
  }).join(", ");
}
