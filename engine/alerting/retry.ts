/**
 * Whether and when a send that failed is repeated.
 *
 * @module
 */

import { ALERT_BACKOFF_MS_MAX } from "../api/limits.ts";

const BACKOFF_BASE_MS = 1000;

/** Client errors that are the moment's, not the request's: timeout, too many requests. */
const PASSING_CLIENT_ERRORS: ReadonlySet<number> = new Set([408, 429]);

/** Whether the same request may fare better later: server errors and the two passing client errors. */
export function isPassingStatus(status: number): boolean {
  return status >= 500 || PASSING_CLIENT_ERRORS.has(status);
}

/**
 * Yields how long to wait before repeat number `attempt` (0: the first repeat):
 * 1, 2, 4 ... s, at most `ALERT_BACKOFF_MS_MAX`, of which up to half is taken
 * off by chance so that many agents do not come back at once; never before
 * `retryAfterMs`.
 *
 * @param options.random from 0 to 1
 */
export function retryDelayMs(options: { attempt: number; retryAfterMs: number | undefined; random: number }): number {
  const backoffMs = Math.min(ALERT_BACKOFF_MS_MAX, BACKOFF_BASE_MS * 2 ** options.attempt);
  const jitteredMs = backoffMs * (1 - options.random / 2);
  return Math.max(jitteredMs, options.retryAfterMs ?? 0);
}

/** Yields the milliseconds a `Retry-After` header asks for (RFC 9110, 10.2.3); `undefined`: none that can be read. */
export function parseRetryAfter(text: string | null, options: { nowWallMs: number }): number | undefined {
  if (text === null) return undefined;
  const trimmed = text.trim();
  if (/^\d{1,9}$/.test(trimmed)) return Number(trimmed) * 1000;
  // An HTTP date names its month; what Date.parse reads beyond that is no such header.
  const atMs = /[A-Za-z]{3}/.test(trimmed) ? Date.parse(trimmed) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - options.nowWallMs);
}
