/**
 * The report as one CSV table: what was found, where the time went, what was
 * waited for, who was talked to, how complete it is, and every single event
 * that was kept. The first columns are those of the reference.
 *
 * @module
 */

import type { TraceEvent } from "../api/events.ts";
import { CSV_PEER_ROWS_MAX, CSV_THREAD_ROWS_MAX, CSV_WAIT_ROWS_MAX } from "../api/limits.ts";
import type { WaitClass } from "../api/measurements.ts";
import type { SocketEvent } from "../api/socket_events.ts";
import type { PeerMeasurement } from "../api/socket_measurements.ts";
import { type CsvField, type CsvMs, renderCsv } from "./csv_table.ts";
import { endMsOf } from "./event_log.ts";
import { addSums, type ThreadFacts, type TimeSums, toWallMs, WAIT_CLASS_ORDER } from "./facts.ts";
import { describeNothing } from "./answer.ts";
import type { Finding, WaitFigures } from "./finding.ts";
import { formatCount, formatWallTime } from "./format.ts";
import { percentileMsMax } from "./histogram.ts";
import { incompleteCategories, type Report } from "./report.ts";
import { describeUnnamedFrames } from "./text_books.ts";
import type { WaitGroup } from "./time_ledger.ts";
import { describeObject } from "./wait_object.ts";

/** In this order; the first seven are the reference's. */
export const CSV_COLUMNS = [
  "timestamp",
  "pid",
  "process_name",
  "type",
  "latency_ms",
  "error",
  "target",
  "row",
  "name",
  "thread_id",
  "thread_name",
  "system_call",
  "count",
  "total_ms",
  "longest_ms",
  "p50_ms_max",
  "p95_ms_max",
  "p99_ms_max",
  "sent_bytes",
  "received_bytes",
  "failed",
  "detail",
] as const;

/** What a row is about; rows come in this order. */
export type CsvRowKind =
  | "empty"
  | "finding"
  | "time"
  | "wait"
  | "peer"
  | "resource"
  | "completeness"
  | "event"
  | "omitted";

type CsvRecord =
  & { readonly row: CsvRowKind }
  & { readonly [Column in Exclude<(typeof CSV_COLUMNS)[number], "row">]?: CsvField };

/** The reference's word for each kind of wait; what it has no word for is time off the CPU. */
const WAIT_TYPES: Readonly<Record<WaitClass, string>> = {
  network: "NET",
  diskRead: "FS",
  diskWrite: "FS",
  pipe: "FS",
  lock: "LOCK",
  child: "PROC",
  pageFault: "MEM",
  idle: "CPU",
  sleep: "CPU",
  parked: "CPU",
  stopped: "CPU",
  other: "CPU",
};

/** Two decimals are printed: less would be a row of nothing. */
const MS_SHOWN_MIN = 0.005;

/** Yields the whole report as CSV; every record has every column. */
export function renderCsvReport(report: Report): string {
  return renderCsv(recordsOf(report));
}

function* recordsOf(report: Report): Generator<readonly CsvField[]> {
  yield CSV_COLUMNS;
  for (
    const rows of [emptyRows, findingRows, timeRows, waitRows, peerRows, resourceRows, completenessRows, eventRows]
  ) {
    for (const record of rows(report)) yield toFields(record);
  }
}

/** In the order of `CSV_COLUMNS`; by name one by one, because a look-up by variable costs more than all else here. */
function toFields(record: CsvRecord): readonly CsvField[] {
  return [
    record.timestamp,
    record.pid,
    record.process_name,
    record.type,
    record.latency_ms,
    record.error,
    record.target,
    record.row,
    record.name,
    record.thread_id,
    record.thread_name,
    record.system_call,
    record.count,
    record.total_ms,
    record.longest_ms,
    record.p50_ms_max,
    record.p95_ms_max,
    record.p99_ms_max,
    record.sent_bytes,
    record.received_bytes,
    record.failed,
    record.detail,
  ];
}

function emptyRows({ emptyReason }: Report): readonly CsvRecord[] {
  return emptyReason === undefined ? [] : [{ row: "empty", detail: describeNothing(emptyReason) }];
}

function findingRows(report: Report): readonly CsvRecord[] {
  return report.findings.map((finding) => toFindingRow(report, finding));
}

function toFindingRow(report: Report, finding: Finding): CsvRecord {
  const { evidence } = finding;
  return {
    row: "finding",
    name: finding.id,
    type: finding.severity.toUpperCase(),
    process_name: report.targets.find(({ id }) => id === finding.targetId)?.label ?? finding.targetId,
    target: evidence.object,
    system_call: evidence.systemCalls?.join(" "),
    total_ms: toCsvMs(finding.explainedMs),
    failed: evidence.failures?.failedCount,
    ...(evidence.waits === undefined ? {} : {
      count: evidence.waits.count,
      latency_ms: toCsvMs(evidence.waits.meanMs),
      longest_ms: toCsvMs(evidence.waits.longestMs),
      p99_ms_max: csvMs(evidence.waits.p99MsMax),
    }),
    detail: `${finding.title} Next: ${finding.nextStep}`,
  };
}

function* timeRows(report: Report): Generator<CsvRecord> {
  const threads = report.timeLedger.processes.flatMap((process) =>
    process.threads.toSorted(byThreadId).map((thread) => ({ thread, processName: process.info.command }))
  );
  for (const { thread: { ledger, sums }, processName } of threads.slice(0, CSV_THREAD_ROWS_MAX)) {
    yield* stateRows(sums, {
      pid: ledger.processId,
      process_name: processName,
      thread_id: ledger.threadId,
      thread_name: ledger.command,
    });
  }
  const hidden = threads.slice(CSV_THREAD_ROWS_MAX);
  if (hidden.length === 0) return;
  yield* stateRows(addSums(hidden.map(({ thread }) => thread.sums)), {
    pid: undefined,
    process_name: undefined,
    thread_id: undefined,
    thread_name: `${formatCount(hidden.length, "more thread")} together`,
  });
}

function byThreadId(first: ThreadFacts, second: ThreadFacts): number {
  return first.ledger.threadId - second.ledger.threadId;
}

/** One row per state that took any time; they add up to the lifetime. */
function* stateRows(
  sums: TimeSums,
  who: Pick<CsvRecord, "pid" | "process_name" | "thread_id" | "thread_name">,
): Generator<CsvRecord> {
  const { pid, process_name, thread_id, thread_name } = who;
  for (const [name, type, ms] of statesOf(sums)) {
    if (Math.abs(ms) < MS_SHOWN_MIN) continue;
    yield { row: "time", pid, process_name, thread_id, thread_name, type, name, total_ms: toCsvMs(ms) };
  }
}

function* statesOf(sums: TimeSums): Generator<readonly [name: string, type: string, ms: number]> {
  yield ["onCpu", "CPU", sums.onCpuMs];
  yield ["runnable", "CPU", sums.runnableMs];
  yield ["throttled", "CPU", sums.throttledMs];
  for (const name of WAIT_CLASS_ORDER) yield [name, WAIT_TYPES[name], sums.byClass[name]];
  yield ["unattributed", "CPU", sums.unattributedMs];
  yield ["residual", "CPU", sums.residualMs];
}

function* waitRows({ timeLedger: { waits } }: Report): Generator<CsvRecord> {
  for (const wait of waits.slice(0, CSV_WAIT_ROWS_MAX)) yield toWaitRow(wait);
  const hidden = waits.slice(CSV_WAIT_ROWS_MAX);
  if (hidden.length === 0) return;
  yield {
    row: "wait",
    name: "others",
    count: hidden.reduce((sum, wait) => sum + wait.figures.count, 0),
    total_ms: toCsvMs(hidden.reduce((sum, wait) => sum + wait.figures.totalMs, 0)),
    detail: `${formatCount(hidden.length, "wait")} of less time together`,
  };
}

function toWaitRow(wait: WaitGroup): CsvRecord {
  const { process, figures, waker } = wait;
  return {
    row: "wait",
    name: wait.waitClass,
    type: WAIT_TYPES[wait.waitClass],
    timestamp: figures.longestEndWallMs === undefined ? undefined : formatWallTime(figures.longestEndWallMs),
    pid: process.processId,
    process_name: process.command,
    target: describeObject(wait.object),
    system_call: wait.systemCall,
    count: figures.count,
    ...figureFields(figures, wait.buckets),
    detail: waker === undefined || waker.threadId === 0
      ? undefined
      : `mostly ended by ${waker.command} (${waker.threadId})`,
  };
}

function figureFields(
  figures: Pick<WaitFigures, "totalMs" | "meanMs" | "longestMs">,
  buckets: readonly number[],
): Partial<CsvRecord> {
  const percentile = (percent: number) => csvMs(percentileMsMax(buckets, percent, { longestMs: figures.longestMs }));
  return {
    latency_ms: toCsvMs(figures.meanMs),
    total_ms: toCsvMs(figures.totalMs),
    longest_ms: toCsvMs(figures.longestMs),
    p50_ms_max: percentile(50),
    p95_ms_max: percentile(95),
    p99_ms_max: percentile(99),
  };
}

function toCsvMs(ms: number): CsvMs {
  return { ms };
}

function csvMs(ms: number | undefined): CsvMs | undefined {
  return ms === undefined ? undefined : { ms };
}

function* peerRows(report: Report): Generator<CsvRecord> {
  const { peers } = report;
  for (const peer of peers.slice(0, CSV_PEER_ROWS_MAX)) yield toPeerRow(report, peer);
  const hidden = peers.slice(CSV_PEER_ROWS_MAX);
  if (hidden.length === 0) return;
  const sum = (figure: (peer: PeerMeasurement) => number) => hidden.reduce((total, peer) => total + figure(peer), 0);
  yield {
    row: "peer",
    name: "others",
    type: "NET",
    sent_bytes: sum((peer) => peer.sends.byteCount),
    received_bytes: sum((peer) => peer.receives.byteCount),
    detail: `${formatCount(hidden.length, "peer")} together`,
  };
}

function toPeerRow(report: Report, peer: PeerMeasurement): CsvRecord {
  const { responses, connects } = peer;
  const failedCount = peer.sends.failedCount + peer.receives.failedCount + connects.failedCount;
  return {
    row: "peer",
    name: peer.role,
    type: "NET",
    timestamp: responses.count > 0 ? formatWallTime(responses.maxEndWallMs) : undefined,
    pid: peer.processId,
    process_name: commandOf(report, peer.processId),
    target: peer.endpoint === undefined ? "(not told apart)" : describeObject(peer.endpoint),
    count: responses.count,
    ...(responses.count === 0 ? {} : figureFields({
      totalMs: responses.totalMs,
      meanMs: responses.totalMs / responses.count,
      longestMs: responses.maxMs,
    }, responses.buckets)),
    sent_bytes: peer.sends.byteCount,
    received_bytes: peer.receives.byteCount,
    failed: failedCount,
    detail: [
      ...(connects.attemptCount > 0
        ? [`${formatCount(connects.attemptCount, "connect")}, ${connects.failedCount} failed`]
        : []),
      ...(peer.retransmitCount > 0 ? [formatCount(peer.retransmitCount, "retransmit")] : []),
      ...(peer.roundTrip === undefined ? [] : [`round trip ${peer.roundTrip.lastMs.toFixed(2)} ms`]),
    ].join("; "),
  };
}

/** One record per figure of what a process or cgroup has, uses and may use; names are the JSON's. */
function* resourceRows({ sections }: Report): Generator<CsvRecord> {
  for (const { target: _, pid, name: process_name, ...figures } of sections.process_resources?.processes ?? []) {
    for (const [name, count] of Object.entries(figures)) {
      if (count !== undefined) yield { row: "resource", type: "PROC", pid, process_name, name, count };
    }
  }
  for (const { path, cpu, memory, io, pressure } of sections.cgroup_resources?.cgroups ?? []) {
    const about = { row: "resource", target: path } as const;
    yield* figureRows({ ...about, type: "CPU" }, cpu);
    yield* figureRows({ ...about, type: "MEM" }, memory);
    for (const { device, ...figures } of io?.devices ?? []) {
      yield* figureRows({ ...about, type: "FS", detail: `device ${device}` }, figures);
    }
    for (const { device, ...figures } of io?.limits ?? []) {
      yield* figureRows({ ...about, type: "FS", detail: `limit of device ${device}` }, figures);
    }
    yield* figureRows({ ...about, type: "CPU", detail: "pressure" }, pressure);
  }
}

function* figureRows(
  about: CsvRecord,
  figures: Readonly<Record<string, number | undefined>> | undefined,
): Generator<CsvRecord> {
  for (const [name, figure] of Object.entries(figures ?? {})) {
    if (figure === undefined) continue;
    yield name.endsWith("_ms") ? { ...about, name, total_ms: toCsvMs(figure) } : { ...about, name, count: figure };
  }
}

function completenessRows({ books, stackProfile, absences }: Report): readonly CsvRecord[] {
  const unnamed = describeUnnamedFrames(stackProfile);
  const categories = incompleteCategories(books).map(({ category, completeness }): CsvRecord => ({
    row: "completeness",
    name: category,
    type: completeness.verdict.toUpperCase(),
    detail: completeness.verdict === "partial"
      ? `${completeness.percent.toFixed(1)}% seen: ${completeness.reason}`
      : completeness.reason,
  }));
  return [
    ...categories,
    ...absences.withheld.map(({ statement, reason }): CsvRecord => ({
      row: "completeness",
      name: statement,
      type: "WITHHELD",
      detail: reason,
    })),
    ...(unnamed === undefined
      ? []
      : [{ row: "completeness", name: "stackFrames", type: "PARTIAL", detail: unnamed } as const]),
  ];
}

function* eventRows(report: Report): Generator<CsvRecord> {
  const { listing } = report;
  if (listing === undefined) return;
  const toTimestamp = timestampsOf(report);
  for (const event of listing.events) yield toEventRow(report, { event, timestamp: toTimestamp(endMsOf(event)) });
  const { omittedShorterCount, omittedLaterCount } = listing;
  const omitted: readonly (readonly [name: string, count: number, detail: string])[] = [
    ["shorter", omittedShorterCount, "recorded waits, connects and responses shorter than every one listed"],
    ["later", omittedLaterCount, "events without a duration, later than every one listed"],
  ];
  for (const [name, count, detail] of omitted) if (count > 0) yield { row: "omitted", name, count, detail };
}

/** Events come in order, many in one millisecond: a date is made once for those. */
function timestampsOf({ window }: Report): (monotonicMs: number) => string {
  let lastMs = NaN;
  let text = "";
  return (monotonicMs) => {
    const ms = Math.round(toWallMs(window, monotonicMs));
    if (ms !== lastMs) text = formatWallTime(ms);
    lastMs = ms;
    return text;
  };
}

const NO_TIME = toCsvMs(0);

function toEventRow(report: Report, given: { readonly event: TraceEvent; readonly timestamp: string }): CsvRecord {
  const { event, timestamp } = given;
  const row = "event";
  const pid = event.kind === "fork" ? event.parentProcessId : event.processId;
  switch (event.kind) {
    case "wait":
      return {
        row,
        name: event.waitClass,
        timestamp,
        latency_ms: toCsvMs(event.durationMs),
        pid,
        process_name: commandOf(report, pid),
        type: WAIT_TYPES[event.waitClass],
        thread_id: event.threadId,
        error: 0,
        target: describeObject(event.object),
        system_call: event.systemCall,
      };
    case "file":
      return {
        row,
        name: event.operation,
        timestamp,
        latency_ms: toCsvMs(event.durationMs),
        pid,
        process_name: commandOf(report, pid),
        type: "FS",
        thread_id: event.threadId,
        error: event.errno,
        target: describeObject(event.object),
        system_call: event.systemCall,
      };
    case "fork":
    case "exec":
    case "exit":
    case "oomKill":
      return { row, name: event.kind, timestamp, latency_ms: NO_TIME, pid, ...lifecycleFields(report, event) };
    default:
      return {
        row,
        name: event.kind,
        timestamp,
        latency_ms: NO_TIME,
        pid,
        process_name: commandOf(report, pid),
        ...socketFields(event),
      };
  }
}

function lifecycleFields(
  report: Report,
  event: Extract<TraceEvent, { readonly kind: "fork" | "exec" | "exit" | "oomKill" }>,
): Partial<CsvRecord> {
  switch (event.kind) {
    case "fork":
      return {
        process_name: commandOf(report, event.parentProcessId),
        type: "PROC",
        thread_id: event.parentThreadId,
        error: 0,
        target: `${event.command} (${event.childThreadId})`,
      };
    case "exec":
      return { process_name: event.command, type: "PROC", error: 0, target: event.path };
    case "exit":
      return {
        process_name: event.command,
        type: "PROC",
        thread_id: event.threadId,
        error: event.signal === 0 ? event.exitCode : 128 + event.signal,
        detail: event.signal === 0 ? undefined : `ended by signal ${event.signal}`,
      };
    case "oomKill":
      return { process_name: event.command, type: "MEM", detail: "killed: out of memory" };
  }
}

function socketFields(event: SocketEvent): Partial<CsvRecord> {
  const socket = { type: "NET", target: describeObject(event.endpoint), error: 0 };
  switch (event.kind) {
    case "connect":
      return { ...socket, latency_ms: toCsvMs(event.durationMs), error: event.error ?? 0 };
    case "response":
      return { ...socket, latency_ms: toCsvMs(event.durationMs) };
    case "transferFailure":
      return { ...socket, error: event.error, detail: event.direction };
    case "close":
      return { ...socket, sent_bytes: event.sentBytes, received_bytes: event.receivedBytes };
    default:
      return socket;
  }
}

function commandOf(report: Report, processId: number): string | undefined {
  return report.commands.get(processId);
}
