/**
 * `struct produce_arguments` of tests/fixtures/bpf/wait_producer.bpf.c.
 *
 * @module
 */

const ARGUMENTS_BYTES = 24;

/** What the generator is asked, and what it answers in the same bytes. */
export class ProduceArguments {
  /** For the program's run. */
  readonly context = new Uint8Array(ARGUMENTS_BYTES);
  readonly #view = new DataView(this.context.buffer);

  /** Asks for `count` records of slots 1 to `slotCount`, numbered from `first` (default 0). */
  ask({ first = 0, count, slotCount }: { first?: number; count: number; slotCount: number }): void {
    this.#view.setBigUint64(0, BigInt(first), true);
    this.#view.setUint32(8, count, true);
    this.#view.setUint32(12, slotCount, true);
  }

  /** Records the ring took; after the run. */
  get producedCount(): number {
    return this.#view.getUint32(16, true);
  }
}
