import { assert } from "../../tests/support/assert.ts";
import { checkProperty, property } from "../../tests/support/property.ts";
import { PERF_MAP_FUNCTIONS_MAX, PerfMap } from "./perf_map.ts";

function mapOf(...texts: readonly string[]): PerfMap {
  const map = new PerfMap();
  for (const text of texts) map.append(text);
  return map;
}

Deno.test("at() yields the function that covers an address", () => {
  const map = mapOf("7f00 10 JS:~load /srv/app.js:1:1\n7f20 20 JS:*load /srv/app.js:1:1\n");
  assert.deepEqual(map.at(0x7f0fn), { name: "JS:~load /srv/app.js:1:1", offset: 15 });
  assert.equal(map.at(0x7f10n), undefined);
  assert.equal(map.at(0x7effn), undefined);
  assert.deepEqual(map.at(0x7f3fn), { name: "JS:*load /srv/app.js:1:1", offset: 31 });
});

Deno.test("at() yields the newest of several functions at a place", () => {
  const map = mapOf("1000 100 old\n1000 80 new\n", "1040 10 newest\n");
  assert.equal(map.at(0x1048n)?.name, "newest");
  assert.equal(map.at(0x1060n)?.name, "new");
  assert.equal(map.at(0x10f0n)?.name, "old");
});

Deno.test("append() joins what the end of a part has cut", () => {
  const map = mapOf("1000 10 fir", "st\n2000 10 second");
  assert.equal(map.at(0x1000n)?.name, "first");
  assert.equal(map.at(0x2000n), undefined, "its line is not whole yet");
  map.append("\n");
  assert.equal(map.at(0x2000n)?.name, "second");
});

Deno.test("append() counts what is no function, and takes no more than its limit", () => {
  const map = mapOf("no\n1000 zz name\n1000\n\n123456789abcdef0 10 beyond\n0x1000 0x10 prefixed\n");
  assert.equal(map.count, 1);
  assert.equal(map.refusedCount, 4);
  assert.equal(map.at(0x1001n)?.name, "prefixed");
  const full = mapOf("1000 1 f\n".repeat(PERF_MAP_FUNCTIONS_MAX + 3));
  assert.deepEqual([full.count, full.refusedCount], [PERF_MAP_FUNCTIONS_MAX, 3]);
});

Deno.test("incident 15: a line without an end is not kept beyond its limit", () => {
  const map = mapOf(...Array.from({ length: 100 }, () => "x".repeat(10_000)));
  map.append("\n1000 10 after\n");
  assert.equal(map.at(0x1000n)?.name, "after");
  assert.equal(mapOf(`1000 10 ${"n".repeat(5000)}\n`).at(0x1000n)?.name.length, 256);
});

Deno.test("incident 10: any text in any parts is survived, and cutting it differently changes nothing", () => {
  const line = property.oneof(
    property.tuple(property.nat(0xffff), property.nat(0xff), property.string()).map(([start, size, name]) =>
      `${start.toString(16)} ${size.toString(16)} ${name}`
    ),
    property.string({ unit: "grapheme" }),
  );
  const values = property.tuple(
    property.array(line, { maxLength: 30 }),
    property.array(property.nat(500)),
    property.nat(),
  );
  checkProperty(values, ([lines, cuts, place]) => {
    const text = `${lines.join("\n")}\n`;
    const whole = mapOf(text);
    const parts = new PerfMap();
    let from = 0;
    for (const cut of [...cuts, text.length].map((at) => Math.min(at, text.length)).toSorted((a, b) => a - b)) {
      parts.append(text.slice(from, cut));
      from = cut;
    }
    assert.deepEqual(parts.at(BigInt(place % 0x10000)), whole.at(BigInt(place % 0x10000)));
    assert.equal(parts.count, whole.count);
    const found = whole.at(BigInt(place % 0x10000));
    assert.ok(found === undefined || found.offset >= 0);
  }, { runCount: 500 });
});
