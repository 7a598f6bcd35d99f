import { assert } from "../../tests/support/assert.ts";
import { crc32 } from "./crc32.ts";

Deno.test("crc32() is that of gzip and PNG", () => {
  const table = [["", 0], ["123456789", 0xcbf4_3926], ["a", 0xe8b7_be43]] as const;
  for (const [text, expected] of table) assert.equal(crc32(new TextEncoder().encode(text)), expected);
});
