import { LAYOUT } from "../../bpf/generated/layout.ts";
import { assert } from "../../tests/support/assert.ts";
import { BtfBuilder, buildElf } from "../../tests/support/btf_builder.ts";
import { EngineError } from "../api/errors.ts";
import type { LayoutTable } from "../btf/layout.ts";
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
    checkLayout(object, { expected });
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
  assert.throws(() => checkLayout(objectWith(["kind", "port"], 1)), /pt_header: not found/);
  assert.ok(Object.keys(LAYOUT.structs).length > 10);
});
