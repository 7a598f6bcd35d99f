import { assert } from "../../tests/support/assert.ts";
import { parseStrictCsv } from "../../tests/support/csv_parser.ts";
import { checkProperty, property } from "../../tests/support/property.ts";
import { neutralizeFormula, renderCsv } from "./csv_table.ts";

Deno.test("renderCsv() quotes what has to be quoted and ends every record in CRLF", () => {
  assert.equal(
    renderCsv([["a,b", 'say "hi"', 1.5, undefined, " x"], ["", 0, "z", "", ""]]),
    [
      '"a,b","say ""hi""",1.5,," x"\r\n',
      ",0,z,,\r\n",
    ].join(""),
  );
});

Deno.test("renderCsv() makes a formula of no text, and leaves numbers alone", () => {
  for (const lead of ["=", "+", "-", "@", "\t=", "\r=", "＝", "＋", "－", "＠", " =", "\u00a0@", "\ufeff="]) {
    const [[field = ""] = []] = parseStrictCsv(renderCsv([[`${lead}1+1`]]));
    assert.ok(field.startsWith("'"), JSON.stringify([lead, field]));
  }
  for (const text of ["a=b", "1-2", "/srv/@x", "'=1"]) assert.equal(neutralizeFormula(text), text);
  assert.equal(renderCsv([[-1.5, { ms: -0.126 }]]), "-1.5,-0.13\r\n");
});

Deno.test("renderCsv() is read back field by field by a strict parser, whatever the text", () => {
  const text = property.string({ unit: "binary", maxLength: 40 });
  const hostile = property.constantFrom('"', '","', "\r\n", "=cmd|' /C calc'!A0", "\u202e", '"\r\n=1', ",,,", "\0");
  const field = property.oneof(text, hostile, property.tuple(hostile, text, hostile).map((parts) => parts.join("")));
  const records = property.array(property.array(field, { minLength: 3, maxLength: 3 }), { minLength: 1, maxLength: 5 });
  checkProperty(records, (all) => {
    const read = parseStrictCsv(renderCsv(all));
    assert.equal(read.length, all.length);
    for (const [index, record] of all.entries()) {
      assert.equal(read[index]?.length, record.length);
      for (const cell of read[index] ?? []) {
        assert.ok(!/[\p{Cc}\p{Cf}]/u.test(cell), JSON.stringify(cell));
        assert.ok(!/^\s*[=+\-@＝＋－＠]/u.test(cell), JSON.stringify(cell));
      }
    }
  });
});
