/**
 * The outline of an ELF file: which part of it is loaded where, its sections,
 * and the id its linker gave it. 64-bit little-endian files only: what we run on.
 *
 * @module
 */

import { type RandomAccess, toSafe, viewOf } from "./random_access.ts";

/** Section and program headers looked at. */
const HEADERS_MAX = 4096;

/** Note segments hold a few dozen bytes. */
const NOTE_BYTES_MAX = 64 * 1024;

/** A SHA-1 is 20 bytes; longer than this is none. */
const BUILD_ID_BYTES_MAX = 64;

const SECTION_NAME_BYTES_MAX = 64;
const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const SECTION_HEADER_BYTES = 64;

/** elf.h: PT_LOAD, PT_NOTE, PF_X, NT_GNU_BUILD_ID. */
const LOADED_SEGMENT = 1;
const NOTE_SEGMENT = 4;
const EXECUTABLE_FLAG = 1;
const BUILD_ID_NOTE = 3;

/** "GNU\0" as a big-endian word. */
const GNU_OWNER = 0x474e5500;

/** What of a file is executable, and where it says it belongs. */
export interface Segment {
  /** First byte in the file. */
  readonly fileOffset: number;
  /** Bytes in the file. */
  readonly fileBytes: number;
  /** As the file's own symbols count. */
  readonly address: number;
}

/** A part of the file by its kind. */
export interface Section {
  /** `SHT_…`. */
  readonly type: number;
  /** In the table of section names. */
  readonly nameOffset: number;
  /** As the file's own symbols count; 0: not loaded. */
  readonly address: number;
  /** First byte in the file. */
  readonly offset: number;
  /** Bytes in the file. */
  readonly sizeBytes: number;
  /** Index of the section this one refers to. */
  readonly link: number;
  /** Bytes of one entry of a table. */
  readonly entryBytes: number;
}

/** The outline of one file. */
export interface ElfImage {
  /** Executable ones, in the file's order. */
  readonly segments: readonly Segment[];
  /** In the file's order: links are indexes. */
  readonly sections: readonly Section[];
  /** Index of the section that holds section names. */
  readonly sectionNamesIndex: number;
  /** Lower-case hexadecimal digits; `undefined`: its linker gave it none. */
  readonly buildId: string | undefined;
}

/** Yields the outline of `file`; `undefined` when it is no ELF file that could run here. */
export function readElfImage(file: RandomAccess): ElfImage | undefined {
  const header = viewOf(file, 0, HEADER_BYTES);
  if (header === undefined || header.getUint32(0) !== 0x7f454c46 || header.getUint16(4) !== 0x0201) return undefined;
  const programHeaders = tableView(file, {
    offset: toSafe(header, 32),
    count: header.getUint16(54, true) === PROGRAM_HEADER_BYTES ? header.getUint16(56, true) : 0,
    entryBytes: PROGRAM_HEADER_BYTES,
  });
  return {
    segments: readSegments(programHeaders),
    sections: readSections(file, header),
    sectionNamesIndex: header.getUint16(62, true),
    buildId: readBuildId(file, programHeaders),
  };
}

/** Yields where a byte of the file lies as its own symbols count; `undefined` outside of executable segments. */
export function toImageAddress(fileOffset: number, segments: readonly Segment[]): number | undefined {
  const segment = segments.find((candidate) =>
    fileOffset >= candidate.fileOffset && fileOffset < candidate.fileOffset + candidate.fileBytes
  );
  return segment === undefined ? undefined : fileOffset - segment.fileOffset + segment.address;
}

/** Yields the first section of one of `names`; `undefined` when there is none. */
export function findSection(file: RandomAccess, image: ElfImage, names: ReadonlySet<string>): Section | undefined {
  const table = image.sections[image.sectionNamesIndex];
  const view = table === undefined ? undefined : viewOf(file, table.offset, table.sizeBytes);
  if (view === undefined) return undefined;
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const decoder = new TextDecoder();
  return image.sections.find(({ nameOffset }) => {
    const tail = bytes.subarray(nameOffset, nameOffset + SECTION_NAME_BYTES_MAX);
    const end = tail.indexOf(0);
    return end > 0 && names.has(decoder.decode(tail.subarray(0, end)));
  });
}

function readSegments(headers: DataView | undefined): readonly Segment[] {
  const segments: Segment[] = [];
  for (let at = 0; headers !== undefined && at < headers.byteLength; at += PROGRAM_HEADER_BYTES) {
    const isExecutable = (headers.getUint32(at + 4, true) & EXECUTABLE_FLAG) !== 0;
    if (headers.getUint32(at, true) !== LOADED_SEGMENT || !isExecutable) continue;
    segments.push({
      fileOffset: toSafe(headers, at + 8),
      address: toSafe(headers, at + 16),
      fileBytes: toSafe(headers, at + 32),
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
      nameOffset: view.getUint32(at, true),
      type: view.getUint32(at + 4, true),
      address: toSafe(view, at + 16),
      offset: toSafe(view, at + 24),
      sizeBytes: toSafe(view, at + 32),
      link: view.getUint32(at + 40, true),
      entryBytes: toSafe(view, at + 56),
    });
  }
  return sections;
}

function readBuildId(file: RandomAccess, headers: DataView | undefined): string | undefined {
  for (let at = 0; headers !== undefined && at < headers.byteLength; at += PROGRAM_HEADER_BYTES) {
    const sizeBytes = toSafe(headers, at + 32);
    if (headers.getUint32(at, true) !== NOTE_SEGMENT || sizeBytes > NOTE_BYTES_MAX) continue;
    const notes = viewOf(file, toSafe(headers, at + 8), sizeBytes);
    const found = notes === undefined ? undefined : findBuildId(notes, toSafe(headers, at + 48));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Notes are { u32 ownerBytes, u32 valueBytes, u32 type, owner, value }, both padded (elf(5), "Notes"). */
function findBuildId(notes: DataView, alignment: number): string | undefined {
  const unit = alignment === 8 ? 8 : 4;
  const padded = (length: number) => Math.ceil(length / unit) * unit;
  for (let at = 0; at + 12 <= notes.byteLength;) {
    const ownerBytes = notes.getUint32(at, true);
    const valueBytes = notes.getUint32(at + 4, true);
    const valueAt = at + padded(12 + ownerBytes);
    if (valueAt + valueBytes > notes.byteLength) return undefined;
    const isBuildId = notes.getUint32(at + 8, true) === BUILD_ID_NOTE && ownerBytes === 4 &&
      notes.getUint32(at + 12) === GNU_OWNER;
    if (isBuildId && valueBytes > 0 && valueBytes <= BUILD_ID_BYTES_MAX) {
      return toHex(new Uint8Array(notes.buffer, notes.byteOffset + valueAt, valueBytes));
    }
    at = valueAt + padded(valueBytes);
  }
  return undefined;
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function tableView(
  file: RandomAccess,
  table: { offset: number; count: number; entryBytes: number },
): DataView | undefined {
  const { offset, count, entryBytes } = table;
  return count > HEADERS_MAX ? undefined : viewOf(file, offset, count * entryBytes);
}
