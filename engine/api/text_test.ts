import { assert } from "../../tests/support/assert.ts";
import { property } from "../../tests/support/property.ts";
import { FIELD_TEXT_BYTES_MAX } from "./limits.ts";
import { sanitizeText } from "./text.ts";

const CASES: readonly { name: string; raw: string; safe: string }[] = [
  { name: "plain text", raw: "redis-server *:6379 é 日本", safe: "redis-server *:6379 é 日本" },
  { name: "a colour sequence", raw: "a\x1b[31mb", safe: "a\\x1b[31mb" },
  { name: "a title sequence", raw: "\x1b]0;root\x07", safe: "\\x1b]0;root\\x07" },
  { name: "newline, tab, return", raw: "a\nb\tc\r", safe: "a\\x0ab\\x09c\\x0d" },
  { name: "NUL and DEL", raw: "\0\x7f", safe: "\\x00\\x7f" },
  { name: "the one-byte CSI of C1", raw: "\x9b2J", safe: "\\x9b2J" },
  { name: "right-to-left override", raw: "gpj\u202eexe", safe: "gpj\\u202eexe" },
  { name: "isolates", raw: "\u2066a\u2069", safe: "\\u2066a\\u2069" },
  { name: "direction marks", raw: "\u200e\u200f\u061c", safe: "\\u200e\\u200f\\u061c" },
  { name: "zero width", raw: "a\u200bb\u200db\u2060\ufeff", safe: "a\\u200bb\\u200db\\u2060\\ufeff" },
  { name: "line and paragraph separators", raw: "\u2028\u2029", safe: "\\u2028\\u2029" },
  { name: "lone surrogates", raw: "\ud800a\udc00", safe: "\\ud800a\\udc00" },
  { name: "a tag character", raw: "\u{e0041}", safe: "\\u{e0041}" },
  { name: "an invisible letter", raw: "a\u3164b", safe: "a\\u3164b" },
  { name: "a reserved code point between isolates and marks", raw: "\u2065", safe: "\\u2065" },
  { name: "a variation selector", raw: "a\ufe0f\u{e0100}", safe: "a\\ufe0f\\u{e0100}" },
  { name: "a pair that is whole", raw: "😀", safe: "😀" },
];

for (const { name, raw, safe } of CASES) {
  Deno.test(`sanitizeText() yields visible text for ${name}`, () => {
    assert.equal(sanitizeText(raw), safe);
  });
}

Deno.test("sanitizeText() keeps text of exactly the limit and cuts one byte more", () => {
  assert.equal(sanitizeText("x".repeat(8), { bytesMax: 8 }), "xxxxxxxx");
  assert.equal(sanitizeText("x".repeat(9), { bytesMax: 8 }), "xxxxx...");
});

Deno.test("sanitizeText() splits neither a character nor an escape when it cuts", () => {
  assert.equal(sanitizeText("ab日本語", { bytesMax: 8 }), "ab日...");
  assert.equal(sanitizeText("abc\x1b[31m", { bytesMax: 8 }), "abc...");
});

Deno.test("sanitizeText() bounds a text of a million characters", () => {
  const bytes = new TextEncoder().encode(sanitizeText("\u202e".repeat(1_000_000)));
  assert.ok(bytes.length <= FIELD_TEXT_BYTES_MAX, `got ${bytes.length} bytes`);
});

Deno.test("sanitizeText() leaves nothing that steers a terminal, stays in bounds and is idempotent", () => {
  // Any sequence of UTF-16 units, so that lone surrogates and every control character occur.
  const units = property.array(property.integer({ min: 0, max: 0xffff }), { maxLength: 300 });
  const lively = property.array(
    property.constantFrom("\x1b", "\x9b", "\u202e", "\u2067", "\u200b", "\u2028", "\ud83d", "\ude00", "a", "\\", "é"),
    { maxLength: 300 },
  ).map((pieces) => pieces.join(""));
  const raws = property.oneof(units.map((codes) => String.fromCharCode(...codes)), lively);
  property.assert(property.property(raws, property.integer({ min: 4, max: 300 }), (raw, bytesMax) => {
    const safe = sanitizeText(raw, { bytesMax });
    assert.doesNotMatch(safe, /[\0-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/);
    assert.ok(safe.isWellFormed());
    assert.ok(new TextEncoder().encode(safe).length <= bytesMax);
    assert.equal(sanitizeText(safe, { bytesMax }), safe);
  }));
});
