import { assert } from "../../../tests/support/assert.ts";
import { compilerCommand, runtimeVersion } from "./runtime.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

Deno.test("runtimeVersion() finds the version between other text", () => {
  assert.equal(runtimeVersion(bytesOf("denover2.4.22.4.2+622c351Deno/2.4.2Deno/2.4.2+622c351")), "2.4.2");
  assert.equal(runtimeVersion(bytesOf("DDeno/2.x Deno/2. Deno/2.10.11\0")), "2.10.11");
});

Deno.test("runtimeVersion() yields nothing for a file that is no runtime", () => {
  for (const text of ["", "D", "Deno/", "Deno/1.46.3", "deno/2.4.2", "Deno/2.4"]) {
    assert.equal(runtimeVersion(bytesOf(text)), undefined, text);
  }
});

Deno.test("compilerCommand() is this Deno where it is of that version, else that version", () => {
  assert.deepEqual(compilerCommand(Deno.version.deno), [Deno.execPath()]);
  assert.deepEqual(compilerCommand("2.4.2"), ["npx", "-y", "--prefer-offline", "deno@2.4.2"]);
});
