/**
 * Tables and structs in memory for tests of this room.
 *
 * @module
 */

import type { BatchVisitor } from "../ffi/bpf_map.ts";
import type { TableMap } from "./table_rows.ts";

/** A place of a struct: its offset and how many bytes its integer has. */
type Place = readonly [offset: number, bytes: 2 | 4 | 8, value: number | bigint];

/** Yields a struct of `sizeBytes` with integers at their places and texts at theirs. */
export function aStruct(
  sizeBytes: number,
  places: readonly Place[],
  texts: readonly (readonly [offset: number, text: string])[] = [],
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeBytes);
  const view = new DataView(bytes.buffer);
  for (const [offset, size, value] of places) {
    if (size === 8) view.setBigUint64(offset, BigInt.asUintN(64, BigInt(value)), true);
    else if (size === 4) view.setUint32(offset, Number(value) >>> 0, true);
    else view.setUint16(offset, Number(value), true);
  }
  for (const [offset, text] of texts) bytes.set(new TextEncoder().encode(text), offset);
  return bytes;
}

/** A hash map's content, handed out in batches of two. */
export class MemoryTable implements TableMap {
  readonly keyBytes: number;
  readonly valueBytes: number;
  #entries: readonly (readonly [key: Uint8Array, value: Uint8Array])[];

  constructor(
    sizes: { keyBytes: number; valueBytes: number },
    entries: readonly (readonly [key: Uint8Array, value: Uint8Array])[],
  ) {
    this.keyBytes = sizes.keyBytes;
    this.valueBytes = sizes.valueBytes;
    this.#entries = entries;
  }

  get size(): number {
    return this.#entries.length;
  }

  lookupBatch(visit: BatchVisitor): void {
    for (const _step of this.lookupSteps(visit)) { /* each step shows a batch */ }
  }

  *lookupSteps(visit: BatchVisitor): Generator<void, void> {
    for (let first = 0; first < this.#entries.length; first += 2) {
      const batch = this.#entries.slice(first, first + 2);
      const [keys, values] = [join(batch.map(([key]) => key)), join(batch.map(([, value]) => value))];
      visit(keys, values, batch.length);
      yield;
    }
  }

  lookup(key: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
    const entry = this.#entries.find(([present]) => present.toString() === key.toString());
    return entry === undefined ? undefined : Uint8Array.from(entry[1]);
  }

  /** Changes the value of a key that is there, as the kernel would meanwhile. */
  change(key: Uint8Array, value: Uint8Array): void {
    this.#entries = this.#entries.map((entry) => entry[0].toString() === key.toString() ? [key, value] : entry);
  }

  deleteBatch(keys: Uint8Array<ArrayBuffer>): number {
    const before = this.size;
    for (let at = 0; at < keys.byteLength; at += this.keyBytes) {
      const doomed = keys.slice(at, at + this.keyBytes).toString();
      this.#entries = this.#entries.filter(([key]) => key.toString() !== doomed);
    }
    return before - this.size;
  }
}

function join(parts: readonly Uint8Array[]): DataView<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((total, part) => total + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return new DataView(bytes.buffer);
}
