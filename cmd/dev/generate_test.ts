import { assert } from "../../tests/support/assert.ts";
import { BtfBuilder, buildElf } from "../../tests/support/btf_builder.ts";
import { formatTypeScript, layoutOfObject, objectPath, runGenerate } from "./generate.ts";

function objectWithRow(): Uint8Array {
  const builder = new BtfBuilder();
  const { u32 } = builder.standardIntegers();
  builder.struct("pt_row", { bytes: 4, members: [{ name: "kind", typeId: u32, offsetBits: 0 }] });
  return buildElf([{ name: ".BTF", bytes: builder.build() }]);
}

Deno.test("layoutOfObject() yields what the header declares", () => {
  const layout = layoutOfObject(objectWithRow(), { names: ["pt_row"], constants: [] });
  assert.deepEqual(layout.structs.map(({ name, sizeBytes }) => [name, sizeBytes]), [["pt_row", 4]]);
});

Deno.test("layoutOfObject() names what the compiler left out", () => {
  const names = ["pt_row", "pt_wait_event", "pt_kind"];
  assert.throws(
    () => layoutOfObject(objectWithRow(), { names, constants: [] }),
    /the object has no pt_wait_event, pt_kind, wanted each anchored/,
  );
});

Deno.test("formatTypeScript() formats as the tree is formatted, and refuses what is no TypeScript", async () => {
  assert.equal(await formatTypeScript("export const a   = {b:1}"), "export const a = { b: 1 };\n");
  await assert.rejects(formatTypeScript("export const = ;"), /Cannot format generated code/);
});

Deno.test("objectPath() tells architectures apart", () => {
  assert.equal(objectPath("x86_64"), "dist/bpf/podtrace.x86_64.bpf.o");
  assert.equal(objectPath("aarch64"), "dist/bpf/podtrace.aarch64.bpf.o");
});

Deno.test("runGenerate() refuses an option it does not know", async () => {
  assert.equal(await runGenerate(["--chekc"]), 2);
});
