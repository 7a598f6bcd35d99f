/**
 * Function names for code addresses of live processes.
 *
 * @module
 */

import { readSymbolTable, symbolAt, type SymbolTable } from "./elf_symbols.ts";
import { orUndefinedWhenGone } from "./host_files.ts";
import { orUndefinedWhenDenied, type ProcFs } from "./procfs.ts";
import type { MemoryMapping } from "./procfs_parsers.ts";

/** Files whose tables are kept: programs and libraries of one report. */
const TABLES_MAX = 32;

/**
 * Opens the mapped file itself through `/proc/PID/map_files`, never by its
 * path: a container could have put a link of its choice there. That needs
 * CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN; without, there are no names.
 */
export class SymbolLookup {
  readonly #procFs: ProcFs;
  /** By file identity; `undefined`: looked at, has no names. Oldest first. */
  readonly #tables = new Map<string, SymbolTable | undefined>();
  #evictedCount = 0;

  /** @param procFs whose processes are asked about */
  constructor(procFs: ProcFs) {
    this.#procFs = procFs;
  }

  /** Tables that had to make room for others. */
  get evictedCount(): number {
    return this.#evictedCount;
  }

  /** Yields "name+0x12"; `undefined` when no function is known there. The name is not sanitised. */
  symbolOf(processId: number, place: { mapping: MemoryMapping; address: bigint }): string | undefined {
    const { mapping, address } = place;
    if (!mapping.path.startsWith("/")) return undefined;
    const range = `${mapping.begin.toString(16)}-${mapping.end.toString(16)}`;
    const path = `${this.#procFs.root}/${processId}/map_files/${range}`;
    return orUndefinedWhenDenied(() =>
      orUndefinedWhenGone(path, () => {
        using file = Deno.openSync(path);

        const access = { read: (offset: number, lengthBytes: number) => readAt(file, offset, lengthBytes) };
        const table = this.#tableOf(file, access);
        const fileOffset = Number(address - mapping.begin + mapping.fileOffset);
        return table === undefined ? undefined : symbolAt(fileOffset, table, access);
      })
    );
  }

  #tableOf(file: Deno.FsFile, access: Parameters<typeof readSymbolTable>[0]): SymbolTable | undefined {
    const stat = file.statSync();
    if (!stat.isFile) return undefined;
    const key = `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtime?.getTime()}`;
    if (this.#tables.has(key)) return this.#tables.get(key);
    const table = readSymbolTable(access);
    this.#tables.set(key, table);
    const oldest = this.#tables.keys().next();
    if (this.#tables.size > TABLES_MAX && oldest.done !== true) {
      this.#tables.delete(oldest.value);
      this.#evictedCount++;
    }
    return table;
  }
}

/** Never allocates more than the file holds, whatever its headers claim. */
function readAt(file: Deno.FsFile, offset: number, lengthBytes: number): Uint8Array {
  const availableBytes = Math.max(0, file.statSync().size - offset);
  const buffer = new Uint8Array(Math.min(lengthBytes, availableBytes));
  file.seekSync(offset, Deno.SeekMode.Start);
  let length = 0;
  while (length < buffer.length) {
    const count = file.readSync(buffer.subarray(length));
    if (count === null || count === 0) break;
    length += count;
  }
  return buffer.subarray(0, length);
}
