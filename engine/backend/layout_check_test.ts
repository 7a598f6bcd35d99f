import { LAYOUT } from "../../bpf/generated/layout.ts";
import { assert } from "../../tests/support/assert.ts";
import { BtfBuilder, buildElf } from "../../tests/support/btf_builder.ts";
import { checkProperty, property } from "../../tests/support/property.ts";
import { EngineError } from "../api/errors.ts";
import { findSection, readElf } from "../btf/elf.ts";
import type { LayoutTable } from "../btf/layout.ts";
import { readBpfObjectFile } from "./build_files.ts";
import { checkLayout } from "./layout_check.ts";

const EXPECTED: LayoutTable = {
  structs: { pt_row: { sizeBytes: 8, fields: { kind: "u32 @ 0", port: "u32 @ 4" } } },
  enums: { pt_kind: { PT_KIND_WAIT: 1 } },
};

function objectWith(fields: readonly string[], kindValue: number): Uint8Array {
  const builder = new BtfBuilder();
  const { u32, u64 } = builder.standardIntegers();
  const members = fields.map((name, index) => ({ name, typeId: u32, offsetBits: index * 32 }));
  builder.struct("pt_row", { bytes: fields.length * 4, members });
  builder.struct("pt_regs", { bytes: 8, members: [{ name: "ip", typeId: u64, offsetBits: 0 }] });
  builder.enumeration("pt_kind", { PT_KIND_WAIT: kindValue });
  return buildElf([{ name: ".BTF", bytes: builder.build() }]);
}

function messageOf(object: Uint8Array, expected: LayoutTable): string {
  try {
    checkLayout(object, { expected, architecture: "x86_64" });
    return "";
  } catch (error) {
    assert.ok(error instanceof EngineError && error.code === "layout_mismatch");
    return error.message;
  }
}

Deno.test("checkLayout() is content with the layout it expects, whatever else the object holds", () => {
  assert.equal(messageOf(objectWith(["kind", "port"], 1), EXPECTED), "");
});

Deno.test("checkLayout() lists every field that differs", () => {
  const message = messageOf(objectWith(["port", "kind"], 2), EXPECTED);
  for (const line of ["pt_row.kind: found u32 @ 4, wanted u32 @ 0", "pt_kind.PT_KIND_WAIT: found 2, wanted 1"]) {
    assert.ok(message.includes(line), message);
  }
});

Deno.test("checkLayout() says so when the object has no type information or is none", () => {
  assert.match(messageOf(buildElf([]), EXPECTED), /no section \.BTF/);
  assert.match(messageOf(new Uint8Array(10), EXPECTED), /no ELF header/);
  assert.match(messageOf(buildElf([{ name: ".BTF", bytes: new BtfBuilder().build() }]), EXPECTED), /pt_row: not found/);
});

Deno.test("checkLayout() compares with the generated layout unless told otherwise", () => {
  assert.throws(() => checkLayout(objectWith(["kind", "port"], 1)), /pt_books: not found;.* and \d+ more/);
  assert.ok(Object.keys(LAYOUT.structs).length > 10);
});

Deno.test("checkLayout() names a few differences and counts the rest", () => {
  const structs = Object.fromEntries(["a", "b", "c", "d", "e", "f"].map((name) => [`pt_${name}`, {
    sizeBytes: 4,
    fields: { kind: "u32 @ 0" },
  }]));
  const message = messageOf(objectWith(["kind"], 1), { structs, enums: {} });
  assert.match(message, /\(pt_a: not found; pt_b: not found; pt_c: not found; pt_d: not found; and 2 more\), wanted/);
});

Deno.test("checkLayout() quotes names of a foreign object in one line that steers no terminal", () => {
  assert.match(messageOf(objectWith(["kind", "po\n\x1b[31mrt"], 1), EXPECTED), /pt_row\.po\\x0a\\x1b\[31mrt: found/);
});

Deno.test("checkLayout() refuses an ELF file that is no BPF object", () => {
  const object = objectWith(["kind", "port"], 1);
  new DataView(object.buffer).setUint16(18, 62, true);
  assert.match(messageOf(object, EXPECTED), /: it is an ELF file for machine 62, wanted one for BPF \(247\)$/);
});

Deno.test("checkLayout() refuses an object that reads another architecture's registers", () => {
  const withMark = (mark: string) => {
    const builder = new BtfBuilder();
    const { u32, u64 } = builder.standardIntegers();
    const members = ["kind", "port"].map((name, index) => ({ name, typeId: u32, offsetBits: index * 32 }));
    builder.struct("pt_row", { bytes: 8, members });
    builder.struct("pt_regs", { bytes: 8, members: [{ name: mark, typeId: u64, offsetBits: 0 }] });
    builder.enumeration("pt_kind", { PT_KIND_WAIT: 1 });
    return buildElf([{ name: ".BTF", bytes: builder.build() }]);
  };
  assert.equal(messageOf(withMark("orig_ax"), EXPECTED), "");
  assert.match(
    messageOf(withMark("orig_x0"), EXPECTED),
    /reads the registers of aarch64, wanted one built for x86_64$/,
  );
});

Deno.test("checkLayout() ends in silence or one line for any mutation of the built object", async () => {
  const built = await readBpfObjectFile();
  const edits = property.array(property.tuple(property.nat(built.byteLength - 1), property.nat(255)), {
    minLength: 1,
    maxLength: 12,
  });
  // Half of the cuts spare the end, where the section headers are: else nothing behind them is reached.
  const length = property.oneof(property.constant(built.byteLength), property.nat(built.byteLength));
  checkProperty(property.tuple(edits, length), ([changes, keptBytes]) => {
    const bytes = built.slice(0, keptBytes);
    for (const [at, value] of changes) if (at < keptBytes) bytes[at] = value;
    try {
      checkLayout(bytes);
    } catch (error) {
      assert.ok(error instanceof EngineError && error.code === "layout_mismatch", String(error));
      assert.match(error.message, /^Cannot use the BPF object: [^\n]+, wanted [^\n]+$/);
    }
  }, { runCount: 300 });
});

Deno.test("checkLayout() ends in silence or one line for any mutation of the object's types", async () => {
  const built = await readBpfObjectFile();
  const section = findSection(readElf(built), ".BTF");
  assert.ok(section);
  const { offsetBytes, sizeBytes } = section;
  // Within the types themselves, and in their header.
  const place = property.oneof(property.nat(24), property.nat(sizeBytes - 1));
  checkProperty(property.array(property.tuple(place, property.nat(255)), { minLength: 1, maxLength: 6 }), (changes) => {
    const bytes = built.slice();
    for (const [at, value] of changes) bytes[offsetBytes + at] = value;
    try {
      checkLayout(bytes);
    } catch (error) {
      assert.ok(error instanceof EngineError && error.code === "layout_mismatch", String(error));
      assert.match(error.message, /^Cannot use the BPF object: [^\n]+, wanted [^\n]+$/);
    }
  }, { runCount: 300 });
});
