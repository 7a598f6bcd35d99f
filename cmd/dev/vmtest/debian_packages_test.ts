import { assert } from "../../../tests/support/assert.ts";
import { readMirrors, sourcesOf } from "./debian_packages.ts";

const DEBIAN = "http://mirror.example/debian/";
const SECURITY = "http://mirror.example/debian-security/";

Deno.test("readMirrors() takes Debian's own indexes and no others", () => {
  const targets = `Google|http://other.example/apt/\nDebian|${DEBIAN}\nDebian|${DEBIAN}\nDebian-Security|${SECURITY}\n`;
  assert.deepEqual(readMirrors(targets), { debian: DEBIAN, security: SECURITY });
});

Deno.test("readMirrors() knows none where there is none", () => {
  assert.equal(readMirrors("Ubuntu|http://mirror.example/ubuntu/\n"), undefined);
});

Deno.test("sourcesOf() names the release and its security updates", () => {
  const lines = sourcesOf("trixie", { debian: DEBIAN, security: SECURITY }).trim().split("\n");
  assert.deepEqual(lines.map((line) => line.replace(/\[.*\] /, "")), [
    `deb ${DEBIAN} trixie main`,
    `deb ${SECURITY} trixie-security main`,
  ]);
});
