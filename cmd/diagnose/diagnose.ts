/**
 * `podtrace diagnose`: a bounded look at one target, and the report of it.
 *
 * Everything that can be wrong is looked at before anything is attached;
 * everything attached is detached before the report is written.
 *
 * @module
 */

import type { Exporter } from "../../engine/api/exporter.ts";
import type { Target } from "../../engine/api/target.ts";
import type { TextReportOptions } from "../../engine/mod.ts";
import { sanitizeText } from "../../engine/api/text.ts";
import { describeTargets, RunRecording } from "../../engine/mod.ts";
import { EXIT_CODES, type ExitCode, exitCodeOf } from "../exit_code.ts";
import { endRequestOf, type ProcessContext } from "../process_context.ts";
import { RunError } from "../run_error.ts";
import { UsageError } from "../usage_error.ts";
import type { Logger } from "../status_output.ts";
import { VERSION } from "../version.ts";
import { CommandTarget, describeOutcome } from "./command_target.ts";
import { toReportLine } from "./event_follower.ts";
import { type OpenLiveView, openLiveView } from "./live_view.ts";
import { toPlanText, type WindowView } from "./recorded_facts.ts";
import { describeRecordingFailure, openRecordingFile, type RecordingFile } from "./recording_file.ts";
import { replay } from "./replay.ts";
import { openReportFile, stdoutReport } from "./report_output.ts";
import { openTopView } from "./top_view.ts";
import type { DiagnoseRequest } from "./request.ts";
import { RunObserver } from "./run_observer.ts";
import { openRunAlerts, type RunAlerts } from "./run_alerts.ts";
import { describeUncollected } from "./selection.ts";
import { planTargetSet } from "./target_set.ts";
import { runWindow } from "./window.ts";
import type { DiagnoseWiring, EndReason, FinishedReport, ResolvableTarget, RunFacts } from "./wiring.ts";

/**
 * Carries `request` out and yields the exit code; the report is delivered then.
 *
 * @throws {EngineError} Why the target cannot be traced
 * @throws {RunError} Why the report cannot be written or the command not be started
 * @throws {OutputGoneError} When nobody reads stdout any more
 */
export async function diagnose(
  request: DiagnoseRequest,
  options: { context: ProcessContext; wiring: DiagnoseWiring },
): Promise<ExitCode> {
  const { context, wiring } = options;
  refuseHtmlOnTerminal(request, context);
  await using output = request.outputFile === undefined
    ? stdoutReport(context.stdout)
    : await openReportFile(request.outputFile);
  using _abandoned = context.onForcedEnd(() => output.abandon());

  if (request.view.kind === "window" && request.view.live === "top") assertScreen(context.openScreen);
  const log = context.status.logger(request.logLevel);
  const { view } = request;
  if (view.kind === "replay") {
    const report = await replay(view, {
      context,
      log,
      output: request.output,
      render: (replayed) => replayed.render(request.output, { text: textOptionsOf(request, context) }),
    });
    await output.deliver(toDelivery(report.rendered, request));
    return exitCodeOf(report, { failOn: view.failOn });
  }
  wiring.assertTraceable();
  const run = { request, context, wiring, log };
  if (view.kind === "now") {
    const snapshot = await lookOnce(run);
    await output.deliver(snapshot.render(request.output));
    return exitCodeOf(snapshot, { failOn: undefined });
  }
  for (const note of describeUncollected(view.selection)) log.warn(note);
  await using alerts = openRunAlerts(run);

  const report = await lookThrough({ ...run, alerts }, view);
  const rendered = report.render(request.output, {
    alerting: await alerts.conclude(report.alerts),
    text: textOptionsOf(request, context),
  });
  await output.deliver(toDelivery(rendered, request));
  // The report is whole, and what was asked for besides it is not.
  return report.isRecordingCut ? EXIT_CODES.error : exitCodeOf(report, { failOn: view.failOn });
}

/** A terminal gets lines of its width, and colours unless somebody does not want them (no-color.org). */
function textOptionsOf(request: DiagnoseRequest, context: ProcessContext): TextReportOptions | undefined {
  if (request.outputFile !== undefined || !context.stdout.isTerminal) return undefined;
  const isPlain = (context.environment("NO_COLOR") ?? "") !== "" || context.environment("TERM") === "dumb";
  return { columns: context.terminalColumns(), isColoured: !isPlain };
}

/** Behind lines of JSON the report is one too. */
function toDelivery(rendered: string, { view, output, outputFile }: DiagnoseRequest): string {
  const isStream = view.kind !== "now" && view.live === "follow" && output === "json" && outputFile === undefined;
  return isStream ? toReportLine(rendered) : rendered;
}

/** A page of markup on a terminal helps nobody, and the look would have been for nothing. */
function refuseHtmlOnTerminal(request: DiagnoseRequest, context: ProcessContext): void {
  if (request.output !== "html" || request.outputFile !== undefined || !context.stdout.isTerminal) return;
  throw new UsageError(
    "Cannot write HTML to a terminal: add --output-file report.html, or send stdout to a file or pipe",
  );
}

interface Run {
  readonly request: DiagnoseRequest;
  readonly context: ProcessContext;
  readonly wiring: DiagnoseWiring;
  readonly log: Logger;
}

/** A report, and whether everything it was made of could be recorded. */
interface LiveReport extends FinishedReport {
  readonly isRecordingCut: boolean;
}

/** A run over a window, with what tells of it. */
interface WindowRun extends Run {
  readonly alerts: RunAlerts;
}

async function lookOnce(run: Run): Promise<FinishedReport> {
  const { target } = run.request;
  // toDiagnoseRequest() refuses --now beside both.
  if (target.kind === "recording") throw new RunError("Cannot look at a recording at once: it is of a window");
  if (target.kind === "command") throw new RunError("Cannot look at a command at once: it has not begun yet");
  return await run.wiring.takeSnapshot(resolveTargets(run, target));
}

async function lookThrough(run: WindowRun, view: WindowView): Promise<LiveReport> {
  const { request, context } = run;
  // toTarget() and toView() agree on what a replay is.
  if (request.target.kind === "recording") throw new RunError("Cannot look at a recording: it is replayed");
  if (request.target.kind !== "command") {
    return await trace(run, { view, targets: resolveTargets(run, request.target), command: undefined });
  }
  const { argv } = request.target;
  await using command = await CommandTarget.start(argv, {
    timer: context.timer,
    searchPath: context.environment("PATH"),
  });
  using _killed = context.onForcedEnd(() => command.kill());

  const targets = resolveTargets(run, { kind: "processes", processIds: [command.processId] })
    .map((target) => ({
      ...target,
      beginsAtExec: true as const,
      label: `command ${sanitizeText(argv[0])} (pid ${command.processId})`,
    }));
  return await trace(run, { view, targets, command: { argv, target: command } });
}

interface Tracing {
  readonly view: WindowView;
  readonly targets: readonly Target[];
  readonly command: { readonly argv: readonly string[]; readonly target: CommandTarget } | undefined;
}

/** Attaches, looks, detaches, ends the command if it still runs, and sums up. */
async function trace(run: WindowRun, tracing: Tracing): Promise<LiveReport> {
  const { targets, command } = tracing;
  const request = endRequestOf(run.context);
  if (request !== undefined) {
    const cause = request.kind === "signal" ? request.name : "a closed terminal";
    throw new RunError(`Cannot diagnose: ended by ${cause} before anything was traced`);
  }
  const diagnosis = run.wiring.openDiagnosis(targets, {
    output: run.request.output,
    selection: tracing.view.selection,
  });
  await using recording = await openRecording(run, tracing);
  await using live = openLive(run, {
    view: tracing.view,
    label: describeTargets({ targets }),
    next: run.alerts.watch(diagnosis.exporter, () => diagnosis.alertsSoFar()),
  });

  const endReason = await runAttached(run, { ...tracing, live, recording });
  await live.finish();
  const facts = { endReason, command: await stopCommand(run, command) };
  await recording?.run.end(facts);
  return { ...diagnosis.conclude(facts), isRecordingCut: recording?.run.failure !== undefined };
}

async function stopCommand(run: Run, command: Tracing["command"]): Promise<RunFacts["command"]> {
  if (command === undefined) return undefined;
  const outcome = await command.target.stop();
  run.log.info(`command ${describeOutcome(outcome)}`);
  return { argv: command.argv, outcome };
}

interface OpenRecording extends AsyncDisposable {
  readonly run: RunRecording;
  readonly file: RecordingFile;
}

/** A run that fails leaves what was recorded until then, once it had begun. */
async function openRecording(run: Run, tracing: Tracing): Promise<OpenRecording | undefined> {
  const { request, context, log } = run;
  if (request.recordingFile === undefined) return undefined;
  await using owned = new AsyncDisposableStack();
  const file = owned.use(await openRecordingFile(request.recordingFile));
  owned.use(context.onForcedEnd(() => file.abandon()));
  const { targets, view, command } = tracing;
  const recording = new RunRecording({
    sink: file,
    facts: { podtrace: VERSION, architecture: Deno.build.arch, kernel: Deno.osRelease() },
    run: toPlanText({ targets, view, isOpenEnded: command !== undefined }),
    onFailure: (reason) => log.error(describeRecordingFailure(file, reason)),
  });
  owned.defer(() => recording.abandon());
  const resources = owned.move();
  return { run: recording, file, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** Nothing is attached any more when this is over, whatever way it ends. */
async function runAttached(
  run: WindowRun,
  tracing: Tracing & { live: OpenLiveView; recording: OpenRecording | undefined },
): Promise<EndReason> {
  const { context, wiring } = run;
  const { targets, view } = tracing;
  const command = tracing.command?.target;
  const isProgressShown = command === undefined && view.live === "none" && context.status.isTerminal;
  const { live, recording } = tracing;
  const observer = new RunObserver(live.exporter, {
    processIds: targets.flatMap((target) => target.processIds),
    // Whatever form a replay is asked for: what went on over time is in the recording.
    wantsInterim: isProgressShown || recording !== undefined,
  });
  await using engine = await wiring.openEngine({ diagnosis: () => observer }, {
    recording: recording?.run,
    onExporterFailure: (failure) => run.alerts.tellExporterFailure(failure),
  });

  const [problem] = engine.setTargets(planTargetSet(targets, { ...view, ...view.selection }));
  if (problem !== undefined) throw problem.cause;
  await recording?.file.keep();
  command?.release();
  const { durationMs } = view;
  const { endSignal } = live;
  return await runWindow(engine, {
    context,
    wiring,
    observer,
    targets,
    durationMs,
    command,
    isProgressShown,
    endSignal,
  });
}

function openLive(
  run: Run,
  { view, label, next }: { view: WindowView; label: string; next: Exporter },
): OpenLiveView {
  const { context, request } = run;
  if (view.live === "top") return openTop(run, { label, next });
  return openLiveView(next, { context, view, output: request.output });
}

/** While the screen is there messages wait; it goes away however the run ends. */
function openTop({ context }: Run, { label, next }: { label: string; next: Exporter }): OpenLiveView {
  const { openScreen } = context;
  assertScreen(openScreen);
  const held = context.status.hold();
  const top = openTopView(next, { label, openScreen });
  const forced = context.onForcedEnd(() => top.abandon());
  return {
    ...top,
    async [Symbol.asyncDispose]() {
      forced[Symbol.dispose]();
      await top[Symbol.asyncDispose]();
      held[Symbol.dispose]();
    },
  };
}

function assertScreen(
  openScreen: ProcessContext["openScreen"],
): asserts openScreen is NonNullable<ProcessContext["openScreen"]> {
  if (openScreen !== undefined) return;
  throw new RunError("Cannot use --top: stdin or stdout is no terminal, use --follow for lines");
}

function resolveTargets(run: Run, requested: ResolvableTarget): readonly Target[] {
  const { targets, notes } = run.wiring.resolve(requested);
  for (const note of notes) run.log.info(note);
  return targets;
}
