import { assert } from "../../tests/support/assert.ts";
import { kernelTest } from "../../tests/support/kernel.ts";
import { createHostReader, openHostView } from "./host_reader.ts";
import { ProcFs } from "./procfs.ts";
import { SymbolLookup } from "./symbol_lookup.ts";

const SOURCE = `
#include <stdio.h>
__attribute__((noinline)) int planted_function(int value) { return value * 3 + 1; }
int main(int argc, char **argv)
{
  printf("%p\\n", (void *)planted_function);
  fflush(stdout);
  return planted_function(argc) + getchar();
}
`;

kernelTest(
  "describeStack() names the functions of a real program, running or unlinked",
  { requires: ["clang"] },
  async () => {
    const folder = Deno.makeTempDirSync({ prefix: "podtrace-test-" });
    Deno.writeTextFileSync(`${folder}/planted.c`, SOURCE);
    const args = ["-O1", "-o", `${folder}/planted`, `${folder}/planted.c`];
    assert.ok((await new Deno.Command("clang", { args }).output()).success);
    const child = new Deno.Command(`${folder}/planted`, { stdin: "piped", stdout: "piped" }).spawn();
    try {
      const reader = child.stdout.getReader();
      const { value } = await reader.read();
      reader.releaseLock();
      const address = BigInt(new TextDecoder().decode(value).trim());
      const host = createHostReader(openHostView(), { architecture: "x86_64" });
      const describe = () => host.describeStack(child.pid, [address, address + 2n, 1n]);
      assert.deepEqual(describe(), ["planted_function+0x0", "planted_function+0x2", "0x1"]);
      Deno.removeSync(folder, { recursive: true });
      const other = createHostReader(openHostView(), { architecture: "x86_64" });
      assert.deepEqual(other.describeStack(child.pid, [address]), ["planted_function+0x0"]);
      // Dynamic symbols serve where a library was stripped of the others.
      const libc = new ProcFs().mappings(child.pid)?.find((mapping) =>
        mapping.path.includes("libc.so") && mapping.permissions.includes("x")
      );
      assert.ok(libc !== undefined);
      const places = Array.from({ length: 64 }, (_, index) => libc.begin + BigInt(index * 4096));
      assert.ok(host.describeStack(child.pid, places).some((text) => !text.startsWith("libc.so")));
    } finally {
      await child.stdin.close();
      await child.stdout.cancel();
      await child.status;
    }
  },
);

Deno.test("symbolOf() yields undefined for a process that is gone and for what is no file", () => {
  const lookup = new SymbolLookup(new ProcFs());
  const mapping = { begin: 4096n, end: 8192n, permissions: "r-xp", fileOffset: 0n, path: "/bin/program" };
  assert.equal(lookup.symbolOf(4_194_304, { mapping, address: 4096n }), undefined);
  assert.equal(lookup.symbolOf(Deno.pid, { mapping, address: 4096n }), undefined);
  assert.equal(lookup.symbolOf(Deno.pid, { mapping: { ...mapping, path: "[vdso]" }, address: 4096n }), undefined);
  assert.equal(lookup.evictedCount, 0);
});
