import { assert } from "../../../tests/support/assert.ts";
import { kernelTest } from "../../../tests/support/kernel.ts";
import { compileBpf, compilerArguments } from "./compile.ts";

const HEADER = "struct pt_row {\n\tunsigned int kind;\n};\n";
const SOURCE = [
  "#include <bpf/include/row.h>",
  "const struct pt_row *unused_pt_row __attribute__((unused));",
  '__attribute__((section("syscall"), used)) int answer(struct pt_row *row) { return row->kind; }',
  "",
].join("\n");

/** A source tree of one program; `use` gets its root. */
async function withTree(source: string, use: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "podtrace-compile-" });
  try {
    await Deno.mkdir(`${root}/bpf/include`, { recursive: true });
    await Deno.writeTextFile(`${root}/bpf/include/row.h`, HEADER);
    await Deno.writeTextFile(`${root}/bpf/row.bpf.c`, source.replace("<bpf/include/row.h>", '"include/row.h"'));
    await use(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("compilerArguments() names the architecture as the BPF headers do", () => {
  const place = { source: "bpf/a.bpf.c", output: "a.o", root: "/src/" };
  assert.ok(compilerArguments({ ...place, architecture: "x86_64" }).includes("-D__TARGET_ARCH_x86"));
  assert.ok(compilerArguments({ ...place, architecture: "aarch64" }).includes("-D__TARGET_ARCH_arm64"));
});

kernelTest("compileBpf() makes the same bytes wherever the tree lies, and keeps the type information", {
  requires: ["clang"],
}, () =>
  withTree(SOURCE, (first) =>
    withTree(SOURCE, async (second) => {
      const objects: Uint8Array[] = [];
      for (const root of [first, second]) {
        await compileBpf({ source: "bpf/row.bpf.c", output: "row.o", architecture: "x86_64", root });
        objects.push(await Deno.readFile(`${root}/row.o`));
      }
      const [left, right] = objects;
      assert.deepEqual(left, right);
      const text = new TextDecoder("latin1").decode(left);
      assert.ok(text.includes(".BTF") && text.includes("pt_row"));
      assert.ok(!text.includes(first) && !text.includes(".debug_info"));
    })));

kernelTest(
  "compileBpf() passes on what the compiler says",
  { requires: ["clang"] },
  () =>
    withTree("int answer(void) { return nothing; }\n", async (root) => {
      const building = compileBpf({ source: "bpf/row.bpf.c", output: "row.o", architecture: "x86_64", root });
      await assert.rejects(building, /Cannot build bpf\/row\.bpf\.c for x86_64: clang ended with 1\n.*nothing/s);
    }),
);
