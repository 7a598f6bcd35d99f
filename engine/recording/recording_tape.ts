/**
 * What a run asks and is told, in order, as entries of a recording.
 *
 * @module
 */

import {
  RECORDING_CHECKPOINT_INTERVAL_MS,
  RECORDING_ENTRY_BYTES_MAX,
  RECORDING_FLUSH_INTERVAL_MS,
} from "../api/limits.ts";
import { ENTRY_KINDS, FRAME_MARKS } from "./recording_format.ts";
import type { RecordingWriter } from "./recording_writer.ts";

/** The first checkpoint comes early: a look that is killed soon is worth something too. */
const FIRST_CHECKPOINT_MS = 1000;

const encoder = new TextEncoder();

/** Takes down answers under their questions' keys. */
export class RecordingTape {
  readonly #writer: RecordingWriter;
  /** Questions about the state of things: asked again at each checkpoint. */
  readonly #states = new Map<string, () => void>();
  readonly #number = new Float64Array(1);
  readonly #numberBytes = new Uint8Array(this.#number.buffer);
  /** Bounded by the names that code has for clocks. */
  readonly #numberKeys = new Map<string, Uint8Array>();
  #sealedMs: number | undefined;
  #checkpointMs = 0;
  #isClosing = false;

  constructor(writer: RecordingWriter) {
    this.#writer = writer;
  }

  /** Whether ring records should be kept. */
  get hasRoom(): boolean {
    return this.#writer.hasRoom;
  }

  /** What is known before the run. */
  meta(key: string, value: unknown): void {
    this.#add("meta", key, encoder.encode(JSON.stringify(value)));
  }

  /** Notes a number, and yields it. */
  number(key: string, value: number): number {
    this.#number[0] = value;
    this.#writer.add(ENTRY_KINDS.answer, { key: this.#numberKey(key), payload: this.#numberBytes });
    return value;
  }

  /** Notes plain data, and yields it; no bigint, no map, and every number finite. */
  json<Value>(key: string, value: Value): Value {
    this.#add("answer", key, value === undefined ? new Uint8Array(0) : encoder.encode(JSON.stringify(value)));
    return value;
  }

  /** Notes bytes in as many parts as they come in; none is one empty part. */
  parts(key: string, parts: readonly Uint8Array[]): void {
    const pieces = parts.flatMap(split);
    if (pieces.length === 0) pieces.push(new Uint8Array(0));
    pieces.forEach((piece, index) => this.#add("answer", key, piece, index + 1 < pieces.length));
  }

  /** `ask` answers a question about the state of things, through this tape; every checkpoint asks it again. */
  state(key: string, ask: () => void): void {
    if (!this.#isClosing) this.#states.set(key, ask);
  }

  /** The engine waits; what follows comes after that. */
  turn(nowMs: number): void {
    this.#sealedMs ??= this.#beginCheckpoints(nowMs);
    if (nowMs - this.#checkpointMs >= RECORDING_CHECKPOINT_INTERVAL_MS) this.#checkpoint(nowMs);
    this.#writer.add(ENTRY_KINDS.turn);
    if (nowMs - this.#sealedMs < RECORDING_FLUSH_INTERVAL_MS) return;
    this.#sealedMs = nowMs;
    this.#writer.seal();
  }

  /** The window closes; what is asked from here on is about what is left. */
  close(): void {
    this.#isClosing = true;
    this.#states.clear();
    this.#writer.add(ENTRY_KINDS.close);
  }

  /** The recording is whole. */
  async end(value: unknown): Promise<void> {
    this.#writer.add(ENTRY_KINDS.end, { payload: encoder.encode(JSON.stringify(value)) });
    this.#writer.seal(FRAME_MARKS.end);
    await this.#writer.finish();
  }

  #beginCheckpoints(nowMs: number): number {
    this.#checkpointMs = nowMs - RECORDING_CHECKPOINT_INTERVAL_MS + FIRST_CHECKPOINT_MS;
    return nowMs;
  }

  /** Between two turns: only the replay of a recording that is cut behind it ends with these answers. */
  #checkpoint(nowMs: number): void {
    this.#checkpointMs = nowMs;
    this.#sealedMs = nowMs;
    this.#writer.add(ENTRY_KINDS.stateBegin);
    for (const ask of [...this.#states.values()]) ask();
    this.#writer.add(ENTRY_KINDS.stateEnd);
    this.#writer.seal(FRAME_MARKS.state);
  }

  #numberKey(text: string): Uint8Array {
    let key = this.#numberKeys.get(text);
    if (key === undefined) {
      key = encoder.encode(text);
      this.#numberKeys.set(text, key);
    }
    return key;
  }

  #add(kind: "meta" | "answer", key: string, payload: Uint8Array, continues = false): void {
    this.#writer.add(ENTRY_KINDS[kind], { key: encoder.encode(key), payload, continues });
  }
}

function split(bytes: Uint8Array): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += RECORDING_ENTRY_BYTES_MAX) {
    pieces.push(bytes.subarray(at, at + RECORDING_ENTRY_BYTES_MAX));
  }
  return pieces;
}
