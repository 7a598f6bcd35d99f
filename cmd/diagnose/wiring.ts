/**
 * What `podtrace diagnose` needs of the engine, as one value: the flow is
 * written against it, and this file alone knows how the engine fulfils it.
 *
 * @module
 */

import type { Alert, AlertingReceipt } from "../../engine/api/alerts.ts";
import { EngineError } from "../../engine/api/errors.ts";
import type { Engine } from "../../engine/api/engine.ts";
import type { Exporter, ExporterFactories } from "../../engine/api/exporter.ts";
import type { Target } from "../../engine/api/target.ts";
import type { TargetId } from "../../engine/api/units.ts";
import {
  createHostReader,
  describeTargets,
  DiagnosisAccumulator,
  type HostView,
  missingForTracing,
  openEngine,
  openHostView,
  openLibbpfBackend,
  readKernelFacts,
  renderCsvReport,
  renderHtmlReport,
  renderJsonReport,
  renderJsonSnapshot,
  renderTextReport,
  renderTextSnapshot,
  type Report,
  resolveCgroup,
  resolveContainerTarget,
  type ResolvedTarget,
  type ResolvedTargets,
  resolveProcesses,
  type RunEnd,
  type RunRecording,
  type SnapshotRow,
  systemWideTarget,
  type TextReportOptions,
  toAlerts,
  toSnapshotRows,
  toSystemCallLookup,
  type WordReader,
} from "../../engine/mod.ts";
import { useObject } from "../chosen_object.ts";
import type { DiagnosisOutcome } from "../exit_code.ts";
import type { OutputFormat } from "../options.ts";
import type { ProcessContext } from "../process_context.ts";
import type { Logger } from "../status_output.ts";
import type { CommandOutcome } from "./command_target.ts";
import type { RequestedTarget } from "./request.ts";
import type { Selection } from "./selection.ts";

/** A command is started first and then is a process. */
export type ResolvableTarget = Exclude<RequestedTarget, { kind: "command" | "recording" }>;

/** What the flow knows of a run and the measurements do not say. */
export interface RunFacts {
  readonly endReason: EndReason;
  readonly command: { readonly argv: readonly string[]; readonly outcome: CommandOutcome } | undefined;
}

/** Why the window closed. */
export type EndReason = (typeof END_REASONS)[number];

export const END_REASONS = ["duration", "targetsEnded", "commandEnded", "interrupted"] as const;

/** What a report's last form depends on besides the run. */
export interface RenderOptions {
  /** What became of the alerts. */
  readonly alerting?: AlertingReceipt | undefined;
  readonly text?: TextReportOptions | undefined;
}

/** A report that only needs its last form. */
export interface FinishedReport extends DiagnosisOutcome {
  /** What there is to tell whoever is not looking, gravest first. */
  readonly alerts: readonly Alert[];
  /** @param alerting what became of the alerts; `undefined`: none are told */
  /** @param options.text how a text report is laid out; for a terminal */
  render(format: OutputFormat, options?: RenderOptions): string;
}

/** What one run wants of its engine. */
export interface EngineOptions {
  readonly recording: RunRecording | undefined;
  /** Told when an exporter begins to fail; it is logged in any case. */
  readonly onExporterFailure?: (failure: { readonly exporter: string; readonly problem: string }) => void;
}

/** Takes everything a run yields and makes the report of it. */
export interface Diagnosis {
  readonly exporter: Exporter;
  /** What there is to tell of what came in up to now. */
  alertsSoFar(): readonly Alert[];
  /** After the engine's run: everything is in. */
  conclude(facts: RunFacts): FinishedReport;
}

/** What the report of a run will be. */
export interface DiagnosisOptions {
  readonly output: OutputFormat;
  readonly selection: Pick<Selection, "categories" | "thresholds" | "uncollected">;
  /** Unix time, for the report of a run that measured nothing. */
  readonly wallMs?: () => number;
}

export interface DiagnoseWiring {
  /** @throws {EngineError} `kernel_unsupported`, `capability_missing`: why this host cannot be traced */
  assertTraceable(): void;
  /** @throws {EngineError} `target_gone`, `target_refused` */
  resolve(requested: ResolvableTarget): ResolvedTargets;
  /** Whether any thread of the process lives. */
  isProcessAlive(processId: number): boolean;
  /** Whether the cgroup directory at this absolute path exists. */
  isCgroupPresent(path: string): boolean;
  /** @param options.output the form the report will have, which decides what is kept for it */
  openDiagnosis(targets: readonly Target[], options: DiagnosisOptions): Diagnosis;
  /** Loads and attaches; the engine owns all of it and gives it back on disposal. */
  openEngine(factories: ExporterFactories, options?: EngineOptions): Promise<Engine>;
  /** What every thread of `targets` does at this instant. */
  takeSnapshot(targets: readonly Target[]): Promise<FinishedReport>;
}

/** What the wiring takes from the process. */
export interface WiringOptions {
  readonly context: Pick<ProcessContext, "processId" | "wallMs" | "timer" | "environment">;
  readonly log: Logger;
}

/** Yields the engine on this host. */
export function openWiring(options: WiringOptions): DiagnoseWiring {
  const host = openHostView();
  return {
    assertTraceable: () => {
      const facts = readKernelFacts(host.procFs);
      const missing = missingForTracing(facts);
      if (missing !== undefined) throw missing;
      if (!facts.capabilities.has("CAP_SYS_PTRACE")) options.log.warn(WITHOUT_PTRACE);
    },
    resolve: (requested) => resolveTargets(requested, host),
    isProcessAlive: (processId) => host.procFs.isAlive(processId),
    isCgroupPresent: (path) => host.cgroupFs.groupPathOfDirectory(path) !== undefined && isDirectory(path),
    openDiagnosis: (targets, given) => openDiagnosis(targets, { ...given, wallMs: () => options.context.wallMs() }),
    openEngine: (factories, given = { recording: undefined }) =>
      openRunningEngine(factories, { ...options, ...given, host }),
    takeSnapshot: (targets) => takeSnapshot(targets, { ...options, host }),
  };
}

const WITHOUT_PTRACE =
  "CAP_SYS_PTRACE is not in effect: of processes with other rights, function names, listening ports and the holders " +
  "of locks from before the look are not known";

interface EngineParts extends WiringOptions {
  readonly host: HostView;
}

function resolveTargets(requested: ResolvableTarget, host: HostView): ResolvedTargets {
  switch (requested.kind) {
    case "processes":
      return resolveProcesses(requested.processIds, host);
    case "cgroup":
      return alone(resolveCgroup(requested.path, { ...host, isSystemWideAllowed: false }));
    case "container":
      return alone(resolveContainerTarget(requested.id, host));
    case "system":
      return { targets: [systemWideTarget()], notes: [] };
  }
}

function alone({ target, notes }: ResolvedTarget): ResolvedTargets {
  return { targets: [target], notes };
}

function isDirectory(path: string): boolean {
  try {
    return Deno.lstatSync(path).isDirectory;
  } catch {
    return false; // gone, or no longer ours to see: the look ends either way
  }
}

/** Our id as the host knows it: /proc is the host's even where our pid namespace is not. */
function ownProcessId({ context, host }: EngineParts): number {
  return host.procFs.ownProcessId() ?? context.processId;
}

async function openRunningEngine(
  factories: ExporterFactories,
  parts: EngineParts & EngineOptions,
): Promise<Engine> {
  const { context, host, log, recording } = parts;
  const backend = await useObject(context, (objectBytes) =>
    openLibbpfBackend({
      host,
      objectBytes,
      ownProcessId: ownProcessId(parts),
      ...(recording === undefined ? {} : { tape: recording.tape }),
    }));
  const clock = { monotonicMs: () => backend.monotonicMs(), wallMs: () => context.wallMs() };
  const reader = createHostReader(host, { architecture: Deno.build.arch, paths: backend.paths });
  return openEngine({
    backend,
    factories,
    clock: recording?.clock(clock) ?? clock,
    timer: context.timer,
    host: recording?.host(reader) ?? reader,
    reportProblem: ({ routeId, cause }) => {
      log.warn(`route ${routeId}: ${cause.message}`);
      parts.onExporterFailure?.({ exporter: routeId, problem: cause.message });
    },
  });
}

function labelsOf(targets: readonly Target[]): ReadonlyMap<TargetId, string> {
  return new Map(targets.map(({ id, label }) => [id, label]));
}

const RENDERERS: Readonly<Record<OutputFormat, (report: Report, options: TextReportOptions) => string>> = {
  text: renderTextReport,
  json: renderJsonReport,
  csv: renderCsvReport,
  html: renderHtmlReport,
};

/** Forms that show single events. */
const LISTING_FORMATS: ReadonlySet<OutputFormat> = new Set<OutputFormat>(["csv", "html"]);

/** Makes the report of whatever a run or a replay hands over. */
export function openDiagnosis(targets: readonly Target[], options: DiagnosisOptions): Diagnosis {
  const { categories, thresholds, uncollected } = options.selection;
  const accumulator = new DiagnosisAccumulator({
    targetLabels: labelsOf(targets),
    hasListing: LISTING_FORMATS.has(options.output),
    hasCourse: options.output === "html",
    categories,
    thresholds,
    uncollected,
  });
  return {
    exporter: accumulator,
    alertsSoFar: () => {
      const report = accumulator.report();
      return report === undefined ? [] : toAlerts(report);
    },
    conclude: (facts) => {
      const runEnd = toRunEnd(facts);
      const report = accumulator.report(runEnd) ??
        accumulator.reportOnNothing({ reason: NOTHING_MEASURED, atWallMs: options.wallMs?.() ?? 0, runEnd });
      return {
        threadCount: report.emptyReason === undefined ? 1 : 0,
        findingSeverities: report.findings.map(({ severity }) => severity),
        alerts: toAlerts(report),
        render: (format, { alerting, text } = {}) => {
          const complete = alerting === undefined ? report : { ...report, alerting };
          return RENDERERS[format](complete, text ?? {});
        },
      };
    },
  };
}

/** The engine hands over final measurements however a run ends; this stands for one that never began. */
const NOTHING_MEASURED = "the look ended before anything was measured";

function toRunEnd({ endReason, command }: RunFacts): RunEnd {
  if (command === undefined) return { endReason };
  const { argv, outcome } = command;
  return { endReason, command: { argv, ...outcome } };
}

/** No hook is attached for this: the task iterator alone says what every thread does. */
async function takeSnapshot(targets: readonly Target[], parts: EngineParts): Promise<FinishedReport> {
  const { context, host } = parts;
  await using backend = await useObject(
    context,
    (objectBytes) => openLibbpfBackend({ host, objectBytes, ownProcessId: ownProcessId(parts), isSnapshotOnly: true }),
  );

  backend.applyTargets({
    added: targets,
    removed: [],
    slowWaitMs: undefined,
    slowFileMs: undefined,
    hasUserStacks: false,
    planes: new Set(),
  });
  const reader = createHostReader(host, { architecture: Deno.build.arch });
  const rows = toSnapshotRows(backend.snapshot(), {
    systemCallOf: toSystemCallLookup((systemCall) => reader.systemCallName(systemCall)),
    readWord: wordReader(parts),
  }).filter((row) => !isEndedMainThread(row, host));
  const options = { label: describeTargets({ targets }), atWallMs: context.wallMs() };
  return {
    threadCount: rows.length,
    findingSeverities: [],
    alerts: [],
    render: (format) => format === "json" ? renderJsonSnapshot(rows, options) : renderTextSnapshot(rows, options),
  };
}

/** The kernel keeps a main thread that has ended until the others have: it is in no call, and does nothing. */
function isEndedMainThread({ processId, threadId, systemCall }: SnapshotRow, { procFs }: HostView): boolean {
  return threadId === processId && systemCall === undefined && procFs.stat(processId)?.state === "Z";
}

/** Yields a reader of lock words; where it may not look the holder stays unknown, which is said once. */
function wordReader({ host, log }: EngineParts): WordReader {
  let isSaid = false;
  return (processId, address) => {
    try {
      return readWord(host, { processId, address });
    } catch (error) {
      if (!(error instanceof EngineError && error.code === "capability_missing")) throw error;
      if (!isSaid) log.warn(`who holds the locks is not known: ${error.message}`);
      isSaid = true;
      return undefined;
    }
  };
}

function readWord(host: HostView, word: { processId: number; address: bigint }): number | undefined {
  const bytes = host.procFs.readProcessMemory(word.processId, { address: word.address, lengthBytes: 4 });
  if (bytes === undefined || bytes.byteLength < 4) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
}
