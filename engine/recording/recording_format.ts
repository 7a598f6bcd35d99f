/**
 * A recording as bytes. All numbers are little endian.
 *
 * ```text
 * file    = preamble frame*
 * preamble= magic(8) version(u16) 0(u16) textBytes(u32) crc32 of text(u32) text (JSON, UTF-8)
 * frame   = sequence(u32) marks(u32) storedBytes(u32) rawBytes(u32) crc32 of stored(u32)
 *           crc32 of these five(u32) stored (entries, raw deflate)
 * entry   = kind(u8) flags(u8) keyBytes(u16) payloadBytes(u32) key (UTF-8) payload
 * ```
 *
 * Each frame can be checked and inflated without any other, so both sides need
 * memory for one at a time, and a recording that was cut is good up to its last
 * whole frame. Pure.
 *
 * @module
 */

import {
  RECORDING_ENTRY_BYTES_MAX,
  RECORDING_FRAME_RAW_BYTES_MAX,
  RECORDING_FRAME_STORED_BYTES_MAX,
  RECORDING_PREAMBLE_BYTES_MAX,
} from "../api/limits.ts";
import { crc32 } from "./crc32.ts";

/** Not text, and broken by any transfer that takes it for text. */
export const RECORDING_MAGIC: Uint8Array<ArrayBuffer> = Uint8Array.of(0x89, 0x50, 0x54, 0x52, 0x0d, 0x0a, 0x1a, 0x0a);

/** Later formats have a higher one. */
export const RECORDING_VERSION = 1;

export const PREAMBLE_HEAD_BYTES = 20;
export const FRAME_HEAD_BYTES = 24;
export const ENTRY_HEAD_BYTES = 8;

/** What a frame ends with that a reader looks for before it reads them all; bits. */
export const FRAME_MARKS = { state: 1, end: 2 } as const;

/** What an entry is. */
export const ENTRY_KINDS = {
  /** Known before the run: `key` says what. */
  meta: 1,
  /** The engine begins to wait; what follows happens after that wait. */
  turn: 2,
  /** What was answered to the question `key`. */
  answer: 3,
  /** Answers until `stateEnd` are what everything was like then; nobody asked but the recorder. */
  stateBegin: 4,
  /** A recording that is cut is good up to the last of these. */
  stateEnd: 5,
  /** The window closes. */
  close: 6,
  /** Nothing follows: the recording is whole. */
  end: 7,
} as const;

/** The answer goes on in the next entry. */
export const ENTRY_CONTINUES = 1;

export type EntryKind = (typeof ENTRY_KINDS)[keyof typeof ENTRY_KINDS];

/** One entry; `payload` is a part of its frame's memory. */
export interface Entry {
  readonly kind: number;
  readonly continues: boolean;
  readonly key: string;
  readonly payload: Uint8Array<ArrayBuffer>;
}

export interface FrameHead {
  readonly sequence: number;
  readonly marks: number;
  readonly storedBytes: number;
  readonly rawBytes: number;
  readonly checksum: number;
}

/** Something in the bytes that no writer of ours would have written; `found` completes "…: found ". */
export class RecordingDamage extends Error {
  override readonly name = "RecordingDamage";
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Yields the bytes a recording begins with. */
export function encodePreamble(text: string): Uint8Array<ArrayBuffer> {
  const body = encoder.encode(text);
  const bytes = new Uint8Array(PREAMBLE_HEAD_BYTES + body.length);
  const view = new DataView(bytes.buffer);
  bytes.set(RECORDING_MAGIC);
  view.setUint16(8, RECORDING_VERSION, true);
  view.setUint32(12, body.length, true);
  view.setUint32(16, crc32(body), true);
  bytes.set(body, PREAMBLE_HEAD_BYTES);
  return bytes;
}

/** What the first bytes of a file say; `kind` other than "recording": it cannot be read. */
export type PreambleHead =
  | { readonly kind: "recording"; readonly textBytes: number; readonly checksum: number }
  | { readonly kind: "foreign" }
  | { readonly kind: "cut" }
  | { readonly kind: "version"; readonly version: number }
  | { readonly kind: "damaged" };

/** @param bytes the first `PREAMBLE_HEAD_BYTES`, or all there are */
export function parsePreambleHead(bytes: Uint8Array<ArrayBuffer>): PreambleHead {
  const magicBytes = Math.min(bytes.length, RECORDING_MAGIC.length);
  for (let index = 0; index < magicBytes; index++) {
    if (bytes[index] !== RECORDING_MAGIC[index]) return { kind: "foreign" };
  }
  if (bytes.length < PREAMBLE_HEAD_BYTES) return { kind: "cut" };
  const view = new DataView(bytes.buffer, bytes.byteOffset, PREAMBLE_HEAD_BYTES);
  const version = view.getUint16(8, true);
  if (version !== RECORDING_VERSION) return { kind: "version", version };
  const textBytes = view.getUint32(12, true);
  if (textBytes > RECORDING_PREAMBLE_BYTES_MAX || view.getUint16(10, true) !== 0) return { kind: "damaged" };
  return { kind: "recording", textBytes, checksum: view.getUint32(16, true) };
}

/** Yields a frame: `stored` is the raw deflate of `rawBytes` bytes of entries. */
export function encodeFrame(
  stored: Uint8Array,
  head: { readonly sequence: number; readonly marks: number; readonly rawBytes: number },
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(FRAME_HEAD_BYTES + stored.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, head.sequence, true);
  view.setUint32(4, head.marks, true);
  view.setUint32(8, stored.length, true);
  view.setUint32(12, head.rawBytes, true);
  view.setUint32(16, crc32(stored), true);
  view.setUint32(20, crc32(bytes.subarray(0, 20)), true);
  bytes.set(stored, FRAME_HEAD_BYTES);
  return bytes;
}

/**
 * Reads the head of frame `sequence`.
 *
 * @param bytes `FRAME_HEAD_BYTES` of them
 * @throws {RecordingDamage}
 */
export function parseFrameHead(bytes: Uint8Array<ArrayBuffer>, sequence: number): FrameHead {
  const view = new DataView(bytes.buffer, bytes.byteOffset, FRAME_HEAD_BYTES);
  if (view.getUint32(20, true) !== crc32(bytes.subarray(0, 20))) {
    throw new RecordingDamage("a head with a wrong checksum");
  }
  const head = {
    sequence: view.getUint32(0, true),
    marks: view.getUint32(4, true),
    storedBytes: view.getUint32(8, true),
    rawBytes: view.getUint32(12, true),
    checksum: view.getUint32(16, true),
  };
  if (head.sequence !== sequence) throw new RecordingDamage(`frame ${head.sequence} in its place`);
  if (head.storedBytes > RECORDING_FRAME_STORED_BYTES_MAX) {
    throw new RecordingDamage(`${head.storedBytes} bytes, wanted at most ${RECORDING_FRAME_STORED_BYTES_MAX}`);
  }
  if (head.rawBytes > RECORDING_FRAME_RAW_BYTES_MAX) {
    throw new RecordingDamage(`${head.rawBytes} bytes to inflate, wanted at most ${RECORDING_FRAME_RAW_BYTES_MAX}`);
  }
  return head;
}

/** Entries one after the other in one piece of memory that grows; `take` empties it. */
export class EntryBuffer {
  #bytes: Uint8Array<ArrayBuffer>;
  #lengthBytes = 0;

  constructor(capacityBytes: number) {
    this.#bytes = new Uint8Array(capacityBytes);
  }

  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  /** Bytes the next entry with these would take. */
  static sizeOf(key: Uint8Array, payload: Uint8Array): number {
    return ENTRY_HEAD_BYTES + key.length + payload.length;
  }

  add(entry: { kind: EntryKind; continues: boolean; key: Uint8Array; payload: Uint8Array }): void {
    const { key, payload } = entry;
    const sizeBytes = EntryBuffer.sizeOf(key, payload);
    this.#reserve(sizeBytes);
    const bytes = this.#bytes;
    const at = this.#lengthBytes;
    bytes[at] = entry.kind;
    bytes[at + 1] = entry.continues ? ENTRY_CONTINUES : 0;
    bytes[at + 2] = key.length & 0xff;
    bytes[at + 3] = key.length >>> 8;
    bytes[at + 4] = payload.length & 0xff;
    bytes[at + 5] = (payload.length >>> 8) & 0xff;
    bytes[at + 6] = (payload.length >>> 16) & 0xff;
    bytes[at + 7] = payload.length >>> 24;
    bytes.set(key, at + ENTRY_HEAD_BYTES);
    bytes.set(payload, at + ENTRY_HEAD_BYTES + key.length);
    this.#lengthBytes = at + sizeBytes;
  }

  /** Yields what was added since the last time; valid until the next `add`. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.subarray(0, this.#lengthBytes);
    this.#lengthBytes = 0;
    return taken;
  }

  #reserve(sizeBytes: number): void {
    const wantedBytes = this.#lengthBytes + sizeBytes;
    if (wantedBytes <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(wantedBytes, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#lengthBytes));
    this.#bytes = grown;
  }
}

/**
 * Yields the entries of one frame, in order.
 *
 * @throws {RecordingDamage} When they do not fill `raw` exactly
 */
export function* parseEntries(raw: Uint8Array<ArrayBuffer>): Generator<Entry> {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  let at = 0;
  while (at < raw.length) {
    if (at + ENTRY_HEAD_BYTES > raw.length) throw new RecordingDamage("an entry that does not end");
    const keyBytes = view.getUint16(at + 2, true);
    const payloadBytes = view.getUint32(at + 4, true);
    const keyAt = at + ENTRY_HEAD_BYTES;
    const endAt = keyAt + keyBytes + payloadBytes;
    if (payloadBytes > RECORDING_ENTRY_BYTES_MAX || endAt > raw.length) {
      throw new RecordingDamage("an entry that does not end");
    }
    yield {
      kind: raw[at] ?? 0,
      continues: ((raw[at + 1] ?? 0) & ENTRY_CONTINUES) !== 0,
      key: decoder.decode(raw.subarray(keyAt, keyAt + keyBytes)),
      payload: raw.subarray(keyAt + keyBytes, endAt),
    };
    at = endAt;
  }
}
