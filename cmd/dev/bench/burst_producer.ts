/**
 * A flood of records on a thread of its own: as many a second as asked, whether
 * or not anybody reads them.
 *
 * @module
 */

import { askWorker } from "../../../tests/support/ask_worker.ts";

/** What is asked of the thread. */
export interface BurstRequest {
  /** Of the program `produce` of wait_producer.bpf.c. */
  readonly fd: number;
  readonly slotCount: number;
  readonly perSecond: number;
  readonly durationMs: number;
  /** Two words that only grow: records asked for, records the ring took. */
  readonly counts: Int32Array<SharedArrayBuffer>;
}

/** Places in `BurstRequest.counts`. */
export const BURST_COUNTS = { asked: 0, taken: 1 } as const;

/** Runs the flood; yields when it is over. */
export async function runBurst(request: BurstRequest): Promise<void> {
  await askWorker(new URL("./burst_worker.ts", import.meta.url), request);
}
