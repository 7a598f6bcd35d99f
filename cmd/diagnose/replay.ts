/**
 * `podtrace diagnose --replay`: the report of a run that was recorded, made
 * again from what was seen then. Needs no rights and touches no kernel.
 *
 * @module
 */

import { EngineError } from "../../engine/api/errors.ts";
import { sanitizeText } from "../../engine/api/text.ts";
import { openEngine, ReplayedRun } from "../../engine/mod.ts";
import { endRequestOf, type ProcessContext } from "../process_context.ts";
import { RunError } from "../run_error.ts";
import type { OutputFormat } from "../options.ts";
import type { Logger } from "../status_output.ts";
import { OutputGoneError } from "../text_output.ts";
import { openLiveView } from "./live_view.ts";
import { A_PLAN, RUN_FACTS } from "./recorded_facts.ts";
import type { RequestedView } from "./request.ts";
import { planTargetSet } from "./target_set.ts";
import { type FinishedReport, openDiagnosis, type RunFacts } from "./wiring.ts";

type ReplayView = Extract<RequestedView, { kind: "replay" }>;

/** How a cut recording counts as having ended. */
const CUT: RunFacts = { endReason: "interrupted", command: undefined };

/**
 * Plays the recording that is asked for and yields its report.
 *
 * @throws {EngineError} `recording_unusable`
 * @throws {RunError} When the world wants an end meanwhile
 */
export async function replay(
  requested: ReplayView,
  options: ReplayOptions,
): Promise<FinishedReport & { readonly rendered: string }> {
  const name = JSON.stringify(requested.path);
  using file = openFile(requested.path, name);

  try {
    const report = await play(requested, { ...options, name, file });
    return { ...report, rendered: options.render(report) };
  } catch (thrown) {
    throw toOneReason(thrown, name);
  }
}

interface ReplayOptions {
  readonly context: ProcessContext;
  readonly log: Logger;
  readonly output: OutputFormat;
  readonly render: (report: FinishedReport) => string;
}

/**
 * Checksums say that nothing was changed by accident, not that it makes sense:
 * whatever trips over the contents is the recording's fault, in one line.
 */
function toOneReason(thrown: unknown, name: string): unknown {
  if (thrown instanceof SuppressedError) {
    const reasons = [thrown.suppressed, thrown.error].map((reason) => toOneReason(reason, name));
    return reasons.find((reason) => reason instanceof EngineError) ?? reasons[0];
  }
  const isSaid = [EngineError, RunError, OutputGoneError].some((known) => thrown instanceof known);
  if (isSaid || !(thrown instanceof Error)) return thrown;
  const what = sanitizeText(thrown.message.split("\n")[0] ?? "");
  return new EngineError(
    "recording_unusable",
    `Cannot replay ${name}: found contents of which no report can be made (${what}), wanted what podtrace wrote`,
    { cause: thrown },
  );
}

async function play(
  requested: ReplayView,
  options: ReplayOptions & { readonly name: string; readonly file: Deno.FsFile },
): Promise<FinishedReport> {
  const { context, log, output, name, file } = options;
  const run = new ReplayedRun(file, { name });
  const { targets, view, isOpenEnded } = run.run(A_PLAN);
  const diagnosis = openDiagnosis(targets, {
    output,
    selection: view.selection,
    wallMs: () => context.wallMs(),
  });
  await using live = openLiveView(diagnosis.exporter, { context, view: { ...view, live: requested.live }, output });
  const backend = run.openBackend({
    timer: context.timer,
    plannedMs: isOpenEnded ? undefined : view.durationMs,
  });
  await using engine = openEngine({
    backend,
    factories: { diagnosis: () => live.exporter },
    clock: { monotonicMs: () => backend.monotonicMs(), wallMs: () => run.wallMs() },
    timer: context.timer,
    host: run.openHost(),
    reportProblem: ({ routeId, cause }) => log.warn(`route ${routeId}: ${cause.message}`),
  });
  const [problem] = engine.setTargets(planTargetSet(targets, { ...view, ...view.selection }));
  if (problem !== undefined) throw problem.cause;
  await engine.run({ signal: AbortSignal.any([run.endSignal, live.endSignal, context.endSignal]) });

  await live.finish();
  const request = endRequestOf(context);
  if (request !== undefined) {
    throw new RunError(
      `Cannot replay ${name}: ended by ${request.kind === "signal" ? request.name : "a closed terminal"}`,
    );
  }
  return diagnosis.conclude(run.isCut ? CUT : run.outcome(RUN_FACTS) ?? CUT);
}

/** @throws {EngineError} `recording_unusable` */
function openFile(path: string, name: string): Deno.FsFile {
  try {
    const found = Deno.statSync(path);
    if (!found.isFile) throw unusable(name, found.isDirectory ? "a directory" : "a device or pipe");
    return Deno.openSync(path, { read: true });
  } catch (cause) {
    if (cause instanceof EngineError || !(cause instanceof Error)) throw cause;
    if (cause instanceof Deno.errors.NotFound) throw unusable(name, "no such file", cause);
    if (cause instanceof Deno.errors.PermissionDenied) throw unusable(name, "that its owner does not let us", cause);
    throw unusable(name, cause.message.split(": ")[0] ?? cause.message, cause);
  }
}

function unusable(name: string, found: string, cause?: unknown): EngineError {
  const message = `Cannot replay ${name}: found ${found}, wanted a file made by podtrace diagnose --record`;
  return new EngineError("recording_unusable", message, cause === undefined ? {} : { cause });
}
