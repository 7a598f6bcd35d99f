/**
 * Answers a run's questions from a recording.
 *
 * Within a turn the answers to one question come in the order they were given;
 * between questions there is no order, so that an engine that asks in another
 * order, less often or more often than the one that was recorded gets the same
 * answers: the last one again when there is no newer one.
 *
 * @module
 */

import {
  REPLAY_KEYS_MAX,
  REPLAY_KNOWN_BYTES_MAX,
  REPLAY_META_BYTES_MAX,
  REPLAY_TURN_BYTES_MAX,
} from "../api/limits.ts";
import { type Entry, ENTRY_KINDS } from "./recording_format.ts";
import type { RecordingReader } from "./recording_reader.ts";
import type { Shape } from "./shapes.ts";

/** One answer; long ones have several parts. */
export type Answer = readonly Uint8Array<ArrayBuffer>[];

/** Answers under one key, in order. */
interface AnswerQueue {
  readonly answers: Uint8Array<ArrayBuffer>[][];
  nextIndex: number;
}

export class ReplayTape {
  readonly #reader: RecordingReader;
  readonly #entries: Generator<Entry>;
  readonly #meta = new Map<string, Uint8Array<ArrayBuffer>>();
  #metaBytes = 0;
  #answers = new Map<string, AnswerQueue>();
  /** The newest answer of earlier turns. */
  readonly #known = new Map<string, Answer>();
  #knownBytes = 0;
  /** State of everything, asked for between this turn and the next. */
  #state: ReadonlyMap<string, AnswerQueue> = new Map();
  /** What was answered in this turn once the window closed; `undefined`: it did not close in it. */
  #afterClose: Map<string, AnswerQueue> | undefined;
  /** Nothing follows this turn. */
  #isRead = false;
  #end: Uint8Array<ArrayBuffer> | undefined;

  /**
   * Reads up to where the engine waits for the first time.
   *
   * @throws {EngineError} `recording_unusable`
   */
  constructor(reader: RecordingReader) {
    this.#reader = reader;
    this.#entries = reader.entries();
    if (!reader.extent.isWhole && reader.extent.frameCount === 0) {
      throw reader.unusable("it cut before anything can be said of it", {
        wanted: "the first second of a look at least",
      });
    }
    this.#load();
  }

  /** Whether the window closed next, after all the answers to `key` that were given so far; or the recording is cut here. */
  closesAfter(key: string): boolean {
    if (this.#afterClose === undefined) return false;
    const queue = this.#answers.get(key);
    return queue === undefined || queue.nextIndex >= queue.answers.length;
  }

  /** The window closes: from here on the answers are those that were given then. */
  close(): void {
    if (this.#afterClose === undefined) return; // earlier than in the recording: the newest answers have to do
    this.#know(this.#answers);
    this.#answers = this.#afterClose;
  }

  /** Yields what was known before the run. @throws {EngineError} `recording_unusable` */
  meta<Value>(key: string, shape: Shape<Value>): Value {
    return this.#parse(this.#meta.get(key), { key, shape });
  }

  /** Yields what the recording ends with, once that was read; `undefined`: it is cut. @throws {EngineError} `recording_unusable` */
  end<Value>(shape: Shape<Value>): Value | undefined {
    return this.#end === undefined ? undefined : this.#parse(this.#end, { key: "end", shape });
  }

  /** Yields the next answer of this turn, else the newest there was; `undefined`: there never was one. */
  answer(key: string): Answer | undefined {
    const queue = this.#answers.get(key);
    if (queue === undefined) return this.#known.get(key);
    const answer = queue.answers[Math.min(queue.nextIndex, queue.answers.length - 1)];
    queue.nextIndex++;
    return answer;
  }

  /** Yields the next answer of this turn, once; `undefined`: there is no other. */
  answerOnce(key: string): Answer | undefined {
    const queue = this.#answers.get(key);
    return queue === undefined ? undefined : queue.answers[queue.nextIndex++];
  }

  /** Yields a number that was noted; 0 when there never was one. */
  number(key: string): number {
    const [part] = this.answer(key) ?? [];
    if (part === undefined) return 0;
    if (part.length !== 8) throw this.#reader.unusable(`${part.length} bytes for a number (${key})`);
    return new DataView(part.buffer, part.byteOffset).getFloat64(0, true);
  }

  /** Yields plain data that was noted; `undefined` also when there never was any. */
  json<Value>(key: string, shape: Shape<Value>): Value | undefined {
    const [part] = this.answer(key) ?? [];
    return part === undefined || part.length === 0 ? undefined : this.#parse(part, { key, shape });
  }

  /** What is kept in memory of earlier turns and of before the run; the present turn comes on top. */
  get keptBytes(): number {
    return this.#metaBytes + this.#knownBytes;
  }

  /** Yields the error for an answer that makes no sense. */
  unusable(found: string, cause?: unknown): Error {
    return this.#reader.unusable(found, { cause });
  }

  /** Goes on to the next turn; behind the last one of a cut recording there is one with the state of everything. */
  nextTurn(): void {
    this.#know(this.#answers);
    this.#know(this.#state);
    if (!this.#isRead) return this.#load();
    this.#answers = new Map();
    this.#afterClose = new Map();
  }

  #load(): void {
    this.#answers = new Map();
    this.#state = new Map();
    const loading = new TurnLoading(this.#answers);
    for (let next = this.#entries.next(); next.done !== true; next = this.#entries.next()) {
      const entry = next.value;
      if (loading.add(entry) > REPLAY_TURN_BYTES_MAX) {
        throw this.#reader.unusable(`more than ${REPLAY_TURN_BYTES_MAX} bytes in one turn`);
      }
      if (entry.kind === ENTRY_KINDS.turn) return;
      if (entry.kind === ENTRY_KINDS.meta) this.#addMeta(entry);
      if (entry.kind === ENTRY_KINDS.close) this.#afterClose = loading.close();
      if (entry.kind === ENTRY_KINDS.end) this.#end = entry.payload.slice();
      if (entry.kind === ENTRY_KINDS.stateEnd) this.#state = loading.takeState();
    }
    this.#isRead = true;
    if (!this.#reader.extent.isWhole) return;
    if (this.#afterClose === undefined || this.#end === undefined) {
      throw this.#reader.unusable("an end without a closed window");
    }
  }

  #addMeta({ key, payload }: Entry): void {
    this.#metaBytes += sizeOf(key, [payload]);
    if (this.#metaBytes > REPLAY_META_BYTES_MAX) {
      throw this.#reader.unusable(`more than ${REPLAY_META_BYTES_MAX} bytes of what was known before the run`);
    }
    this.#meta.set(key, payload.slice());
  }

  #know(answers: ReadonlyMap<string, AnswerQueue>): void {
    for (const [key, queue] of answers) {
      const newest = queue.answers.at(-1);
      if (newest !== undefined) this.#knowAnswer(key, newest);
    }
  }

  #knowAnswer(key: string, answer: Answer): void {
    this.#forget(key);
    this.#known.set(key, answer);
    this.#knownBytes += sizeOf(key, answer);
    while (this.#known.size > REPLAY_KEYS_MAX || this.#knownBytes > REPLAY_KNOWN_BYTES_MAX) {
      const oldest = this.#known.keys().next();
      if (oldest.done === true) return;
      this.#forget(oldest.value);
    }
  }

  #forget(key: string): void {
    const answer = this.#known.get(key);
    if (answer === undefined) return;
    this.#knownBytes -= sizeOf(key, answer);
    this.#known.delete(key);
  }

  #parse<Value>(bytes: Uint8Array | undefined, wanted: { key: string; shape: Shape<Value> }): Value {
    const { key, shape } = wanted;
    if (bytes === undefined) throw this.#reader.unusable(`nothing under ${key}`);
    try {
      return shape(JSON.parse(new TextDecoder().decode(bytes)));
    } catch (cause) {
      throw this.#reader.unusable(`something else than expected under ${JSON.stringify(key)}`, { cause });
    }
  }
}

/** Sorts the answers of one turn by key. */
class TurnLoading {
  #turn: Map<string, AnswerQueue>;
  #state: Map<string, AnswerQueue> | undefined;
  #sizeBytes = 0;
  #open: Uint8Array<ArrayBuffer>[] | undefined;

  constructor(turn: Map<string, AnswerQueue>) {
    this.#turn = turn;
  }

  /** Yields the bytes so far. */
  add(entry: Entry): number {
    if (entry.kind === ENTRY_KINDS.stateBegin) this.#state = new Map();
    if (entry.kind === ENTRY_KINDS.answer) this.#addAnswer(entry);
    return this.#sizeBytes;
  }

  /** Yields where answers go from now on. */
  close(): Map<string, AnswerQueue> {
    this.#turn = new Map();
    return this.#turn;
  }

  takeState(): ReadonlyMap<string, AnswerQueue> {
    const state = this.#state ?? new Map<string, AnswerQueue>();
    this.#state = undefined;
    return state;
  }

  #addAnswer({ key, payload, continues }: Entry): void {
    this.#sizeBytes += sizeOf(key, [payload]);
    if (this.#open === undefined) {
      this.#open = [];
      const answers = this.#state ?? this.#turn;
      const queue = answers.get(key);
      if (queue === undefined) answers.set(key, { answers: [this.#open], nextIndex: 0 });
      else queue.answers.push(this.#open);
    }
    this.#open.push(payload.slice()); // it must not keep the whole frame it came in
    if (!continues) this.#open = undefined;
  }
}

/** What an entry takes in memory besides its bytes; keeps a flood of empty ones bounded. */
const ENTRY_COST_BYTES = 200;

/** What an answer takes in memory; a text two bytes a letter at most. */
function sizeOf(key: string, parts: readonly Uint8Array[]): number {
  return parts.reduce((total, part) => total + part.length + ENTRY_COST_BYTES, 2 * key.length);
}
