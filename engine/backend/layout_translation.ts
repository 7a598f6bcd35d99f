/**
 * Structs of one layout as structs of another, field by field and by name: what
 * makes a recording outlive a change of bpf/include/pt_events.h. Pure.
 *
 * A field the recording does not have is 0, as a kernel program leaves what it
 * does not fill; one that this build does not have is left out.
 *
 * @module
 */

import type { LayoutTable } from "../btf/layout.ts";

/** Enums whose numbers only index rows of the same recording. */
const ROW_ENUMS: ReadonlySet<string> = new Set(["pt_hook"]);

/** The number that ends an enum grows with it. */
const END_MARK = /(^|_)COUNT$/;

/** One copy of bytes. */
interface Move {
  readonly from: number;
  readonly to: number;
  readonly lengthBytes: number;
}

/** How one struct becomes another. */
export interface StructTranslation {
  readonly fromBytes: number;
  readonly toBytes: number;
  /** `undefined`: they are the same. */
  readonly moves: readonly Move[] | undefined;
}

interface Field {
  readonly name: string;
  readonly type: string;
  readonly count: number;
  readonly offsetBytes: number;
}

const INTEGER_BYTES: ReadonlyMap<string, number> = new Map([
  ["u8", 1],
  ["u16", 2],
  ["u32", 4],
  ["s32", 4],
  ["u64", 8],
]);

/** From the layout of a recording to that of this build. */
export class LayoutTranslation {
  readonly #from: LayoutTable;
  readonly #to: LayoutTable;
  readonly #translations = new Map<string, StructTranslation | undefined>();

  constructor(from: LayoutTable, to: LayoutTable) {
    this.#from = from;
    this.#to = to;
  }

  /** Numbers that mean something else here than there: one line each. Such a recording cannot be read. */
  conflicts(): readonly string[] {
    return Object.entries(this.#from.enums).flatMap(([name, values]) => {
      const ours = this.#to.enums[name];
      if (ours === undefined || ROW_ENUMS.has(name)) return [];
      const names = new Map(Object.entries(ours).map(([value, number]) => [number, value]));
      return Object.entries(values).flatMap(([value, number]) => {
        const now = names.get(number);
        const isKept = ours[value] === number || END_MARK.test(value) || (now !== undefined && END_MARK.test(now));
        return isKept ? [] : [`${value} was ${number} and is ${ours[value] ?? "gone"}`];
      });
    });
  }

  /** Yields how `name` is translated; `undefined`: the recording or this build has no such struct. */
  struct(name: string): StructTranslation | undefined {
    if (!this.#translations.has(name)) this.#translations.set(name, this.#plan(name));
    return this.#translations.get(name);
  }

  #plan(name: string): StructTranslation | undefined {
    const from = this.#from.structs[name];
    const to = this.#to.structs[name];
    if (from === undefined || to === undefined) return undefined;
    const moves = this.#moves(name, { from: 0, to: 0 });
    const [only] = moves;
    const isSame = from.sizeBytes === to.sizeBytes && moves.length === 1 && only?.lengthBytes === from.sizeBytes;
    return { fromBytes: from.sizeBytes, toBytes: to.sizeBytes, moves: isSame ? undefined : moves };
  }

  #moves(name: string, base: { readonly from: number; readonly to: number }): readonly Move[] {
    const theirs = new Map(fieldsOf(this.#from, name).map((field) => [field.name, field]));
    const moves: Move[] = [];
    for (const ours of fieldsOf(this.#to, name)) {
      const field = theirs.get(ours.name);
      if (field === undefined || field.type !== ours.type) continue;
      const at = { from: base.from + field.offsetBytes, to: base.to + ours.offsetBytes };
      const count = Math.min(field.count, ours.count);
      for (const move of this.#elementMoves(ours.type, { ...at, count })) append(moves, move);
    }
    return moves;
  }

  #elementMoves(type: string, array: { from: number; to: number; count: number }): readonly Move[] {
    const { from, to, count } = array;
    const integerBytes = INTEGER_BYTES.get(type);
    if (integerBytes !== undefined) return [{ from, to, lengthBytes: integerBytes * count }];
    const fromBytes = this.#from.structs[type]?.sizeBytes ?? 0;
    const toBytes = this.#to.structs[type]?.sizeBytes ?? 0;
    return Array.from(
      { length: count },
      (_, index) => this.#moves(type, { from: from + index * fromBytes, to: to + index * toBytes }),
    ).flat();
  }
}

/** Yields `count` structs that lie one after the other at `strideBytes`, as this build has them. */
export function translateStructs(
  bytes: Uint8Array<ArrayBuffer>,
  translation: StructTranslation | undefined,
  options: { readonly strideBytes: number; readonly wantedStrideBytes: number },
): Uint8Array<ArrayBuffer> {
  const { strideBytes, wantedStrideBytes } = options;
  const isSame = translation === undefined || translation.moves === undefined;
  if (isSame && strideBytes === wantedStrideBytes) return bytes;
  const count = strideBytes === 0 ? 0 : Math.floor(bytes.length / strideBytes);
  const translated = new Uint8Array(count * wantedStrideBytes);
  for (let index = 0; index < count; index++) {
    const from = bytes.subarray(index * strideBytes, (index + 1) * strideBytes);
    const to = translated.subarray(index * wantedStrideBytes, (index + 1) * wantedStrideBytes);
    if (translation?.moves === undefined) to.set(from.subarray(0, to.length));
    else translateStruct(from, to, translation.moves);
  }
  return translated;
}

/** Copies what both layouts have; the rest of `to` stays as it is. */
export function translateStruct(from: Uint8Array, to: Uint8Array, moves: readonly Move[]): void {
  for (const move of moves) to.set(from.subarray(move.from, move.from + move.lengthBytes), move.to);
}

/** Joins what lies together on both sides. */
function append(moves: Move[], move: Move): void {
  const last = moves.at(-1);
  if (last === undefined || last.from + last.lengthBytes !== move.from || last.to + last.lengthBytes !== move.to) {
    moves.push(move);
    return;
  }
  moves[moves.length - 1] = { ...last, lengthBytes: last.lengthBytes + move.lengthBytes };
}

/** "pt_object[4] @ 16", as `LayoutTable` has it. */
const FIELD = /^(?<type>\w+)(?:\[(?<count>\d+)\])? @ (?<offset>\d+)$/;

function fieldsOf(table: LayoutTable, name: string): readonly Field[] {
  const fields = Object.entries(table.structs[name]?.fields ?? {});
  return fields.flatMap(([field, text]) => {
    const { type, count, offset } = FIELD.exec(text)?.groups ?? {};
    if (type === undefined || offset === undefined) return [];
    return [{ name: field, type, count: Number(count ?? 1), offsetBytes: Number(offset) }];
  });
}
