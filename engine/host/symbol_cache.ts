/**
 * Tables of functions of program files, kept by what names one version of one
 * file; bounded in number and in memory.
 *
 * @module
 */

import { SYMBOL_CACHE_BYTES_MAX, SYMBOL_FILES_MAX } from "../api/limits.ts";
import type { FileSymbols } from "../symbols/elf_functions.ts";
import type { FileIdentity } from "./symbol_files.ts";

/** Roughly what an entry without functions takes. */
const ENTRY_BYTES = 512;

/** The file that was not asked for longest goes first. */
export class SymbolCache {
  readonly #filesMax: number;
  readonly #bytesMax: number;
  /** `undefined`: looked at, is no program. */
  readonly #files = new Map<string, FileSymbols | undefined>();
  #byteCount = 0;
  #evictedCount = 0;

  constructor(options: { filesMax?: number; bytesMax?: number } = {}) {
    this.#filesMax = options.filesMax ?? SYMBOL_FILES_MAX;
    this.#bytesMax = options.bytesMax ?? SYMBOL_CACHE_BYTES_MAX;
  }

  /** Tables that had to make room for others. */
  get evictedCount(): number {
    return this.#evictedCount;
  }

  /** Memory of what is kept, roughly. */
  get byteCount(): number {
    return this.#byteCount;
  }

  /** Yields what is kept of a file; `{ symbols: undefined }`: it is known to be no program. */
  get(file: FileIdentity): { readonly symbols: FileSymbols | undefined } | undefined {
    const key = toKey(file);
    if (!this.#files.has(key)) return undefined;
    const symbols = this.#files.get(key);
    this.#files.delete(key);
    this.#files.set(key, symbols);
    return { symbols };
  }

  /** Keeps the tables of a file that is not kept yet. */
  set(file: FileIdentity, symbols: FileSymbols | undefined): void {
    this.#files.set(toKey(file), symbols);
    this.#byteCount += bytesOf(symbols);
    for (const [key, oldest] of this.#files) {
      if (this.#files.size <= this.#filesMax && this.#byteCount <= this.#bytesMax) return;
      this.#files.delete(key);
      this.#byteCount -= bytesOf(oldest);
      this.#evictedCount++;
    }
  }
}

function bytesOf(symbols: FileSymbols | undefined): number {
  return ENTRY_BYTES + (symbols?.functions?.byteCount ?? 0);
}

function toKey(file: FileIdentity): string {
  return `${file.device}:${file.inode}:${file.sizeBytes}:${file.changedMs}`;
}
