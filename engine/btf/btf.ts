/**
 * BPF Type Format (Documentation/bpf/btf.rst, include/uapi/linux/btf.h).
 *
 * @module
 */

import { ByteReader } from "./byte_reader.ts";
import { findSection, readElf, sectionBytes } from "./elf.ts";
import { MalformedInputError } from "./errors.ts";

const MAGIC = 0xeb9f;
const HEADER_BYTES = 24;
const TYPE_BYTES = 12;

/** Types of one object; a whole kernel has 150 000. */
export const TYPES_MAX = 1_000_000;
/** Typedefs and qualifiers around one type, arrays and structs in one another. */
const NESTING_MAX = 32;
/** Characters of all names together. */
const NAME_BUDGET = 64 * 1024 * 1024;

const KIND = {
  INT: 1,
  POINTER: 2,
  ARRAY: 3,
  STRUCT: 4,
  UNION: 5,
  ENUM: 6,
  FORWARD: 7,
  TYPEDEF: 8,
  VOLATILE: 9,
  CONST: 10,
  RESTRICT: 11,
  FUNCTION: 12,
  FUNCTION_PROTOTYPE: 13,
  VARIABLE: 14,
  DATA_SECTION: 15,
  FLOAT: 16,
  DECLARATION_TAG: 17,
  TYPE_TAG: 18,
  ENUM64: 19,
} as const;

/** `struct btf_member`, bit-fields told apart. */
export interface BtfMember {
  readonly name: string;
  readonly typeId: number;
  readonly offsetBits: number;
  /** 0: not a bit-field. */
  readonly bitFieldBits: number;
}

/** One type; `typeId` points to another. */
export type BtfType =
  | { readonly kind: "void" }
  | {
    readonly kind: "integer";
    readonly name: string;
    readonly sizeBytes: number;
    readonly bits: number;
    readonly isSigned: boolean;
    readonly isBoolean: boolean;
  }
  | { readonly kind: "float"; readonly name: string; readonly sizeBytes: number }
  | { readonly kind: "pointer"; readonly typeId: number }
  | { readonly kind: "array"; readonly typeId: number; readonly count: number }
  | {
    readonly kind: "struct" | "union";
    readonly name: string;
    readonly sizeBytes: number;
    readonly members: readonly BtfMember[];
  }
  | {
    readonly kind: "enum";
    readonly name: string;
    readonly sizeBytes: number;
    readonly values: readonly { readonly name: string; readonly value: bigint }[];
  }
  /** typedef, const, volatile, restrict, type tag: another type under it. */
  | { readonly kind: "alias"; readonly name: string; readonly typeId: number }
  | {
    readonly kind: "data_section";
    readonly name: string;
    readonly sizeBytes: number;
    readonly variables: readonly {
      readonly typeId: number;
      readonly offsetBytes: number;
      readonly sizeBytes: number;
    }[];
  }
  | { readonly kind: "variable"; readonly name: string; readonly typeId: number }
  /** Forward declarations, functions, prototypes, declaration tags. */
  | { readonly kind: "other"; readonly name: string };

/** All types; index is id, 0 is void. */
export interface Btf {
  readonly types: readonly BtfType[];
}

/** The BTF of an object file. @throws {MalformedInputError} Also when it has none */
export function readObjectBtf(object: Uint8Array): Btf {
  const elf = readElf(object);
  const section = findSection(elf, ".BTF");
  if (section === undefined) {
    throw new MalformedInputError("elf", "found no section .BTF, wanted an object built with -g");
  }
  return readBtf(sectionBytes(elf, section));
}

/** The contents of a .BTF section. @throws {MalformedInputError} */
export function readBtf(bytes: Uint8Array): Btf {
  const header = new ByteReader(bytes, "btf");
  if (header.lengthBytes < HEADER_BYTES || header.u16(0) !== MAGIC) throw header.malformed("found no BTF header");
  if (header.u8(2) !== 1) throw header.malformed(`found version ${header.u8(2)}, wanted 1`);
  const headerBytes = header.u32(4);
  if (headerBytes < HEADER_BYTES) throw header.malformed(`found a header of ${headerBytes} bytes`);
  const typesReader = new ByteReader(header.slice(headerBytes + header.u32(8), header.u32(12)), "btf");
  const stringsReader = new ByteReader(header.slice(headerBytes + header.u32(16), header.u32(20)), "btf");
  const cursor: TypeCursor = { types: typesReader, names: new NameReader(stringsReader), at: 0 };
  const types: BtfType[] = [{ kind: "void" }];
  while (cursor.at < typesReader.lengthBytes) {
    if (types.length > TYPES_MAX) throw header.malformed(`found over ${TYPES_MAX} types`);
    types.push(readType(cursor));
  }
  return { types };
}

class NameReader {
  readonly #strings: ByteReader;
  #characterCount = 0;

  constructor(strings: ByteReader) {
    this.#strings = strings;
  }

  /** @throws {MalformedInputError} */
  text(offset: number): string {
    if (offset === 0) return "";
    const name = this.#strings.text(offset);
    this.#characterCount += name.length;
    if (this.#characterCount > NAME_BUDGET) throw this.#strings.malformed(`found names over ${NAME_BUDGET} characters`);
    return name;
  }
}

interface TypeCursor {
  readonly types: ByteReader;
  readonly names: NameReader;
  at: number;
}

/** Reads `struct btf_type` and what follows it, and moves past both. */
function readType(cursor: TypeCursor): BtfType {
  const { types, names, at } = cursor;
  const name = names.text(types.u32(at));
  const info = types.u32(at + 4);
  const sizeOrType = types.u32(at + 8);
  const count = info & 0xffff;
  const kind = (info >>> 24) & 0x1f;
  const hasKindFlag = (info >>> 31) === 1;
  const tail = at + TYPE_BYTES;
  cursor.at = tail + tailBytes(kind, { count, types });
  if (cursor.at > types.lengthBytes) throw types.malformed(`found the end inside the type at ${at}`);
  switch (kind) {
    case KIND.INT: {
      const encoding = types.u32(tail);
      return {
        kind: "integer",
        name,
        sizeBytes: sizeOrType,
        bits: encoding & 0xff,
        isSigned: ((encoding >>> 24) & 1) === 1,
        isBoolean: ((encoding >>> 24) & 4) === 4,
      };
    }
    case KIND.FLOAT:
      return { kind: "float", name, sizeBytes: sizeOrType };
    case KIND.POINTER:
      return { kind: "pointer", typeId: sizeOrType };
    case KIND.ARRAY:
      return { kind: "array", typeId: types.u32(tail), count: types.u32(tail + 8) };
    case KIND.STRUCT:
    case KIND.UNION: {
      const members = readEach(count, (index) => readMember(cursor, { at: tail + index * 12, hasKindFlag }));
      return { kind: kind === KIND.STRUCT ? "struct" : "union", name, sizeBytes: sizeOrType, members };
    }
    case KIND.ENUM:
    case KIND.ENUM64: {
      const is64 = kind === KIND.ENUM64;
      const values = readEach(count, (index) => {
        const entry = tail + index * (is64 ? 12 : 8);
        return {
          name: names.text(types.u32(entry)),
          value: readEnumValue(types, { entry, is64, isSigned: hasKindFlag }),
        };
      });
      return { kind: "enum", name, sizeBytes: sizeOrType, values };
    }
    case KIND.TYPEDEF:
    case KIND.VOLATILE:
    case KIND.CONST:
    case KIND.RESTRICT:
    case KIND.TYPE_TAG:
      return { kind: "alias", name, typeId: sizeOrType };
    case KIND.VARIABLE:
      return { kind: "variable", name, typeId: sizeOrType };
    case KIND.DATA_SECTION: {
      const variables = readEach(count, (index) => ({
        typeId: types.u32(tail + index * 12),
        offsetBytes: types.u32(tail + index * 12 + 4),
        sizeBytes: types.u32(tail + index * 12 + 8),
      }));
      return { kind: "data_section", name, sizeBytes: sizeOrType, variables };
    }
    default:
      return { kind: "other", name };
  }
}

/** What follows `struct btf_type`, by kind. @throws {MalformedInputError} For a kind nobody knows: its length is unknown too */
function tailBytes(kind: number, context: { count: number; types: ByteReader }): number {
  const { count, types } = context;
  switch (kind) {
    case KIND.INT:
    case KIND.VARIABLE:
    case KIND.DECLARATION_TAG:
      return 4;
    case KIND.ARRAY:
      return 12;
    case KIND.STRUCT:
    case KIND.UNION:
    case KIND.DATA_SECTION:
    case KIND.ENUM64:
      return count * 12;
    case KIND.ENUM:
    case KIND.FUNCTION_PROTOTYPE:
      return count * 8;
    case KIND.POINTER:
    case KIND.FORWARD:
    case KIND.TYPEDEF:
    case KIND.VOLATILE:
    case KIND.CONST:
    case KIND.RESTRICT:
    case KIND.FUNCTION:
    case KIND.FLOAT:
    case KIND.TYPE_TAG:
      return 0;
    default:
      throw types.malformed(`found a type of kind ${kind}, wanted 1 to 19`);
  }
}

function readEach<T>(count: number, read: (index: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, index) => read(index));
}

function readMember(cursor: TypeCursor, where: { at: number; hasKindFlag: boolean }): BtfMember {
  const { types, names } = cursor;
  const offset = types.u32(where.at + 8);
  return {
    name: names.text(types.u32(where.at)),
    typeId: types.u32(where.at + 4),
    offsetBits: where.hasKindFlag ? offset & 0xff_ffff : offset,
    bitFieldBits: where.hasKindFlag ? offset >>> 24 : 0,
  };
}

function readEnumValue(types: ByteReader, where: { entry: number; is64: boolean; isSigned: boolean }): bigint {
  if (where.is64) {
    const raw = BigInt(types.u32(where.entry + 4)) | (BigInt(types.u32(where.entry + 8)) << 32n);
    return where.isSigned ? BigInt.asIntN(64, raw) : raw;
  }
  // Compilers before the kind flag meant "signed" for enums leave it clear for negative values too.
  return BigInt(types.s32(where.entry + 4));
}

/** The type under typedefs and qualifiers. @throws {MalformedInputError} For an unknown id or a circle */
export function resolveType(btf: Btf, typeId: number): BtfType {
  let id = typeId;
  for (let depth = 0; depth < NESTING_MAX; depth++) {
    const type = btf.types[id];
    if (type === undefined) throw new MalformedInputError("btf", `found no type ${id} of ${btf.types.length}`);
    if (type.kind !== "alias") return type;
    id = type.typeId;
  }
  throw new MalformedInputError("btf", `found over ${NESTING_MAX} aliases around type ${typeId}`);
}

/** Bytes a value of the type takes; 0 for void and functions. @throws {MalformedInputError} */
export function sizeOfType(btf: Btf, typeId: number): number {
  let id = typeId;
  let factor = 1;
  for (let depth = 0; depth < NESTING_MAX; depth++) {
    const type = resolveType(btf, id);
    switch (type.kind) {
      case "integer":
      case "float":
      case "struct":
      case "union":
      case "enum":
      case "data_section":
        return factor * type.sizeBytes;
      case "pointer":
        return factor * 8;
      case "array":
      case "variable":
        factor *= type.kind === "array" ? type.count : 1;
        id = type.typeId;
        break;
      default:
        return 0;
    }
  }
  throw new MalformedInputError("btf", `found over ${NESTING_MAX} arrays in type ${typeId}`);
}
