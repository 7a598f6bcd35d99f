/**
 * The report as text: the answer first, then where the time went, then how far
 * both can be trusted, then what it cost to look. ASCII only but for names.
 *
 * @module
 */

import { sanitizeText } from "../api/text.ts";
import {
  answerOf,
  describeCommand,
  describeEnd,
  describeNothing,
  describeShares,
  describeTargets,
  describeWindow,
  titleOf,
} from "./answer.ts";
import { renderAlerting } from "./text_alerting.ts";
import { renderBooks } from "./text_books.ts";
import { renderStacks } from "./text_stacks.ts";
import { renderTimeLedger } from "./text_time_ledger.ts";
import type { Evidence, Finding, ThreadShare } from "./finding.ts";
import { formatCount, formatMs, formatShare, formatTimeOfDay } from "./format.ts";
import { isTold, type Report } from "./report.ts";
import { renderSections } from "./sections/all_sections.ts";
import { describeFrames } from "./stacks.ts";
import { colourText } from "./text_colour.ts";
import { COLUMNS, COLUMNS_MAX, COLUMNS_MIN, wrapText } from "./text_layout.ts";

/** Findings above info told in full; only a defence, rules tell few. */
const FULL_FINDINGS_MAX = 32;

/** Further findings, one line each. */
const SHORT_FINDINGS_MAX = 8;

const THREADS_NAMED_MAX = 3;
const CONSEQUENCES_MAX = 3;

/** Longest line before layout; only a defence, names are cut where they enter. */
const LINE_BYTES_MAX = 4096;

/** How a text report is laid out. */
export interface TextReportOptions {
  /** Of a line; kept within `COLUMNS_MIN` and `COLUMNS_MAX`, default `COLUMNS`. */
  readonly columns?: number;
  /** For a terminal that shows colours; default false. */
  readonly isColoured?: boolean;
}

/** Yields the whole report, ending in a newline. */
export function renderTextReport(report: Report, options: TextReportOptions = {}): string {
  const columns = Math.min(COLUMNS_MAX, Math.max(COLUMNS_MIN, options.columns ?? COLUMNS));
  const text = layOut(report, columns);
  return options.isColoured ? colourText(text) : text;
}

function layOut(report: Report, columns: number): string {
  const sections = report.emptyReason !== undefined
    ? [
      renderHeader(report, columns),
      wrapText(describeNothing(report.emptyReason), { first: "", columns }),
      renderBooks(report, columns),
    ]
    : [
      renderHeader(report, columns),
      renderAnswer(report, columns),
      renderFindings(report, columns),
      renderAbsences(report, columns),
      isTold(report.categories, "time") ? renderTimeLedger(report, columns) : [],
      renderSections(report.sections, { completeness: report.books.completeness, columns }),
      renderStacks(report, columns),
      renderBooks(report, columns),
      renderAlerting(report.alerting, columns),
    ];
  const lines = sections.filter((section) => section.length > 0).flatMap((section, index) =>
    index === 0 ? section : ["", ...section]
  );
  return lines.map((line) => sanitizeText(line.trimEnd(), { bytesMax: LINE_BYTES_MAX })).join("\n") + "\n";
}

function renderHeader(report: Report, columns: number): readonly string[] {
  const end = describeEnd(report);
  const command = describeCommand(report);
  return [
    ...wrapText(describeTargets(report), { first: "podtrace diagnose: ", columns }),
    describeWindow(report),
    ...(end === undefined ? [] : [end]),
    ...(command === undefined ? [] : wrapText(command, { first: "command: ", columns })),
    ...(report.emptyReason !== undefined ? [] : wrapText(describeShares(report), { first: "", indent: 2, columns })),
  ];
}

function renderAnswer(report: Report, columns: number): readonly string[] {
  return wrapText(answerOf(report), { first: "", columns });
}

function renderFindings(report: Report, columns: number): readonly string[] {
  const grave = report.findings.filter((finding) => finding.severity !== "info");
  const full = grave.slice(0, FULL_FINDINGS_MAX);
  const short = [...grave.slice(FULL_FINDINGS_MAX), ...report.findings.filter(({ severity }) => severity === "info")];
  const shown = short.slice(0, SHORT_FINDINGS_MAX);
  return [
    ...full.flatMap((finding, index) => renderFinding(report, { finding, rank: index + 1, columns })),
    ...(full.length > 0 && shown.length > 0 ? ["Also:"] : []),
    ...shown.flatMap((finding) =>
      wrapText(titleOf(report, finding), { first: `  ${finding.severity} [${finding.id}] `, indent: 4, columns })
    ),
    ...(short.length > shown.length ? [`  and ${formatCount(short.length - shown.length, "more finding")}`] : []),
  ];
}

function renderFinding(
  report: Report,
  { finding, rank, columns }: { readonly finding: Finding; readonly rank: number; readonly columns: number },
): readonly string[] {
  const heading = `${rank}. ${finding.severity.toUpperCase()} [${finding.id}] `;
  const shownConsequences = finding.consequences.slice(0, CONSEQUENCES_MAX);
  const hiddenCount = finding.consequences.length - shownConsequences.length;
  return [
    ...wrapText(titleOf(report, finding), { first: heading, indent: 3, columns }),
    ...describeEvidence(finding.evidence).flatMap((line, index) =>
      wrapText(line, { first: index === 0 ? "   evidence  " : "             ", columns })
    ),
    ...shownConsequences.flatMap((text) => wrapText(text, { first: "   so        ", columns })),
    ...(hiddenCount > 0 ? [`             and ${formatCount(hiddenCount, "more consequence")}`] : []),
    ...wrapText(finding.nextStep, { first: "   next      ", columns }),
  ];
}

/** Yields the figures as lines: amounts first, then who, then what qualifies them. */
export function describeEvidence(evidence: Evidence): readonly string[] {
  const lines = [describeWaits(evidence), describeCpu(evidence), describeFailures(evidence), describeWho(evidence)];
  const holder = evidence.holder === undefined ? [] : [
    `${formatShare(evidence.holder.share)} of it while ${evidence.holder.command} (${evidence.holder.threadId}) ` +
    `was ${evidence.holder.activity}`,
  ];
  const notes = evidence.notes ?? [];
  return [...lines, ...holder, ...describeStack(evidence), ...notes].filter((line) => line !== "");
}

/** The one place to look at first; the others are in the JSON. */
function describeStack({ userStacks = [], waits }: Evidence): readonly string[] {
  const [dearest] = userStacks;
  if (dearest === undefined || waits === undefined) return [];
  const share = formatShare(waits.totalMs > 0 ? dearest.totalMs / waits.totalMs : 0);
  return [`${share} of it in ${describeFrames(dearest.frames)}`];
}

function describeWaits({ waits }: Evidence): string {
  if (waits === undefined) return "";
  const longestAt = waits.longestEndWallMs === undefined ? "" : ` at ${formatTimeOfDay(waits.longestEndWallMs)}`;
  return [
    `${formatMs(waits.totalMs)} in ${formatCount(waits.count, "wait")}`,
    `mean ${formatMs(waits.meanMs)}`,
    ...(waits.p99MsMax === undefined ? [] : [`p99 <= ${formatMs(waits.p99MsMax)}`]),
    `longest ${formatMs(waits.longestMs)}${longestAt}`,
    ...(waits.openMs > 0 ? [`${formatMs(waits.openMs)} still open`] : []),
  ].join(", ");
}

function describeCpu({ cpu }: Evidence): string {
  if (cpu === undefined) return "";
  const periods = cpu.periodCount === undefined || cpu.throttledPeriodCount === undefined
    ? []
    : [`${cpu.throttledPeriodCount} of ${cpu.periodCount} periods throttled`];
  return [
    `on CPU ${formatMs(cpu.onCpuMs)}`,
    `waiting for one ${formatMs(cpu.runnableMs)}`,
    ...(cpu.throttledMs > 0 ? [`throttled ${formatMs(cpu.throttledMs)}`] : []),
    ...(cpu.cpuLimit === undefined ? [] : [`limit ${cpu.cpuLimit.toFixed(2)} CPUs`]),
    ...periods,
    `${formatCount(cpu.cpuCount, "CPU")} in the machine`,
  ].join(", ");
}

function describeFailures({ failures }: Evidence): string {
  if (failures === undefined) return "";
  const ends = [
    ...Object.entries(failures.exitCodes).map(([code, count]) => `exit ${code}: ${count}`),
    ...Object.entries(failures.signals).map(([signal, count]) => `${signal}: ${count}`),
  ];
  return `${failures.failedCount} of ${failures.attemptCount} failed (${ends.join(", ")}), first at ` +
    `${formatTimeOfDay(failures.firstWallMs)}, last at ${formatTimeOfDay(failures.lastWallMs)}`;
}

function describeWho(evidence: Evidence): string {
  const calls = evidence.systemCalls ?? [];
  const threads = evidence.threads ?? [];
  const shown = threads.slice(0, THREADS_NAMED_MAX).map(describeThread);
  const hiddenCount = (evidence.threadCount ?? threads.length) - shown.length;
  const names = hiddenCount > 0 ? [...shown, `${hiddenCount} more`] : shown;
  const seen = evidence.slowWaits === undefined
    ? ""
    : `; slow ones from ${formatTimeOfDay(evidence.slowWaits.firstEndWallMs)} to ` +
      formatTimeOfDay(evidence.slowWaits.lastEndWallMs);
  if (names.length === 0) return "";
  return `${calls.length > 0 ? `${calls.join(", ")} in ` : "in "}${names.join(", ")}${seen}`;
}

function describeThread(thread: ThreadShare): string {
  return `${thread.command} (${thread.threadId})`;
}

function renderAbsences({ absences }: Report, columns: number): readonly string[] {
  return [
    ...(absences.absent.length > 0
      ? wrapText(`${absences.absent.join(", ")}.`, { first: "Not seen at all: ", columns })
      : []),
    ...absences.withheld.flatMap(({ statement, reason }) =>
      wrapText(`Not said: "${statement}", because ${reason}`, { first: "", indent: 2, columns })
    ),
  ];
}
