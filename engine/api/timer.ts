/**
 * Waiting as a parameter.
 *
 * @module
 */

export interface Timer {
  /** Resolves after `durationMs`, or at once when `signal` aborts; never rejects. */
  sleep(durationMs: number, options: { signal: AbortSignal }): Promise<void>;
  /** Lets other work of this thread run, then goes on: `setImmediate`, not a timeout of 0. */
  nextTurn(): Promise<void>;
}
