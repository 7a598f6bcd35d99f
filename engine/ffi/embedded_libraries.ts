/**
 * Shared libraries that this program carries, opened without a file system: a
 * root that is read-only, or holds no library at all, is fine.
 *
 * @module
 */

import type { Libc, OwnedFd } from "./libc.ts";

/** One shared library as bytes. */
export interface EmbeddedLibrary {
  /** Its SONAME: what those linked with it ask for. */
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Libraries in memory files, all but the last opened. Dispose it after whoever was linked with them is closed. */
export interface LibraryChain extends Disposable {
  /** What to open the last of them by. */
  readonly lastPath: string;
}

/**
 * Puts each of `libraries` into a memory file and opens all but the last, in
 * order: glibc satisfies the needs of a later one with what is open already
 * under that SONAME (elf/dl-load.c, _dl_map_object).
 *
 * The memory files stay open as long as the chain: glibc knows a library by
 * the path it was opened by as well, and a descriptor's number is used again.
 *
 * @param libraries at least one, each before those that need it
 * @throws {ForeignCallError} If the kernel makes no memory files
 * @throws {Error} If one does not open
 */
export function openChain(libc: Libc, libraries: readonly EmbeddedLibrary[]): LibraryChain {
  using owners = new DisposableStack();
  const paths = libraries.map(({ name, bytes }) => pathOf(owners.use(libc.memoryFile(name, bytes))));
  const lastPath = paths.pop();
  if (lastPath === undefined) throw new RangeError("Cannot open embedded libraries: found none, wanted at least one");
  for (const path of paths) {
    const library = Deno.dlopen(path, {});
    owners.defer(() => library.close());
  }
  const owned = owners.move();
  return { lastPath, [Symbol.dispose]: () => owned.dispose() };
}

function pathOf(file: OwnedFd): string {
  return `/proc/self/fd/${file.fd}`;
}
