/**
 * The report as JSON: the reference shape's sections where they can be told
 * truly, and everything the text report says. The shape is report_schema.ts.
 *
 * @module
 */

import { SAMPLES_PER_SECOND } from "../api/profile_measurements.ts";
import { CATEGORIES, type Category, type CategoryLedger, type CostReceipt } from "../api/measurements.ts";
import { sanitizeText } from "../api/text.ts";
import { type ProcessFacts, type TimeSums, toWallMs, WAIT_CLASS_ORDER } from "./facts.ts";
import type { Evidence, FailureEvidence, Finding, StackShare, ThreadName, WaitFigures } from "./finding.ts";
import { formatWallTime } from "./format.ts";
import { redactCommandLine } from "../api/redact.ts";
import type { Report } from "./report.ts";
import { JSON_ROWS_MAX, type JsonReport, REPORT_SCHEMA_VERSION } from "./report_schema.ts";
import { droppedCount } from "./text_books.ts";
import type { WaitGroup } from "./time_ledger.ts";
import { toJsonSockets } from "./json_sockets.ts";
import type { StackProfile } from "./stack_profile.ts";
import { dearestStacks } from "./stacks.ts";
import { describeObject } from "./wait_object.ts";

/** Longest string; only a defence, names are cut where they enter. */
const STRING_BYTES_MAX = 4096;

/** Yields the report as indented JSON text ending in a newline; no control or bidirectional character is left in it. */
export function renderJsonReport(report: Report): string {
  const replacer = (_key: string, value: unknown) =>
    typeof value === "string" ? sanitizeText(value, { bytesMax: STRING_BYTES_MAX }) : value;
  return JSON.stringify(toJsonReport(report), replacer, 2) + "\n";
}

/** Yields the report as the plain object that {@linkcode renderJsonReport} prints. */
export function toJsonReport(report: Report): JsonReport {
  const issues = report.findings.filter((finding) => finding.severity !== "info").map((finding) => finding.title);
  return withoutNoise({
    schemaVersion: REPORT_SCHEMA_VERSION,
    summary: summaryOf(report),
    ...report.sections,
    potential_issues: issues.length > 0 ? issues : undefined,
    emptyReason: report.emptyReason,
    endReason: report.runEnd.endReason,
    command: toJsonCommand(report),
    targets: report.targets.map(({ id, label }) => ({ id, label })),
    findings: report.findings.map(toJsonFinding),
    absences: {
      absent: [...report.absences.absent],
      withheld: report.absences.withheld.map((entry) => ({ ...entry })),
    },
    timeLedger: toJsonTimeLedger(report),
    sockets: toJsonSockets(report),
    stacks: report.stackProfile && toJsonStackProfile(report.stackProfile),
    completeness: toJsonCompleteness(report),
    forgotten: report.books.forgotten,
    ledger: toJsonLedger(report.books.ledger),
    cost: toJsonCost(report.books.cost),
    alerting: toJsonAlerting(report.alerting),
  });
}

/** Leaves out what is `undefined`, as JSON does, and the noise of sums of fractions: four decimals are 0.1 us. */
function withoutNoise<T>(value: T): T {
  return JSON.parse(JSON.stringify(value, (_key, entry) => typeof entry === "number" ? roundFigure(entry) : entry));
}

function roundFigure(figure: number): number {
  return Number.isInteger(figure) ? figure : Math.round(figure * 10_000) / 10_000;
}

function toJsonCompleteness({ books, window }: Report): JsonReport["completeness"] {
  const entries = CATEGORIES.map((category) => {
    const completeness = books.completeness[category];
    if (completeness.verdict !== "partial" || completeness.span === undefined) return [category, completeness] as const;
    const { span, ...rest } = completeness;
    const lostFrom = formatWallTime(toWallMs(window, span.beginMs));
    return [category, { ...rest, lostFrom, lostTo: formatWallTime(toWallMs(window, span.endMs)) }] as const;
  });
  // Object.fromEntries widens the keys; CATEGORIES has every one.
  return Object.fromEntries(entries) as JsonReport["completeness"];
}

function lifecycleCount(report: Report): number {
  const { fork, exec, exit, oomKill } = report.digest.counts;
  return fork + exec + exit + oomKill;
}

function waitCount(report: Report): number {
  return report.timeLedger.waits.reduce((sum, wait) => sum + wait.figures.count, 0);
}

function toJsonCommand({ runEnd: { command } }: Report): JsonReport["command"] {
  return command && { ...command, argv: [...redactCommandLine(command.argv)] };
}

function summaryOf(report: Report): JsonReport["summary"] {
  const { window } = report;
  const durationSeconds = (window.endMs - window.beginMs) / 1000;
  const total = waitCount(report) + lifecycleCount(report);
  return {
    total_events: total,
    events_per_second: durationSeconds > 0 ? total / durationSeconds : 0,
    start_time: formatWallTime(window.beginWallMs),
    end_time: formatWallTime(window.endWallMs),
    duration_seconds: durationSeconds,
  };
}

function toJsonFinding(finding: Finding): JsonReport["findings"][number] {
  return {
    id: finding.id,
    severity: finding.severity,
    target: finding.targetId,
    title: finding.title,
    evidence: toJsonEvidence(finding.evidence),
    consequences: [...finding.consequences],
    nextStep: finding.nextStep,
    explainedMs: finding.explainedMs,
    share: finding.share,
  };
}

function toJsonEvidence(evidence: Evidence): JsonReport["findings"][number]["evidence"] {
  const { waits, threads, holder, waker, failures, slowWaits } = evidence;
  return {
    object: evidence.object,
    systemCalls: evidence.systemCalls && [...evidence.systemCalls],
    waits: waits && toJsonFigures(waits),
    threads: threads?.map((thread) => ({ ...toJsonThread(thread), totalMs: thread.totalMs, count: thread.count })),
    threadCount: evidence.threadCount,
    holder: holder && { ...toJsonThread(holder), activity: holder.activity, share: holder.share },
    waker: waker && toJsonThread(waker),
    cpu: evidence.cpu,
    failures: failures && toJsonFailures(failures),
    slowWaits: slowWaits && {
      count: slowWaits.count,
      firstAt: formatWallTime(slowWaits.firstEndWallMs),
      lastAt: formatWallTime(slowWaits.lastEndWallMs),
    },
    userStacks: evidence.userStacks?.map(toJsonStack),
    notes: evidence.notes && [...evidence.notes],
  };
}

function toJsonFailures(failures: FailureEvidence) {
  return {
    failedCount: failures.failedCount,
    attemptCount: failures.attemptCount,
    exitCodes: { ...failures.exitCodes },
    signals: { ...failures.signals },
    firstAt: formatWallTime(failures.firstWallMs),
    lastAt: formatWallTime(failures.lastWallMs),
    parent: { pid: failures.parent.processId, name: failures.parent.command },
  };
}

function toJsonFigures(figures: WaitFigures) {
  const { longestEndWallMs, ...rest } = figures;
  return { ...rest, longestAt: longestEndWallMs === undefined ? undefined : formatWallTime(longestEndWallMs) };
}

function toJsonThread(thread: ThreadName) {
  return { pid: thread.processId, tid: thread.threadId, name: thread.command };
}

function toJsonTimeLedger({ timeLedger, window }: Report): JsonReport["timeLedger"] {
  const { sums, unnamedShare, checks, processes, departed, waits } = timeLedger;
  return {
    windowMs: window.endMs - window.beginMs,
    total: toJsonSums(sums),
    unnamedShare,
    checks: checks.map((check) => ({ ...check })),
    processes: processes.slice(0, JSON_ROWS_MAX).map(toJsonProcess),
    omittedProcesses: Math.max(0, processes.length - JSON_ROWS_MAX),
    departed: departed && { ...departed },
    waits: waits.slice(0, JSON_ROWS_MAX).map(toJsonWait),
    omittedWaits: Math.max(0, waits.length - JSON_ROWS_MAX),
  };
}

function toJsonProcess({ info, sums, threads }: ProcessFacts): JsonReport["timeLedger"]["processes"][number] {
  return {
    pid: info.processId,
    parentPid: info.parentProcessId,
    name: info.command,
    commandLine: [...redactCommandLine(info.commandLine)],
    exited: info.exited,
    sums: toJsonSums(sums),
    threads: threads.slice(0, JSON_ROWS_MAX).map((thread) => ({
      tid: thread.ledger.threadId,
      name: thread.ledger.command,
      exited: thread.ledger.exited,
      sums: toJsonSums(thread.sums),
    })),
    omittedThreads: Math.max(0, threads.length - JSON_ROWS_MAX),
  };
}

function toJsonSums({ byClass, ...rest }: TimeSums): JsonReport["timeLedger"]["total"] {
  const occurring = WAIT_CLASS_ORDER.filter((waitClass) => byClass[waitClass] !== 0);
  return { ...rest, blockedByClass: Object.fromEntries(occurring.map((name) => [name, byClass[name]])) };
}

function toJsonWait(wait: WaitGroup): JsonReport["timeLedger"]["waits"][number] {
  const userStacks = dearestStacks(wait.rows);
  return {
    pid: wait.process.processId,
    name: wait.process.command,
    class: wait.waitClass,
    systemCall: wait.systemCall,
    object: describeObject(wait.object),
    threadCount: wait.threadCount,
    figures: toJsonFigures(wait.figures),
    waker: wait.waker && toJsonThread(wait.waker),
    userStacks: userStacks.length > 0 ? userStacks.map(toJsonStack) : undefined,
  };
}

function toJsonStack({ frames, totalMs, count }: StackShare) {
  return { totalMs, count, frames: [...frames] };
}

function toJsonStackProfile(profile: StackProfile): NonNullable<JsonReport["stacks"]> {
  const { parts, foldedOnCpu, foldedOffCpu, frameCount, unnamed } = profile;
  return {
    samplesPerSecond: SAMPLES_PER_SECOND,
    parts: parts.map(({ waitClass, stacks, ...figures }) => ({
      part: waitClass ?? "computing",
      ...figures,
      stacks: stacks.map((stack) => ({ ...stack, frames: stack.frames.map((frame) => ({ ...frame })) })),
    })),
    foldedOnCpu: [...foldedOnCpu],
    foldedOffCpu: [...foldedOffCpu],
    frameCount,
    unnamed: unnamed.slice(0, JSON_ROWS_MAX).map((entry) => ({ ...entry })),
  };
}

function toJsonLedger(ledger: Readonly<Record<Category, CategoryLedger>>): JsonReport["ledger"] {
  const categories = Object.fromEntries(
    CATEGORIES.map((category) => [category, toLedgerFigures([ledger[category]])]),
  ) as JsonReport["ledger"]["categories"];
  return { ...toLedgerFigures(CATEGORIES.map((category) => ledger[category])), categories };
}

function toLedgerFigures(ledgers: readonly CategoryLedger[]) {
  const sum = (figure: (ledger: CategoryLedger) => number) =>
    ledgers.reduce((total, ledger) => total + figure(ledger), 0);
  const droppedByReason: Record<string, number> = {};
  for (const { dropped } of ledgers) {
    for (const [reason, count] of Object.entries(dropped)) {
      droppedByReason[reason] = (droppedByReason[reason] ?? 0) + count;
    }
  }
  return {
    seen: sum((ledger) => ledger.seen),
    filtered: sum((ledger) => ledger.filtered),
    aggregated: sum((ledger) => ledger.aggregated),
    delivered: sum((ledger) => ledger.delivered),
    dropped: sum(droppedCount),
    droppedByReason,
    residual: sum((ledger) => ledger.residual),
  };
}

function toJsonAlerting(receipt: Report["alerting"]): JsonReport["alerting"] {
  if (receipt === undefined) return undefined;
  return {
    offered: receipt.offeredCount,
    belowSeverity: receipt.belowSeverityCount,
    duplicates: receipt.duplicateCount,
    rateLimited: receipt.rateLimitedCount,
    sinks: receipt.sinks.map((sink) => ({
      sink: sink.sink,
      host: sink.host,
      delivered: sink.deliveredCount,
      failed: sink.failedCount,
      queueFull: sink.queueFullCount,
      abandoned: sink.abandonedCount,
      retries: sink.retryCount,
      lastProblem: sink.lastProblem,
    })),
  };
}

function toJsonCost(cost: CostReceipt): JsonReport["cost"] {
  return {
    programs: cost.programs.map(({ name, provider, callCount, runTimeNs }) => ({
      name,
      provider,
      calls: callCount,
      runTimeNs,
    })),
    runTimeNote: cost.runTimeNote,
    hooks: cost.hooks.map((hook) => ({ ...hook, refused: [...hook.refused] })),
    records: cost.recordCount,
    recordBytes: cost.recordBytes,
    ownCpuMs: cost.ownCpuMs,
    ownMemoryBytes: cost.ownMemoryBytes,
    mapMemoryBytes: cost.mapMemoryBytes,
    targetCpuMs: cost.targetCpuMs,
  };
}
