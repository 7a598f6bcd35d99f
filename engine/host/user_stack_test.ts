import { assert } from "../../tests/support/assert.ts";
import { parseMappings } from "./procfs_parsers.ts";
import { describeAddresses } from "./user_stack.ts";

const MAPPINGS = parseMappings([
  "00400000-00401000 r-xp 00001000 fe:00 1                                  /usr/bin/my app",
  "00500000-00501000 rw-p 00000000 00:00 0 ",
  "7f0000000000-7f0000002000 r-xp 00028000 fe:00 2                          /lib/libc.so.6 (deleted)",
  "7ffd1b1f2000-7ffd1b1f4000 r-xp 00000000 00:00 0                          [vdso]",
].join("\n"));

Deno.test("describeAddresses() yields module and file offset, in order", () => {
  const addresses = [0x400000n, 0x400fffn, 0x7f0000000010n, 0x7ffd1b1f25a0n];
  assert.deepEqual(describeAddresses(addresses, MAPPINGS), [
    "my app+0x1000",
    "my app+0x1fff",
    "libc.so.6+0x28010",
    "[vdso]+0x5a0",
  ]);
});

Deno.test("describeAddresses() yields the bare address where no file is mapped", () => {
  const addresses = [0n, 0x3fffffn, 0x401000n, 0x500010n, 0x7f0000002000n, 0xffffffffff600000n];
  assert.deepEqual(describeAddresses(addresses, MAPPINGS), [
    "0x0",
    "0x3fffff",
    "0x401000",
    "0x500010",
    "0x7f0000002000",
    "0xffffffffff600000",
  ]);
  assert.deepEqual(describeAddresses([0x400000n], []), ["0x400000"]);
});

Deno.test("describeAddresses() prefers the name of a function", () => {
  const symbolOf = ({ address }: { address: bigint }) => address === 0x400010n ? "serve+0x10" : undefined;
  assert.deepEqual(describeAddresses([0x400010n, 0x400011n, 1n], MAPPINGS, { symbolOf }), [
    "serve+0x10",
    "my app+0x1011",
    "0x1",
  ]);
});
