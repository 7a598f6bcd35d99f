/**
 * One sink's queue, and the sending of what is in it, one alert after the other.
 *
 * @module
 */

import type { Alert, SinkReceipt } from "../api/alerts.ts";
import type { Clock } from "../api/clock.ts";
import { ALERT_QUEUE_MAX } from "../api/limits.ts";
import type { Timer } from "../api/timer.ts";
import { retryDelayMs } from "./retry.ts";
import { type Attempt, type HttpPort, sendOnce } from "./send.ts";
import { hostOf, type SinkRequest, type SinkSpec, toSinkRequest } from "./sink.ts";

/** What sending takes from outside. */
export interface SendingOptions {
  readonly http: HttpPort;
  readonly clock: Clock;
  readonly timer: Timer;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly userAgent: string;
  readonly timeoutMs: number;
  readonly retriesMax: number;
  readonly payloadBytesMax: number;
  readonly isPrivateRefused: boolean;
  /** Ends everything on its way. */
  readonly signal: AbortSignal;
}

/** One alert may take this many times the timeout, pauses included. */
const BUDGET_TIMEOUTS = 2;

interface Entry {
  readonly alert: Alert;
  readonly settle: (isDelivered: boolean) => void;
}

type Outcome = "delivered" | "failed" | "abandoned";

export class SinkWorker {
  readonly #spec: SinkSpec;
  readonly #options: SendingOptions;
  readonly #queue: Entry[] = [];
  readonly #counts: Record<Outcome, number> = { delivered: 0, failed: 0, abandoned: 0 };
  #queueFullCount = 0;
  #sendingCount = 0;
  #retryCount = 0;
  #lastProblem: string | undefined;
  #running: Promise<void> = Promise.resolve();
  #isRunning = false;

  constructor(spec: SinkSpec, options: SendingOptions) {
    this.#spec = spec;
    this.#options = options;
  }

  /** Queues the alert; resolves with whether the sink took it in the end. Never rejects. */
  enqueue(alert: Alert): Promise<boolean> {
    if (this.#queue.length >= ALERT_QUEUE_MAX) {
      this.#queueFullCount++;
      this.#lastProblem = `${ALERT_QUEUE_MAX} alerts are waiting already`;
      return Promise.resolve(false);
    }
    return new Promise((resolve) => {
      this.#queue.push({ alert, settle: resolve });
      if (!this.#isRunning) this.#running = this.#run();
    });
  }

  /** Resolves when the queue is empty and nothing is on its way. */
  async idle(): Promise<void> {
    while (this.#isRunning) await this.#running;
  }

  receipt(): SinkReceipt {
    return {
      sink: this.#spec.type,
      host: hostOf(this.#spec),
      deliveredCount: this.#counts.delivered,
      failedCount: this.#counts.failed,
      queueFullCount: this.#queueFullCount,
      abandonedCount: this.#counts.abandoned,
      waitingCount: this.#queue.length + this.#sendingCount,
      retryCount: this.#retryCount,
      lastProblem: this.#lastProblem,
    };
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    for (let entry = this.#queue.shift(); entry !== undefined; entry = this.#queue.shift()) {
      this.#sendingCount = 1;
      const outcome = await this.#deliver(entry.alert).catch((error) => this.#failUnexpectedly(error));
      this.#sendingCount = 0;
      this.#counts[outcome]++;
      entry.settle(outcome === "delivered");
    }
    this.#isRunning = false;
  }

  /** Whatever goes wrong with one alert, the others get their turn. The message stays out: it may quote a secret. */
  #failUnexpectedly(error: unknown): Outcome {
    this.#lastProblem = `it could not be sent: ${error instanceof Error ? error.name : typeof error}`;
    return "failed";
  }

  async #deliver(alert: Alert): Promise<Outcome> {
    const request = toSinkRequest(this.#spec, alert, this.#options);
    if (request === undefined) {
      this.#lastProblem = `its payload is larger than ${this.#options.payloadBytesMax} bytes`;
      return "failed";
    }
    const { clock, timer, signal, timeoutMs, retriesMax, random } = this.#options;
    const endMs = clock.monotonicMs() + BUDGET_TIMEOUTS * timeoutMs;
    for (let attempt = 0; !signal.aborted; attempt++) {
      const result = await this.#send(request, { timeoutMs: Math.min(timeoutMs, endMs - clock.monotonicMs()) });
      if (result.kind === "delivered") return "delivered";
      if (result.kind === "ended") break;
      this.#lastProblem = result.problem;
      if (!result.isPassing || attempt >= retriesMax) return "failed";
      const delayMs = retryDelayMs({ attempt, retryAfterMs: result.retryAfterMs, random: random() });
      if (clock.monotonicMs() + delayMs >= endMs) {
        this.#lastProblem = `${result.problem}; given up, the next try would be later than ` +
          `${BUDGET_TIMEOUTS * timeoutMs} ms after the first`;
        return "failed";
      }
      await timer.sleep(delayMs, { signal });
      if (!signal.aborted) this.#retryCount++;
    }
    this.#lastProblem ??= "the run was over before it was sent";
    return "abandoned";
  }

  #send(request: SinkRequest, options: { timeoutMs: number }): Promise<Attempt> {
    const { http, timer, clock, isPrivateRefused, signal } = this.#options;
    return sendOnce(request, { http, timer, wallMs: () => clock.wallMs(), isPrivateRefused, signal, ...options });
  }
}
