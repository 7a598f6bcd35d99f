import { assert } from "../../tests/support/assert.ts";
import { type CodePlace, describeAddresses } from "./stack_frames.ts";

const MAPPINGS = [
  { begin: 0x400000n, end: 0x401000n, fileOffset: 0x1000n, path: "/usr/bin/my app" },
  { begin: 0x500000n, end: 0x501000n, fileOffset: 0n, path: "" },
  { begin: 0x7f0000000000n, end: 0x7f0000002000n, fileOffset: 0x28000n, path: "/lib/libc.so.6 (deleted)" },
  { begin: 0x7ffd1b1f2000n, end: 0x7ffd1b1f4000n, fileOffset: 0n, path: "[vdso]" },
];

/** Each address as the innermost of a stack of its own. */
function textsOf(addresses: readonly bigint[], options: { mappings?: typeof MAPPINGS } = {}): readonly string[] {
  return addresses.map((address) =>
    describeAddresses([address], options.mappings ?? MAPPINGS, () => undefined)[0]?.text ?? ""
  );
}

Deno.test("describeAddresses() yields module and file offset, in order", () => {
  const addresses = [0x400000n, 0x400fffn, 0x7f0000000010n, 0x7ffd1b1f25a0n];
  assert.deepEqual(textsOf(addresses), [
    "my app+0x1000",
    "my app+0x1fff",
    "libc.so.6+0x28010",
    "[vdso]+0x5a0",
  ]);
});

Deno.test("describeAddresses() yields the bare address where no file is mapped", () => {
  const addresses = [0n, 0x3fffffn, 0x401000n, 0x500010n, 0x7f0000002000n, 0xffffffffff600000n];
  assert.deepEqual(textsOf(addresses), [
    "0x0",
    "0x3fffff",
    "0x401000",
    "0x500010",
    "0x7f0000002000",
    "0xffffffffff600000",
  ]);
  assert.deepEqual(textsOf([0x400000n], { mappings: [] }), ["0x400000"]);
});

Deno.test("describeAddresses() says of a named frame what it knows", () => {
  const place: CodePlace = { function: { name: "serve", offset: 0x10 }, buildId: "9f2c" };
  assert.deepEqual(describeAddresses([0x400010n], MAPPINGS, () => place), [{
    text: "serve+0x10",
    function: "serve",
    offset: 0x10,
    module: "my app",
    buildId: "9f2c",
    isResolved: true,
  }]);
});

Deno.test("describeAddresses() names the build of a file whose function it does not know", () => {
  const place: CodePlace = { function: undefined, buildId: "9f2c" };
  assert.deepEqual(describeAddresses([0x400010n], MAPPINGS, () => place), [{
    text: "my app[buildid:9f2c]+0x1010",
    function: undefined,
    offset: 0x1010,
    module: "my app",
    buildId: "9f2c",
    isResolved: false,
    problem: "unreadable",
  }]);
});

Deno.test("describeAddresses() says why a frame has no name", () => {
  const problemsOf = (place: CodePlace | undefined, mappings = MAPPINGS) =>
    describeAddresses([0x400010n, 0x1n], mappings, (_, mapping) => mapping && place).map(({ problem }) => problem);
  assert.deepEqual(problemsOf({ function: undefined, buildId: undefined, problem: "tooLarge" }), [
    "tooLarge",
    "notMapped",
  ]);
  assert.deepEqual(problemsOf(undefined), ["unreadable", "notMapped"]);
  assert.deepEqual(problemsOf(undefined, []), ["processGone", "processGone"]);
});

Deno.test("describeAddresses() looks a return address up where the call was, and says where it returns to", () => {
  const asked: bigint[] = [];
  const frames = describeAddresses([0x400010n, 0x401000n, 0n], MAPPINGS, (address) => {
    asked.push(address);
    return address >= 0x400000n
      ? { function: { name: "stop", offset: Number(address - 0x400000n) }, buildId: undefined }
      : undefined;
  });
  // The second returns to where its function, and its mapping, have just ended.
  assert.deepEqual(asked, [0x400010n, 0x400fffn, 0n]);
  assert.deepEqual(frames.map(({ text }) => text), ["stop+0x10", "stop+0x1000", "0x0"]);
});
