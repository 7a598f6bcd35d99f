/**
 * Reads a recording a frame at a time, and says in one line what is wrong with
 * one that cannot be read.
 *
 * @module
 */

import { inflateRawSync } from "node:zlib";
import { EngineError } from "../api/errors.ts";
import { sanitizeText } from "../api/text.ts";
import { crc32 } from "./crc32.ts";
import {
  type Entry,
  FRAME_HEAD_BYTES,
  FRAME_MARKS,
  type FrameHead,
  parseEntries,
  parseFrameHead,
  parsePreambleHead,
  PREAMBLE_HEAD_BYTES,
  RECORDING_VERSION,
  RecordingDamage,
} from "./recording_format.ts";

/** Where the bytes come from: a file, open for reading. `Deno.FsFile` is one. */
export interface RecordingSource {
  /** Reads some bytes; `null` at the end. */
  readSync(into: Uint8Array): number | null;
  /** Goes to `offset` from the beginning. */
  seekSync(offset: number, whence: Deno.SeekMode): number;
}

/** Where the last good frame ends. */
export interface RecordingExtent {
  /** Frames to read. */
  readonly frameCount: number;
  /** The recording has its end; else it was cut. */
  readonly isWhole: boolean;
}

/** One recording, open for reading. */
export class RecordingReader {
  /** JSON text that says what the recording is. */
  readonly preamble: string;
  readonly extent: RecordingExtent;
  readonly #source: RecordingSource;
  readonly #name: string;
  readonly #framesAt: number;

  /**
   * Reads the beginning, and looks at the head of every frame.
   *
   * @param options.name what people call it: its path, quoted
   * @throws {EngineError} `recording_unusable`
   */
  constructor(source: RecordingSource, options: { readonly name: string }) {
    this.#source = source;
    this.#name = options.name;
    const head = this.#readPreambleHead();
    this.preamble = this.#readPreamble(head);
    this.#framesAt = PREAMBLE_HEAD_BYTES + head.textBytes;
    this.extent = this.#survey();
  }

  /** Yields the error for something wrong with this recording; `found` completes "found …". */
  unusable(found: string, options: { readonly wanted?: string; readonly cause?: unknown } = {}): EngineError {
    const { wanted = "one that nothing was changed in", cause } = options;
    return new EngineError(
      "recording_unusable",
      `Cannot replay ${this.#name}: found ${found}, wanted ${wanted}`,
      cause === undefined ? {} : { cause },
    );
  }

  /**
   * Yields every entry up to the extent, in order; payloads stay valid.
   *
   * @throws {EngineError} `recording_unusable`
   */
  *entries(): Generator<Entry> {
    let at = this.#framesAt;
    for (let sequence = 0; sequence < this.extent.frameCount; sequence++) {
      const head = this.#frameHeadAt(at, sequence);
      if (head === undefined) throw this.unusable(`its frame ${sequence} gone while it was read`);
      const stored = this.#readAt(at + FRAME_HEAD_BYTES, head.storedBytes);
      yield* this.#entriesOf(stored, { head, at });
      at += FRAME_HEAD_BYTES + head.storedBytes;
    }
  }

  *#entriesOf(stored: Uint8Array<ArrayBuffer>, frame: { head: FrameHead; at: number }): Generator<Entry> {
    const { head, at } = frame;
    if (stored.length < head.storedBytes || crc32(stored) !== head.checksum) {
      throw this.unusable(`frame ${head.sequence} at byte ${at} with a wrong checksum`);
    }
    try {
      yield* parseEntries(inflate(stored, head.rawBytes));
    } catch (cause) {
      if (!(cause instanceof RecordingDamage)) throw cause;
      throw this.unusable(`${cause.message} in frame ${head.sequence} at byte ${at}`, { cause });
    }
  }

  #readPreambleHead(): { readonly textBytes: number; readonly checksum: number } {
    const bytes = this.#readAt(0, PREAMBLE_HEAD_BYTES);
    if (bytes.length === 0) throw this.unusable("an empty file", { wanted: RECORDING_WANTED });
    const head = parsePreambleHead(bytes);
    switch (head.kind) {
      case "recording":
        return head;
      case "foreign":
        throw this.unusable("no recording", { wanted: RECORDING_WANTED });
      case "cut":
        throw this.unusable(`${bytes.length} bytes, cut in its beginning`, { wanted: "a whole one" });
      case "version":
        throw this.unusable(`format ${head.version}`, { wanted: `format ${RECORDING_VERSION}` });
      case "damaged":
        throw this.unusable("a damaged beginning");
    }
  }

  #readPreamble(head: { readonly textBytes: number; readonly checksum: number }): string {
    const text = this.#readAt(PREAMBLE_HEAD_BYTES, head.textBytes);
    if (text.length < head.textBytes) {
      throw this.unusable(`${PREAMBLE_HEAD_BYTES + text.length} bytes, cut in its beginning`, {
        wanted: "a whole one",
      });
    }
    if (crc32(text) !== head.checksum) throw this.unusable("a damaged beginning");
    return new TextDecoder().decode(text);
  }

  /** Looks at heads only: what is in a frame is checked when it is read. */
  #survey(): RecordingExtent {
    const sizeBytes = this.#source.seekSync(0, Deno.SeekMode.End);
    let at = this.#framesAt;
    let stateFrameCount = 0;
    for (let sequence = 0;; sequence++) {
      const head = this.#frameHeadAt(at, sequence);
      if (head === undefined || at + FRAME_HEAD_BYTES + head.storedBytes > sizeBytes) {
        return { frameCount: stateFrameCount, isWhole: false };
      }
      at += FRAME_HEAD_BYTES + head.storedBytes;
      if ((head.marks & FRAME_MARKS.state) !== 0) stateFrameCount = sequence + 1;
      if ((head.marks & FRAME_MARKS.end) === 0) continue;
      if (at < sizeBytes) throw this.unusable(`${sizeBytes - at} bytes behind its end`);
      return { frameCount: sequence + 1, isWhole: true };
    }
  }

  /** `undefined`: the recording is cut before or in it. */
  #frameHeadAt(at: number, sequence: number): FrameHead | undefined {
    const bytes = this.#readAt(at, FRAME_HEAD_BYTES);
    if (bytes.length < FRAME_HEAD_BYTES) return undefined;
    try {
      return parseFrameHead(bytes, sequence);
    } catch (cause) {
      if (!(cause instanceof RecordingDamage)) throw cause;
      throw this.unusable(`${cause.message} at byte ${at}`, { cause });
    }
  }

  /** Fewer bytes than asked for: the file ends there. */
  #readAt(offset: number, lengthBytes: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(lengthBytes);
    let filledBytes = 0;
    try {
      this.#source.seekSync(offset, Deno.SeekMode.Start);
      while (filledBytes < lengthBytes) {
        const readBytes = this.#source.readSync(bytes.subarray(filledBytes));
        if (readBytes === null || readBytes === 0) break;
        filledBytes += readBytes;
      }
    } catch (cause) {
      if (!(cause instanceof Error)) throw cause;
      throw this.unusable(`that it cannot be read (${sanitizeText(cause.message)})`, {
        wanted: "a file that can be read",
        cause,
      });
    }
    return bytes.subarray(0, filledBytes);
  }
}

const RECORDING_WANTED = "one made by podtrace diagnose --record";

/** @throws {RecordingDamage} When it does not inflate to exactly `rawBytes` */
function inflate(stored: Uint8Array<ArrayBuffer>, rawBytes: number): Uint8Array<ArrayBuffer> {
  let raw: Uint8Array;
  try {
    // At most that many bytes are ever made, whatever the frame claims to hold.
    raw = inflateRawSync(stored, { maxOutputLength: Math.max(rawBytes, 1) });
  } catch (cause) {
    throw new RecordingDamage("something that does not inflate", { cause });
  }
  if (raw.length !== rawBytes) throw new RecordingDamage(`${raw.length} bytes where ${rawBytes} were promised`);
  return new Uint8Array(raw.buffer as ArrayBuffer, raw.byteOffset, raw.length);
}
