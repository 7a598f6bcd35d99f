/**
 * The alerts of one run: what the environment says about them, the telling of
 * what shows in a long run, and of what was found at its end.
 *
 * @module
 */

import { type Alert, ALERT_SEVERITIES, type AlertingReceipt } from "../../engine/api/alerts.ts";
import type { TraceEvent } from "../../engine/api/events.ts";
import type { Exporter, ExportOptions, ExportOutcome } from "../../engine/api/exporter.ts";
import type { Measurements } from "../../engine/api/measurements.ts";
import {
  AlertDispatcher,
  type AlertingSettings,
  describeSink,
  type HttpPort,
  toExporterAlert,
} from "../../engine/mod.ts";
import { readAlertConfiguration } from "../alert_settings.ts";
import type { ProcessContext } from "../process_context.ts";
import type { Logger } from "../status_output.ts";
import { VERSION } from "../version.ts";

/** One alert may take this many times the time limit of a request; see docs/alerts.md. */
const DEADLINE_TIMEOUTS = 2;

/**
 * Between looks at what a run has found so far. What shows in two of them in a
 * row is told at once: once may be a hiccup, and the end may be a day away.
 */
export const ALERT_LOOK_INTERVAL_MS = 30_000;

export interface RunAlertsOptions {
  readonly context: Pick<ProcessContext, "environment" | "timer" | "elapsedMs" | "wallMs" | "status" | "endSignal">;
  readonly log: Logger;
  /** Default: this process's network. */
  readonly http?: HttpPort;
}

/** The alerts of one run; disposal abandons what was not sent. */
export interface RunAlerts extends AsyncDisposable {
  /** Yields an exporter that passes everything on to `next`, and tells what `alertsSoFar` keeps yielding. */
  watch(next: Exporter, alertsSoFar: () => readonly Alert[]): Exporter;
  /** Tells that an exporter fails, at once. */
  tellExporterFailure(failure: { readonly exporter: string; readonly problem: string }): void;
  /** Tells what was not told yet, waits for it, and resolves with the receipt; `undefined`: no alerts are told. */
  conclude(alerts: readonly Alert[]): Promise<AlertingReceipt | undefined>;
}

/** Reads the configuration, saying at once what of it cannot be used: before anything is attached. */
export function openRunAlerts(options: RunAlertsOptions): RunAlerts {
  const { settings, problems } = readAlertConfiguration((name) => options.context.environment(name));
  for (const problem of problems) options.log.warn(problem);
  return settings === undefined ? NO_ALERTS : new ToldAlerts(settings, options);
}

const NO_ALERTS: RunAlerts = {
  watch: (next) => next,
  tellExporterFailure: () => {},
  conclude: () => Promise.resolve(undefined),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

class ToldAlerts implements RunAlerts {
  readonly #settings: AlertingSettings;
  readonly #context: RunAlertsOptions["context"];
  readonly #log: Logger;
  readonly #dispatcher: AlertDispatcher;
  /** What some sink took or may still take, and what is too mild for all of them. */
  readonly #told = new Set<string>();
  #lastSeen: ReadonlySet<string> = new Set();

  constructor(settings: AlertingSettings, { context, log, http }: RunAlertsOptions) {
    this.#settings = settings;
    this.#context = context;
    this.#log = log;
    this.#dispatcher = new AlertDispatcher({
      settings,
      clock: { monotonicMs: () => context.elapsedMs(), wallMs: () => context.wallMs() },
      timer: context.timer,
      random: () => Math.random(),
      userAgent: `podtrace/${VERSION}`,
      ...(http === undefined ? {} : { http }),
    });
  }

  watch(next: Exporter, alertsSoFar: () => readonly Alert[]): Exporter {
    return new AlertWatch(next, {
      elapsedMs: () => this.#context.elapsedMs(),
      look: () => this.#tellLasting(alertsSoFar()),
    });
  }

  tellExporterFailure(failure: { readonly exporter: string; readonly problem: string }): void {
    this.#offer(toExporterAlert({ ...failure, atWallMs: this.#context.wallMs() }));
  }

  async conclude(alerts: readonly Alert[]): Promise<AlertingReceipt> {
    for (const alert of alerts) this.#offer(alert);
    const { status, endSignal } = this.#context;
    status.showStatus("telling alerts");
    const receipt = await this.#dispatcher.flush({
      deadlineMs: DEADLINE_TIMEOUTS * this.#settings.timeoutMs,
      // Whoever asked for an end waits this long, however early or late they asked.
      hurry: { signal: endSignal, deadlineMs: this.#settings.shutdownMs },
    });
    status.showStatus("");
    for (const sink of receipt.sinks.filter((entry) => entry.lastProblem !== undefined && isLossy(entry))) {
      this.#log.warn(`Cannot tell every alert: ${describeSink(sink)}`);
    }
    return receipt;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispatcher[Symbol.asyncDispose]();
  }

  /** What was there at the last look too, as grave or graver. */
  #tellLasting(alerts: readonly Alert[]): void {
    for (const alert of alerts) {
      if (hasAsGrave(this.#lastSeen, alert) && alert.severity !== "info") this.#offer(alert);
    }
    this.#lastSeen = new Set(alerts.map(keyOf));
  }

  /** A finding stays one and the same for the whole run, however its figures move; it is told again if it gets graver. */
  #offer(alert: Alert): void {
    if (hasAsGrave(this.#told, alert)) return;
    const key = keyOf(alert);
    const admission = this.#dispatcher.offer(alert, { onUntold: () => this.#told.delete(key) });
    if (admission !== "rateLimited" && admission !== "closed") this.#told.add(key);
  }
}

function keyOf({ rule, subject, severity }: Alert): string {
  return JSON.stringify([rule, subject, severity]);
}

/** Whether `keys` has the same finding, as grave or graver. */
function hasAsGrave(keys: ReadonlySet<string>, alert: Alert): boolean {
  return ALERT_SEVERITIES.slice(ALERT_SEVERITIES.indexOf(alert.severity))
    .some((severity) => keys.has(keyOf({ ...alert, severity })));
}

function isLossy(sink: AlertingReceipt["sinks"][number]): boolean {
  return sink.failedCount + sink.queueFullCount + sink.abandonedCount > 0;
}

/** Passes everything on, and has a look now and then at what it comes to so far. */
class AlertWatch implements Exporter {
  readonly #next: Exporter;
  readonly #options: { readonly elapsedMs: () => number; readonly look: () => void };
  #lookedMs: number;

  constructor(next: Exporter, options: { elapsedMs: () => number; look: () => void }) {
    this.#next = next;
    this.#options = options;
    this.#lookedMs = options.elapsedMs();
  }

  /** Totals on the way cost something: they are asked for when a look is due, not all the time. */
  get wantsInterim(): boolean {
    return this.#isDue() || this.#next.wantsInterim === true;
  }

  export(batch: readonly TraceEvent[], options: ExportOptions): Promise<ExportOutcome> {
    return this.#next.export(batch, options);
  }

  async exportMeasurements(measurements: Measurements, options: { signal: AbortSignal }): Promise<void> {
    await this.#next.exportMeasurements(measurements, options);
    if (measurements.isFinal || !this.#isDue()) return;
    this.#lookedMs = this.#options.elapsedMs();
    this.#options.look();
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#next[Symbol.asyncDispose]();
  }

  #isDue(): boolean {
    return this.#options.elapsedMs() - this.#lookedMs >= ALERT_LOOK_INTERVAL_MS;
  }
}
