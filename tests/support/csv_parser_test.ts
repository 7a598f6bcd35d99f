import { assert } from "./assert.ts";
import { parseStrictCsv } from "./csv_parser.ts";

Deno.test("parseStrictCsv() reads what RFC 4180 allows", () => {
  assert.deepEqual(parseStrictCsv('a,"b ""c"", d\r\ne",\r\n,"",x\r\n'), [["a", 'b "c", d\r\ne', ""], ["", "", "x"]]);
  assert.deepEqual(parseStrictCsv(""), []);
});

Deno.test("parseStrictCsv() refuses everything else", () => {
  for (const text of ['a"b\r\n', '"a"b\r\n', '"a\r\n', "a\n", "a\rb\r\n", "a,b\r\nc\r\n", "a", "a,", "a\nb\r\n"]) {
    assert.throws(() => parseStrictCsv(text), SyntaxError, JSON.stringify(text));
  }
});
