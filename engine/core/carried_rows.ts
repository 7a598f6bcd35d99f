/**
 * Rows of file operations, samples and lock chains that were counted for a slot
 * their target has left: kept here, and told with what is counted since.
 *
 * @module
 */

import { CARRIED_ROWS_MAX } from "../api/limits.ts";
import { HISTOGRAM_BUCKET_COUNT } from "../api/measurements.ts";
import type { SampleRow } from "../api/profile_measurements.ts";
import type { AggregateVisitor, ChainRow, FileRow, ObjectKey } from "../api/tracer_backend.ts";
import { toChainText } from "./lock_chains.ts";
import { ERROR_OTHER } from "./file_rows.ts";
import type { SlotMoves } from "./traced_targets.ts";
import { NO_SYSTEM_CALL, toObjectText } from "./wait_objects.ts";

/** What rows of one kind are to their store. */
interface RowKind<Row extends { readonly count: number }> {
  /** Of rows that are one. */
  textOf(row: Row): string;
  slotOf(row: Row): number;
  inSlot(row: Row, targetSlot: number): Row;
  merge(left: Row, right: Row): Row;
  /** Without what it was about: as many as there are slots, and a few. */
  nameless(row: Row): Row;
}

/** A bounded store: the oldest of too many rows lose what they were about, never what they counted. */
class RowStore<Row extends { readonly count: number }> {
  readonly #kind: RowKind<Row>;
  readonly #rowsMax: number;
  readonly #rows = new Map<string, Row>();
  readonly #nameless = new Map<string, Row>();
  #namelessCount = 0;

  constructor(kind: RowKind<Row>, rowsMax: number) {
    this.#kind = kind;
    this.#rowsMax = rowsMax;
  }

  /** What rows counted that had to give up what they were about. */
  get namelessCount(): number {
    return this.#namelessCount;
  }

  add(row: Row): void {
    this.#addTo(this.#rows, row);
    if (this.#rows.size <= this.#rowsMax) return;
    for (const [text, oldest] of this.#rows) {
      this.#rows.delete(text);
      this.#namelessCount += oldest.count;
      this.#addTo(this.#nameless, this.#kind.nameless(oldest));
      return;
    }
  }

  /** Gives rows another slot; those whose slot became `undefined` go. */
  moveSlots(moves: SlotMoves): void {
    for (const rows of [this.#rows, this.#nameless]) {
      const moved: Row[] = [];
      for (const [text, row] of rows) {
        const slot = this.#kind.slotOf(row);
        if (!moves.has(slot)) continue;
        rows.delete(text);
        const next = moves.get(slot);
        if (next !== undefined) moved.push(this.#kind.inSlot(row, next));
      }
      for (const row of moved) this.#addTo(rows, row);
    }
  }

  /** Yields `rows` with those that are kept, as one where they are the same. */
  with(rows: readonly Row[]): Row[] {
    if (this.#rows.size + this.#nameless.size === 0) return [...rows];
    const merged = new Map(this.#rows);
    for (const row of this.#nameless.values()) this.#addTo(merged, row);
    for (const row of rows) this.#addTo(merged, row);
    return [...merged.values()];
  }

  kept(): Iterable<Row> {
    return this.#rows.values();
  }

  #addTo(rows: Map<string, Row>, row: Row): void {
    const text = this.#kind.textOf(row);
    const present = rows.get(text);
    rows.set(text, present === undefined ? row : this.#kind.merge(present, row));
  }
}

const NO_OBJECT: ObjectKey = { kind: 0, port: 0, highLow: 0, highHigh: 0, lowLow: 0, lowHigh: 0 };

const FILE_KIND: RowKind<FileRow> = {
  textOf: ({ key }) => `${key.targetSlot}/${key.processId}/${key.operation}/${key.errno}/${toObjectText(key.object)}`,
  slotOf: ({ key }) => key.targetSlot,
  inSlot: (row, targetSlot) => ({ ...row, key: { ...row.key, targetSlot } }),
  merge: (left, right) => {
    const longer = right.maxMs > left.maxMs ? right : left;
    return {
      key: left.key,
      count: left.count + right.count,
      byteCount: left.byteCount + right.byteCount,
      totalMs: left.totalMs + right.totalMs,
      maxMs: longer.maxMs,
      maxEndMs: longer.maxEndMs,
      buckets: Array.from(
        { length: HISTOGRAM_BUCKET_COUNT },
        (_, index) => (left.buckets[index] ?? 0) + (right.buckets[index] ?? 0),
      ),
    };
  },
  nameless: (row) => ({
    ...row,
    key: { ...row.key, processId: 0, errno: row.key.errno === 0 ? 0 : ERROR_OTHER, object: NO_OBJECT },
  }),
};

const SAMPLE_KIND: RowKind<SampleRow> = {
  textOf: ({ targetSlot, processId, threadId, stackId }) => `${targetSlot}/${processId}/${threadId}/${stackId}`,
  slotOf: ({ targetSlot }) => targetSlot,
  inSlot: (row, targetSlot) => ({ ...row, targetSlot }),
  merge: (left, right) => ({ ...left, count: left.count + right.count }),
  nameless: (row) => ({ ...row, processId: 0, threadId: 0, stackId: -1 }),
};

const CHAIN_KIND: RowKind<ChainRow> = {
  textOf: toChainText,
  slotOf: ({ targetSlot }) => targetSlot,
  inSlot: (row, targetSlot) => ({ ...row, targetSlot }),
  merge: (left, right) => ({ ...left, count: left.count + right.count, totalMs: left.totalMs + right.totalMs }),
  nameless: (row) => ({
    ...row,
    processId: 0,
    holderThreadId: 0,
    holderProcessId: 0,
    holderCommand: "",
    systemCall: NO_SYSTEM_CALL,
    lockAddressLow: 0,
    lockAddressHigh: 0,
    object: NO_OBJECT,
  }),
};

/** All rows of the kernel's tables but those of waits, which `RetiredRows` keeps. */
export class CarriedRows {
  readonly files: RowStore<FileRow>;
  readonly samples: RowStore<SampleRow>;
  readonly chains: RowStore<ChainRow>;

  constructor(options: { rowsMax?: number } = {}) {
    const { rowsMax = CARRIED_ROWS_MAX } = options;
    this.files = new RowStore(FILE_KIND, rowsMax);
    this.samples = new RowStore(SAMPLE_KIND, rowsMax);
    this.chains = new RowStore(CHAIN_KIND, rowsMax);
  }

  /** Follows slots with what is kept already, and takes what the kernel holds for them as it is shown. */
  moveSlots(moves: SlotMoves): Pick<AggregateVisitor, "file" | "sample" | "chain"> {
    for (const store of [this.files, this.samples, this.chains]) store.moveSlots(moves);
    return {
      file: (row) => take(this.files, row, { slot: row.key.targetSlot, moves, kind: FILE_KIND }),
      sample: (row) => take(this.samples, row, { slot: row.targetSlot, moves, kind: SAMPLE_KIND }),
      chain: (row) => take(this.chains, row, { slot: row.targetSlot, moves, kind: CHAIN_KIND }),
    };
  }
}

function take<Row extends { readonly count: number }>(
  store: RowStore<Row>,
  row: Row,
  found: { readonly slot: number; readonly moves: SlotMoves; readonly kind: RowKind<Row> },
): void {
  const next = found.moves.get(found.slot);
  if (next !== undefined) store.add(found.kind.inSlot(row, next));
}
