/**
 * Calls into code that may be slow, or never come back.
 *
 * @module
 */

import type { Timer } from "../api/timer.ts";

export type CallOutcome<Value> =
  | { readonly kind: "done"; readonly value: Value }
  | { readonly kind: "failed"; readonly cause: Error }
  /** Given up; `settled` resolves should the call ever end. */
  | { readonly kind: "expired" | "cancelled"; readonly settled: Promise<void> };

export interface BoundedCallOptions {
  readonly timer: Timer;
  readonly timeoutMs: number;
  /** Gives the call up early. */
  readonly signal?: AbortSignal;
}

/**
 * Yields how `call` ended, or that it was given up after `timeoutMs` or when
 * `signal` aborted; never throws. The signal `call` gets aborts when it is
 * given up.
 */
export async function callBounded<Value>(
  call: (signal: AbortSignal) => Promise<Value>,
  options: BoundedCallOptions,
): Promise<CallOutcome<Value>> {
  const callLimit = new AbortController();
  const timerStop = new AbortController();
  const attempt = settle(call, callLimit.signal);
  const cancelled = Promise.withResolvers<"cancelled">();
  const cancel = () => cancelled.resolve("cancelled");
  options.signal?.addEventListener("abort", cancel, { once: true });
  if (options.signal?.aborted === true) cancel();
  const expired = options.timer.sleep(options.timeoutMs, { signal: timerStop.signal }).then(() => "expired" as const);

  const first = await Promise.race([attempt, cancelled.promise, expired]);

  options.signal?.removeEventListener("abort", cancel);
  timerStop.abort(SETTLED);
  await expired;
  if (typeof first !== "string") return first;
  callLimit.abort(new DOMException(`Cannot wait for the call any longer: ${first}`, "AbortError"));
  return { kind: first, settled: attempt.then(() => undefined) };
}

/** A reason of our own: without one, each batch pays for an exception with its stack. */
const SETTLED = "settled";

/** Yields the outcome of a call that is left to end by itself; never rejects, also when it throws at once. */
async function settle<Value>(
  call: (signal: AbortSignal) => Promise<Value>,
  signal: AbortSignal,
): Promise<Exclude<CallOutcome<Value>, { kind: "expired" | "cancelled" }>> {
  try {
    return { kind: "done", value: await call(signal) };
  } catch (thrown) {
    return { kind: "failed", cause: toError(thrown) };
  }
}

export function toError(thrown: unknown): Error {
  return thrown instanceof Error
    ? thrown
    : new Error(`Cannot tell what was thrown: got ${String(thrown)}, want an Error`);
}
