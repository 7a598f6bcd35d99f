/**
 * What the kernel says, as bytes of a recording and back.
 *
 * @module
 */

import type { TakenRows } from "../api/tracer_backend.ts";
import { RECORDING_ENTRY_BYTES_MAX } from "../api/limits.ts";
import type { HookStatus } from "../api/measurements.ts";
import { PLANES } from "../api/plane.ts";

import { aFlag, aList, anObjectOf, aNumber, aText, maybe, oneOf, orElse, type Shape } from "../recording/shapes.ts";
import type { AttachedProgram, Attachment, KernelTable } from "./kernel_access.ts";
import type { DrainOutcome } from "./ring_reader.ts";
import type { RunTotals } from "./run_time_sampler.ts";

/** Under which key what the kernel says is found. */
export const ACCESS_KEYS = {
  monotonic: "kernel.monotonic",
  tasks: "kernel.tasks",
  drain: "kernel.drain",
  attachment: "kernel.attachment",
  table: (name: string): string => `kernel.table.${name}`,
  /** One batch of a table that is read in steps; `END_OF_STEPS` behind the last. */
  steps: (name: string): string => `kernel.steps.${name}`,
  lookup: (name: string, key: Uint8Array): string => `kernel.row.${name}.${toHex(key)}`,
  mayTakeOut: (what: TakenRows): string => `kernel.take.${what}`,
  word: (processId: number, address: bigint): string => `kernel.word.${processId}.${address.toString(16)}`,
} as const;

/** Behind the last batch; no batch is that short. */
export const END_OF_STEPS = Uint8Array.of(0);

/** Whether a table that is read in steps ends here. */
export function isEndOfSteps(part: Uint8Array | undefined): boolean {
  return part?.length === END_OF_STEPS.length;
}

/** Count, bytes per key, bytes per value; then all keys, then all values. */
const BATCH_HEAD_BYTES = 12;

/** Rows of a table. */
export interface Batch {
  readonly keys: DataView<ArrayBuffer>;
  readonly values: DataView<ArrayBuffer>;
  readonly count: number;
}

/** Rows of a table with the sizes they were recorded with. */
export interface RecordedBatch {
  readonly count: number;
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly keys: Uint8Array<ArrayBuffer>;
  readonly values: Uint8Array<ArrayBuffer>;
}

/** Yields parts that are no longer than an entry may be. */
export function encodeBatch(
  batch: Batch,
  table: Pick<KernelTable, "keyBytes" | "entryValueBytes">,
): readonly Uint8Array<ArrayBuffer>[] {
  const { keyBytes, entryValueBytes } = table;
  const rowsMax = Math.max(
    1,
    Math.floor((RECORDING_ENTRY_BYTES_MAX - BATCH_HEAD_BYTES) / (keyBytes + entryValueBytes)),
  );
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let first = 0; first < batch.count; first += rowsMax) {
    const count = Math.min(rowsMax, batch.count - first);
    const part = new Uint8Array(BATCH_HEAD_BYTES + count * (keyBytes + entryValueBytes));
    new Uint32Array(part.buffer, 0, 3).set([count, keyBytes, entryValueBytes]);
    part.set(slice(batch.keys, { at: first * keyBytes, lengthBytes: count * keyBytes }), BATCH_HEAD_BYTES);
    const values = slice(batch.values, { at: first * entryValueBytes, lengthBytes: count * entryValueBytes });
    part.set(values, BATCH_HEAD_BYTES + count * keyBytes);
    parts.push(part);
  }
  return parts;
}

/** @throws {RangeError} When the sizes make no sense */
export function decodeBatch(part: Uint8Array<ArrayBuffer>): RecordedBatch | undefined {
  if (part.length === 0) return undefined; // no row at all
  const view = new DataView(part.buffer, part.byteOffset, part.length);
  if (part.length < BATCH_HEAD_BYTES) throw new RangeError(`Cannot read rows: found ${part.length} bytes`);
  const [count, keyBytes, valueBytes] = [view.getUint32(0, true), view.getUint32(4, true), view.getUint32(8, true)];
  if (part.length !== BATCH_HEAD_BYTES + count * (keyBytes + valueBytes)) {
    throw new RangeError(
      `Cannot read ${count} rows of ${keyBytes} and ${valueBytes} bytes: found ${part.length} bytes`,
    );
  }
  const valuesAt = BATCH_HEAD_BYTES + count * keyBytes;
  return {
    count,
    keyBytes,
    valueBytes,
    keys: part.subarray(BATCH_HEAD_BYTES, valuesAt),
    values: part.subarray(valuesAt),
  };
}

/** One byte that says whether there is a value, and the value. */
export function encodeLookup(value: Uint8Array | undefined): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(1 + (value?.length ?? 0));
  if (value === undefined) return bytes;
  bytes[0] = 1;
  bytes.set(value, 1);
  return bytes;
}

/** Yields the value; `undefined`: there was none. */
export function decodeLookup(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
  return bytes[0] === 1 ? bytes.slice(1) : undefined;
}

/** Length with the ring in its highest bit, then the record, up to a multiple of four. */
const RECORD_HEAD_BYTES = 4;
const DATA_RING_BIT = 0x8000_0000;

/** Per ring: record count, byte count, whether there is more. */
const OUTCOME_WORDS = 3;
/** Of both rings, and how many kinds with records that are not here follow. */
const DRAIN_HEAD_WORDS = 2 * OUTCOME_WORDS + 1;

/** What one turn took from both rings, as it is gathered. */
export class TurnRecords {
  #bytes = new Uint8Array(64 * 1024);
  #lengthBytes = 0;
  #hasRoom = true;
  readonly #parts: Uint8Array<ArrayBuffer>[] = [];
  readonly #outcomes = new Uint32Array(2 * OUTCOME_WORDS);
  /** Kind to how many of it found no room in the recording. */
  readonly #missing = new Map<number, number>();

  /** @param options.hasRoom `false`: records are only counted */
  begin(options: { hasRoom: boolean }): void {
    this.#hasRoom = options.hasRoom;
    this.#lengthBytes = 0;
    this.#parts.length = 0;
    this.#outcomes.fill(0);
    this.#missing.clear();
  }

  /** Copies `record`. */
  add(record: Uint8Array, options: { ring: 0 | 1; kind: number }): void {
    if (!this.#hasRoom) {
      this.#missing.set(options.kind, (this.#missing.get(options.kind) ?? 0) + 1);
      return;
    }
    const spanBytes = RECORD_HEAD_BYTES + ((record.length + 3) & ~3);
    if (this.#lengthBytes + spanBytes > this.#bytes.length) this.#turnPage(spanBytes);
    const at = this.#lengthBytes;
    const bytes = this.#bytes;
    bytes[at] = record.length & 0xff;
    bytes[at + 1] = (record.length >>> 8) & 0xff;
    bytes[at + 2] = (record.length >>> 16) & 0xff;
    bytes[at + 3] = options.ring === 1 ? DATA_RING_BIT >>> 24 : 0;
    bytes.set(record, at + RECORD_HEAD_BYTES);
    bytes.fill(0, at + RECORD_HEAD_BYTES + record.length, at + spanBytes);
    this.#lengthBytes = at + spanBytes;
  }

  drained(ring: 0 | 1, outcome: DrainOutcome): void {
    this.#outcomes.set([outcome.recordCount, outcome.byteCount, outcome.more ? 1 : 0], ring * OUTCOME_WORDS);
  }

  /** Yields the head, then pages of records; valid until the next turn begins. */
  take(): readonly Uint8Array<ArrayBuffer>[] {
    const head = [...this.#outcomes, this.#missing.size];
    for (const [kind, count] of this.#missing) head.push(kind, count);
    const page = this.#bytes.subarray(0, this.#lengthBytes);
    const parts = [new Uint8Array(Uint32Array.from(head).buffer), ...this.#parts];
    return page.length > 0 ? [...parts, page] : parts;
  }

  /** A record never spans two pages. */
  #turnPage(spanBytes: number): void {
    if (this.#lengthBytes > 0) this.#parts.push(this.#bytes.slice(0, this.#lengthBytes));
    this.#lengthBytes = 0;
    if (spanBytes > this.#bytes.length) this.#bytes = new Uint8Array(spanBytes);
  }
}

/** One turn as it was recorded. */
export interface RecordedTurn {
  readonly outcomes: readonly [DrainOutcome, DrainOutcome];
  /** Kind to how many records of it are not in the recording. */
  readonly missing: ReadonlyMap<number, number>;
  readonly pages: readonly Uint8Array<ArrayBuffer>[];
}

/** @throws {RangeError} When the sizes make no sense */
export function decodeTurn(parts: readonly Uint8Array<ArrayBuffer>[]): RecordedTurn {
  const [head = new Uint8Array(0), ...pages] = parts;
  const words = new DataView(head.buffer, head.byteOffset, head.length);
  const word = (index: number) => words.getUint32(index * 4, true);
  const outcome = (ring: number): DrainOutcome => ({
    recordCount: word(ring * OUTCOME_WORDS),
    byteCount: word(ring * OUTCOME_WORDS + 1),
    more: word(ring * OUTCOME_WORDS + 2) !== 0,
  });
  const missing = new Map<number, number>();
  const kindCount = word(2 * OUTCOME_WORDS);
  for (let index = 0; index < kindCount; index++) {
    missing.set(word(DRAIN_HEAD_WORDS + 2 * index), word(DRAIN_HEAD_WORDS + 2 * index + 1));
  }
  return { outcomes: [outcome(0), outcome(1)], missing, pages };
}

/** Visits the records of `ring`. @throws {RangeError} When a length makes no sense */
export function visitRecords(turn: RecordedTurn, ring: 0 | 1, visit: (record: Uint8Array<ArrayBuffer>) => void): void {
  for (const page of turn.pages) {
    const view = new DataView(page.buffer, page.byteOffset, page.length);
    for (let at = 0; at < page.length;) {
      const head = view.getUint32(at, true);
      const lengthBytes = head & 0xff_ffff;
      const recordAt = at + RECORD_HEAD_BYTES;
      if (recordAt + lengthBytes > page.length) throw new RangeError(`Cannot read a record of ${lengthBytes} bytes`);
      if ((head >>> 31) === ring) visit(page.subarray(recordAt, recordAt + lengthBytes));
      at = recordAt + ((lengthBytes + 3) & ~3);
    }
  }
}

/** `Attachment` as plain data. */
export interface AttachmentText extends Omit<Attachment, "runTotals" | "gaps"> {
  readonly runTotals: readonly (RunTotals & { readonly hook: string })[];
}

export function toAttachmentText(attachment: Attachment): AttachmentText {
  return { ...attachment, runTotals: [...attachment.runTotals].map(([hook, totals]) => ({ hook, ...totals })) };
}

export function fromAttachmentText(text: AttachmentText): Attachment {
  return { ...text, runTotals: new Map(text.runTotals.map(({ hook, ...totals }) => [hook, totals])) };
}

const A_HOOK_STATUS: Shape<HookStatus> = anObjectOf({
  hook: aText,
  plane: orElse(oneOf(PLANES), "time"),
  isAskedFor: orElse(aFlag, true),
  provider: maybe(aText),
  refused: aList(aText),
  blindFor: aText,
  attachedMs: maybe(aNumber),
});

const A_PROGRAM: Shape<AttachedProgram> = anObjectOf({ hook: aText, row: aNumber, name: aText, section: aText });

export const AN_ATTACHMENT: Shape<AttachmentText> = anObjectOf({
  hooks: aList(A_HOOK_STATUS),
  programs: aList(A_PROGRAM),
  runTotals: aList(anObjectOf({ hook: aText, runTimeNs: aNumber, runCount: aNumber, recursionMissCount: aNumber })),
  runTimeNote: aText,
  mapMemoryBytes: aNumber,
  unlearnedPortCount: orElse(aNumber, 0),
});

function slice(view: DataView<ArrayBuffer>, span: { at: number; lengthBytes: number }): Uint8Array<ArrayBuffer> {
  return new Uint8Array(view.buffer, view.byteOffset + span.at, span.lengthBytes);
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
