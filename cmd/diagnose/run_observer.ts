/**
 * An exporter that looks at what passes to another one: how much was seen so
 * far, and which processes the targets consist of.
 *
 * @module
 */

import type { TraceEvent } from "../../engine/api/events.ts";
import type { Exporter, ExportOptions, ExportOutcome } from "../../engine/api/exporter.ts";
import { THREADS_MAX } from "../../engine/api/limits.ts";
import type { Measurements } from "../../engine/api/measurements.ts";

/** What a status line tells. */
export interface RunProgress {
  readonly threadCount: number;
  readonly waitCount: number;
}

export class RunObserver implements Exporter {
  readonly #next: Exporter;
  readonly #wantsInterim: boolean;
  readonly #processIds: Set<number>;
  #progress: RunProgress = { threadCount: 0, waitCount: 0 };

  /**
   * @param next takes everything on; disposed with this one
   * @param options.wantsInterim whether anybody reads `progress` while the run goes on, or will
   * @param options.processIds the processes that are targets from the start
   */
  constructor(next: Exporter, options: { processIds: Iterable<number>; wantsInterim: boolean }) {
    this.#next = next;
    this.#wantsInterim = options.wantsInterim;
    this.#processIds = new Set(options.processIds);
  }

  /** Whoever shows a status line wants it to tell something. */
  get wantsInterim(): boolean {
    return this.#wantsInterim || this.#next.wantsInterim === true;
  }

  get progress(): RunProgress {
    return this.#progress;
  }

  /**
   * Processes that were targets or came from one, less those that are known to
   * have ended. A record that was lost leaves one too many or too few: ask the
   * host before relying on one.
   */
  get processIds(): ReadonlySet<number> {
    return this.#processIds;
  }

  export(batch: readonly TraceEvent[], options: ExportOptions): Promise<ExportOutcome> {
    for (const event of batch) this.#follow(event);
    return this.#next.export(batch, options);
  }

  exportMeasurements(measurements: Measurements, options: { signal: AbortSignal }): Promise<void> {
    this.#progress = progressOf(measurements);
    return this.#next.exportMeasurements(measurements, options);
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#next[Symbol.asyncDispose]();
  }

  #follow(event: TraceEvent): void {
    if (event.kind === "fork" && event.childProcessId !== event.parentProcessId) {
      if (this.#processIds.size < THREADS_MAX) this.#processIds.add(event.childProcessId);
    } else if (event.kind === "exit" && event.processEnded) {
      this.#processIds.delete(event.processId);
    }
  }
}

/** Threads are told apart by the waits seen of them; a thread that never waited yet counts once its ledger is there. */
function progressOf(measurements: Measurements): RunProgress {
  const threadIds = new Set<number>();
  let waitCount = 0;
  for (const thread of measurements.threads) threadIds.add(thread.threadId);
  for (const wait of measurements.waits) {
    threadIds.add(wait.threadId);
    waitCount += wait.count;
  }
  return { threadCount: threadIds.size, waitCount };
}
