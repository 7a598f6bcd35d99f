import { assert } from "../../tests/support/assert.ts";
import { property } from "../../tests/support/property.ts";
import { sanitizeText } from "../api/text.ts";
import { COLUMNS, drawBar, fitName, fitText, wrapText } from "./text_layout.ts";

Deno.test("drawBar() gives every part its share of exactly the columns", () => {
  assert.equal(drawBar([{ symbol: "#", amount: 1 }, { symbol: ".", amount: 3 }], 8), "##......");
  assert.equal(
    drawBar([{ symbol: "a", amount: 1 }, { symbol: "b", amount: 1 }, { symbol: "c", amount: 1 }], 10),
    "aaaabbbccc",
  );
  assert.equal(drawBar([], 4), "    ");
});

Deno.test("drawBar() is as wide as asked for any amounts", () => {
  const amounts = property.array(property.double({ min: 0, max: 1e9, noNaN: true }), { maxLength: 15 });
  property.assert(property.property(amounts, property.integer({ min: 1, max: 80 }), (parts, columns) => {
    assert.equal(drawBar(parts.map((amount) => ({ symbol: "x", amount })), columns).length, columns);
  }));
});

Deno.test("fitText() pads, keeps and cuts at the column", () => {
  assert.equal(fitText("ab", 3), "ab ");
  assert.equal(fitText("abc", 3), "abc");
  assert.equal(fitText("abcd", 3), "ab~");
});

Deno.test("wrapText() hangs later lines under the first, or where asked", () => {
  const text = `${"a".repeat(60)} ${"b".repeat(60)}`;
  assert.deepEqual(wrapText(text, { first: "x: " }), [`x: ${"a".repeat(60)}`, `   ${"b".repeat(60)}`]);
  assert.deepEqual(wrapText(text, { first: "x: ", indent: 1 })[1], ` ${"b".repeat(60)}`);
});

Deno.test("wrapText() keeps every character and no line is wider than the page", () => {
  const words = property.array(property.string({ minLength: 1, maxLength: 250 }), { maxLength: 20 });
  property.assert(property.property(words, (list) => {
    const text = sanitizeText(list.map((word) => word.replaceAll(/\s/g, "_")).join(" "), { bytesMax: 4096 });
    const lines = wrapText(text, { first: "   so   " });
    for (const line of lines) assert.ok(Array.from(line).length <= COLUMNS);
    assert.equal(lines.map((line) => line.slice(8)).join("").replaceAll(" ", ""), text.replaceAll(" ", ""));
  }));
});

Deno.test("fitName() cuts the name, never the id", () => {
  assert.equal(fitName("nginx", " (12)", 12), "nginx (12)  ");
  assert.equal(fitName("nginx", " (12)", 10), "nginx (12)");
  assert.equal(fitName("a-long-name", " (1234567)", 16), "a-lon~ (1234567)");
  assert.equal(fitName("\u001b[31mred", " 7", 8).length, 8);
});
