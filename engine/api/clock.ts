/**
 * Time as a parameter.
 *
 * @module
 */

export interface Clock {
  /** Milliseconds of CLOCK_MONOTONIC, fractional: the clock kernel records carry. */
  monotonicMs(): number;
  /** Unix time in milliseconds. */
  wallMs(): number;
}
