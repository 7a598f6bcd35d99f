/**
 * The layout of our own structs and enums, as an object's BTF has it.
 *
 * @module
 */

import { type Btf, type BtfMember, type BtfType, resolveType, sizeOfType } from "./btf.ts";
import { UnrepresentableLayoutError } from "./errors.ts";

/** What one field, or one element of an array field, is. */
export type ElementType =
  | { readonly kind: "integer"; readonly bytes: 1 | 2 | 4 | 8; readonly isSigned: boolean }
  | { readonly kind: "struct"; readonly name: string };

/** One field. */
export interface FieldLayout {
  readonly name: string;
  readonly offsetBytes: number;
  readonly element: ElementType;
  /** `undefined`: not an array. */
  readonly count: number | undefined;
}

/** One struct, fields in memory order without gaps. */
export interface StructLayout {
  readonly name: string;
  readonly sizeBytes: number;
  readonly fields: readonly FieldLayout[];
}

/** One enum, values in the order of the header. */
export interface EnumLayout {
  readonly name: string;
  readonly values: readonly { readonly name: string; readonly value: number }[];
}

/** All of them, by name. */
export interface Layout {
  readonly structs: readonly StructLayout[];
  readonly enums: readonly EnumLayout[];
}

/** The same as plain data, to be committed and compared: a field is "u32 @ 12", "pt_object[4] @ 16". */
export interface LayoutTable {
  readonly structs: Readonly<
    Record<string, { readonly sizeBytes: number; readonly fields: Readonly<Record<string, string>> }>
  >;
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/**
 * The structs and enums called `names`; which of them the BTF lacks shows in the result.
 *
 * @throws {UnrepresentableLayoutError} For bit-fields, pointers, enums as
 *   fields, unions, gaps, and integers other than u8, u16, u32, s32 and u64
 * @throws {MalformedInputError}
 */
export function readLayout(btf: Btf, options: { names: ReadonlySet<string> }): Layout {
  const structs = new Map<string, StructLayout>();
  const enums = new Map<string, EnumLayout>();
  const problems: string[] = [];
  for (const type of btf.types) {
    if (!("name" in type) || !options.names.has(type.name)) continue;
    if (type.kind === "struct" && !structs.has(type.name)) structs.set(type.name, toStruct(btf, { type, problems }));
    if (type.kind === "enum" && !enums.has(type.name)) enums.set(type.name, toEnum(type, problems));
    if (type.kind === "union") problems.push(`${type.name}: found a union, wanted a struct`);
  }
  if (problems.length > 0) throw new UnrepresentableLayoutError(problems);
  return { structs: sortByName(structs.values()), enums: sortByName(enums.values()) };
}

function sortByName<T extends { readonly name: string }>(items: Iterable<T>): readonly T[] {
  return [...items].sort((a, b) => a.name < b.name ? -1 : 1);
}

type BtfStruct = Extract<BtfType, { kind: "struct" | "union" }>;

function toStruct(btf: Btf, context: { type: BtfStruct; problems: string[] }): StructLayout {
  const { type, problems } = context;
  const fields: FieldLayout[] = [];
  let endBytes = 0;
  for (const member of type.members) {
    const path = `${type.name}.${member.name === "" ? "(anonymous)" : member.name}`;
    const shape = member.bitFieldBits > 0 || member.offsetBits % 8 !== 0 ? "a bit-field" : toShape(btf, member);
    if (typeof shape === "string") {
      problems.push(`${path}: found ${shape}, wanted u8, u16, u32, s32, u64, a struct, or an array of them`);
    } else {
      fields.push({ name: member.name, offsetBytes: member.offsetBits / 8, ...shape });
    }
    const offsetBytes = Math.floor(member.offsetBits / 8);
    if (offsetBytes > endBytes) {
      problems.push(`${path}: found ${offsetBytes - endBytes} bytes of padding before it, wanted explicit padding`);
    }
    endBytes = Math.max(endBytes, offsetBytes + sizeOfType(btf, member.typeId));
  }
  if (endBytes !== type.sizeBytes) {
    problems.push(
      `${type.name}: found ${type.sizeBytes - endBytes} bytes of padding at its end, wanted explicit padding`,
    );
  }
  return { name: type.name, sizeBytes: type.sizeBytes, fields };
}

/** What the member is, or why it cannot be. */
function toShape(btf: Btf, member: BtfMember): Pick<FieldLayout, "element" | "count"> | string {
  if (member.name === "") return "a member without a name";
  const type = resolveType(btf, member.typeId);
  if (type.kind !== "array") {
    const element = toElement(type);
    return typeof element === "string" ? element : { element, count: undefined };
  }
  const inner = resolveType(btf, type.typeId);
  if (inner.kind === "array") return "an array of arrays";
  const element = toElement(inner);
  return typeof element === "string" ? `an array of ${element}` : { element, count: type.count };
}

function toElement(type: BtfType): ElementType | string {
  if (type.kind === "struct") return type.name === "" ? "a struct without a name" : { kind: "struct", name: type.name };
  if (type.kind !== "integer") return `a${type.kind === "enum" ? "n" : ""} ${type.kind}`;
  const { sizeBytes, isSigned } = type;
  if (type.isBoolean) return "a bool";
  if (type.bits !== sizeBytes * 8) return "a bit-field";
  const isKnown = isSigned ? sizeBytes === 4 : [1, 2, 4, 8].includes(sizeBytes);
  if (!isKnown) return `${isSigned ? "s" : "u"}${sizeBytes * 8}`;
  return { kind: "integer", bytes: sizeBytes as 1 | 2 | 4 | 8, isSigned };
}

function toEnum(type: Extract<BtfType, { kind: "enum" }>, problems: string[]): EnumLayout {
  const values = type.values.map(({ name, value }) => {
    if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) {
      problems.push(`${type.name}.${name}: found ${value}, wanted 0 to ${Number.MAX_SAFE_INTEGER}`);
    }
    return { name, value: Number(value) };
  });
  return { name: type.name, values };
}

/** "u32", "pt_object", "u8[16]". */
export function fieldTypeName(field: FieldLayout): string {
  const { element, count } = field;
  const name = element.kind === "struct" ? element.name : `${element.isSigned ? "s" : "u"}${element.bytes * 8}`;
  return count === undefined ? name : `${name}[${count}]`;
}

/** `layout` as plain data. */
export function toLayoutTable(layout: Layout): LayoutTable {
  const structs = layout.structs.map(({ name, sizeBytes, fields }) => {
    const texts = fields.map((field) => [field.name, `${fieldTypeName(field)} @ ${field.offsetBytes}`] as const);
    return [name, { sizeBytes, fields: Object.fromEntries(texts) }] as const;
  });
  const enums = layout.enums.map(({ name, values }) =>
    [name, Object.fromEntries(values.map((value) => [value.name, value.value]))] as const
  );
  return { structs: Object.fromEntries(structs), enums: Object.fromEntries(enums) };
}

/** How `found` differs from `expected`: one line per struct, field, enum or value; none when they agree. */
export function diffLayoutTables(expected: LayoutTable, found: LayoutTable): readonly string[] {
  const structs = diffRecords(expected.structs, found.structs, (name, wanted, has) => [
    ...(wanted.sizeBytes === has.sizeBytes
      ? []
      : [`${name}: found ${has.sizeBytes} bytes, wanted ${wanted.sizeBytes}`]),
    ...diffValues(name, { expected: wanted.fields, found: has.fields }),
  ]);
  const enums = diffRecords(
    expected.enums,
    found.enums,
    (name, wanted, has) => diffValues(name, { expected: wanted, found: has }),
  );
  return [...structs, ...enums];
}

function diffRecords<T>(
  expected: Readonly<Record<string, T>>,
  found: Readonly<Record<string, T>>,
  diff: (name: string, expected: T, found: T) => readonly string[],
): readonly string[] {
  const names = [...new Set([...Object.keys(expected), ...Object.keys(found)])].sort();
  return names.flatMap((name) => {
    const wanted = expected[name];
    const has = found[name];
    if (wanted === undefined) return [`${name}: found, wanted none of that name`];
    if (has === undefined) return [`${name}: not found`];
    return diff(name, wanted, has);
  });
}

function diffValues<T extends string | number>(
  owner: string,
  sides: { expected: Readonly<Record<string, T>>; found: Readonly<Record<string, T>> },
): readonly string[] {
  return diffRecords(
    sides.expected,
    sides.found,
    (name, wanted, has) => wanted === has ? [] : [`${name}: found ${has}, wanted ${wanted}`],
  ).map((line) => `${owner}.${line}`);
}

const FNV_OFFSET_BASIS = 0xcbf2_9ce4_8422_2325n;
const FNV_PRIME = 0x100_0000_01b3n;

/** 16 hex digits that change whenever a name, type, offset, size or value does (FNV-1a, 64 bits). */
export function layoutHash(table: LayoutTable): string {
  let hash = FNV_OFFSET_BASIS;
  for (const byte of new TextEncoder().encode(JSON.stringify([table.structs, table.enums]))) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * FNV_PRIME);
  }
  return hash.toString(16).padStart(16, "0");
}
