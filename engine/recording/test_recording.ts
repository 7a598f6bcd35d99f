/**
 * Recordings in memory, for tests: made by hand, cut and damaged.
 *
 * @module
 */

import { deflateRawSync } from "node:zlib";
import { encodeFrame, encodePreamble, EntryBuffer, type EntryKind, FRAME_MARKS } from "./recording_format.ts";
import { RecordingReader, type RecordingSource } from "./recording_reader.ts";
import { RecordingTape } from "./recording_tape.ts";
import { type RecordingSink, RecordingWriter } from "./recording_writer.ts";
import { ReplayTape } from "./replay_tape.ts";

/** Keeps what is written. */
export class MemorySink implements RecordingSink {
  readonly #chunks: Uint8Array[] = [];

  write(bytes: Uint8Array): Promise<number> {
    this.#chunks.push(bytes.slice());
    return Promise.resolve(bytes.length);
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const joined = new Uint8Array(this.#chunks.reduce((total, chunk) => total + chunk.length, 0));
    let at = 0;
    for (const chunk of this.#chunks) {
      joined.set(chunk, at);
      at += chunk.length;
    }
    return joined;
  }
}

/** A file that is these bytes. */
export class MemorySource implements RecordingSource {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  readSync(into: Uint8Array): number | null {
    const read = this.#bytes.subarray(this.#at, this.#at + into.length);
    into.set(read);
    this.#at += read.length;
    return read.length === 0 ? null : read.length;
  }

  seekSync(offset: number, whence: Deno.SeekMode): number {
    this.#at = whence === Deno.SeekMode.End ? this.#bytes.length + offset : offset;
    return this.#at;
  }
}

/** Yields a whole recording of what `take` takes down. */
export async function record(take: (tape: RecordingTape) => void): Promise<Uint8Array<ArrayBuffer>> {
  const sink = new MemorySink();
  const fail = (reason: Error) => {
    throw reason;
  };
  const tape = new RecordingTape(new RecordingWriter(`{"podtrace":"1"}`, { sink, onFailure: fail }));
  take(tape);
  await tape.end({ ended: true });
  return sink.bytes();
}

/** Yields a whole recording with these entries, a frame for each, whatever they say; every checksum is right. */
export function forgeRecording(
  entries: readonly { readonly kind: EntryKind; readonly key?: string; readonly payload?: Uint8Array }[],
): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const buffer = new EntryBuffer(1 << 20);
  const sink = new MemorySink();
  void sink.write(encodePreamble(`{"podtrace":"1","architecture":"x86_64","kernel":"6"}`));
  for (const [sequence, { kind, key = "", payload = new Uint8Array() }] of entries.entries()) {
    buffer.add({ kind, continues: false, key: encoder.encode(key), payload });
    const raw = buffer.take();
    const marks = sequence === entries.length - 1 ? FRAME_MARKS.end : 0;
    void sink.write(encodeFrame(deflateRawSync(raw), { sequence, marks, rawBytes: raw.length }));
  }
  return sink.bytes();
}

/** Opens `bytes` as "r.rec". @throws {EngineError} `recording_unusable` */
export function openReader(bytes: Uint8Array): RecordingReader {
  return new RecordingReader(new MemorySource(bytes), { name: '"r.rec"' });
}

/** Opens `bytes` for a replay. @throws {EngineError} `recording_unusable` */
export function openTape(bytes: Uint8Array): ReplayTape {
  return new ReplayTape(openReader(bytes));
}
