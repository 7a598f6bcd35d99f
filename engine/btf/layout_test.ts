import { assert } from "../../tests/support/assert.ts";
import { BtfBuilder, type MemberSpec } from "../../tests/support/btf_builder.ts";
import { readBtf } from "./btf.ts";
import { UnrepresentableLayoutError } from "./errors.ts";
import { diffLayoutTables, layoutHash, type LayoutTable, readLayout, toLayoutTable } from "./layout.ts";

const ROW_NAMES = { names: new Set(["pt_row", "pt_object", "pt_kind"]) };

/** The problems of a struct `pt_row` made by `shape`. */
function problemsOf(
  shape: (builder: BtfBuilder) => { bytes: number; members: readonly MemberSpec[] },
): readonly string[] {
  const builder = new BtfBuilder();
  builder.struct("pt_row", shape(builder));
  try {
    readLayout(readBtf(builder.build()), ROW_NAMES);
    return [];
  } catch (error) {
    assert.ok(error instanceof UnrepresentableLayoutError);
    return error.problems;
  }
}

Deno.test("readLayout() yields fields, nested structs, arrays and enums, and only those asked for", () => {
  const builder = new BtfBuilder();
  const { u8, u16, u32, s32, u64 } = builder.standardIntegers();
  const object = builder.struct("pt_object", { bytes: 8, members: [{ name: "high", typeId: u64, offsetBits: 0 }] });
  builder.struct("pt_row", {
    bytes: 64,
    members: [
      { name: "size_bytes", typeId: u16, offsetBits: 0 },
      { name: "wait_class", typeId: builder.typedef("pt_u16", u16), offsetBits: 16 },
      { name: "stack_id", typeId: s32, offsetBits: 32 },
      { name: "objects", typeId: builder.array(object, 2), offsetBits: 64 },
      { name: "comm", typeId: builder.array(u8, 16), offsetBits: 192 },
      { name: "object", typeId: object, offsetBits: 320 },
      { name: "buckets", typeId: builder.array(u32, 2), offsetBits: 384 },
      { name: "end_ns", typeId: u64, offsetBits: 448 },
    ],
  });
  builder.struct("pt_regs", { bytes: 8, members: [{ name: "ip", typeId: builder.pointer(u8), offsetBits: 0 }] });
  builder.enumeration("pt_kind", { PT_KIND_WAIT: 1, PT_KIND_NAME: 2 });
  assert.deepEqual(toLayoutTable(readLayout(readBtf(builder.build()), ROW_NAMES)), {
    structs: {
      pt_object: { sizeBytes: 8, fields: { high: "u64 @ 0" } },
      pt_row: {
        sizeBytes: 64,
        fields: {
          size_bytes: "u16 @ 0",
          wait_class: "u16 @ 2",
          stack_id: "s32 @ 4",
          objects: "pt_object[2] @ 8",
          comm: "u8[16] @ 24",
          object: "pt_object @ 40",
          buckets: "u32[2] @ 48",
          end_ns: "u64 @ 56",
        },
      },
    },
    enums: { pt_kind: { PT_KIND_WAIT: 1, PT_KIND_NAME: 2 } },
  });
});

Deno.test("readLayout() names each field it cannot represent, and why", () => {
  const one = (typeOf: (builder: BtfBuilder) => number, bytes: number) => (builder: BtfBuilder) => ({
    bytes,
    members: [{ name: "field", typeId: typeOf(builder), offsetBits: 0 }],
  });
  const u32 = (builder: BtfBuilder) => builder.integer("unsigned int", { bytes: 4 });
  const rows:
    readonly (readonly [string, (builder: BtfBuilder) => { bytes: number; members: readonly MemberSpec[] }])[] = [
      ["a pointer", one((builder) => builder.pointer(u32(builder)), 8)],
      ["an enum", one((builder) => builder.enumeration("state", { ON: 1 }), 4)],
      ["a union", one((builder) => builder.struct("u", { bytes: 4, members: [], isUnion: true }), 4)],
      ["a bool", one((builder) => builder.integer("_Bool", { bytes: 1, isBoolean: true }), 1)],
      ["s64", one((builder) => builder.integer("long long", { bytes: 8, isSigned: true }), 8)],
      ["s8", one((builder) => builder.integer("signed char", { bytes: 1, isSigned: true }), 1)],
      ["u128", one((builder) => builder.integer("__int128", { bytes: 16 }), 16)],
      ["a float", one((builder) => builder.raw({ name: "float", kind: 16, sizeOrType: 4 }), 4)],
      ["a struct without a name", one((builder) => builder.struct("", { bytes: 4, members: [] }), 4)],
      ["an array of arrays", one((builder) => builder.array(builder.array(u32(builder), 2), 2), 16)],
      ["an array of a pointer", one((builder) => builder.array(builder.pointer(u32(builder)), 2), 16)],
      ["a bit-field", (builder) => ({
        bytes: 4,
        members: [{ name: "field", typeId: u32(builder), offsetBits: 0, bitFieldBits: 3 }],
      })],
      ["a bit-field", one((builder) => builder.integer("unsigned int", { bytes: 4, bits: 7 }), 4)],
    ];
  for (const [found, shape] of rows) {
    assert.deepEqual(problemsOf(shape), [
      `pt_row.field: found ${found}, wanted u8, u16, u32, s32, u64, a struct, or an array of them`,
    ]);
  }
});

Deno.test("readLayout() refuses a member without a name", () => {
  const problems = problemsOf((builder) => ({
    bytes: 4,
    members: [{ name: "", typeId: builder.integer("unsigned int", { bytes: 4 }), offsetBits: 0 }],
  }));
  assert.match(problems.join(), /^pt_row\.\(anonymous\): found a member without a name/);
});

Deno.test("readLayout() wants padding spelled out, inside and at the end", () => {
  const gap = (offsetBits: number, bytes: number) => (builder: BtfBuilder) => {
    const { u32, u64 } = builder.standardIntegers();
    return {
      bytes,
      members: [{ name: "kind", typeId: u32, offsetBits: 0 }, { name: "end_ns", typeId: u64, offsetBits }],
    };
  };
  assert.deepEqual(problemsOf(gap(32, 12)), []);
  assert.deepEqual(problemsOf(gap(64, 16)), [
    "pt_row.end_ns: found 4 bytes of padding before it, wanted explicit padding",
  ]);
  assert.deepEqual(problemsOf(gap(32, 16)), ["pt_row: found 4 bytes of padding at its end, wanted explicit padding"]);
});

Deno.test("readLayout() refuses enum values that are no table entries", () => {
  const builder = new BtfBuilder();
  builder.enumeration("pt_kind", { PT_KIND_NONE: -1, PT_KIND_WAIT: 0 });
  assert.throws(() => readLayout(readBtf(builder.build()), ROW_NAMES), /pt_kind\.PT_KIND_NONE: found -1, wanted 0 to/);
});

const TABLE: LayoutTable = {
  structs: { pt_row: { sizeBytes: 8, fields: { kind: "u32 @ 0", port: "u32 @ 4" } } },
  enums: { pt_kind: { PT_KIND_WAIT: 1 } },
};

Deno.test("diffLayoutTables() finds nothing between equals", () => {
  assert.deepEqual(diffLayoutTables(TABLE, structuredClone(TABLE)), []);
});

Deno.test("diffLayoutTables() has one line per struct, field, enum or value that differs", () => {
  const row = (sizeBytes: number, fields: Record<string, string>) => ({ pt_row: { sizeBytes, fields } });
  const rows: readonly (readonly [LayoutTable, readonly string[]])[] = [
    [{ ...TABLE, structs: row(16, { kind: "u32 @ 0", port: "u32 @ 4" }) }, ["pt_row: found 16 bytes, wanted 8"]],
    [{ ...TABLE, structs: row(8, { kind: "u32 @ 4", port: "u32 @ 0" }) }, [
      "pt_row.kind: found u32 @ 4, wanted u32 @ 0",
      "pt_row.port: found u32 @ 0, wanted u32 @ 4",
    ]],
    [{ ...TABLE, structs: row(8, { kind: "u32 @ 0", high: "u32 @ 4" }) }, [
      "pt_row.high: found, wanted none of that name",
      "pt_row.port: not found",
    ]],
    [{ ...TABLE, structs: {} }, ["pt_row: not found"]],
    [{ ...TABLE, enums: { pt_kind: { PT_KIND_WAIT: 2 } } }, ["pt_kind.PT_KIND_WAIT: found 2, wanted 1"]],
    [{ ...TABLE, enums: {} }, ["pt_kind: not found"]],
  ];
  for (const [found, lines] of rows) assert.deepEqual(diffLayoutTables(TABLE, found), lines);
});

Deno.test("layoutHash() is 16 hex digits and changes with every part of the table", () => {
  const variants: readonly LayoutTable[] = [
    TABLE,
    { ...TABLE, structs: { pt_row: { sizeBytes: 16, fields: { kind: "u32 @ 0", port: "u32 @ 4" } } } },
    { ...TABLE, structs: { pt_row: { sizeBytes: 8, fields: { kind: "s32 @ 0", port: "u32 @ 4" } } } },
    { ...TABLE, structs: { pt_row: { sizeBytes: 8, fields: { kind: "u32 @ 0", peer: "u32 @ 4" } } } },
    { ...TABLE, enums: { pt_kind: { PT_KIND_WAIT: 2 } } },
    { structs: {}, enums: {} },
  ];
  const hashes = variants.map(layoutHash);
  for (const hash of hashes) assert.match(hash, /^[0-9a-f]{16}$/);
  assert.equal(new Set(hashes).size, variants.length);
  assert.equal(layoutHash(structuredClone(TABLE)), layoutHash(TABLE));
});
