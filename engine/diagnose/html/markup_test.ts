import { assert } from "../../../tests/support/assert.ts";
import { checkProperty, property } from "../../../tests/support/property.ts";
import { dataBlock, markup } from "./markup.ts";

Deno.test("markup() escapes values and takes markup, lists and nothing as they are", () => {
  const row = markup`<li>${"<&>"}</li>`;
  assert.equal(
    String(markup`<ul title="${`"'\``}">${[row, row]}${undefined}${false}${1.5}</ul>`),
    '<ul title="&quot;&#39;&#96;"><li>&lt;&amp;&gt;</li><li>&lt;&amp;&gt;</li>1.5</ul>',
  );
});

Deno.test("markup() writes out what would disguise text", () => {
  assert.equal(String(markup`${"a\u202eb\x00"}`), "a\\u202eb\\x00");
});

Deno.test("dataBlock() is read back whole and ends nowhere else", () => {
  checkProperty(property.string({ unit: "binary", maxLength: 40 }).map((text) => `${text}</script><!--`), (text) => {
    const block = String(dataBlock("data", { text }));
    const json = /^<script type="application\/json" id="data">([^<>&\u2028\u2029]*)<\/script>$/u.exec(block)?.[1];
    assert.deepEqual(JSON.parse(json ?? "null"), { text });
  });
});
