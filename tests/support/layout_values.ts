/**
 * Decodes a struct by walking its layout field by field: slow, and written
 * without a look at the generator, so that the two can be compared. The same
 * walk writes sentinels in C.
 *
 * @module
 */

import type { FieldLayout, Layout, StructLayout } from "../../engine/btf/layout.ts";

/** A decoded struct: what a generated decoder yields. */
export type DecodedStruct = Readonly<Record<string, unknown>>;

/** Yields the struct `name` of `layout` at `at`. */
export function decodeByLayout(layout: Layout, where: { name: string; view: DataView; at: number }): DecodedStruct {
  const members: Record<string, unknown> = {};
  for (const field of structOf(layout, where.name).fields) {
    if (field.name.startsWith("padding")) continue;
    for (const [name, value] of decodeField(layout, { ...where, field })) members[camelCase(name)] = value;
  }
  return members;
}

function decodeField(
  layout: Layout,
  where: { view: DataView; at: number; field: FieldLayout },
): readonly (readonly [string, unknown])[] {
  const { view, field } = where;
  const { element, count, name } = field;
  const at = where.at + field.offsetBytes;
  if (element.kind === "struct") {
    const nested = structOf(layout, element.name);
    const decode = (index: number) =>
      decodeByLayout(layout, { name: nested.name, view, at: at + index * nested.sizeBytes });
    return [[name, count === undefined ? decode(0) : Array.from({ length: count }, (_, index) => decode(index))]];
  }
  const word = (index: number): bigint => {
    let value = 0n;
    for (let byte = element.bytes - 1; byte >= 0; byte--) {
      value = (value << 8n) | BigInt(view.getUint8(at + index * element.bytes + byte));
    }
    return element.isSigned ? BigInt.asIntN(element.bytes * 8, value) : value;
  };
  const words = Array.from({ length: count ?? 1 }, (_, index) => word(index));
  if (element.bytes === 1 && count !== undefined) {
    const bytes = new Uint8Array(words.map(Number));
    return [[name, name.endsWith("comm") ? textOf(bytes) : bytes]];
  }
  if (element.bytes < 8) return [[name, count === undefined ? Number(words[0]) : words.map(Number)]];
  if (name.endsWith("_ns")) {
    const times = words.map((ns) => Number(ns >> 32n) * 4294.967296 + Number(ns & 0xffff_ffffn) / 1e6);
    return [[name.replace(/_ns$/, "_ms"), count === undefined ? times[0] : times]];
  }
  if (count !== undefined) return [[name, words]];
  const [value = 0n] = words;
  return [[`${name}_low`, Number(value & 0xffff_ffffn)], [`${name}_high`, Number(value >> 32n)]];
}

/** Yields the places of all integers of a struct, as C spells them: "key.object.low", "buckets[3]". */
export function integerPlaces(layout: Layout, name: string): readonly string[] {
  return structOf(layout, name).fields.flatMap((field) => {
    const places = field.count === undefined
      ? [field.name]
      : Array.from({ length: field.count }, (_, index) => `${field.name}[${index}]`);
    const { element } = field;
    if (element.kind === "integer") return places;
    return places.flatMap((place) => integerPlaces(layout, element.name).map((inner) => `${place}.${inner}`));
  });
}

/** Yields the name under which the generated module knows a struct. */
export function pascalCase(name: string): string {
  return camelCase(`_${name}`);
}

function camelCase(name: string): string {
  return name.split("_").map((word, index) => index === 0 ? word : word.slice(0, 1).toUpperCase() + word.slice(1))
    .join("");
}

function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(end < 0 ? bytes : bytes.subarray(0, end));
}

function structOf(layout: Layout, name: string): StructLayout {
  const struct = layout.structs.find((candidate) => candidate.name === name);
  if (struct === undefined) throw new RangeError(`Cannot walk struct ${name}: the layout has none of that name`);
  return struct;
}
