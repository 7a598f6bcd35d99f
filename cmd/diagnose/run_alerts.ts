/**
 * The alerts of one run: what the environment says about them, and the telling
 * of what was found, before the report goes out with its receipt.
 *
 * @module
 */

import type { Alert, AlertingReceipt } from "../../engine/api/alerts.ts";
import { AlertDispatcher, describeSink, type HttpPort } from "../../engine/mod.ts";
import { readAlertConfiguration } from "../alert_settings.ts";
import type { ProcessContext } from "../process_context.ts";
import type { Logger } from "../status_output.ts";
import { VERSION } from "../version.ts";

/** One alert may take this many times the time limit of a request; see docs/alerts.md. */
const DEADLINE_TIMEOUTS = 2;

export interface RunAlertsOptions {
  readonly context: Pick<ProcessContext, "environment" | "timer" | "elapsedMs" | "wallMs" | "status" | "endSignal">;
  readonly log: Logger;
  /** Default: this process's network. */
  readonly http?: HttpPort;
}

/** Yields a function that tells alerts and resolves with what became of them; `undefined`: none are told. */
export type TellAlerts = (alerts: readonly Alert[]) => Promise<AlertingReceipt | undefined>;

/** Reads the configuration, saying at once what of it cannot be used: before anything is attached. */
export function openRunAlerts(options: RunAlertsOptions): TellAlerts {
  const { context, log } = options;
  const { settings, problems } = readAlertConfiguration((name) => context.environment(name));
  for (const problem of problems) log.warn(problem);
  if (settings === undefined) return () => Promise.resolve(undefined);

  return async (alerts) => {
    await using dispatcher = new AlertDispatcher({
      settings,
      clock: { monotonicMs: () => context.elapsedMs(), wallMs: () => context.wallMs() },
      timer: context.timer,
      random: () => Math.random(),
      userAgent: `podtrace/${VERSION}`,
      ...(options.http === undefined ? {} : { http: options.http }),
    });
    for (const alert of alerts) dispatcher.offer(alert);
    context.status.showStatus("telling alerts");
    const receipt = await dispatcher.flush({
      deadlineMs: DEADLINE_TIMEOUTS * settings.timeoutMs,
      // Whoever asked for an end waits this long, however early or late they asked.
      hurry: { signal: context.endSignal, deadlineMs: settings.shutdownMs },
    });
    context.status.showStatus("");
    for (const sink of receipt.sinks.filter((entry) => entry.lastProblem !== undefined && isLossy(entry))) {
      log.warn(`Cannot tell every alert: ${describeSink(sink)}`);
    }
    return receipt;
  };
}

function isLossy(sink: AlertingReceipt["sinks"][number]): boolean {
  return sink.failedCount + sink.queueFullCount + sink.abandonedCount > 0;
}
