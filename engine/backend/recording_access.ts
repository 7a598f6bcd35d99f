/**
 * The kernel, with everything it says taken down.
 *
 * @module
 */

import type { TakenRows } from "../api/tracer_backend.ts";
import { PT_HEADER, PT_PREFIX, TABLES } from "../../bpf/generated/layout.ts";
import type { Plane } from "../api/plane.ts";
import type { BatchVisitor } from "../ffi/bpf_map.ts";
import { ForeignCallError } from "../ffi/errors.ts";
import type { RecordingTape } from "../recording/recording_tape.ts";
import type { Attachment, KernelAccess, KernelTable, RecordRing } from "./kernel_access.ts";
import {
  ACCESS_KEYS,
  encodeBatch,
  encodeLookup,
  END_OF_STEPS,
  toAttachmentText,
  TurnRecords,
} from "./recorded_answers.ts";
import type { DrainOptions, DrainOutcome, RecordVisitor } from "./ring_reader.ts";

const KIND_OFFSET = PT_PREFIX.offsets.header + PT_HEADER.offsets.kind;

/** The one row of a table that has no other. */
const FIRST_ROW = new Uint8Array(4);

/** What the kernel's programs count in; the rest is told to them, or their scratch paper. */
const STATE_TABLES: readonly string[] = Object.entries(TABLES)
  .filter(([name, { value }]) => value.startsWith("pt_") && !/^(books|control|.*_scratch)$/.test(name))
  .map(([name]) => name);

/** Passes everything on to `inner`, and what comes back to the tape. */
export class RecordingAccess implements KernelAccess {
  readonly lifecycleRing: RecordRing;
  readonly dataRing: RecordRing;
  readonly #inner: KernelAccess;
  readonly #tape: RecordingTape;
  readonly #tables = new Map<string, RecordingTable>();
  readonly #records = new TurnRecords();

  constructor(inner: KernelAccess, tape: RecordingTape) {
    this.#inner = inner;
    this.#tape = tape;
    this.lifecycleRing = new RecordingRing(inner.lifecycleRing, { index: 0, records: this.#records });
    this.dataRing = new RecordingRing(inner.dataRing, { index: 1, records: this.#records });
    tape.state(ACCESS_KEYS.monotonic, () => void this.monotonicMs());
    tape.state(ACCESS_KEYS.attachment, () => void this.attachment());
    tape.state(ACCESS_KEYS.tasks, () => void this.readTasks());
    tape.state(ACCESS_KEYS.lookup("books", FIRST_ROW), () => void this.table("books").lookup(FIRST_ROW));
    for (const name of STATE_TABLES) tape.state(ACCESS_KEYS.table(name), () => this.#takeDownTable(name));
  }

  get hasTime(): () => boolean {
    return this.#inner.hasTime;
  }

  monotonicMs(): number {
    return this.#tape.number(ACCESS_KEYS.monotonic, this.#inner.monotonicMs());
  }

  table(name: string): KernelTable {
    let table = this.#tables.get(name);
    if (table === undefined) {
      table = new RecordingTable(name, { inner: this.#inner.table(name), tape: this.#tape });
      this.#tables.set(name, table);
    }
    return table;
  }

  /** A kernel that cannot make a map has none of its rows either. */
  #takeDownTable(name: string): void {
    try {
      this.table(name).lookupBatch(() => {});
    } catch (error) {
      if (!(error instanceof ForeignCallError)) throw error;
    }
  }

  readTasks(): Uint8Array<ArrayBuffer> {
    const bytes = this.#inner.readTasks();
    this.#tape.parts(ACCESS_KEYS.tasks, [bytes]);
    return bytes;
  }

  visitSockets(): void {
    this.#inner.visitSockets();
  }

  learnListeners(processIds: readonly number[]): void {
    this.#inner.learnListeners(processIds); // they go into a table of the kernel, and nowhere else
  }

  readWord(processId: number, address: bigint): number | undefined {
    return this.#tape.json(ACCESS_KEYS.word(processId, address), this.#inner.readWord(processId, address));
  }

  mayTakeOut(what: TakenRows, { isDue }: { isDue: boolean }): boolean {
    const answer = this.#inner.mayTakeOut(what, { isDue });
    this.#tape.number(ACCESS_KEYS.mayTakeOut(what), answer ? 1 : 0);
    return answer;
  }

  async wait(options: { timeoutMs: number; signal: AbortSignal }): Promise<void> {
    this.#tape.turn(this.#inner.monotonicMs());
    await this.#inner.wait(options);
  }

  beginTurn(turnMsMax: number): void {
    this.#records.begin({ hasRoom: this.#tape.hasRoom });
    this.#inner.beginTurn(turnMsMax);
  }

  endTurn(): void {
    this.#inner.endTurn();
    this.#tape.parts(ACCESS_KEYS.drain, this.#records.take());
  }

  setPlanes(planes: ReadonlySet<Plane>): void {
    this.#inner.setPlanes(planes);
  }

  beginClose(): void {
    this.#tape.close();
    this.#inner.beginClose();
  }

  detach(endMs: number): void {
    this.#inner.detach(endMs);
  }

  attachment(): Attachment {
    const attachment = this.#inner.attachment();
    this.#tape.json(ACCESS_KEYS.attachment, toAttachmentText(attachment));
    return attachment;
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#inner[Symbol.asyncDispose]();
  }
}

/** Copies every record out before it is looked at. */
class RecordingRing implements RecordRing {
  readonly view: DataView<ArrayBuffer>;
  readonly #inner: RecordRing;
  readonly #index: 0 | 1;
  readonly #records: TurnRecords;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #visit: RecordVisitor = () => {};

  constructor(inner: RecordRing, options: { index: 0 | 1; records: TurnRecords }) {
    this.#inner = inner;
    this.#index = options.index;
    this.#records = options.records;
    this.view = inner.view;
    this.#bytes = new Uint8Array(inner.view.buffer, inner.view.byteOffset, inner.view.byteLength);
  }

  drain(visit: RecordVisitor, options: DrainOptions): DrainOutcome {
    this.#visit = visit;
    const outcome = this.#inner.drain(this.#onRecord, options);
    this.#records.drained(this.#index, outcome);
    return outcome;
  }

  readonly #onRecord: RecordVisitor = (offsetBytes, lengthBytes) => {
    const kind = this.view.getUint32(offsetBytes + KIND_OFFSET, true);
    this.#records.add(this.#bytes.subarray(offsetBytes, offsetBytes + lengthBytes), { ring: this.#index, kind });
    this.#visit(offsetBytes, lengthBytes);
  };
}

/** Takes down what is read; what is written needs no record. */
class RecordingTable implements KernelTable {
  readonly #name: string;
  readonly #inner: KernelTable;
  readonly #tape: RecordingTape;

  constructor(name: string, options: { inner: KernelTable; tape: RecordingTape }) {
    this.#name = name;
    this.#inner = options.inner;
    this.#tape = options.tape;
  }

  get keyBytes(): number {
    return this.#inner.keyBytes;
  }

  get valueBytes(): number {
    return this.#inner.valueBytes;
  }

  get entryValueBytes(): number {
    return this.#inner.entryValueBytes;
  }

  lookup(key: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
    const value = this.#inner.lookup(key);
    this.#tape.parts(ACCESS_KEYS.lookup(this.#name, key), [encodeLookup(value)]);
    return value;
  }

  lookupBatch(visit: BatchVisitor, options?: { batchCount?: number }): void {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    this.#inner.lookupBatch((keys, values, count) => {
      parts.push(...encodeBatch({ keys, values, count }, this));
      visit(keys, values, count);
    }, options);
    this.#tape.parts(ACCESS_KEYS.table(this.#name), parts);
  }

  /** Each step on its own, also one that shows nothing: turns pass between two of them. */
  *lookupSteps(visit: BatchVisitor, options?: { batchCount?: number }): Generator<void, void> {
    const key = ACCESS_KEYS.steps(this.#name);
    let parts: Uint8Array<ArrayBuffer>[] = [];
    const steps = this.#inner.lookupSteps((keys, values, count) => {
      parts.push(...encodeBatch({ keys, values, count }, this));
      visit(keys, values, count);
    }, options);
    for (const _step of steps) {
      this.#tape.parts(key, parts);
      parts = [];
      yield;
    }
    this.#tape.parts(key, [...parts, END_OF_STEPS]);
  }

  update(key: Uint8Array<ArrayBuffer>, value: Uint8Array<ArrayBuffer>, flags?: bigint): void {
    this.#inner.update(key, value, flags);
  }

  delete(key: Uint8Array<ArrayBuffer>): boolean {
    return this.#inner.delete(key);
  }

  deleteBatch(keys: Uint8Array<ArrayBuffer>): number {
    return this.#inner.deleteBatch(keys);
  }
}
