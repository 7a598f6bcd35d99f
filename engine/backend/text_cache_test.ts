import { assert } from "../../tests/support/assert.ts";
import { checkProperty, property } from "../../tests/support/property.ts";
import { copyBytes, nsToMs, TextCache, toCount } from "./text_cache.ts";

function commView(bytes: readonly number[] | Uint8Array, offset = 0): DataView {
  const buffer = new Uint8Array(offset + 16);
  buffer.set(bytes, offset);
  return new DataView(buffer.buffer);
}

Deno.test("TextCache.comm() yields the text up to its NUL, or all 16 bytes", () => {
  const texts = new TextCache();
  const encode = (text: string) => new TextEncoder().encode(text);
  assert.equal(texts.comm(commView(encode("redis-server")), 0), "redis-server");
  assert.equal(texts.comm(commView(encode("redis-server\0old")), 0), "redis-server");
  assert.equal(texts.comm(commView(encode("0123456789abcdef")), 0), "0123456789abcdef");
  assert.equal(texts.comm(commView([]), 0), "");
  assert.equal(texts.comm(commView(encode("größe"), 24), 24), "größe");
  assert.equal(texts.comm(commView([0x61, 0xff, 0x62]), 0), "a\ufffdb");
  assert.equal(texts.comm(commView(encode("\ufeffbom")), 0), "\ufeffbom");
});

Deno.test("TextCache.comm() agrees with a decoder for any bytes, asked again and in between", () => {
  const texts = new TextCache();
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const comm = property.uint8Array({ minLength: 16, maxLength: 16 });
  checkProperty(property.array(comm, { maxLength: 40 }), (comms) => {
    for (const bytes of [...comms, ...comms.toReversed()]) {
      const end = bytes.indexOf(0);
      const expected = decoder.decode(bytes.subarray(0, end < 0 ? 16 : end));
      assert.equal(texts.comm(commView(bytes), 0), expected);
    }
  });
});

Deno.test("TextCache.comm() keeps more texts apart than it has slots", () => {
  const texts = new TextCache();
  const names = Array.from({ length: 5000 }, (_, index) => `worker-${index}`);
  for (const name of [...names, ...names]) {
    assert.equal(texts.comm(commView(new TextEncoder().encode(name)), 0), name);
  }
});

Deno.test("TextCache.comm() throws past the end of the view", () => {
  assert.throws(() => new TextCache().comm(commView([]), 1), RangeError);
});

Deno.test("TextCache.list() splits at NULs, and takes a last text without one", () => {
  const texts = new TextCache();
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ["", []],
    ["data.bin\0", ["data.bin"]],
    ["data.bin\0var\0lib", ["data.bin", "var", "lib"]],
    ["a\0\0b\0", ["a", "", "b"]],
  ];
  for (const [text, expected] of rows) {
    const bytes = new TextEncoder().encode(`??${text}??`);
    const span = { offset: 2, lengthBytes: bytes.byteLength - 4 };
    assert.deepEqual(texts.list(new DataView(bytes.buffer), span), expected);
  }
});

Deno.test("nsToMs() agrees with exact arithmetic to a microsecond over ten years of uptime", () => {
  const tenYearsNs = 10n * 365n * 86_400n * 1_000_000_000n;
  checkProperty(property.bigInt({ min: 0n, max: tenYearsNs }), (ns) => {
    const ms = nsToMs(Number(ns & 0xffff_ffffn), Number(ns >> 32n));
    const exactMs = Number(ns / 1_000_000n) + Number(ns % 1_000_000n) / 1e6;
    assert.ok(Math.abs(ms - exactMs) < 1e-3, `${ms} ${exactMs}`);
  });
  assert.equal(nsToMs(1_500_000, 0), 1.5);
});

Deno.test("toCount() joins the halves", () => {
  assert.equal(toCount(7, 0), 7);
  assert.equal(toCount(0xffff_ffff, 1), 0x1_ffff_ffff);
});

Deno.test("copyBytes() yields bytes that stay when the memory changes", () => {
  const bytes = new Uint8Array([1, 2, 3, 4]);
  const copy = copyBytes(new DataView(bytes.buffer, 1), { offset: 1, lengthBytes: 2 });
  bytes.fill(9);
  assert.deepEqual([...copy], [3, 4]);
});
