/**
 * The functions of an ELF file: those of its symbol table, of its dynamic
 * symbols where that was stripped, or of Go's own table, which stripping keeps.
 *
 * @module
 */

import { demangle } from "./demangle.ts";
import { type ElfImage, readElfImage, type Section, toImageAddress } from "./elf_image.ts";
import { FunctionTable } from "./function_table.ts";
import { readGoFunctions } from "./go_functions.ts";
import { type RandomAccess, readName, toSafe, viewOf } from "./random_access.ts";

/** A name longer than this is cut; C++ writes whole types into them. */
export const FUNCTION_NAME_BYTES_MAX = 256;

const SYMBOL_BYTES = 24;

/** elf.h: SHT_SYMTAB, SHT_DYNSYM, STT_FUNC, STT_GNU_IFUNC. */
const SYMBOL_SECTION = 2;
const DYNAMIC_SYMBOL_SECTION = 11;
const FUNCTION_TYPES: ReadonlySet<number> = new Set([2, 10]);

/** What is kept of one file. */
export interface FileSymbols {
  /** To tell file offsets from addresses. */
  readonly image: Pick<ElfImage, "segments" | "buildId">;
  /** `undefined`: it names no function. */
  readonly functions: FunctionTable | undefined;
  /** It has no symbol table; dynamic symbols and Go's own table may be there. */
  readonly isStripped: boolean;
  /** A part of it was too large, or reading took too long. */
  readonly isCut?: true;
}

/** A function by name. */
export interface NamedPlace {
  /** Demangled where that is easy, not sanitised. */
  readonly name: string;
  /** Of the place in it, in bytes. */
  readonly offset: number;
}

/** Yields the functions of `file`; `undefined` when it is no ELF file that could run here. */
export function readFileSymbols(file: RandomAccess): FileSymbols | undefined {
  const image = readElfImage(file);
  if (image === undefined) return undefined;
  const { segments, buildId } = image;
  const functions = readSymbols(file, image, SYMBOL_SECTION) ?? readGoFunctions(file, image) ??
    readSymbols(file, image, DYNAMIC_SYMBOL_SECTION);
  const isStripped = !image.sections.some(({ type }) => type === SYMBOL_SECTION);
  return { image: { segments, buildId }, functions, isStripped };
}

/** Yields the function at a place in the file, `undefined` when none covers it. */
export function functionAt(fileOffset: number, symbols: FileSymbols, file: RandomAccess): NamedPlace | undefined {
  const address = toImageAddress(fileOffset, symbols.image.segments);
  const place = address === undefined ? undefined : symbols.functions?.at(address);
  if (place === undefined) return undefined;
  const name = plainest(place.nameOffsets.map((offset) => readName(file, offset, FUNCTION_NAME_BYTES_MAX)));
  return name === "" ? undefined : { name: demangle(name), offset: place.offset };
}

/** Of several names of one function the one its callers write: "read", not "__GI___read". */
function plainest(names: readonly string[]): string {
  const depthOf = (name: string) => /^_*/.exec(name)?.[0].length ?? 0;
  return names.filter((name) => name !== "")
    .toSorted((left, right) => depthOf(left) - depthOf(right) || left.length - right.length || (left < right ? -1 : 1))
    .at(0) ?? "";
}

function readSymbols(file: RandomAccess, image: ElfImage, type: number): FunctionTable | undefined {
  const symbols = image.sections.find((section) => section.type === type);
  const names = symbols === undefined ? undefined : image.sections[symbols.link];
  if (symbols === undefined || names === undefined || symbols.entryBytes !== SYMBOL_BYTES) return undefined;
  const count = Math.floor(symbols.sizeBytes / SYMBOL_BYTES);
  const view = viewOf(file, symbols.offset, count * SYMBOL_BYTES);
  return view === undefined ? undefined : toTable(view, { names, image });
}

function toTable(
  view: DataView,
  { names, image }: { names: Section; image: ElfImage },
): FunctionTable | undefined {
  const rows = view.byteLength / SYMBOL_BYTES;
  const starts = new Float64Array(rows);
  const sizes = new Uint32Array(rows);
  const nameOffsets = new Uint32Array(rows);
  let count = 0;
  for (let at = 0; at < view.byteLength; at += SYMBOL_BYTES) {
    const start = toSafe(view, at + 8);
    const nameOffset = view.getUint32(at, true);
    const isDefined = view.getUint16(at + 6, true) !== 0;
    if (!isDefined || !FUNCTION_TYPES.has(view.getUint8(at + 4) & 0xf) || nameOffset >= names.sizeBytes) continue;
    if (!isExecutable(start, image)) continue;
    starts[count] = start;
    sizes[count] = Math.min(toSafe(view, at + 16), 0xffff_ffff);
    nameOffsets[count] = nameOffset;
    count++;
  }
  return FunctionTable.of({
    starts: starts.subarray(0, count),
    sizes: sizes.subarray(0, count),
    nameOffsets: nameOffsets.subarray(0, count),
    namesOffset: names.offset,
  });
}

function isExecutable(address: number, { segments }: ElfImage): boolean {
  return segments.some((segment) => address >= segment.address && address - segment.address < segment.fileBytes);
}
