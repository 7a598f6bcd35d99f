/**
 * From the words of `podtrace diagnose` to a request that can be carried out.
 * Pure: nothing is looked up, nothing attached.
 *
 * @module
 */

import { DIAGNOSE_DURATION_MS_MAX, SLOW_WAIT_MS_MIN, TARGETS_MAX } from "../../engine/api/limits.ts";
import type { Plane } from "../../engine/api/plane.ts";
import { SEVERITIES, type Severity } from "../../engine/api/severity.ts";
import { type ProcessId, toProcessId } from "../../engine/api/units.ts";
import { formatDuration, parseDuration, toMs } from "../duration.ts";
import {
  DIAGNOSE_DEFAULTS,
  type DiagnoseArguments,
  LOG_LEVELS,
  type LogLevel,
  OUTPUT_FORMATS,
  type OutputFormat,
  POD_ADVICE,
} from "../options.ts";
import { type Selection, toPlanes, toSelection } from "./selection.ts";
import { UsageError } from "../usage_error.ts";

/** What to look at; exactly one kind. */
export type RequestedTarget =
  | { readonly kind: "processes"; readonly processIds: readonly [ProcessId, ...ProcessId[]] }
  | { readonly kind: "cgroup"; readonly path: string }
  /** `id`: lower-case hexadecimal digits, 12 or more of them, without a runtime's prefix. */
  | { readonly kind: "container"; readonly id: string }
  | { readonly kind: "command"; readonly argv: readonly [string, ...string[]] }
  | { readonly kind: "system" }
  /** What was looked at when the recording was made. */
  | { readonly kind: "recording"; readonly path: string };

export type RequestedView =
  /** Look for this long; a command's end, a target's end or a signal may come first. */
  | {
    readonly kind: "window";
    readonly durationMs: number;
    readonly slowWaitMs: number;
    readonly slowFileMs: number;
    readonly hasUserStacks: boolean;
    /** What is looked at. */
    readonly planes: ReadonlySet<Plane>;
    readonly failOn: Severity | undefined;
    /** What is shown while the look goes on. */
    readonly live: LiveView;
    readonly selection: Selection;
  }
  /** Say what every thread does at this instant. */
  | { readonly kind: "now" }
  /** Look as the recorded run did. */
  | {
    readonly kind: "replay";
    readonly path: string;
    readonly failOn: Severity | undefined;
    readonly live: LiveView;
  };

/** Nothing but a status line, a line per event, or a screen of threads. */
export type LiveView = "none" | "follow" | "top";

export interface DiagnoseRequest {
  readonly target: RequestedTarget;
  readonly view: RequestedView;
  readonly output: OutputFormat;
  /** `undefined`: stdout. */
  readonly outputFile: string | undefined;
  /** Where to write down all that is seen; `undefined`: nowhere. */
  readonly recordingFile: string | undefined;
  readonly logLevel: LogLevel;
}

/** Container runtimes hand out 64 digits; tools show the first 12. */
const CONTAINER_ID = /^[0-9a-f]{12,128}$/;

const NS_PER_MS = 1_000_000n;
const WINDOW_TEXT_MAX = formatDuration(BigInt(DIAGNOSE_DURATION_MS_MAX) * NS_PER_MS);

/**
 * Yields what `given` asks for.
 *
 * @throws {UsageError} At the first thing that cannot be, in the order a user would fix it
 */
export function toDiagnoseRequest(given: DiagnoseArguments): DiagnoseRequest {
  const target = toTarget(given);
  const view = toView(given, target);
  return {
    target,
    view,
    output: toOutput(given.output ?? DIAGNOSE_DEFAULTS.output, view),
    outputFile: toOutputFile(given.outputFile),
    recordingFile: toRecordingFile(given),
    logLevel: toLogLevel(given.logLevel ?? DIAGNOSE_DEFAULTS.logLevel),
  };
}

function toTarget(given: DiagnoseArguments): RequestedTarget {
  refuseWords(given.words);
  const kinds = [
    given.pid.length > 0 ? "--pid" : undefined,
    given.cgroup.length > 0 ? "--cgroup" : undefined,
    given.container.length > 0 ? "--container" : undefined,
    given.isSystemWide ? "--system-wide" : undefined,
    given.replay !== undefined ? "--replay" : undefined,
    given.command !== undefined ? "-- COMMAND" : undefined,
  ].filter((kind) => kind !== undefined);
  const [kind, second] = kinds;
  if (second !== undefined) {
    throw new UsageError(`Cannot diagnose several kinds of target: found ${kinds.join(" and ")}, expected one of them`);
  }
  switch (kind) {
    case "--pid":
      return { kind: "processes", processIds: toProcessIds(given.pid) };
    case "--cgroup":
      return { kind: "cgroup", path: toCgroupPath(onlyOne("--cgroup", given.cgroup)) };
    case "--container":
      return { kind: "container", id: toContainerId(onlyOne("--container", given.container)) };
    case "--system-wide":
      return { kind: "system" };
    case "--replay":
      return { kind: "recording", path: toPath("--replay", given.replay ?? "") };
    case "-- COMMAND":
      return { kind: "command", argv: toArgv(given.command ?? []) };
    default:
      throw new UsageError(
        "Cannot diagnose: no target given, expected --pid N, --cgroup PATH, --container ID, --system-wide, " +
          "--replay FILE or -- COMMAND",
      );
  }
}

/** A bare word names a pod; people also forget the `--` before a command. */
function refuseWords(words: readonly string[]): void {
  const [first] = words;
  if (first === undefined) return;
  throw new UsageError(
    `Cannot diagnose ${quote(first)}: ${POD_ADVICE}; to start a command write it after --, as in -- ${words.join(" ")}`,
  );
}

function toProcessIds(texts: readonly string[]): readonly [ProcessId, ...ProcessId[]] {
  const [first, ...rest] = [...new Set(texts.map(toOneProcessId))];
  if (first === undefined) throw new UsageError("Cannot use --pid: no process id given");
  if (rest.length >= TARGETS_MAX) {
    throw new UsageError(`Cannot use --pid ${rest.length + 1} times: expected at most ${TARGETS_MAX} processes`);
  }
  return [first, ...rest];
}

function toOneProcessId(text: string): ProcessId {
  try {
    return toProcessId(/^[0-9]+$/.test(text) ? Number(text) : Number.NaN);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new UsageError(`Cannot use --pid ${quote(text)}: expected a process id from 1 to 4194304`, { cause });
  }
}

function toCgroupPath(text: string): string {
  if (text.startsWith("/")) return text;
  throw new UsageError(`Cannot use --cgroup ${quote(text)}: expected a path that begins with /`);
}

/** Pod status spells ids with the runtime in front: "containerd://3f2a…". */
function toContainerId(text: string): string {
  const id = text.replace(/^[a-z0-9.+-]+:\/\//, "").toLowerCase();
  if (CONTAINER_ID.test(id)) return id;
  throw new UsageError(`Cannot use --container ${quote(text)}: expected 12 to 128 hexadecimal digits of its id`);
}

function toArgv(command: readonly string[]): readonly [string, ...string[]] {
  const [program, ...rest] = command;
  if (program === undefined) {
    throw new UsageError("Cannot start a command: nothing follows --, expected COMMAND ARGS...");
  }
  if (program === "") throw new UsageError('Cannot start the command "": expected its name or path');
  return [program, ...rest];
}

function toView(given: DiagnoseArguments, target: RequestedTarget): RequestedView {
  if (given.isNow) {
    refuseBesideNow(given, target);
    return { kind: "now" };
  }
  const failOn = given.failOn === undefined
    ? undefined
    : toChoice(given.failOn, { option: "--fail-on", choices: SEVERITIES });
  if (target.kind === "recording") {
    refuseBesideReplay(given);
    return { kind: "replay", path: target.path, failOn, live: toLiveView(given, target) };
  }
  const selection = toSelection(given);
  return {
    kind: "window",
    durationMs: toWindowMs(given, target),
    slowWaitMs: toSlowWaitMs(given.slowWait ?? DIAGNOSE_DEFAULTS.slowWait),
    slowFileMs: selection.thresholds.fsMs,
    hasUserStacks: given.hasUserStacks,
    planes: toPlanes(selection.categories, { hasStacks: given.hasUserStacks }),
    failOn,
    live: toLiveView(given, target),
    selection,
  };
}

function toLiveView(given: DiagnoseArguments, target: RequestedTarget): LiveView {
  if (given.isFollow && given.isTop) {
    throw new UsageError("Cannot use --follow with --top: both need the terminal, leave one of the two out");
  }
  if (given.isTop && target.kind === "command") {
    throw new UsageError("Cannot use --top with -- COMMAND: both need the terminal, start it first and use --pid");
  }
  if (given.isTop) return "top";
  if (!given.isFollow) return "none";
  const isLineFormat = given.output === undefined || given.output === "text" || given.output === "json";
  if (!isLineFormat && given.outputFile === undefined) {
    throw new UsageError(
      `Cannot use --follow with -o ${given.output} on one output: give the report its own with --output-file PATH`,
    );
  }
  return "follow";
}

/** `--now` looks once and judges nothing, so what shapes or judges a window has no meaning beside it. */
function refuseBesideNow(given: DiagnoseArguments, target: RequestedTarget): void {
  const conflicts: readonly (readonly [isGiven: boolean, option: string])[] = [
    [target.kind === "command", "-- COMMAND"],
    [target.kind === "recording", "--replay"],
    [given.record !== undefined, "--record"],
    [given.duration !== undefined, "--duration"],
    [given.diagnose !== undefined, "--diagnose"],
    [given.slowWait !== undefined, "--slow-wait"],
    [given.hasUserStacks, "--stacks"],
    [given.failOn !== undefined, "--fail-on"],
    [given.isFollow, "--follow"],
    [given.isTop, "--top"],
    [given.filter.length > 0, "--filter"],
    [given.errorThreshold !== undefined, "--error-threshold"],
    [given.rttThreshold !== undefined, "--rtt-threshold"],
    [given.fsThreshold !== undefined, "--fs-threshold"],
  ];
  const conflict = conflicts.find(([isGiven]) => isGiven);
  if (conflict !== undefined) {
    throw new UsageError(`Cannot use --now with ${conflict[1]}: --now looks at one instant, leave one of the two out`);
  }
}

/** What was looked at, for how long and how closely was decided when the recording was made. */
function refuseBesideReplay(given: DiagnoseArguments): void {
  const conflicts: readonly (readonly [isGiven: boolean, option: string])[] = [
    [given.record !== undefined, "--record"],
    [given.duration !== undefined, "--duration"],
    [given.diagnose !== undefined, "--diagnose"],
    [given.slowWait !== undefined, "--slow-wait"],
    [given.hasUserStacks, "--stacks"],
    [given.filter.length > 0, "--filter"],
    [given.errorThreshold !== undefined, "--error-threshold"],
    [given.rttThreshold !== undefined, "--rtt-threshold"],
    [given.fsThreshold !== undefined, "--fs-threshold"],
    [given.isTop, "--top"],
  ];
  const conflict = conflicts.find(([isGiven]) => isGiven);
  if (conflict !== undefined) {
    throw new UsageError(
      `Cannot use --replay with ${conflict[1]}: the recording decides that, leave one of the two out`,
    );
  }
}

function toWindowMs(given: DiagnoseArguments, target: RequestedTarget): number {
  if (given.duration !== undefined && given.diagnose !== undefined) {
    throw new UsageError("Cannot use --duration with --diagnose: both set how long to look, leave one of the two out");
  }
  if (given.diagnose !== undefined) return toBoundedMs("--diagnose", given.diagnose);
  if (given.duration !== undefined) return toBoundedMs("--duration", given.duration);
  if (target.kind === "command" || given.isFollow || given.isTop) return DIAGNOSE_DURATION_MS_MAX;
  return toBoundedMs("--duration", DIAGNOSE_DEFAULTS.duration);
}

function toBoundedMs(option: string, text: string): number {
  const ns = toNs(option, text);
  if (ns <= 0n || ns > BigInt(DIAGNOSE_DURATION_MS_MAX) * NS_PER_MS) {
    throw new UsageError(`Cannot use ${option} ${quote(text)}: expected more than 0s and at most ${WINDOW_TEXT_MAX}`);
  }
  return toMs(ns);
}

function toSlowWaitMs(text: string): number {
  const ns = toNs("--slow-wait", text);
  if (ns < BigInt(SLOW_WAIT_MS_MIN) * NS_PER_MS || ns > BigInt(DIAGNOSE_DURATION_MS_MAX) * NS_PER_MS) {
    throw new UsageError(
      `Cannot use --slow-wait ${quote(text)}: expected at least ${SLOW_WAIT_MS_MIN}ms and at most ${WINDOW_TEXT_MAX}`,
    );
  }
  return toMs(ns);
}

function toNs(option: string, text: string): bigint {
  const parsed = parseDuration(text);
  if (parsed.kind === "duration") return parsed.ns;
  throw new UsageError(`Cannot use ${option} ${quote(text)}: ${parsed.problem}`);
}

/** One instant has a table for people and one for programs; the other forms are of a window. */
function toOutput(text: string, view: RequestedView): OutputFormat {
  const output = toChoice(text, { option: "--output", choices: OUTPUT_FORMATS });
  if (view.kind !== "now" || output === "text" || output === "json") return output;
  throw new UsageError(`Cannot use --now with --output ${output}: --now looks at one instant, expected text or json`);
}

/** Nothing of ours is graver than an error: whoever asks for what is fatal gets those. */
function toLogLevel(text: string): LogLevel {
  return text === "fatal" ? "error" : toChoice(text, { option: "--log-level", choices: LOG_LEVELS });
}

function toOutputFile(text: string | undefined): string | undefined {
  return text === undefined ? undefined : toPath("--output-file", text);
}

function toRecordingFile({ record, outputFile }: DiagnoseArguments): string | undefined {
  if (record === undefined) return undefined;
  if (record === outputFile) {
    throw new UsageError(`Cannot use --record ${quote(record)}: --output-file names the same file`);
  }
  return toPath("--record", record);
}

function toPath(option: string, text: string): string {
  if (text === "") throw new UsageError(`Cannot use ${option} "": expected a path`);
  return text;
}

function toChoice<Choice extends string>(
  text: string,
  options: { option: string; choices: readonly Choice[] },
): Choice {
  const { option, choices } = options;
  const choice = choices.find((candidate) => candidate === text);
  if (choice !== undefined) return choice;
  throw new UsageError(`Cannot use ${option} ${quote(text)}: expected ${choices.join(", ")}`);
}

function onlyOne(option: string, values: readonly string[]): string {
  const [first = "", second] = values;
  if (second === undefined) return first;
  throw new UsageError(`Cannot use ${option} ${values.length} times: expected one`);
}

function quote(text: string): string {
  return JSON.stringify(text);
}
