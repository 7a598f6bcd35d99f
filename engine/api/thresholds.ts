/**
 * From when on a figure is called bad, as far as whoever looks may say so.
 *
 * @module
 */

/** What rules measure against; not what makes a finding grave, which is its share of the time. */
export interface RuleThresholds {
  /** Failures out of attempts, in percent, 0 to 100: a rate below this is no finding above info. */
  readonly errorPercent: number;
  /** A round trip, handshake or answer at least this long counts as a spike. */
  readonly rttMs: number;
  /** One wait for a peer that takes this long on average is slow. */
  readonly slowPeerMs: number;
  /** An operation on a file at least this long counts as slow. */
  readonly fsMs: number;
  /** One wait for a file's data that takes this long on average is slow. */
  readonly slowReadMs: number;
}

/**
 * What holds unless somebody says otherwise. Within a data centre answers take
 * less than 1 ms, flash answers in 0.1 ms: what is slow on average lies below
 * what is remarkable once.
 */
export const DEFAULT_THRESHOLDS: RuleThresholds = {
  errorPercent: 10,
  rttMs: 100,
  slowPeerMs: 10,
  fsMs: 10,
  slowReadMs: 1,
};
