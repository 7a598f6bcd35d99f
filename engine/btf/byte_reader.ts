/**
 * Bounded little-endian reads.
 *
 * @module
 */

import { MalformedInputError } from "./errors.ts";

/** Longest name taken: KSYM_NAME_LEN is 512, mangled names are longer. */
const NAME_BYTES_MAX = 4096;

/** Reads out of `bytes`; whatever lies outside is an error, never `undefined`. */
export class ByteReader {
  readonly lengthBytes: number;
  readonly #format: "btf" | "elf";
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(bytes: Uint8Array, format: "btf" | "elf") {
    this.#bytes = bytes;
    this.#format = format;
    this.lengthBytes = bytes.byteLength;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** @throws {MalformedInputError} Outside the bytes */
  u8(offset: number): number {
    this.#expect(offset, 1);
    return this.#view.getUint8(offset);
  }

  /** @throws {MalformedInputError} Outside the bytes */
  u16(offset: number): number {
    this.#expect(offset, 2);
    return this.#view.getUint16(offset, true);
  }

  /** @throws {MalformedInputError} Outside the bytes */
  u32(offset: number): number {
    this.#expect(offset, 4);
    return this.#view.getUint32(offset, true);
  }

  /** @throws {MalformedInputError} Outside the bytes */
  s32(offset: number): number {
    this.#expect(offset, 4);
    return this.#view.getInt32(offset, true);
  }

  /** @throws {MalformedInputError} Outside the bytes */
  u64(offset: number): bigint {
    this.#expect(offset, 8);
    return this.#view.getBigUint64(offset, true);
  }

  /** A u64 that must fit the input, such as an offset or a size. @throws {MalformedInputError} */
  size(offset: number): number {
    const value = this.u64(offset);
    if (value > BigInt(this.lengthBytes)) {
      throw this.malformed(`found ${value} at ${offset}, wanted at most the input's ${this.lengthBytes} bytes`);
    }
    return Number(value);
  }

  /** Not a copy. @throws {MalformedInputError} Outside the bytes */
  slice(offset: number, lengthBytes: number): Uint8Array {
    this.#expect(offset, lengthBytes);
    return this.#bytes.subarray(offset, offset + lengthBytes);
  }

  /** The NUL-ended text at `offset`, at most 4096 bytes. @throws {MalformedInputError} */
  text(offset: number): string {
    this.#expect(offset, 1);
    const window = this.#bytes.subarray(offset, offset + NAME_BYTES_MAX + 1);
    const lengthBytes = window.indexOf(0);
    if (lengthBytes < 0) throw this.malformed(`found a name at ${offset} without an end in ${NAME_BYTES_MAX} bytes`);
    return this.#decoder.decode(window.subarray(0, lengthBytes));
  }

  malformed(message: string): MalformedInputError {
    return new MalformedInputError(this.#format, message);
  }

  #expect(offset: number, lengthBytes: number): void {
    if (offset >= 0 && lengthBytes >= 0 && offset + lengthBytes <= this.lengthBytes) return;
    throw this.malformed(`wanted ${lengthBytes} bytes at ${offset}, found the end at ${this.lengthBytes}`);
  }
}
