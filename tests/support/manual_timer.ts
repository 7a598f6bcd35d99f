/**
 * A timer that only goes on when it is told to.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type { Timer } from "../../engine/api/timer.ts";

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

export class ManualTimer implements Timer {
  #nowMs = 0;
  #sleepers: Sleeper[] = [];

  /** Milliseconds advanced so far. */
  get nowMs(): number {
    return this.#nowMs;
  }

  get sleeperCount(): number {
    return this.#sleepers.length;
  }

  sleep(durationMs: number, { signal }: { signal: AbortSignal }): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const wake = () => {
        signal.removeEventListener("abort", wake);
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        resolve();
      };
      const sleeper: Sleeper = { dueMs: this.#nowMs + durationMs, wake };
      this.#sleepers.push(sleeper);
      signal.addEventListener("abort", wake);
    });
  }

  nextTurn(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(resolve);
    });
  }

  /**
   * Goes on by `durationMs`, waking each sleeper at its time and letting
   * everything that follows from it happen before the next one.
   */
  async advance(durationMs: number): Promise<void> {
    const untilMs = this.#nowMs + durationMs;
    await this.nextTurn();
    for (let next = this.#nextDue(untilMs); next !== undefined; next = this.#nextDue(untilMs)) {
      this.#nowMs = next.dueMs;
      next.wake();
      await this.nextTurn();
    }
    this.#nowMs = untilMs;
  }

  #nextDue(untilMs: number): Sleeper | undefined {
    return this.#sleepers
      .filter((sleeper) => sleeper.dueMs <= untilMs)
      .toSorted((a, b) => a.dueMs - b.dueMs)[0];
  }
}
