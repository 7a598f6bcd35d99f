/**
 * What the kernel counts of one socket, and what tells sockets apart.
 *
 * @module
 */

import type { RoundTripFigures } from "./socket_measurements.ts";

/** `pt_transfers`. */
export interface TransferRow {
  /** Calls that moved something, or told the end of the stream. */
  readonly operationCount: number;
  /** Payload. */
  readonly byteCount: number;
  /** Payload of the largest single call. */
  readonly operationBytesMax: number;
  /** Calls that found nothing there, or no room, or were interrupted. */
  readonly wouldBlockCount: number;
  /** Calls that failed otherwise. */
  readonly failedCount: number;
}

/** `pt_latency`; the number is the sum of the buckets. */
export interface LatencyRow {
  /** The sum. */
  readonly totalMs: number;
  /** The longest. */
  readonly maxMs: number;
  /** When that one ended, monotonic. */
  readonly maxEndMs: number;
  /** `HISTOGRAM_BUCKET_COUNT` counts, as in `WaitRowView.bucket`. */
  readonly buckets: readonly number[];
}

/** `pt_socket_counts`. */
export interface SocketCounts {
  /** Sends. */
  readonly sent: TransferRow;
  /** Receives. */
  readonly received: TransferRow;
  /** Answers to requests that could be told apart. */
  readonly responses: LatencyRow;
  /** Exchanges in which requests overlapped. */
  readonly unmeasuredCount: number;
  /** Segments sent again. */
  readonly retransmitCount: number;
  /** Segments with payload, those sent again included. */
  readonly segmentCount: number;
  /** Resets that came in. */
  readonly resetReceivedCount: number;
  /** Resets that went out. */
  readonly resetSentCount: number;
  /** `undefined`: none seen. */
  readonly roundTrip: RoundTripFigures | undefined;
}

/** Tells listening sockets apart; never shown. */
export interface ListenKey {
  /** Of the kernel's structure. */
  readonly address: bigint;
  /** Tells it from the next one at that address. */
  readonly inode: bigint;
}
