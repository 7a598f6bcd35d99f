import { assert } from "../../../tests/support/assert.ts";
import { moduleNeeds, parseLdd } from "./root_file_system.ts";

Deno.test("parseLdd() yields libraries and loader, not what the kernel brings", () => {
  const output = [
    "\tlinux-vdso.so.1 (0x00007ffc5f5f2000)",
    "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f2f0e600000)",
    "\t/lib64/ld-linux-x86-64.so.2 (0x00007f2f0e8d5000)",
  ].join("\n");
  assert.deepEqual(parseLdd(output), ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"]);
});

const MODINFO: readonly [text: string, needs: readonly string[]][] = [
  ["\0license=GPL\0depends=virtio,virtio-ring\0name=x\0", ["virtio", "virtio_ring"]],
  ["\0depends=\0name=x\0", []],
  ["\0name=x\0", []],
];

for (const [text, needs] of MODINFO) {
  Deno.test(`moduleNeeds() yields ${needs.length} for ${JSON.stringify(text)}`, () => {
    assert.deepEqual(moduleNeeds(new TextEncoder().encode(`\x7fELF${text}`)), needs);
  });
}
