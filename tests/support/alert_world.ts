/**
 * Alerting for tests: pauses between tries pass at once and are kept, the time
 * limit of a request passes when the test says so, requests really travel.
 *
 * @module
 */

import type { Timer } from "../../engine/api/timer.ts";
import { Redacted } from "../../engine/api/redacted.ts";
import { setImmediate } from "node:timers";
import { AlertDispatcher, type AlertingSettings } from "../../engine/alerting/dispatcher.ts";
import type { HttpPort } from "../../engine/alerting/send.ts";
import type { SinkSpec } from "../../engine/alerting/sink.ts";

/** The time limit of a request; no pause is as long. */
export const TIMEOUT_MS = 20_000;

/** Sleeps of this length or longer end only on purpose: what is left of a request's time after a pause, too. */
const LONG_MS = 18_000;

export class AlertTimer implements Timer {
  /** Since the beginning. */
  nowMs = 0;
  /** Pauses between tries, in order. */
  readonly pausesMs: number[] = [];
  readonly #long = new Set<() => void>();

  sleep(durationMs: number, { signal }: { signal: AbortSignal }): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    if (durationMs < LONG_MS) {
      this.nowMs += durationMs;
      this.pausesMs.push(durationMs);
      return this.nextTurn();
    }
    return new Promise((resolve) => {
      const wake = () => {
        this.#long.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#long.add(wake);
      signal.addEventListener("abort", wake);
    });
  }

  nextTurn(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(resolve);
    });
  }

  /** Has every time limit pass. */
  expire(): void {
    this.nowMs += TIMEOUT_MS;
    for (const wake of [...this.#long]) wake();
  }
}

/** A dispatcher on the loopback network, with everything it was given. */
export interface AlertWorld extends AsyncDisposable {
  readonly dispatcher: AlertDispatcher;
  readonly timer: AlertTimer;
  /** Longer than any request: ends when everything is settled. */
  readonly patience: { readonly deadlineMs: number };
}

export function openAlertWorld(
  sinks: readonly SinkSpec[],
  options: { settings?: Partial<AlertingSettings>; http?: HttpPort; random?: () => number } = {},
): AlertWorld {
  const timer = new AlertTimer();
  const dispatcher = new AlertDispatcher({
    settings: {
      sinks,
      severityMin: "warning",
      dedupWindowMs: 300_000,
      perMinuteMax: 10,
      timeoutMs: TIMEOUT_MS,
      retriesMax: 3,
      payloadBytesMax: 1024 * 1024,
      isPrivateRefused: false,
      shutdownMs: 5000,
      ...options.settings,
    },
    clock: { monotonicMs: () => timer.nowMs, wallMs: () => Date.UTC(2026, 0, 1) + timer.nowMs },
    timer,
    random: options.random ?? (() => 0),
    userAgent: "podtrace/test",
    ...(options.http === undefined ? {} : { http: options.http }),
  });
  return {
    dispatcher,
    timer,
    patience: { deadlineMs: 10 * TIMEOUT_MS },
    [Symbol.asyncDispose]: () => {
      // Disposal waits 0 ms, which this timer passes at once.
      return dispatcher[Symbol.asyncDispose]();
    },
  };
}

export function webhookAt(url: string): SinkSpec {
  return { type: "webhook", url: new Redacted(url) };
}

export function slackAt(url: string): SinkSpec {
  return { type: "slack", url: new Redacted(url), channel: "#alerts" };
}

export function splunkAt(url: string, token = "hec-token"): SinkSpec {
  return { type: "splunk", url: new Redacted(url), token: new Redacted(token) };
}
