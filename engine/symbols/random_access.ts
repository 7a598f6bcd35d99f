/**
 * A file of a traced process, read at any place and within bounds: it may be
 * anything, as large as it likes, and claim whatever it wants of itself.
 *
 * @module
 */

/** A file read at any place. */
export interface RandomAccess {
  /** Yields `lengthBytes` bytes, fewer only at the end of the file. */
  read(offset: number, lengthBytes: number): Uint8Array;
}

/** How much may be read of one file, all reads together. */
export interface ReadLimits {
  /** Bytes of one read: what a section may hold. */
  readonly readBytesMax: number;
  /** Bytes of all reads. */
  readonly totalBytesMax: number;
  /** Asked before every read; `true`: nothing is read any more. */
  readonly isLate?: () => boolean;
}

/**
 * A file that stops yielding once its limits are reached. What a limit kept
 * back reads as the end of the file, which every parser here refuses.
 */
export class BoundedAccess implements RandomAccess {
  readonly #file: RandomAccess;
  readonly #limits: ReadLimits;
  #readBytes = 0;
  #isCut = false;

  constructor(file: RandomAccess, limits: ReadLimits) {
    this.#file = file;
    this.#limits = limits;
  }

  /** Something was asked for that a limit kept back. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** Bytes handed out so far. */
  get readBytes(): number {
    return this.#readBytes;
  }

  read(offset: number, lengthBytes: number): Uint8Array {
    if (!Number.isSafeInteger(offset + lengthBytes) || offset < 0 || lengthBytes <= 0) return new Uint8Array();
    const { readBytesMax, totalBytesMax, isLate } = this.#limits;
    if (lengthBytes > readBytesMax || this.#readBytes + lengthBytes > totalBytesMax || isLate?.() === true) {
      this.#isCut = true;
      return new Uint8Array();
    }
    const bytes = this.#file.read(offset, lengthBytes);
    this.#readBytes += bytes.length;
    return bytes;
  }
}

/** Yields an access to bytes in memory: the vdso, or a test's file. */
export function accessToBytes(bytes: Uint8Array): RandomAccess {
  return { read: (offset, lengthBytes) => bytes.subarray(offset, offset + lengthBytes) };
}

/** Yields a view of exactly that much of the file; `undefined` when the file ends before. */
export function viewOf(file: RandomAccess, offset: number, lengthBytes: number): DataView | undefined {
  if (lengthBytes === 0 || !Number.isSafeInteger(offset + lengthBytes) || offset < 0) return undefined;
  const bytes = file.read(offset, lengthBytes);
  return bytes.length === lengthBytes ? new DataView(bytes.buffer, bytes.byteOffset, lengthBytes) : undefined;
}

/** A u64 as a number; `Infinity`, which every bound refuses, when it does not fit. */
export function toSafe(view: DataView, at: number): number {
  const high = view.getUint32(at + 4, true);
  return high < 0x20_0000 ? high * 0x1_0000_0000 + view.getUint32(at, true) : Infinity;
}

const decoder = new TextDecoder();

/** Yields the text at `offset` up to its NUL, at most `bytesMax` bytes of it, not sanitised. */
export function readName(file: RandomAccess, offset: number, bytesMax: number): string {
  if (!Number.isSafeInteger(offset)) return "";
  const bytes = file.read(offset, bytesMax);
  const end = bytes.indexOf(0);
  return decoder.decode(end === -1 ? bytes : bytes.subarray(0, end));
}
