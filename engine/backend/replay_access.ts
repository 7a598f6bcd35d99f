/**
 * A recording in the place of the kernel.
 *
 * @module
 */

import type { TakenRows } from "../api/tracer_backend.ts";
import { LAYOUT, PT_HEADER, PT_KIND, PT_PREFIX, TABLES } from "../../bpf/generated/layout.ts";
import { REPLAY_TABLE_ROWS_MAX, REPLAY_TRANSLATED_BYTES_MAX } from "../api/limits.ts";
import type { Timer } from "../api/timer.ts";
import type { BatchVisitor } from "../ffi/bpf_map.ts";
import type { Answer, ReplayTape } from "../recording/replay_tape.ts";
import { aNumber } from "../recording/shapes.ts";
import type { Attachment, KernelAccess, KernelTable, RecordRing } from "./kernel_access.ts";
import { type LayoutTranslation, translateStruct, translateStructs } from "./layout_translation.ts";
import {
  ACCESS_KEYS,
  AN_ATTACHMENT,
  decodeBatch,
  decodeLookup,
  decodeTurn,
  fromAttachmentText,
  isEndOfSteps,
  type RecordedTurn,
  visitRecords,
} from "./recorded_answers.ts";
import type { DrainOptions, DrainOutcome, RecordVisitor } from "./ring_reader.ts";

const KIND_OFFSET = PT_PREFIX.offsets.header + PT_HEADER.offsets.kind;

/** The largest record there can be with its texts, generously; longer ones are damage. */
const RECORD_BYTES_MAX = 64 * 1024;

const NOTHING_DRAINED: DrainOutcome = { recordCount: 0, byteCount: 0, more: false };

const NO_ATTACHMENT: Attachment = {
  hooks: [],
  programs: [],
  runTotals: new Map(),
  runTimeNote: "not measured: the recording does not say",
  mapMemoryBytes: 0,
  unlearnedPortCount: 0,
};

export interface ReplayAccessOptions {
  readonly tape: ReplayTape;
  readonly translation: LayoutTranslation;
  readonly timer: Pick<Timer, "nextTurn">;
  /** How much of the look a cut recording holds; `undefined`: all of it. */
  readonly endedEarly?: () => { readonly percent: number; readonly reason: string } | undefined;
  /** Called when the next thing that happened was the closing of the window. */
  readonly onEnd: () => void;
}

/** Answers from the tape; what is written goes nowhere. */
export class ReplayAccess implements KernelAccess {
  readonly lifecycleRing: RecordRing;
  readonly dataRing: RecordRing;
  readonly #options: ReplayAccessOptions;
  readonly #tables = new Map<string, ReplayTable>();
  /** Kind to how many records of it were not recorded for want of room. */
  readonly #missing = new Map<number, number>();
  #turn: RecordedTurn | undefined;
  readonly hasTime = (): boolean => true; // a turn takes what the recorded one took

  constructor(options: ReplayAccessOptions) {
    this.#options = options;
    const turn = () => this.#turn;
    this.lifecycleRing = new ReplayRing(0, { ...options, turn });
    this.dataRing = new ReplayRing(1, { ...options, turn });
  }

  monotonicMs(): number {
    return this.#options.tape.number(ACCESS_KEYS.monotonic);
  }

  table(name: string): KernelTable {
    let table = this.#tables.get(name);
    if (table === undefined) {
      table = new ReplayTable(name, this.#options);
      this.#tables.set(name, table);
    }
    return table;
  }

  readTasks(): Uint8Array<ArrayBuffer> {
    const { tape, translation } = this.#options;
    const bytes = join(tape.answer(ACCESS_KEYS.tasks) ?? []);
    const struct = translation.struct("pt_task_record");
    if (struct === undefined) return bytes;
    const strides = { strideBytes: struct.fromBytes, wantedStrideBytes: struct.toBytes };
    return orUnusable(tape, () => translateStructs(bytes, struct, withinBounds(bytes, strides)));
  }

  /** What the kernel found then is in its tables. */
  visitSockets(): void {}

  /** They only tell the kernel's programs what is idle, and those have decided. */
  learnListeners(): void {}

  readWord(processId: number, address: bigint): number | undefined {
    return this.#options.tape.json(ACCESS_KEYS.word(processId, address), aNumber);
  }

  /** Where the recording does not say: when it is due here. */
  mayTakeOut(what: TakenRows, { isDue }: { isDue: boolean }): boolean {
    const [part] = this.#options.tape.answerOnce(ACCESS_KEYS.mayTakeOut(what)) ?? [];
    return part === undefined ? isDue : part.some((byte) => byte !== 0);
  }

  async wait(): Promise<void> {
    // Exporters get their turn between two turns, as they do while a run waits.
    await this.#options.timer.nextTurn();
    this.#options.tape.nextTurn();
    this.#endIfDue();
  }

  beginTurn(): void {
    const parts = this.#options.tape.answerOnce(ACCESS_KEYS.drain);
    this.#turn = parts === undefined ? undefined : orUnusable(this.#options.tape, () => decodeTurn(parts));
    for (const [kind, count] of this.#turn?.missing ?? []) {
      this.#missing.set(kind, (this.#missing.get(kind) ?? 0) + count);
    }
  }

  endTurn(): void {
    this.#turn = undefined;
    this.#endIfDue();
  }

  detach(): void {}

  attachment(): Attachment {
    const { tape, endedEarly } = this.#options;
    const text = tape.json(ACCESS_KEYS.attachment, AN_ATTACHMENT);
    const attachment = text === undefined ? NO_ATTACHMENT : fromAttachmentText(text);
    return { ...attachment, gaps: { missing: this.#missing, endedEarly: endedEarly?.() } };
  }

  /** What was attached then is in the recording, whatever is asked for now. */
  setPlanes(): void {}

  beginClose(): void {
    this.#options.tape.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  #endIfDue(): void {
    if (this.#options.tape.closesAfter(ACCESS_KEYS.drain)) this.#options.onEnd();
  }
}

interface ReplayRingOptions extends ReplayAccessOptions {
  readonly turn: () => RecordedTurn | undefined;
}

/** Shows each record at the same place, in this build's layout. */
class ReplayRing implements RecordRing {
  readonly view: DataView<ArrayBuffer>;
  readonly #ring: 0 | 1;
  readonly #options: ReplayRingOptions;
  readonly #bytes: Uint8Array<ArrayBuffer>;

  constructor(ring: 0 | 1, options: ReplayRingOptions) {
    this.#ring = ring;
    this.#options = options;
    this.#bytes = new Uint8Array(RECORD_BYTES_MAX);
    this.view = new DataView(this.#bytes.buffer);
  }

  drain(visit: RecordVisitor, _options: DrainOptions): DrainOutcome {
    const turn = this.#options.turn();
    if (turn === undefined) return NOTHING_DRAINED;
    orUnusable(this.#options.tape, () => {
      visitRecords(turn, this.#ring, (record) => visit(0, this.#show(record)));
    });
    return turn.outcomes[this.#ring];
  }

  /** Yields the length of the record as it is shown. */
  #show(record: Uint8Array<ArrayBuffer>): number {
    const kind = new DataView(record.buffer, record.byteOffset, record.length).getUint32(KIND_OFFSET, true);
    const translation = this.#options.translation.struct(STRUCT_OF_KIND.get(kind) ?? "");
    const { fromBytes, toBytes } = translation ?? { fromBytes: record.length, toBytes: record.length };
    const lengthBytes = toBytes + record.length - fromBytes;
    if (record.length < fromBytes || lengthBytes > RECORD_BYTES_MAX) {
      throw new RangeError(`Cannot read a record of kind ${kind} in ${record.length} bytes: wanted ${fromBytes}`);
    }
    if (translation?.moves === undefined) {
      this.#bytes.set(record);
      return record.length;
    }
    this.#bytes.fill(0, 0, toBytes);
    translateStruct(record, this.#bytes, translation.moves);
    this.#bytes.set(record.subarray(fromBytes), toBytes);
    return lengthBytes;
  }
}

/** "pt_wait_event" for `PT_KIND_WAIT`; most of what sockets tell shares one struct. */
export const STRUCT_OF_KIND: ReadonlyMap<number, string> = new Map(
  Object.entries(PT_KIND).map(([name, kind]) => {
    const own = `pt_${name.toLowerCase()}_event`;
    const isSocketKind = kind >= PT_KIND.CONNECT && LAYOUT.structs[own] === undefined;
    return [kind, isSocketKind ? "pt_socket_event" : own];
  }),
);

const SCALAR_BYTES: ReadonlyMap<string, number> = new Map([["u32", 4], ["u64", 8]]);

/** A table as it was when it was read. */
class ReplayTable implements KernelTable {
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly #name: string;
  readonly #options: ReplayAccessOptions;
  readonly #keyType: string;
  readonly #valueType: string;

  constructor(name: string, options: ReplayAccessOptions) {
    const types: { readonly key: string; readonly value: string } = TABLE_TYPES.get(name) ?? { key: "", value: "" };
    this.#name = name;
    this.#options = options;
    this.#keyType = types.key;
    this.#valueType = types.value;
    this.keyBytes = this.#sizeOf(types.key);
    this.valueBytes = this.#sizeOf(types.value);
  }

  get entryValueBytes(): number {
    return this.valueBytes;
  }

  lookup(key: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
    const [part] = this.#options.tape.answer(ACCESS_KEYS.lookup(this.#name, key)) ?? [];
    const value = part === undefined ? undefined : decodeLookup(part);
    return value && this.#translate(value, { type: this.#valueType, entryBytes: value.length });
  }

  lookupBatch(visit: BatchVisitor): void {
    this.#show(this.#options.tape.answer(ACCESS_KEYS.table(this.#name)) ?? [], visit);
  }

  /** Yields the rows shown. @param shownCount rows of this reading before */
  #show(parts: Answer, visit: BatchVisitor, shownCount = 0): number {
    let rowCount = shownCount;
    for (const part of parts) {
      const batch = orUnusable(this.#options.tape, () => decodeBatch(part));
      if (batch === undefined) continue;
      rowCount += batch.count;
      if (rowCount > REPLAY_TABLE_ROWS_MAX) {
        throw this.#options.tape.unusable(`more than ${REPLAY_TABLE_ROWS_MAX} rows in ${JSON.stringify(this.#name)}`);
      }
      const keys = this.#translate(batch.keys, { type: this.#keyType, entryBytes: batch.keyBytes });
      const values = this.#translate(batch.values, { type: this.#valueType, entryBytes: batch.valueBytes });
      orUnusable(this.#options.tape, () => visit(toView(keys), toView(values), batch.count));
    }
    return rowCount;
  }

  /** Step by step as it was read then; where it was not, all that is known at once. */
  *lookupSteps(visit: BatchVisitor): Generator<void, void> {
    const key = ACCESS_KEYS.steps(this.#name);
    let parts = this.#options.tape.answerOnce(key);
    if (parts === undefined) {
      this.lookupBatch(visit);
      yield;
      return;
    }
    let shownCount = 0;
    while (parts !== undefined && !isEndOfSteps(parts.at(-1))) {
      shownCount = this.#show(parts, visit, shownCount);
      yield;
      parts = this.#options.tape.answerOnce(key);
    }
    this.#show(parts?.slice(0, -1) ?? [], visit, shownCount);
  }

  update(): void {}

  delete(): boolean {
    return true;
  }

  deleteBatch(): number {
    return 0;
  }

  #sizeOf(type: string): number {
    return SCALAR_BYTES.get(type) ?? this.#options.translation.struct(type)?.toBytes ?? 0;
  }

  /** Per-CPU values lie one after the other, each rounded up to eight bytes. */
  #translate(
    bytes: Uint8Array<ArrayBuffer>,
    entry: { readonly type: string; readonly entryBytes: number },
  ): Uint8Array<ArrayBuffer> {
    const struct = this.#options.translation.struct(entry.type);
    if (struct === undefined) return bytes;
    const isOnePerEntry = entry.entryBytes === struct.fromBytes;
    const strideBytes = isOnePerEntry ? struct.fromBytes : roundUpTo8(struct.fromBytes);
    const wantedStrideBytes = isOnePerEntry ? struct.toBytes : roundUpTo8(struct.toBytes);
    const strides = { strideBytes, wantedStrideBytes };
    return orUnusable(this.#options.tape, () => translateStructs(bytes, struct, withinBounds(bytes, strides)));
  }
}

interface Strides {
  readonly strideBytes: number;
  readonly wantedStrideBytes: number;
}

/** Yields `strides`. @throws {RangeError} When so many small structs would become too much in this build's layout */
function withinBounds(bytes: Uint8Array, strides: Strides): Strides {
  const { strideBytes, wantedStrideBytes } = strides;
  const translatedBytes = strideBytes === 0 ? 0 : Math.floor(bytes.length / strideBytes) * wantedStrideBytes;
  if (translatedBytes <= REPLAY_TRANSLATED_BYTES_MAX) return strides;
  throw new RangeError(
    `Cannot translate ${bytes.length} bytes: found ${translatedBytes} in this build's layout, ` +
      `wanted at most ${REPLAY_TRANSLATED_BYTES_MAX}`,
  );
}

const TABLE_TYPES: ReadonlyMap<string, { readonly key: string; readonly value: string }> = new Map(
  Object.entries(TABLES),
);

/** What our own bytes cannot hold is damage of the recording: its checksums are right, its contents are not. */
function orUnusable<Value>(tape: ReplayTape, read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof RangeError) throw tape.unusable(`something that cannot be read (${cause.message})`, cause);
    throw cause;
  }
}

function join(parts: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  const joined = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function toView(bytes: Uint8Array<ArrayBuffer>): DataView<ArrayBuffer> {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function roundUpTo8(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}
