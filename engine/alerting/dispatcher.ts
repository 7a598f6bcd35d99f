/**
 * Takes alerts, decides which are told, and has every sink send them.
 *
 * @module
 */

import { promises as dns } from "node:dns";
import { type Alert, type AlertingReceipt, type AlertSeverity, compareAlertSeverity } from "../api/alerts.ts";
import type { Clock } from "../api/clock.ts";
import type { Timer } from "../api/timer.ts";
import { MinuteRate, ToldAlerts } from "./admission.ts";
import { alertKey, toBoundedAlert } from "./alert_text.ts";
import type { HttpPort } from "./send.ts";
import type { SinkSpec } from "./sink.ts";
import { SinkWorker } from "./sink_worker.ts";

/** How alerts are told; plain data. */
export interface AlertingSettings {
  /** At least one. */
  readonly sinks: readonly SinkSpec[];
  /** Milder ones are not told. */
  readonly severityMin: AlertSeverity;
  /** An alert is told once within this time. */
  readonly dedupWindowMs: number;
  /** Alerts in any span of one minute. */
  readonly perMinuteMax: number;
  /** Of one request. */
  readonly timeoutMs: number;
  /** Repeats after the first send. */
  readonly retriesMax: number;
  /** Of one request's body. */
  readonly payloadBytesMax: number;
  /** Whether hosts with a private address are refused. */
  readonly isPrivateRefused: boolean;
  /** Longest wait for sends at the end of a run that was asked to end. */
  readonly shutdownMs: number;
}

/** What alerting takes from its process. */
export interface AlertingOptions {
  /** How alerts are told. */
  readonly settings: AlertingSettings;
  /** For windows, rates and budgets. */
  readonly clock: Clock;
  /** For pauses and time limits. */
  readonly timer: Timer;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Says who we are. */
  readonly userAgent: string;
  /** Default: this process's network. */
  readonly http?: HttpPort;
}

/** How long the end may take. */
export interface FlushOptions {
  /** At most. */
  readonly deadlineMs: number;
  /** Once this aborts, at most this much longer. */
  readonly hurry?: { readonly signal: AbortSignal; readonly deadlineMs: number };
}

/** What became of an alert at the door. */
export type Admission = "queued" | "belowSeverity" | "duplicate" | "rateLimited" | "closed";

const OWN_NETWORK: HttpPort = {
  fetch: (url, init) => fetch(url, init),
  lookup: async (hostname) => (await dns.lookup(hostname, { all: true })).map(({ address }) => address),
};

/** One run's alerting: {@linkcode AlertDispatcher.offer} what is found, {@linkcode AlertDispatcher.flush} at the end. */
export class AlertDispatcher implements AsyncDisposable {
  readonly #settings: AlertingSettings;
  readonly #clock: Clock;
  readonly #timer: Timer;
  readonly #end = new AbortController();
  readonly #told: ToldAlerts;
  readonly #rate: MinuteRate;
  readonly #workers: readonly SinkWorker[];
  readonly #settling = new Set<Promise<void>>();
  readonly #counts = { offered: 0, belowSeverity: 0, duplicate: 0, rateLimited: 0 };

  constructor(options: AlertingOptions) {
    const { settings, clock, timer, random, userAgent, http = OWN_NETWORK } = options;
    this.#settings = settings;
    this.#clock = clock;
    this.#timer = timer;
    this.#told = new ToldAlerts({ windowMs: settings.dedupWindowMs });
    this.#rate = new MinuteRate({ countMax: settings.perMinuteMax });
    const sending = { ...settings, http, clock, timer, random, userAgent, signal: this.#end.signal };
    this.#workers = settings.sinks.map((spec) => new SinkWorker(spec, sending));
  }

  /**
   * Decides on the alert, in this order: severity, told already, rate. Returns
   * at once; `onUntold` is called later if it was queued and no sink took it.
   */
  offer(offered: Alert, options: { onUntold?: () => void } = {}): Admission {
    if (this.#end.signal.aborted) return "closed";
    this.#counts.offered++;
    const alert = toBoundedAlert(offered);
    const admission = this.#admit(alert);
    if (admission === "queued") this.#tell(alert, options.onUntold);
    else this.#counts[admission]++;
    return admission;
  }

  /**
   * Resolves when everything queued was sent or given up, at the latest after
   * `deadlineMs`; what is not through by then is abandoned, and counted. Nothing
   * can be offered afterwards.
   */
  async flush(options: FlushOptions): Promise<AlertingReceipt> {
    const { deadlineMs, hurry } = options;
    const done = new AbortController();
    const { signal } = done;
    const idle = Promise.all(this.#workers.map((worker) => worker.idle())).then(() => done.abort());
    const limits = [this.#timer.sleep(deadlineMs, { signal })];
    if (hurry !== undefined) {
      limits.push(
        firstAborted([hurry.signal, signal]).then(() => this.#timer.sleep(hurry.deadlineMs, { signal })),
      );
    }
    await Promise.race(limits);
    this.#end.abort();
    await idle;
    await Promise.all([...limits, ...this.#settling]);
    return this.receipt();
  }

  receipt(): AlertingReceipt {
    return {
      offeredCount: this.#counts.offered,
      belowSeverityCount: this.#counts.belowSeverity,
      duplicateCount: this.#counts.duplicate,
      rateLimitedCount: this.#counts.rateLimited,
      sinks: this.#workers.map((worker) => worker.receipt()),
    };
  }

  /** Abandons what is not sent; {@linkcode flush} first waits for it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush({ deadlineMs: 0 });
  }

  #admit(alert: Alert): Exclude<Admission, "closed"> {
    if (compareAlertSeverity(alert.severity, this.#settings.severityMin) < 0) return "belowSeverity";
    const nowMs = this.#clock.monotonicMs();
    if (this.#told.has(alertKey(alert), nowMs)) return "duplicate";
    return this.#rate.tryPass(nowMs) ? "queued" : "rateLimited";
  }

  #tell(alert: Alert, onUntold: (() => void) | undefined): void {
    const key = alertKey(alert);
    this.#told.remember(key, this.#clock.monotonicMs());
    const settled = Promise.all(this.#workers.map((worker) => worker.enqueue(alert))).then((delivered) => {
      // Nobody heard of it: the next occurrence is news again.
      if (delivered.includes(true)) return;
      this.#told.forget(key);
      onUntold?.();
    });
    this.#settling.add(settled);
    settled.then(() => this.#settling.delete(settled));
  }
}

/** Resolves as soon as one of them has aborted. */
function firstAborted(signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      for (const signal of signals) signal.removeEventListener("abort", finish);
      resolve();
    };
    for (const signal of signals) signal.addEventListener("abort", finish);
    if (signals.some((signal) => signal.aborted)) finish();
  });
}
