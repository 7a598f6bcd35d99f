/**
 * Long work in bounded pieces: a generator that yields wherever it may be
 * interrupted.
 *
 * @module
 */

import { INTERIM_CPU_SHARE_MAX, INTERIM_INTERVAL_MS, INTERIM_TURN_MS_MAX } from "../api/limits.ts";

/** Work that may be interrupted at every yield; `"turn"` asks for it: the rings are drained before it goes on. */
export type Steps<Outcome> = Generator<"turn" | void, Outcome>;

/** Items between two yields: some tenths of a millisecond of work. */
const ITEMS_PER_STEP = 256;

/** Does all of it at once and yields its outcome. */
export function finishSteps<Outcome>(steps: Steps<Outcome>): Outcome {
  while (true) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Calls `visit` for every item; yields control in between. */
export function* eachInSteps<Item>(items: Iterable<Item>, visit: (item: Item) => void): Steps<void> {
  let count = 0;
  for (const item of items) {
    visit(item);
    if (++count % ITEMS_PER_STEP === 0) yield;
  }
}

/** Work that comes round again and again, a bounded piece per turn. */
export class RecurringWork {
  readonly #nowMs: () => number;
  #steps: Steps<void> | undefined;
  #beganMs: number;
  #spentMs = 0;

  /** @param nowMs monotonic; the first round is due one interval from now */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#beganMs = nowMs();
  }

  get isRunning(): boolean {
    return this.#steps !== undefined;
  }

  /** Nothing is running, and the last round began long enough ago, the longer the more it cost. */
  isDue(nowMs: number): boolean {
    const intervalMs = Math.max(INTERIM_INTERVAL_MS, this.#spentMs / INTERIM_CPU_SHARE_MAX);
    return !this.isRunning && nowMs - this.#beganMs >= intervalMs;
  }

  begin(steps: Steps<void>): void {
    this.#steps = steps;
    this.#beganMs = this.#nowMs();
    this.#spentMs = 0;
  }

  /** Does as much as fits one turn. */
  advance(): void {
    const steps = this.#steps;
    if (steps === undefined) return;
    const beginMs = this.#nowMs();
    let turnMs = 0;
    while (turnMs < INTERIM_TURN_MS_MAX) {
      const step = steps.next();
      if (step.done === true) this.#steps = undefined;
      if (step.done === true || step.value === "turn") break;
      turnMs = this.#nowMs() - beginMs;
    }
    this.#spentMs += this.#nowMs() - beginMs;
  }

  /** Leaves the present round unfinished. */
  abandon(): void {
    this.#steps = undefined;
  }
}
