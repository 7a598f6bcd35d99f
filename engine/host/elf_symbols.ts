/**
 * Function names of an ELF file, read within bounds: the file belongs to a
 * traced process and may be anything. What does not fit is no symbol table.
 *
 * @module
 */

/** Symbols of one file; a browser has a million. */
const SYMBOLS_MAX = 1_000_000;

/** Section and program headers looked at. */
const HEADERS_MAX = 4096;

/** A name longer than this is cut; C++ writes whole types into them. */
const NAME_BYTES_MAX = 256;

const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const SECTION_HEADER_BYTES = 64;
const SYMBOL_BYTES = 24;

/** elf.h: PT_LOAD, PF_X, SHT_SYMTAB, SHT_DYNSYM, STT_FUNC, STT_GNU_IFUNC. */
const LOADED_SEGMENT = 1;
const EXECUTABLE_FLAG = 1;
const SYMBOL_SECTION = 2;
const DYNAMIC_SYMBOL_SECTION = 11;
const FUNCTION_TYPES: ReadonlySet<number> = new Set([2, 10]);

/** A file read at any place. */
export interface RandomAccess {
  /** Yields exactly `lengthBytes` bytes, fewer only at the end of the file. */
  read(offset: number, lengthBytes: number): Uint8Array;
}

/** Where in a file a function lies, and where its name is. */
export interface SymbolTable {
  readonly segments: readonly Segment[];
  /** Start addresses, ascending; the columns below are in the same order. */
  readonly starts: Float64Array;
  readonly sizes: Float64Array;
  readonly nameOffsets: Float64Array; // in the file
}

interface Segment {
  readonly fileOffset: number;
  readonly fileBytes: number;
  readonly address: number;
}

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly link: number;
  readonly entryBytes: number;
}

/** Yields the functions of a 64-bit little-endian ELF file; `undefined` for anything else, or when none is named. */
export function readSymbolTable(file: RandomAccess): SymbolTable | undefined {
  const header = viewOf(file, 0, HEADER_BYTES);
  if (header === undefined || header.getUint32(0) !== 0x7f454c46 || header.getUint16(4) !== 0x0201) return undefined;
  const segments = readSegments(file, header);
  const sections = readSections(file, header);
  const symbols = sections.find((section) => section.type === SYMBOL_SECTION) ??
    sections.find((section) => section.type === DYNAMIC_SYMBOL_SECTION);
  const names = symbols === undefined ? undefined : sections[symbols.link];
  if (symbols === undefined || names === undefined || symbols.entryBytes !== SYMBOL_BYTES) return undefined;
  const columns = readFunctions(file, symbols, { names });
  return columns === undefined ? undefined : { segments, ...columns };
}

/** Yields "name+0x12" for a place in the file, `undefined` when no function covers it. */
export function symbolAt(fileOffset: number, table: SymbolTable, file: RandomAccess): string | undefined {
  const segment = table.segments.find((candidate) =>
    fileOffset >= candidate.fileOffset && fileOffset < candidate.fileOffset + candidate.fileBytes
  );
  if (segment === undefined) return undefined;
  const address = fileOffset - segment.fileOffset + segment.address;
  const index = lastAtOrBelow(address, table.starts);
  const start = table.starts[index];
  if (start === undefined || address >= start + (table.sizes[index] ?? 0)) return undefined;
  const name = readName(file, table.nameOffsets[index] ?? 0);
  return name === "" ? undefined : `${name}+0x${(address - start).toString(16)}`;
}

function readSegments(file: RandomAccess, header: DataView): readonly Segment[] {
  const count = header.getUint16(54, true) === PROGRAM_HEADER_BYTES ? header.getUint16(56, true) : 0;
  const view = tableView(file, { offset: toSafe(header, 32), count, entryBytes: PROGRAM_HEADER_BYTES });
  const segments: Segment[] = [];
  for (let at = 0; view !== undefined && at < view.byteLength; at += PROGRAM_HEADER_BYTES) {
    const isExecutable = (view.getUint32(at + 4, true) & EXECUTABLE_FLAG) !== 0;
    if (view.getUint32(at, true) !== LOADED_SEGMENT || !isExecutable) continue;
    segments.push({
      fileOffset: toSafe(view, at + 8),
      address: toSafe(view, at + 16),
      fileBytes: toSafe(view, at + 32),
    });
  }
  return segments;
}

function readSections(file: RandomAccess, header: DataView): readonly Section[] {
  const count = header.getUint16(58, true) === SECTION_HEADER_BYTES ? header.getUint16(60, true) : 0;
  const view = tableView(file, { offset: toSafe(header, 40), count, entryBytes: SECTION_HEADER_BYTES });
  const sections: Section[] = [];
  for (let at = 0; view !== undefined && at < view.byteLength; at += SECTION_HEADER_BYTES) {
    sections.push({
      type: view.getUint32(at + 4, true),
      offset: toSafe(view, at + 24),
      sizeBytes: toSafe(view, at + 32),
      link: view.getUint32(at + 40, true),
      entryBytes: toSafe(view, at + 56),
    });
  }
  return sections;
}

function readFunctions(
  file: RandomAccess,
  symbols: Section,
  options: { names: Section },
): Omit<SymbolTable, "segments"> | undefined {
  const { names } = options;
  const count = Math.floor(symbols.sizeBytes / SYMBOL_BYTES);
  if (count > SYMBOLS_MAX) return undefined;
  const view = viewOf(file, symbols.offset, count * SYMBOL_BYTES);
  if (view === undefined) return undefined;
  const found: number[] = [];
  for (let at = 0; at < view.byteLength; at += SYMBOL_BYTES) {
    const isFunction = FUNCTION_TYPES.has(view.getUint8(at + 4) & 0xf);
    const isDefined = view.getUint16(at + 6, true) !== 0;
    if (isFunction && isDefined && view.getUint32(at, true) < names.sizeBytes) found.push(at);
  }
  if (found.length === 0) return undefined;
  const startsByPlace = new Map(found.map((at) => [at, toSafe(view, at + 8)]));
  found.sort((left, right) => (startsByPlace.get(left) ?? 0) - (startsByPlace.get(right) ?? 0));
  return {
    starts: Float64Array.from(found, (at) => startsByPlace.get(at) ?? 0),
    sizes: Float64Array.from(found, (at) => toSafe(view, at + 16)),
    nameOffsets: Float64Array.from(found, (at) => names.offset + view.getUint32(at, true)),
  };
}

function readName(file: RandomAccess, offset: number): string {
  const bytes = Number.isSafeInteger(offset) ? file.read(offset, NAME_BYTES_MAX) : new Uint8Array();
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end === -1 ? bytes : bytes.subarray(0, end));
}

/** Index of the last element not above `value`; -1 when all are. */
function lastAtOrBelow(value: number, ascending: Float64Array): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? Infinity) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function tableView(
  file: RandomAccess,
  table: { offset: number; count: number; entryBytes: number },
): DataView | undefined {
  const { offset, count, entryBytes } = table;
  return count > HEADERS_MAX ? undefined : viewOf(file, offset, count * entryBytes);
}

/** A view of exactly that much of the file; `undefined` when the file ends before. */
function viewOf(file: RandomAccess, offset: number, lengthBytes: number): DataView | undefined {
  if (!Number.isSafeInteger(offset + lengthBytes)) return undefined;
  const bytes = file.read(offset, lengthBytes);
  return bytes.length === lengthBytes ? new DataView(bytes.buffer, bytes.byteOffset, lengthBytes) : undefined;
}

/** A u64 as a number; `Infinity`, which every bound refuses, when it does not fit. */
function toSafe(view: DataView, at: number): number {
  const value = Number(view.getBigUint64(at, true));
  return Number.isSafeInteger(value) ? value : Infinity;
}
