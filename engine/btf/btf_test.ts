import { assert } from "../../tests/support/assert.ts";
import { BtfBuilder, buildElf } from "../../tests/support/btf_builder.ts";
import { checkProperty, property } from "../../tests/support/property.ts";
import { readBtf, readObjectBtf, resolveType, sizeOfType } from "./btf.ts";
import { MalformedInputError } from "./errors.ts";
import { readLayout } from "./layout.ts";

Deno.test("readBtf() yields each kind of type as it was written", () => {
  const builder = new BtfBuilder();
  const u32 = builder.integer("unsigned int", { bytes: 4 });
  const flag = builder.integer("_Bool", { bytes: 1, isBoolean: true });
  const pointer = builder.pointer(u32);
  const array = builder.array(u32, 7);
  const struct = builder.struct("pt_pair", {
    bytes: 8,
    members: [{ name: "left", typeId: u32, offsetBits: 0 }, { name: "right", typeId: u32, offsetBits: 32 }],
  });
  const bits = builder.struct("flags", {
    bytes: 4,
    members: [{ name: "three", typeId: u32, offsetBits: 5, bitFieldBits: 3 }],
  });
  const union = builder.struct("either", {
    bytes: 4,
    isUnion: true,
    members: [{ name: "one", typeId: u32, offsetBits: 0 }],
  });
  const kinds = builder.enumeration("pt_kind", { PT_KIND_WAIT: 1, PT_KIND_NAME: 2 });
  const wide = builder.enumeration64("pt_wide", { PT_LOW: -1n, PT_HIGH: 1n << 40n }, { isSigned: true });
  const alias = builder.typedef("pt_u32", u32);
  const float = builder.raw({ name: "double", kind: 16, sizeOrType: 8 });
  const variable = builder.raw({ name: "LICENSE", kind: 14, sizeOrType: array, tail: [1] });
  const data = builder.raw({ name: ".maps", kind: 15, sizeOrType: 28, count: 1, tail: [variable, 0, 28] });
  const fn = builder.raw({ name: "main", kind: 12, sizeOrType: 0 });
  const { types } = readBtf(builder.build());
  const members = [
    { name: "left", typeId: u32, offsetBits: 0, bitFieldBits: 0 },
    { name: "right", typeId: u32, offsetBits: 32, bitFieldBits: 0 },
  ];
  assert.deepEqual(types[0], { kind: "void" });
  assert.deepEqual(types[u32], {
    kind: "integer",
    name: "unsigned int",
    sizeBytes: 4,
    bits: 32,
    isSigned: false,
    isBoolean: false,
  });
  assert.partialDeepStrictEqual(types[flag], { isBoolean: true, sizeBytes: 1 });
  assert.deepEqual(types[pointer], { kind: "pointer", typeId: u32 });
  assert.deepEqual(types[array], { kind: "array", typeId: u32, count: 7 });
  assert.deepEqual(types[struct], { kind: "struct", name: "pt_pair", sizeBytes: 8, members });
  assert.partialDeepStrictEqual(types[bits], { members: [{ name: "three", offsetBits: 5, bitFieldBits: 3 }] });
  assert.partialDeepStrictEqual(types[union], { kind: "union", name: "either" });
  assert.partialDeepStrictEqual(types[kinds], {
    values: [{ name: "PT_KIND_WAIT", value: 1n }, { name: "PT_KIND_NAME", value: 2n }],
  });
  assert.partialDeepStrictEqual(types[wide], { values: [{ value: -1n }, { value: 1n << 40n }] });
  assert.deepEqual(types[alias], { kind: "alias", name: "pt_u32", typeId: u32 });
  assert.deepEqual(types[float], { kind: "float", name: "double", sizeBytes: 8 });
  assert.partialDeepStrictEqual(types[data], { variables: [{ typeId: variable, offsetBytes: 0, sizeBytes: 28 }] });
  assert.deepEqual(types[fn], { kind: "other", name: "main" });
});

Deno.test("sizeOfType() sees through aliases, arrays and variables", () => {
  const builder = new BtfBuilder();
  const u16 = builder.integer("unsigned short", { bytes: 2 });
  const alias = builder.typedef("pt_u16", builder.typedef("__u16", u16));
  const matrix = builder.array(builder.array(alias, 3), 5);
  const variable = builder.raw({ name: "m", kind: 14, sizeOrType: matrix, tail: [0] });
  const pointers = builder.array(builder.pointer(u16), 2);
  const btf = readBtf(builder.build());
  assert.equal(sizeOfType(btf, alias), 2);
  assert.equal(sizeOfType(btf, matrix), 30);
  assert.equal(sizeOfType(btf, variable), 30);
  assert.equal(sizeOfType(btf, pointers), 16);
  assert.equal(sizeOfType(btf, 0), 0);
});

Deno.test("resolveType() and sizeOfType() end on circles and unknown ids", () => {
  const circle = new BtfBuilder();
  circle.typedef("a", 2);
  circle.typedef("b", 1);
  const loop = readBtf(circle.build());
  assert.throws(() => resolveType(loop, 1), MalformedInputError);
  assert.throws(() => resolveType(loop, 99), /no type 99 of 3/);
  const arrays = new BtfBuilder();
  arrays.array(1, 2);
  assert.throws(() => sizeOfType(readBtf(arrays.build()), 1), MalformedInputError);
});

Deno.test("readBtf() refuses what is no BTF, saying what it found", () => {
  const builder = new BtfBuilder();
  builder.integer("unsigned int", { bytes: 4 });
  const good = builder.build();
  const edited = (edit: (view: DataView) => void) => {
    const bytes = good.slice();
    edit(new DataView(bytes.buffer));
    return bytes;
  };
  const rows: readonly (readonly [Uint8Array, RegExp])[] = [
    [new Uint8Array(0), /no BTF header/],
    [good.subarray(0, 23), /no BTF header/],
    [edited((view) => view.setUint16(0, 0x9feb, true)), /no BTF header/],
    [edited((view) => view.setUint8(2, 2)), /version 2/],
    [edited((view) => view.setUint32(4, 8, true)), /header of 8 bytes/],
    [edited((view) => view.setUint32(12, 0xffff_ffff, true)), /found the end at/],
    [edited((view) => view.setUint32(12, 12, true)), /end inside the type at 0/],
    [edited((view) => view.setUint32(24, 9999, true)), /wanted 1 bytes at 9999/],
    [edited((view) => view.setUint32(28, 25 << 24, true)), /kind 25/],
    [good.slice(0, -1), /found the end at/],
  ];
  for (const [bytes, message] of rows) {
    assert.throws(
      () => readBtf(bytes),
      (error) => error instanceof MalformedInputError && message.test(error.message),
      String(message),
    );
  }
});

Deno.test("readBtf() takes no name without an end, nor one longer than 4096 bytes", () => {
  const last = new BtfBuilder();
  last.typedef("n".repeat(4096), 0);
  assert.partialDeepStrictEqual(readBtf(last.build()).types[1], { name: "n".repeat(4096) });
  const over = new BtfBuilder();
  over.typedef("n".repeat(4097), 0);
  assert.throws(() => readBtf(over.build()), /without an end/);
});

Deno.test("readObjectBtf() finds the section, or says that it is absent", () => {
  const builder = new BtfBuilder();
  builder.integer("int", { bytes: 4, isSigned: true });
  const object = buildElf([{ name: ".BTF", bytes: builder.build() }]);
  assert.equal(readObjectBtf(object).types.length, 2);
  assert.throws(() => readObjectBtf(buildElf([])), /no section \.BTF/);
});

Deno.test("readBtf() and readLayout() end in a value or their own error for any mutation", () => {
  const builder = new BtfBuilder();
  const { u8, u32, u64 } = builder.standardIntegers();
  const inner = builder.struct("pt_in", { bytes: 8, members: [{ name: "x", typeId: u64, offsetBits: 0 }] });
  builder.struct("pt_out", {
    bytes: 32,
    members: [
      { name: "comm", typeId: builder.array(u8, 16), offsetBits: 0 },
      { name: "in", typeId: inner, offsetBits: 128 },
      { name: "n", typeId: builder.typedef("pt_u32", u32), offsetBits: 192 },
      { name: "padding", typeId: u32, offsetBits: 224 },
    ],
  });
  builder.enumeration("pt_kind", { PT_KIND_WAIT: 1 });
  const sample = builder.build();
  const edits = property.array(property.tuple(property.nat(sample.byteLength - 1), property.nat(255)), {
    minLength: 1,
    maxLength: 8,
  });
  const expected = new Set(["MalformedInputError", "UnrepresentableLayoutError"]);
  checkProperty(property.tuple(edits, property.nat(sample.byteLength)), ([changes, length]) => {
    const bytes = sample.slice(0, length);
    for (const [at, value] of changes) bytes[at % Math.max(length, 1)] = value;
    try {
      readLayout(readBtf(bytes), { names: new Set(["pt_in", "pt_out", "pt_kind"]) });
    } catch (error) {
      assert.ok(error instanceof Error && expected.has(error.name), String(error));
    }
  }, { runCount: 2000 });
});

Deno.test("readBtf() ends in a value or its own error for random bytes behind a true header", () => {
  checkProperty(property.uint8Array({ maxLength: 400 }), (random) => {
    const bytes = new Uint8Array(24 + random.byteLength);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, 0xeb9f, true);
    view.setUint8(2, 1);
    view.setUint32(4, 24, true);
    view.setUint32(12, random.byteLength, true);
    view.setUint32(16, 0, true);
    view.setUint32(20, random.byteLength, true);
    bytes.set(random, 24);
    try {
      readBtf(bytes);
    } catch (error) {
      assert.ok(error instanceof MalformedInputError, String(error));
    }
  }, { runCount: 2000 });
});
