/**
 * What generated decoders lean on: texts, times, copies.
 *
 * @module
 */

/** Where a decoder reads, and what it may lean on. */
export interface RecordSource {
  /** Little endian; throws once the memory is gone. */
  readonly view: DataView;
  readonly texts: TextCache;
}

/** Texts of 16 bytes: a task's comm (TASK_COMM_LEN). */
const COMM_BYTES = 16;
const COMM_WORDS = COMM_BYTES / 4;

/** Slots; a power of two. Names of threads in use at a time, generously. */
const SLOTS = 1024;

const MS_PER_HIGH_WORD = 4294.967296; // 2^32 ns
const NS_PER_MS = 1e6;

/**
 * Decoded texts by their 16 bytes: four comparisons instead of a decoder's 150 ns.
 *
 * One slot per hash, so it never grows; texts that share a slot take turns.
 */
export class TextCache {
  readonly #words = new Uint32Array(SLOTS * COMM_WORDS);
  readonly #texts: string[] = new Array<string>(SLOTS).fill("");
  readonly #scratch = new Uint8Array(COMM_BYTES);
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  /** The NUL-ended UTF-8 text in the 16 bytes at `offset`; bytes that are none become U+FFFD. */
  comm(view: DataView, offset: number): string {
    const first = view.getUint32(offset, true);
    const second = view.getUint32(offset + 4, true);
    const third = view.getUint32(offset + 8, true);
    const fourth = view.getUint32(offset + 12, true);
    const slot = slotOf(
      first ^ Math.imul(second, 0x9e37_79b1) ^ Math.imul(third, 0x85eb_ca77) ^
        Math.imul(fourth, 0xc2b2_ae3d),
    );
    const words = this.#words;
    const at = slot * COMM_WORDS;
    if (
      words[at] === first && words[at + 1] === second && words[at + 2] === third && words[at + 3] === fourth
    ) return this.#texts[slot] ?? "";
    for (let index = 0; index < COMM_BYTES; index++) this.#scratch[index] = view.getUint8(offset + index);
    const text = this.#decode(this.#scratch);
    words[at] = first;
    words[at + 1] = second;
    words[at + 2] = third;
    words[at + 3] = fourth;
    this.#texts[slot] = text;
    return text;
  }

  /** The texts in the `lengthBytes` bytes at `offset`, each NUL-ended (the last one may lack its NUL). */
  list(view: DataView, span: { offset: number; lengthBytes: number }): readonly string[] {
    const bytes = copyBytes(view, span);
    const texts: string[] = [];
    for (let begin = 0; begin < bytes.byteLength;) {
      const text = this.#decode(bytes.subarray(begin));
      const end = bytes.indexOf(0, begin);
      texts.push(text);
      begin = end < 0 ? bytes.byteLength : end + 1;
    }
    return texts;
  }

  #decode(bytes: Uint8Array): string {
    const end = bytes.indexOf(0);
    return this.#decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
  }
}

/** Spreads the bits: names in a pool differ in their last digit only. */
function slotOf(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d);
  return (mixed ^ (mixed >>> 13)) & (SLOTS - 1);
}

/** A u64 of nanoseconds as milliseconds; exact to a microsecond for 285 years of uptime. */
export function nsToMs(low: number, high: number): number {
  return high * MS_PER_HIGH_WORD + low / NS_PER_MS;
}

/** A u64 count as a number; exact up to 2^53. */
export function toCount(low: number, high: number): number {
  return high * 0x1_0000_0000 + low;
}

/** A copy of bytes that are about to be given back. */
export function copyBytes(view: DataView, span: { offset: number; lengthBytes: number }): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(span.lengthBytes);
  copy.set(new Uint8Array(view.buffer, view.byteOffset + span.offset, span.lengthBytes));
  return copy;
}
