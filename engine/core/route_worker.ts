/**
 * One route's queue and the calls to its exporter. Whatever the exporter does
 * (slow, failing, hanging) stays here and is counted here.
 *
 * @module
 */

import type { EventKind, TraceEvent } from "../api/events.ts";
import type { Exporter } from "../api/exporter.ts";
import { BATCH_AGE_MS_MAX, BATCH_EVENTS_MAX, EXPORT_TIMEOUT_MS, ROUTE_QUEUE_EVENTS_MAX } from "../api/limits.ts";
import type { Measurements } from "../api/measurements.ts";
import type { DropReason, RouteStats } from "../api/stats.ts";
import type { Timer } from "../api/timer.ts";
import { callBounded, type CallOutcome } from "./bounded_call.ts";
import { EventQueue } from "./event_queue.ts";
import type { ExporterLease } from "./exporter_pool.ts";

/** Events by what the kernel's books call their records. */
export const EVENT_CATEGORIES = ["slowWaits", "lifecycle", "socketEvents", "memory", "slowFiles"] as const;

/** One of them. */
export type EventCategory = (typeof EVENT_CATEGORIES)[number];

/** What an event of each kind counts under. */
export const CATEGORY_OF_EVENT: Readonly<Record<EventKind, EventCategory>> = {
  wait: "slowWaits",
  fork: "lifecycle",
  exec: "lifecycle",
  exit: "lifecycle",
  connect: "socketEvents",
  accept: "socketEvents",
  close: "socketEvents",
  transferFailure: "socketEvents",
  response: "socketEvents",
  retransmit: "socketEvents",
  oomKill: "memory",
  file: "slowFiles",
};

export function isEventCategory(category: string): category is EventCategory {
  return (EVENT_CATEGORIES as readonly string[]).includes(category);
}

export interface EventCounts {
  matchedCount: number;
  readonly droppedCount: Record<DropReason, number>;
}

/** Counts of one route; they outlive the worker when the route changes its exporter. */
export interface RouteCounts {
  readonly byCategory: Readonly<Record<EventCategory, EventCounts>>;
  exportedCount: number;
}

export function emptyRouteCounts(): RouteCounts {
  const entries = EVENT_CATEGORIES.map((category) => [category, emptyEventCounts()]);
  // Object.fromEntries widens the keys; EVENT_CATEGORIES has every one.
  return { byCategory: Object.fromEntries(entries) as RouteCounts["byCategory"], exportedCount: 0 };
}

function emptyEventCounts(): EventCounts {
  return { matchedCount: 0, droppedCount: { queue_full: 0, export_failed: 0, shutdown: 0 } };
}

/** The present turn of the run loop; one object, shared, so that reading it costs no call. */
export interface Turn {
  nowMs: number; // monotonic
  wallOffsetMs: number; // to unix time
}

export interface RouteWorkerOptions {
  readonly lease: ExporterLease;
  readonly counts: RouteCounts;
  readonly turn: Turn;
  readonly timer: Timer;
  /** Told when the exporter starts to fail, not again until it worked in between. */
  readonly report: (cause: Error) => void;
}

/** Takes events without ever waiting; sends one batch at a time. */
export class RouteWorker {
  readonly #options: RouteWorkerOptions;
  readonly #queue = new EventQueue(ROUTE_QUEUE_EVENTS_MAX);
  readonly #closing = new AbortController();
  #inFlightCount = 0;
  /** Totals that wait for their turn at the exporter. */
  #interim: Measurements | undefined;
  #sending: Promise<void> | undefined;
  /** A call that was given up and has not ended: nothing is sent on top of it. */
  #isStuck = false;
  #isFailing = false;
  #isClosed = false;

  constructor(options: RouteWorkerOptions) {
    this.#options = options;
  }

  get exporter(): Exporter {
    return this.#options.lease.exporter;
  }

  /** In the queue and at the exporter. */
  get waitingCount(): number {
    return this.#queue.length + this.#inFlightCount;
  }

  /** Whether interim measurements would reach the exporter soon: nobody else should pay for making them. */
  get wantsInterim(): boolean {
    return this.exporter.wantsInterim === true && this.#interim === undefined && !this.#isClosed && !this.#isStuck;
  }

  /** Hands totals over at the next turn at which the exporter is free. */
  offerInterim(measurements: Measurements): void {
    if (!this.#isClosed) this.#interim = measurements;
  }

  /** Hot path: counts, queues or drops. */
  accept(event: TraceEvent): void {
    const counts = this.#countsOf(event);
    counts.matchedCount++;
    if (this.#isClosed) counts.droppedCount.shutdown++;
    else if (!this.#queue.add(event, this.#options.turn.nowMs)) counts.droppedCount.queue_full++;
  }

  /** Starts sending when totals wait or a batch is full or old enough; returns at once. */
  tick(): void {
    if (this.#sending !== undefined || !(this.#isInterimDue() || this.#isBatchDue())) return;
    const sending = this.#isInterimDue() ? this.#sendInterim() : this.#sendWhile(() => this.#isBatchDue());
    this.#sending = sending.then(() => {
      this.#sending = undefined;
    });
  }

  /**
   * Sends what is queued for at most `EXPORT_TIMEOUT_MS`, drops the rest as
   * `shutdown`, hands over `measurements` and gives the exporter back. What the
   * exporter fails at is counted and reported, not thrown.
   *
   * @param measurements made after the last event has its outcome; `undefined`: none are due
   */
  async close(measurements?: () => Measurements): Promise<void> {
    this.#interim = undefined;
    await this.#flush();
    this.#isClosed = true;
    this.#drop(this.#queue.take(ROUTE_QUEUE_EVENTS_MAX), "shutdown");
    await using released = new AsyncDisposableStack();
    released.defer(async () => {
      await this.#callExporter("close the exporter", () => this.#options.lease.release());
    });

    if (measurements === undefined) return;
    const final = measurements();
    await this.#callExporter(
      "hand over measurements",
      (signal) => this.exporter.exportMeasurements(final, { signal }),
    );
  }

  #isInterimDue(): boolean {
    return this.#interim !== undefined && !this.#isStuck && !this.#closing.signal.aborted;
  }

  /** Before the events: totals are made once a second, and a newer one replaces the older. */
  async #sendInterim(): Promise<void> {
    const interim = this.#interim;
    this.#interim = undefined;
    if (interim === undefined) return;
    await this.#callExporter(
      "hand over interim measurements",
      (signal) => this.exporter.exportMeasurements(interim, { signal }),
      this.#closing.signal,
    );
    await this.#sendWhile(() => this.#isBatchDue());
  }

  async #flush(): Promise<void> {
    const timerStop = new AbortController();
    const limit = this.#options.timer.sleep(EXPORT_TIMEOUT_MS, { signal: timerStop.signal })
      .then(() => this.#closing.abort());
    await this.#sending;
    await this.#sendWhile(() => this.#queue.length > 0 && !this.#closing.signal.aborted && !this.#isStuck);
    timerStop.abort();
    await limit;
  }

  #isBatchDue(): boolean {
    if (this.#isStuck || this.#closing.signal.aborted) return false;
    if (this.#queue.length >= BATCH_EVENTS_MAX) return true;
    const oldestMs = this.#queue.oldestMs();
    return oldestMs !== undefined && this.#options.turn.nowMs - oldestMs >= BATCH_AGE_MS_MAX;
  }

  async #sendWhile(isWanted: () => boolean): Promise<void> {
    while (isWanted()) await this.#sendBatch();
  }

  async #sendBatch(): Promise<void> {
    const sent = this.#queue.take(BATCH_EVENTS_MAX);
    const eventCount = sent.length;
    this.#inFlightCount = eventCount;
    const outcome = await this.#callExporter(
      "export events",
      (signal) => this.exporter.export(sent, { signal, wallOffsetMs: this.#options.turn.wallOffsetMs }),
      this.#closing.signal,
    );
    const exportedCount = outcome.kind === "done" ? toCount(outcome.value.exportedCount, eventCount) : 0;
    const reason: DropReason = outcome.kind === "cancelled" ? "shutdown" : "export_failed";
    this.#inFlightCount = 0;
    this.#options.counts.exportedCount += exportedCount;
    // Oldest first: what an exporter did not take are the last ones, as far as anybody can tell.
    if (exportedCount < eventCount) this.#drop(sent.slice(exportedCount), reason);
  }

  #drop(events: readonly TraceEvent[], reason: DropReason): void {
    for (const event of events) this.#countsOf(event).droppedCount[reason]++;
  }

  #countsOf(event: TraceEvent): EventCounts {
    return this.#options.counts.byCategory[CATEGORY_OF_EVENT[event.kind]];
  }

  async #callExporter<Value>(
    what: string,
    call: (signal: AbortSignal) => Promise<Value>,
    signal?: AbortSignal,
  ): Promise<CallOutcome<Value>> {
    const outcome = await callBounded(call, {
      timer: this.#options.timer,
      timeoutMs: EXPORT_TIMEOUT_MS,
      ...(signal === undefined ? {} : { signal }),
    });
    if (outcome.kind === "done") {
      this.#isFailing = false;
      return outcome;
    }
    if (outcome.kind === "failed") {
      this.#report(new Error(`Cannot ${what}: ${outcome.cause.message}`, { cause: outcome.cause }));
      return outcome;
    }
    this.#isStuck = true;
    // Nobody can await this: it may never end. It cannot reject.
    void outcome.settled.then(() => {
      this.#isStuck = false;
    });
    this.#report(new Error(`Cannot ${what}: no answer (${outcome.kind}), want one within ${EXPORT_TIMEOUT_MS} ms`));
    return outcome;
  }

  #report(cause: Error): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#options.report(cause);
  }
}

/** Yields the stats of a route whose events wait in `workers`. */
export function toRouteStats(counts: RouteCounts, workers: Iterable<RouteWorker>): RouteStats {
  let waitingCount = 0;
  for (const worker of workers) waitingCount += worker.waitingCount;
  return {
    matchedCount: EVENT_CATEGORIES.reduce((total, category) => total + counts.byCategory[category].matchedCount, 0),
    exportedCount: counts.exportedCount,
    waitingCount,
    droppedCount: {
      queue_full: droppedFor(counts, "queue_full"),
      export_failed: droppedFor(counts, "export_failed"),
      shutdown: droppedFor(counts, "shutdown"),
    },
  };
}

function droppedFor(counts: RouteCounts, reason: DropReason): number {
  return EVENT_CATEGORIES.reduce((total, category) => total + counts.byCategory[category].droppedCount[reason], 0);
}

/** What an exporter claims, kept between 0 and what it was given. */
function toCount(claimed: number, countMax: number): number {
  return Number.isInteger(claimed) ? Math.min(Math.max(claimed, 0), countMax) : 0;
}

/** Yields per category how many events of the route were lost so far. */
export function toDroppedCounts(counts: RouteCounts): readonly (readonly [EventCategory, number])[] {
  return EVENT_CATEGORIES.map((category) => {
    const { queue_full, export_failed, shutdown } = counts.byCategory[category].droppedCount;
    return [category, queue_full + export_failed + shutdown] as const;
  });
}
