/**
 * Code addresses of a process as text.
 *
 * @module
 */

import type { MemoryMapping } from "./procfs_parsers.ts";

/** What the kernel appends to the path of a file that was unlinked. */
const DELETED_SUFFIX = " (deleted)";

/** Yields "name+0x12", or `undefined` when no function is known there. */
export type SymbolOf = (place: { readonly mapping: MemoryMapping; readonly address: bigint }) => string | undefined;

/**
 * Yields one text per address, in order: "pthread_cond_wait+0x1f0" where
 * `symbolOf` knows it, else "libc.so.6+0x9d3f1" with the offset in the file,
 * "[vdso]+0x5a0", or "0x7f…" for code that is no file's.
 *
 * @param mappings of the process, ascending as the kernel lists them; names are not sanitised, nor is the result
 */
export function describeAddresses(
  addresses: readonly bigint[],
  mappings: readonly MemoryMapping[],
  options: { symbolOf?: SymbolOf } = {},
): readonly string[] {
  return addresses.map((address) => {
    const mapping = findMapping(address, mappings);
    const symbol = mapping === undefined ? undefined : options.symbolOf?.({ mapping, address });
    return symbol ?? describePlace(address, mapping);
  });
}

function describePlace(address: bigint, mapping: MemoryMapping | undefined): string {
  const name = mapping === undefined ? "" : moduleName(mapping.path);
  if (mapping === undefined || name === "") return `0x${address.toString(16)}`;
  return `${name}+0x${(address - mapping.begin + mapping.fileOffset).toString(16)}`;
}

/** Binary search: a large program has ten thousand mappings, a report a thousand frames. */
function findMapping(address: bigint, mappings: readonly MemoryMapping[]): MemoryMapping | undefined {
  let low = 0;
  let high = mappings.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const mapping = mappings[middle];
    if (mapping !== undefined && mapping.end <= address) low = middle + 1;
    else high = middle;
  }
  const found = mappings[low];
  return found !== undefined && found.begin <= address ? found : undefined;
}

function moduleName(path: string): string {
  const live = path.endsWith(DELETED_SUFFIX) ? path.slice(0, -DELETED_SUFFIX.length) : path;
  return live.slice(live.lastIndexOf("/") + 1);
}
