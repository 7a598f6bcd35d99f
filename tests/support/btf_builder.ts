/**
 * BTF sections and the ELF files around them, for tests that need odd ones.
 *
 * @module
 */

export interface MemberSpec {
  readonly name: string;
  readonly typeId: number;
  readonly offsetBits: number;
  readonly bitFieldBits?: number;
}

/** Appends types; each call yields the new type's id. */
export class BtfBuilder {
  readonly #types: number[] = [];
  readonly #strings: number[] = [0];
  #nextId = 1;

  integer(name: string, options: { bytes: number; bits?: number; isSigned?: boolean; isBoolean?: boolean }): number {
    const flags = (options.isSigned === true ? 1 : 0) | (options.isBoolean === true ? 4 : 0);
    const encoding = (flags << 24) | (options.bits ?? options.bytes * 8);
    return this.raw({ name, kind: 1, sizeOrType: options.bytes, tail: [encoding] });
  }

  /** The five integers our layouts are made of, by name. */
  standardIntegers(): { u8: number; u16: number; u32: number; s32: number; u64: number } {
    return {
      u8: this.integer("unsigned char", { bytes: 1 }),
      u16: this.integer("unsigned short", { bytes: 2 }),
      u32: this.integer("unsigned int", { bytes: 4 }),
      s32: this.integer("int", { bytes: 4, isSigned: true }),
      u64: this.integer("unsigned long long", { bytes: 8 }),
    };
  }

  pointer(typeId: number): number {
    return this.raw({ name: "", kind: 2, sizeOrType: typeId });
  }

  array(typeId: number, count: number): number {
    return this.raw({ name: "", kind: 3, sizeOrType: 0, tail: [typeId, 1, count] });
  }

  struct(name: string, options: { bytes: number; members: readonly MemberSpec[]; isUnion?: boolean }): number {
    const hasBitFields = options.members.some(({ bitFieldBits }) => bitFieldBits !== undefined);
    const tail = options.members.flatMap((member) => [
      this.#text(member.name),
      member.typeId,
      member.offsetBits | ((member.bitFieldBits ?? 0) << 24),
    ]);
    return this.raw({
      name,
      kind: options.isUnion === true ? 5 : 4,
      sizeOrType: options.bytes,
      count: options.members.length,
      hasKindFlag: hasBitFields,
      tail,
    });
  }

  enumeration(name: string, values: Readonly<Record<string, number>>): number {
    const entries = Object.entries(values);
    const tail = entries.flatMap(([key, value]) => [this.#text(key), value]);
    return this.raw({ name, kind: 6, sizeOrType: 4, count: entries.length, tail });
  }

  enumeration64(name: string, values: Readonly<Record<string, bigint>>, options: { isSigned: boolean }): number {
    const entries = Object.entries(values);
    const tail = entries.flatMap(([key, value]) => [
      this.#text(key),
      Number(BigInt.asUintN(32, value)),
      Number(BigInt.asUintN(32, value >> 32n)),
    ]);
    return this.raw({ name, kind: 19, sizeOrType: 8, count: entries.length, hasKindFlag: options.isSigned, tail });
  }

  typedef(name: string, typeId: number): number {
    return this.raw({ name, kind: 8, sizeOrType: typeId });
  }

  /** Any type, as the format has it. */
  raw(
    type: {
      name: string;
      kind: number;
      sizeOrType: number;
      count?: number;
      hasKindFlag?: boolean;
      tail?: readonly number[];
    },
  ): number {
    const info = ((type.hasKindFlag === true ? 1 : 0) << 31) | (type.kind << 24) | (type.count ?? 0);
    this.#types.push(this.#text(type.name), info, type.sizeOrType, ...(type.tail ?? []));
    return this.#nextId++;
  }

  /** The section's bytes. */
  build(): Uint8Array<ArrayBuffer> {
    const typeBytes = this.#types.length * 4;
    const bytes = new Uint8Array(24 + typeBytes + this.#strings.length);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, 0xeb9f, true);
    view.setUint8(2, 1);
    view.setUint32(4, 24, true);
    view.setUint32(12, typeBytes, true);
    view.setUint32(16, typeBytes, true);
    view.setUint32(20, this.#strings.length, true);
    this.#types.forEach((word, index) => view.setUint32(24 + index * 4, word, true));
    bytes.set(this.#strings, 24 + typeBytes);
    return bytes;
  }

  #text(text: string): number {
    if (text === "") return 0;
    const offset = this.#strings.length;
    this.#strings.push(...new TextEncoder().encode(text), 0);
    return offset;
  }
}

export interface SectionSpec {
  readonly name: string;
  readonly type?: number;
  readonly link?: number;
  readonly bytes: Uint8Array;
}

/** An ELF64 file of `sections`, which are numbered from 1; the names come last. */
export function buildElf(
  sections: readonly SectionSpec[],
  options: { machine?: number } = {},
): Uint8Array<ArrayBuffer> {
  const names = [...sections.map(({ name }) => name), ".shstrtab"];
  const strings = new TextEncoder().encode(`\0${names.join("\0")}\0`);
  const all = [...sections, { name: ".shstrtab", type: 3, bytes: strings }];
  const dataBytes = all.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
  const file = new Uint8Array(64 + dataBytes + (all.length + 1) * 64);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(18, options.machine ?? 247, true);
  view.setBigUint64(40, BigInt(64 + dataBytes), true);
  view.setUint16(58, 64, true);
  view.setUint16(60, all.length + 1, true);
  view.setUint16(62, all.length, true);
  let dataAt = 64;
  let nameAt = 1;
  all.forEach((section, index) => {
    const header = 64 + dataBytes + (index + 1) * 64;
    file.set(section.bytes, dataAt);
    view.setUint32(header, nameAt, true);
    view.setUint32(header + 4, section.type ?? 1, true);
    view.setBigUint64(header + 24, BigInt(dataAt), true);
    view.setBigUint64(header + 32, BigInt(section.bytes.byteLength), true);
    view.setUint32(header + 40, ("link" in section ? section.link : undefined) ?? 0, true);
    dataAt += section.bytes.byteLength;
    nameAt += new TextEncoder().encode(section.name).byteLength + 1;
  });
  return file;
}
