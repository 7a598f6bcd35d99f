/**
 * A flood of records on a thread of its own: as many a second as asked, whether
 * or not anybody reads them.
 *
 * @module
 */

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
  const worker = new Worker(new URL("./burst_worker.ts", import.meta.url), { type: "module" });
  const { port1: answers, port2: remote } = new MessageChannel();
  try {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    answers.onmessage = () => resolve();
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
    worker.postMessage(request, [remote]);
    await promise;
  } finally {
    answers.close();
    worker.terminate();
  }
}
