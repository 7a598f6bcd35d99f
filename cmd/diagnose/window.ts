/**
 * One window: runs the engine until the first thing that ends it.
 *
 * @module
 */

import type { Engine } from "../../engine/api/engine.ts";
import type { Target } from "../../engine/api/target.ts";
import type { ProcessContext } from "../process_context.ts";
import type { CommandTarget } from "./command_target.ts";
import { formatProgress } from "./progress.ts";
import type { RunObserver } from "./run_observer.ts";
import type { DiagnoseWiring, EndReason } from "./wiring.ts";

/** Between looks whether anything is left to trace. */
export const LIFE_CHECK_INTERVAL_MS = 500;

/**
 * A target counts as ended when it looked so this often in a row: the record of
 * a child that outlives its parent may be a batch (one second) behind.
 */
export const LIFE_CHECKS_FAILED_MAX = 4;

/** Between status lines. */
const PROGRESS_INTERVAL_MS = 1000;

export interface Window {
  readonly context: ProcessContext;
  readonly wiring: Pick<DiagnoseWiring, "isProcessAlive" | "isCgroupPresent">;
  readonly observer: RunObserver;
  readonly targets: readonly Target[];
  readonly durationMs: number;
  readonly command: CommandTarget | undefined;
  readonly isProgressShown: boolean;
  /** Of the live view: whoever looks wants no more. */
  readonly endSignal: AbortSignal;
}

/**
 * Runs `engine` until the duration is over, the targets or the command ended, or
 * the world wants an end; yields which of them it was.
 *
 * @throws {EngineError} What the engine's run throws
 */
export async function runWindow(engine: Engine, window: Window): Promise<EndReason> {
  const { context, command } = window;
  const end = new AbortController();
  const finish = (reason: EndReason) => {
    if (!end.signal.aborted) end.abort(reason);
  };
  const onEndRequest = () => finish("interrupted");
  for (const wish of [context.endSignal, window.endSignal]) {
    wish.addEventListener("abort", onEndRequest);
    if (wish.aborted) onEndRequest();
  }

  const { signal } = end;
  const watchers = [
    context.timer.sleep(window.durationMs, { signal }).then(() => finish("duration")),
    watchTargets(window, { signal }).then(() => finish("targetsEnded")),
    showProgress(window, { signal }),
  ];
  if (command !== undefined) {
    watchers.push(Promise.race([command.ended, aborted(signal)]).then(() => finish("commandEnded")));
  }
  try {
    await engine.run({ signal });
  } finally {
    // Also when the run failed: nothing started here may outlive it.
    finish("interrupted");
    for (const wish of [context.endSignal, window.endSignal]) wish.removeEventListener("abort", onEndRequest);
    await Promise.all(watchers);
    context.status.showStatus("");
  }
  // finish() is the only one to abort it.
  return signal.reason as EndReason;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Resolves when nothing of the targets is left, or at the end of the window. */
async function watchTargets(window: Window, options: { signal: AbortSignal }): Promise<void> {
  const { timer } = window.context;
  const { signal } = options;
  let failedCheckCount = 0;
  while (!signal.aborted && failedCheckCount < LIFE_CHECKS_FAILED_MAX) {
    await timer.sleep(LIFE_CHECK_INTERVAL_MS, { signal });
    failedCheckCount = isAnythingLeft(window) ? 0 : failedCheckCount + 1;
  }
}

function isAnythingLeft(window: Window): boolean {
  const { targets, wiring, observer } = window;
  if (targets.some((target) => target.isSystemWide)) return true;
  if (targets.some((target) => target.cgroups.some((cgroup) => wiring.isCgroupPresent(cgroup.path)))) return true;
  for (const processId of observer.processIds) {
    if (wiring.isProcessAlive(processId)) return true;
  }
  return false;
}

/** A command or a live view has the terminal for itself; else one line tells how far the look has come. */
async function showProgress(window: Window, options: { signal: AbortSignal }): Promise<void> {
  const { context, observer, durationMs, isProgressShown } = window;
  if (!isProgressShown) return;
  const beginMs = context.elapsedMs();
  while (!options.signal.aborted) {
    context.status.showStatus(
      formatProgress(observer.progress, { elapsedMs: context.elapsedMs() - beginMs, durationMs }),
    );
    await context.timer.sleep(PROGRESS_INTERVAL_MS, options);
  }
}
