/**
 * Functions by where they begin: 16 bytes each, so that the tables of a large
 * program fit. Names stay in the file until somebody asks.
 *
 * @module
 */

/** Functions of one file: a browser has a million. The order of equal starts is kept in so many. */
export const FUNCTIONS_MAX = 1 << 20;

/** So far apart may the first and the last function lie: what leaves the order 20 bits of a number. */
const SPAN_BYTES_MAX = 2 ** 33;

/** Functions under one address are aliases; a hostile file could have a million of them. */
const ALIASES_MAX = 8;

/** One function as a parser found it, in an order that does not matter. */
export interface FoundFunctions {
  /** As the file counts addresses. */
  readonly starts: Float64Array;
  /** 0: it reaches to the next one. */
  readonly sizes: Uint32Array;
  /** Where its name is, from `namesOffset` on. */
  readonly nameOffsets: Uint32Array;
  /** In the file. */
  readonly namesOffset: number;
}

/** The function that covers an address. */
export interface FunctionPlace {
  /** Where names of it are in the file: one, or those of all its aliases. */
  readonly nameOffsets: readonly number[];
  /** Of the address in it. */
  readonly offset: number;
}

/** Functions of one file, ascending. */
export class FunctionTable {
  readonly #starts: Float64Array;
  readonly #sizes: Uint32Array;
  readonly #nameOffsets: Uint32Array;
  readonly #namesOffset: number;

  private constructor(sorted: FoundFunctions) {
    this.#starts = sorted.starts;
    this.#sizes = sorted.sizes;
    this.#nameOffsets = sorted.nameOffsets;
    this.#namesOffset = sorted.namesOffset;
  }

  /** Yields a table of `found`; `undefined` when it is empty, too large, or spread too far to be one program. */
  static of(found: FoundFunctions): FunctionTable | undefined {
    const { starts } = found;
    const count = starts.length;
    if (count === 0 || count > FUNCTIONS_MAX) return undefined;
    const first = starts.reduce((least, start) => Math.min(least, start), Infinity);
    // Sorting numbers alone is ten times as fast as sorting by a function: each carries its index along.
    const keys = new Float64Array(count);
    for (let index = 0; index < count; index++) {
      const distance = (starts[index] ?? 0) - first;
      if (!(distance < SPAN_BYTES_MAX)) return undefined;
      keys[index] = distance * FUNCTIONS_MAX + index;
    }
    keys.sort();
    const sorted = {
      starts: new Float64Array(count),
      sizes: new Uint32Array(count),
      nameOffsets: new Uint32Array(count),
      namesOffset: found.namesOffset,
    };
    for (let place = 0; place < count; place++) {
      const index = (keys[place] ?? 0) % FUNCTIONS_MAX;
      sorted.starts[place] = starts[index] ?? 0;
      sorted.sizes[place] = found.sizes[index] ?? 0;
      sorted.nameOffsets[place] = found.nameOffsets[index] ?? 0;
    }
    return new FunctionTable(sorted);
  }

  /** Memory it takes. */
  get byteCount(): number {
    return this.#starts.byteLength + this.#sizes.byteLength + this.#nameOffsets.byteLength;
  }

  /** Functions in it, aliases included. */
  get count(): number {
    return this.#starts.length;
  }

  /** Yields the function at `address`; `undefined` when none covers it. */
  at(address: number): FunctionPlace | undefined {
    const last = lastAtOrBelow(address, this.#starts);
    const start = this.#starts[last];
    if (start === undefined) return undefined;
    const end = this.#starts[last + 1] ?? Infinity;
    const nameOffsets: number[] = [];
    for (let index = last; this.#starts[index] === start && nameOffsets.length < ALIASES_MAX; index--) {
      const size = this.#sizes[index] ?? 0;
      if (address < (size === 0 ? end : start + size)) {
        nameOffsets.push(this.#namesOffset + (this.#nameOffsets[index] ?? 0));
      }
    }
    return nameOffsets.length === 0 ? undefined : { nameOffsets, offset: address - start };
  }
}

/** Yields the index of the last element not above `value`; -1 when all are. */
export function lastAtOrBelow(value: number, ascending: Float64Array): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? Infinity) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
