/**
 * ELF64 files, little endian: sections and symbols. Bounded: a hostile file
 * ends in an error, never in a hang or in memory running out.
 *
 * @module
 */

import { ByteReader } from "./byte_reader.ts";

/** `Elf64_Ehdr.e_machine` */
export const ELF_MACHINE = { X86_64: 62, AARCH64: 183, BPF: 247 } as const;

/** `Elf64_Shdr.sh_type` */
export const SECTION_TYPE = { SYMTAB: 2, NOBITS: 8, DYNSYM: 11 } as const;

const MAGIC = 0x464c_457f; // 0x7f "ELF"
const CLASS_64 = 2;
const DATA_LITTLE_ENDIAN = 1;
const HEADER_BYTES = 64;
const SECTION_HEADER_BYTES = 64;
const SYMBOL_BYTES = 24;

/** Sections of one file; an object of ours has some 30. */
export const SECTIONS_MAX = 4096;
/** Bytes of one section that are handed out; the kernel's BTF has 6 MiB. */
export const SECTION_BYTES_MAX = 16 * 1024 * 1024;
/** Characters of all symbol names together. */
const SYMBOL_NAME_BUDGET = 64 * 1024 * 1024;

/** One section header, its name resolved. */
export interface ElfSection {
  readonly name: string;
  readonly type: number;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  /** Index of a related section; of a symbol table, its strings. */
  readonly link: number;
}

/** A file's shape; the bytes stay where they are. */
export interface ElfFile {
  readonly bytes: Uint8Array;
  readonly machine: number;
  readonly sections: readonly ElfSection[];
}

/** One symbol. */
export interface ElfSymbol {
  readonly name: string;
  /** STT_*: 1 object, 2 function. */
  readonly type: number;
  readonly sectionIndex: number;
  readonly value: bigint;
  readonly sizeBytes: bigint;
}

/** @throws {MalformedInputError} */
export function readElf(bytes: Uint8Array): ElfFile {
  const reader = new ByteReader(bytes, "elf");
  if (reader.lengthBytes < HEADER_BYTES || reader.u32(0) !== MAGIC) {
    throw reader.malformed("found no ELF header");
  }
  if (reader.u8(4) !== CLASS_64 || reader.u8(5) !== DATA_LITTLE_ENDIAN) {
    throw reader.malformed(`found class ${reader.u8(4)} and byte order ${reader.u8(5)}, wanted 64 bits, little endian`);
  }
  const machine = reader.u16(18);
  const tableOffset = reader.size(40);
  if (tableOffset === 0) return { bytes, machine, sections: [] };
  if (reader.u16(58) !== SECTION_HEADER_BYTES) {
    throw reader.malformed(`found section headers of ${reader.u16(58)} bytes, wanted ${SECTION_HEADER_BYTES}`);
  }
  // More than 65 279 sections: the count moves to the first header. That is past our bound anyway.
  const sectionCount = reader.u16(60);
  if (sectionCount > SECTIONS_MAX) {
    throw reader.malformed(`found ${sectionCount} sections, wanted at most ${SECTIONS_MAX}`);
  }
  const headers = Array.from({ length: sectionCount }, (_, index) => tableOffset + index * SECTION_HEADER_BYTES);
  const namesHeader = headers[reader.u16(62)];
  if (namesHeader === undefined) {
    if (sectionCount === 0) return { bytes, machine, sections: [] };
    throw reader.malformed(`found section names in section ${reader.u16(62)} of ${sectionCount}`);
  }
  const names = new ByteReader(reader.slice(reader.size(namesHeader + 24), reader.size(namesHeader + 32)), "elf");
  return { bytes, machine, sections: headers.map((header) => readSectionHeader(reader, { header, names })) };
}

function readSectionHeader(reader: ByteReader, at: { header: number; names: ByteReader }): ElfSection {
  const { header, names } = at;
  const type = reader.u32(header + 4);
  const hasBytes = type !== SECTION_TYPE.NOBITS;
  const section: ElfSection = {
    name: names.text(reader.u32(header)),
    type,
    offsetBytes: hasBytes ? reader.size(header + 24) : 0,
    sizeBytes: hasBytes ? reader.size(header + 32) : 0,
    link: reader.u32(header + 40),
  };
  if (section.offsetBytes + section.sizeBytes > reader.lengthBytes) {
    throw reader.malformed(`found section ${section.name} to end past the input's ${reader.lengthBytes} bytes`);
  }
  return section;
}

/** The first section of that name. */
export function findSection(elf: ElfFile, name: string): ElfSection | undefined {
  return elf.sections.find((section) => section.name === name);
}

/** The section's bytes; not a copy. @throws {MalformedInputError} Past 16 MiB */
export function sectionBytes(elf: ElfFile, section: ElfSection): Uint8Array {
  const reader = new ByteReader(elf.bytes, "elf");
  if (section.sizeBytes > SECTION_BYTES_MAX) {
    throw reader.malformed(
      `found ${section.sizeBytes} bytes in section ${section.name}, wanted at most ${SECTION_BYTES_MAX}`,
    );
  }
  return reader.slice(section.offsetBytes, section.sizeBytes);
}

/** Symbols of `table`, in file order; the empty one at its start is left out. @throws {MalformedInputError} */
export function readSymbols(elf: ElfFile, table: ElfSection): readonly ElfSymbol[] {
  const reader = new ByteReader(sectionBytes(elf, table), "elf");
  const strings = elf.sections[table.link];
  if (strings === undefined) throw reader.malformed(`found no section ${table.link} with the names of ${table.name}`);
  const names = new ByteReader(sectionBytes(elf, strings), "elf");
  const symbols: ElfSymbol[] = [];
  let nameCharacters = 0;
  for (let at = SYMBOL_BYTES; at + SYMBOL_BYTES <= reader.lengthBytes; at += SYMBOL_BYTES) {
    const name = names.text(reader.u32(at));
    nameCharacters += name.length;
    if (nameCharacters > SYMBOL_NAME_BUDGET) {
      throw reader.malformed(`found symbol names over ${SYMBOL_NAME_BUDGET} characters in ${table.name}`);
    }
    symbols.push({
      name,
      type: reader.u8(at + 4) & 0xf,
      sectionIndex: reader.u16(at + 6),
      value: reader.u64(at + 8),
      sizeBytes: reader.u64(at + 16),
    });
  }
  return symbols;
}
