/**
 * Writes a recording behind the run's back: entries are gathered, compressed a
 * frame at a time and handed to the disk without ever waiting for it.
 *
 * @module
 */

import { deflateRawSync } from "node:zlib";
import { RECORDING_BACKLOG_BYTES_MAX, RECORDING_FRAME_BYTES, RECORDING_QUEUE_BYTES_MAX } from "../api/limits.ts";
import { encodeFrame, encodePreamble, EntryBuffer, type EntryKind } from "./recording_format.ts";

/** Where the bytes go; `Deno.FsFile` is one. */
export interface RecordingSink {
  /** Writes some of `bytes`, and says how many. */
  write(bytes: Uint8Array): Promise<number>;
}

export interface RecordingWriterOptions {
  readonly sink: RecordingSink;
  /** Called once, when the recording cannot go on; what is added later goes nowhere. */
  readonly onFailure: (reason: Error) => void;
  readonly queueBytesMax?: number;
  readonly backlogBytesMax?: number;
}

/** Fastest: half a millisecond per frame, and most of what the slower levels gain. */
const COMPRESSION_LEVEL = 1;

const NO_BYTES = new Uint8Array(0);

export class RecordingWriter {
  readonly #options: RecordingWriterOptions;
  readonly #queueBytesMax: number;
  readonly #backlogBytesMax: number;
  readonly #entries = new EntryBuffer(2 * RECORDING_FRAME_BYTES);
  readonly #queue: Uint8Array<ArrayBuffer>[] = [];
  #queuedBytes = 0;
  #writtenBytes = 0;
  #frameCount = 0;
  #failure: Error | undefined;
  #isFinished = false;
  #writing: Promise<void> | undefined;

  /** @param preamble JSON text that says what the recording is */
  constructor(preamble: string, options: RecordingWriterOptions) {
    this.#options = options;
    this.#queueBytesMax = options.queueBytesMax ?? RECORDING_QUEUE_BYTES_MAX;
    this.#backlogBytesMax = options.backlogBytesMax ?? RECORDING_BACKLOG_BYTES_MAX;
    this.#enqueue(encodePreamble(preamble));
  }

  /** Why the recording ended early; `undefined` while it goes on. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Whether ring records should be kept: what states everything has the rest of the backlog for itself. */
  get hasRoom(): boolean {
    return this.#failure === undefined && this.#queuedBytes < this.#queueBytesMax;
  }

  /** Bytes the disk has taken. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** Copies the entry; a full frame is compressed at once. */
  add(
    kind: EntryKind,
    entry: { readonly key?: Uint8Array; readonly payload?: Uint8Array; readonly continues?: boolean } = {},
  ): void {
    if (this.#failure !== undefined || this.#isFinished) return;
    const { key = NO_BYTES, payload = NO_BYTES, continues = false } = entry;
    this.#entries.add({ kind, continues, key, payload });
    if (this.#entries.lengthBytes >= RECORDING_FRAME_BYTES) this.seal();
  }

  /** Ends the frame: from here on the disk has what was added so far, whatever happens to us. */
  seal(marks = 0): void {
    if (this.#failure !== undefined || this.#entries.lengthBytes === 0) return;
    const raw = this.#entries.take();
    const stored = deflateRawSync(raw, { level: COMPRESSION_LEVEL });
    this.#enqueue(encodeFrame(stored, { sequence: this.#frameCount++, marks, rawBytes: raw.length }));
  }

  /** Resolves once the disk has everything, or the recording failed; what is added later goes nowhere. */
  async finish(): Promise<void> {
    this.seal();
    this.#isFinished = true;
    await this.#writing;
  }

  #enqueue(bytes: Uint8Array<ArrayBuffer>): void {
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    if (this.#queuedBytes > this.#backlogBytesMax) {
      this.#fail(
        new Error(`the disk is too slow, ${this.#queuedBytes} bytes wait for it (at most ${this.#backlogBytesMax})`),
      );
      return;
    }
    this.#writing ??= this.#writeQueue();
  }

  async #writeQueue(): Promise<void> {
    try {
      for (let bytes = this.#queue.shift(); bytes !== undefined; bytes = this.#queue.shift()) {
        await this.#writeAll(bytes);
        this.#queuedBytes -= bytes.length;
      }
    } catch (thrown) {
      this.#fail(thrown instanceof Error ? thrown : new Error(String(thrown)));
    } finally {
      this.#writing = undefined;
    }
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0 && this.#failure === undefined;) {
      const writtenBytes = await this.#options.sink.write(rest);
      this.#writtenBytes += writtenBytes;
      rest = rest.subarray(writtenBytes);
    }
  }

  #fail(reason: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#options.onFailure(reason);
  }
}
