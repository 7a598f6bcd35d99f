/**
 * Wall clock from the monotonic one: the one place where the two meet.
 *
 * @module
 */

import type { Clock } from "../api/clock.ts";

/** Readings to choose from; one of a few is rarely interrupted. */
const READING_COUNT = 5;

/**
 * Yields what to add to a monotonic time for unix time, both in milliseconds,
 * from the reading that took the least time.
 */
export function measureWallOffsetMs(clock: Clock): number {
  let offsetMs = 0;
  let spanMsMin = Infinity;
  for (let reading = 0; reading < READING_COUNT; reading++) {
    const beforeMs = clock.monotonicMs();
    const wallMs = clock.wallMs();
    const spanMs = clock.monotonicMs() - beforeMs;
    if (spanMs >= spanMsMin) continue;
    spanMsMin = spanMs;
    offsetMs = wallMs - (beforeMs + spanMs / 2);
  }
  return offsetMs;
}
