/**
 * What a shared library asks the dynamic linker for (pure).
 *
 * @module
 */

import { type ElfFile, findSection, readElf, sectionBytes } from "../../../engine/btf/elf.ts";

/** A library as bytes, under the name that others ask for it by. */
export interface LibraryFile {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** `Elf64_Dyn.d_tag` */
const DYNAMIC_TAG = { NEEDED: 1 } as const;
const DYNAMIC_ENTRY_BYTES = 16;

/** Libraries of one binary; a longer list is a mistake. */
const LIBRARIES_MAX = 16;

/** Parts of glibc: every machine that runs the program at all has them, and they must be those of its dynamic linker. */
const GLIBC_PARTS = /^(ld-linux[-a-z0-9_]*|libc|libdl|libm|libpthread|librt)\.so\.\d+$/;

/** Yields the names a library asks for, glibc's parts left out. @throws {MalformedInputError} */
export function neededLibraries(bytes: Uint8Array): readonly string[] {
  const elf = readElf(bytes);
  const dynamic = findSection(elf, ".dynamic");
  if (dynamic === undefined) return [];
  const names = stringTable(elf, dynamic.link);
  const raw = sectionBytes(elf, dynamic);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const needed: string[] = [];
  for (let at = 0; at + DYNAMIC_ENTRY_BYTES <= view.byteLength; at += DYNAMIC_ENTRY_BYTES) {
    if (view.getBigUint64(at, true) === BigInt(DYNAMIC_TAG.NEEDED)) {
      needed.push(textAt(names, Number(view.getBigUint64(at + 8, true))));
    }
  }
  return needed.filter((name) => !GLIBC_PARTS.test(name));
}

/** Yields the newest glibc version whose symbols a library asks for, as "2.34"; `undefined` when it names none. */
export function wantedGlibc(bytes: Uint8Array): string | undefined {
  const elf = readElf(bytes);
  const index = elf.sections.findIndex((section) => section.name === ".dynstr");
  if (index < 0) return undefined;
  const text = new TextDecoder("latin1").decode(stringTable(elf, index));
  const versions = [...text.matchAll(/\0GLIBC_2\.(\d+)(?:\.\d+)?(?=\0)/g)].map(([, minor]) => Number(minor));
  return versions.length === 0 ? undefined : `2.${Math.max(...versions)}`;
}

/**
 * Yields `name` and everything it needs, each after what it needs itself.
 *
 * @param read yields a library's bytes, or `undefined` where there is none of that name
 * @throws {Error} If one is missing, or they need one another in a circle
 */
export function libraryChain(
  name: string,
  read: (name: string) => Uint8Array<ArrayBuffer> | undefined,
): readonly LibraryFile[] {
  const chain = new Map<string, LibraryFile>();
  const pending = new Set<string>();
  const add = (wanted: string, asker: string | undefined): void => {
    if (chain.has(wanted)) return;
    const by = asker === undefined ? "" : `, which ${asker} needs`;
    if (pending.has(wanted)) throw new Error(`Cannot order the libraries: ${wanted} needs itself${by}`);
    if (pending.size >= LIBRARIES_MAX) throw new Error(`Cannot order the libraries: found over ${LIBRARIES_MAX}`);
    const bytes = read(wanted);
    if (bytes === undefined) throw new Error(`Cannot find the library ${wanted}${by}`);
    pending.add(wanted);
    for (const needed of neededLibraries(bytes)) add(needed, wanted);
    chain.set(wanted, { name: wanted, bytes });
  };
  add(name, undefined);
  return [...chain.values()];
}

function stringTable(elf: ElfFile, index: number): Uint8Array {
  const section = elf.sections[index];
  if (section === undefined) throw new Error(`Cannot read the library: found no section ${index}`);
  return sectionBytes(elf, section);
}

function textAt(strings: Uint8Array, offset: number): string {
  const end = strings.indexOf(0, offset);
  return new TextDecoder().decode(strings.subarray(offset, end < 0 ? strings.length : end));
}
