import { assert } from "../../../tests/support/assert.ts";
import { estimateSlope, type MemorySample, parsePss, toMemoryFigures } from "./own_memory.ts";

/** One a second, ten minutes; `growth` in MB over all of it, `noise` MB to both sides. */
function samples(growth: number, { noise = 0, base = 60 } = {}): readonly MemorySample[] {
  return Array.from({ length: 600 }, (_, index) => ({
    atMs: 1000 * index,
    bytes: 1e6 * (base + growth * index / 600 + (index % 2 === 0 ? noise : -noise)),
  }));
}

const CASES = [
  { name: "flat and small", given: samples(0, { noise: 0.5 }), verdicts: ["PASS", "PASS"] },
  { name: "growing", given: samples(5, { noise: 0.5 }), verdicts: ["PASS", "FAIL"] },
  { name: "too large", given: samples(0, { base: 91 }), verdicts: ["FAIL", "PASS"] },
  {
    name: "too noisy to tell",
    given: samples(0.9, { noise: 30, base: 40 }).slice(0, 200),
    verdicts: ["PASS", "UNDECIDED"],
  },
];

for (const { name, given, verdicts } of CASES) {
  Deno.test(`toMemoryFigures() judges memory that is ${name}`, () => {
    assert.deepEqual(toMemoryFigures(given).map(({ verdict }) => verdict), verdicts);
  });
}

Deno.test("estimateSlope() finds the slope of a line", () => {
  const { mean, low, high } = estimateSlope(samples(6));
  assert.ok(Math.abs(mean - 10) < 1e-6 && Math.abs(low - 10) < 1e-6 && Math.abs(high - 10) < 1e-6);
});

Deno.test("estimateSlope() needs three samples", () => {
  assert.throws(() => estimateSlope(samples(0).slice(0, 2)), RangeError);
});

Deno.test("parsePss() reads kilobytes, and knows when there are none", () => {
  assert.equal(parsePss("Rss:  100 kB\nPss:     90 kB\nPss_Dirty:  1 kB\n"), 90 * 1024);
  assert.equal(parsePss(""), undefined);
});
