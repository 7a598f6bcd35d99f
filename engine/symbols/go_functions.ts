/**
 * Functions of a Go program from the table its own runtime unwinds with, which
 * is there when the symbol table was stripped (`-ldflags=-s`).
 *
 * Format: runtime/symtab.go, `pcHeader`, and debug/gosym/pclntab.go of Go 1.16
 * and later; a little-endian 64-bit program.
 *
 * @module
 */

import { type ElfImage, findSection } from "./elf_image.ts";
import { FUNCTIONS_MAX, FunctionTable } from "./function_table.ts";
import { type RandomAccess, toSafe, viewOf } from "./random_access.ts";

/** The second is that of position-independent programs. */
const TABLE_SECTIONS: ReadonlySet<string> = new Set([".gopclntab", ".data.rel.ro.gopclntab"]);

const TEXT_SECTION: ReadonlySet<string> = new Set([".text"]);

/** Go 1.18 and 1.20: the table is relative to the beginning of the code. */
const MAGIC_RELATIVE: ReadonlySet<number> = new Set([0xffff_fff0, 0xffff_fff1]);
const HEADER_BYTES = 72;
const ROW_BYTES = 8;

/** Yields the functions of a Go 1.18 or later program; `undefined` for any other. */
export function readGoFunctions(file: RandomAccess, image: ElfImage): FunctionTable | undefined {
  const section = findSection(file, image, TABLE_SECTIONS);
  const text = section === undefined ? undefined : findSection(file, image, TEXT_SECTION);
  if (section === undefined || text === undefined) return undefined;
  const header = viewOf(file, section.offset, HEADER_BYTES);
  if (header === undefined || !MAGIC_RELATIVE.has(header.getUint32(0, true)) || header.getUint8(7) !== 8) {
    return undefined;
  }
  const count = toSafe(header, 8);
  const namesAt = toSafe(header, 32);
  const rowsAt = toSafe(header, 64);
  if (count === 0 || count > FUNCTIONS_MAX || namesAt >= section.sizeBytes || rowsAt >= section.sizeBytes) {
    return undefined;
  }
  const rowsBytes = section.sizeBytes - rowsAt;
  const rows = viewOf(file, section.offset + rowsAt, rowsBytes);
  // One row more: where the last function ends.
  if (rows === undefined || (count + 1) * ROW_BYTES > rowsBytes) return undefined;
  return toTable(rows, { count, textAddress: text.address, namesOffset: section.offset + namesAt });
}

/** Rows are { u32 entry, u32 place of the description }, a description begins { u32 entry, i32 name }. */
function toTable(
  rows: DataView,
  table: { count: number; textAddress: number; namesOffset: number },
): FunctionTable | undefined {
  const { count, textAddress, namesOffset } = table;
  const starts = new Float64Array(count);
  const sizes = new Uint32Array(count);
  const nameOffsets = new Uint32Array(count);
  for (let index = 0; index < count; index++) {
    const entry = rows.getUint32(index * ROW_BYTES, true);
    const place = rows.getUint32(index * ROW_BYTES + 4, true);
    if (place + 8 > rows.byteLength) return undefined;
    starts[index] = textAddress + entry;
    sizes[index] = Math.max(0, rows.getUint32((index + 1) * ROW_BYTES, true) - entry);
    nameOffsets[index] = rows.getUint32(place + 4, true);
  }
  return FunctionTable.of({ starts, sizes, nameOffsets, namesOffset });
}
