/**
 * A backend whose records are real and whose kernel is a generator: the
 * product's ring, cursor and decoder, filled to the brim between two waits.
 *
 * @module
 */

import { CATEGORIES } from "../../../engine/api/measurements.ts";
import type {
  BackendCounters,
  BackendRecord,
  RecordView,
  SocketReading,
  TakenRows,
  TargetDiff,
  TaskSnapshot,
  TracerBackend,
} from "../../../engine/api/tracer_backend.ts";
import type { TargetId } from "../../../engine/api/units.ts";
import { RecordCursor } from "../../../engine/backend/record_cursor.ts";
import type { RingReader } from "../../../engine/backend/ring_reader.ts";
import { CLOCK, type Libc } from "../../../engine/ffi/libc.ts";

/** Records the generator was to make, and those the ring took. */
export interface KernelCounts {
  readonly seenCount: number;
  readonly submittedCount: number;
}

export interface RingBackendOptions {
  readonly libc: Libc;
  readonly ring: RingReader;
  /** Called when the engine has read everything and waits for more. */
  readonly onWait: () => void | Promise<void>;
  /** What the kernel side counted; as many seen as were read when it is absent. */
  readonly kernelCounts?: () => KernelCounts;
}

const NO_HITS = { seen: 0, filtered: 0, aggregated: 0, delivered: 0, dropped: {} };

/** Says how many of the records it passed over were decoded. */
class CountingCursor extends RecordCursor {
  decodeCount = 0;

  override decode(): BackendRecord {
    this.decodeCount++;
    return super.decode();
  }
}

/** Reads as `LibbpfBackend` does; everything that is not about records is empty. */
export class RingBackend implements TracerBackend {
  readonly windowBeginMs: number;
  readonly #options: RingBackendOptions;
  readonly #cursor: CountingCursor;
  readonly #slots = new Map<TargetId, number>();
  #readCount = 0;
  #turnEndMs = 0;
  readonly #hasTime = (): boolean => this.monotonicMs() < this.#turnEndMs;

  constructor(options: RingBackendOptions) {
    this.#options = options;
    this.#cursor = new CountingCursor(options.ring);
    this.windowBeginMs = this.monotonicMs();
  }

  /** Records decoded so far. */
  get decodeCount(): number {
    return this.#cursor.decodeCount;
  }

  /** Records handed over so far. */
  get readCount(): number {
    return this.#readCount;
  }

  mayTakeOut(_what: TakenRows, { isDue }: { isDue: boolean }): boolean {
    return isDue;
  }

  /** The clock that records carry. */
  monotonicMs(): number {
    return this.#options.libc.clockMs(CLOCK.MONOTONIC);
  }

  applyTargets(diff: TargetDiff): void {
    for (const { id } of diff.added) this.#slots.set(id, this.#slots.size + 1);
  }

  slotOf(targetId: TargetId): number | undefined {
    return this.#slots.get(targetId);
  }

  async wait(): Promise<void> {
    await this.#options.onWait();
  }

  drain(
    visit: (record: RecordView) => void,
    options: { recordsMax: number; turnMsMax: number },
  ): { recordCount: number; byteCount: number; more: boolean } {
    this.#turnEndMs = this.monotonicMs() + options.turnMsMax;
    const outcome = this.#cursor.drain(visit, { recordsMax: options.recordsMax, hasTime: this.#hasTime });
    this.#readCount += outcome.recordCount;
    return outcome;
  }

  readAggregates(): void {}

  *readRunning(): Generator<void, number> {
    yield;
    return this.monotonicMs();
  }

  retireRows(): void {}

  readSockets(): SocketReading {
    return { sockets: [], peers: [], errors: [], listenQueues: [] };
  }

  retireSockets(): void {}

  retirePeers(): void {}

  retireListenQueues(): void {}

  retireSocketSlots(): void {}

  snapshot(): TaskSnapshot {
    return { atMs: this.monotonicMs(), tasks: [], processes: [] };
  }

  userStack(): readonly bigint[] {
    return [];
  }

  closeWindow(): number {
    return this.monotonicMs();
  }

  counters(): BackendCounters {
    const { seenCount, submittedCount } = this.#options.kernelCounts?.() ??
      { seenCount: this.#readCount, submittedCount: this.#readCount };
    const lostCount = seenCount - submittedCount;
    const waits = {
      seen: seenCount,
      filtered: 0,
      aggregated: 0,
      delivered: submittedCount,
      dropped: lostCount > 0 ? { ring_full: lostCount } : {},
    };
    const rows = CATEGORIES.map((category) => [category, category === "slowWaits" ? waits : NO_HITS] as const);
    // Object.fromEntries widens the keys; CATEGORIES has every one.
    const ledger = Object.fromEntries(rows) as BackendCounters["ledger"];
    return {
      ledger,
      hooks: [],
      programs: [],
      runTimeNote: "not measured",
      mapMemoryBytes: 0,
      departed: { threadCount: 0, lifetimeMs: 0, onCpuMs: 0, runnableMs: 0, throttledMs: 0, blockedMs: 0 },
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}
