import { assert } from "../tests/support/assert.ts";
import { checkProperty, property } from "../tests/support/property.ts";
import { formatDuration, parseDuration, toMs } from "./duration.ts";

const SECOND = 1_000_000_000n;
const MINUTE = 60n * SECOND;
const HOUR = 60n * MINUTE;

/** Text, nanoseconds: what Go answers. */
const ACCEPTED: readonly (readonly [text: string, ns: bigint])[] = [
  ["0", 0n],
  ["+0", 0n],
  ["-0", 0n],
  ["0s", 0n],
  ["1ns", 1n],
  ["11us", 11_000n],
  ["12\u00b5s", 12_000n],
  ["12\u03bcs", 12_000n],
  ["300ms", 300_000_000n],
  ["5s", 5n * SECOND],
  ["+5s", 5n * SECOND],
  ["-5s", -5n * SECOND],
  [".5s", SECOND / 2n],
  ["1.s", SECOND],
  ["1.5h", 90n * MINUTE],
  ["1.0s", SECOND],
  ["1.004s", 1_004_000_000n],
  ["0.9ns", 0n],
  ["1h2m3.5s", HOUR + 2n * MINUTE + 3_500_000_000n],
  ["3.5s1h", HOUR + 3_500_000_000n],
  ["1s1s", 2n * SECOND],
  ["-1h0.5m", -(HOUR + 30n * SECOND)],
  ["39h9m14.425s", 39n * HOUR + 9n * MINUTE + 14_425_000_000n],
  ["52763797000ns", 52_763_797_000n],
  ["24h0m0.001s", 24n * HOUR + 1_000_000n],
  ["0.3333333333333333333h", 20n * MINUTE],
  ["0.100000000000000000000h", 6n * MINUTE],
  ["9007199254740993ns", 9_007_199_254_740_993n],
  ["9223372036854775807ns", (1n << 63n) - 1n],
  ["-9223372036854775808ns", -(1n << 63n)],
  ["9223372036s854ms775us807ns", (1n << 63n) - 1n],
];

const REJECTED: readonly (readonly [text: string, problem: string])[] = [
  ["", '"" has no digits'],
  ["+", '"+" has no digits'],
  ["-", '"-" has no digits'],
  ["00", 'no unit after "00", expected ns, us, ms, s, m or h'],
  ["3", 'no unit after "3", expected ns, us, ms, s, m or h'],
  ["1.5", 'no unit after "1.5", expected ns, us, ms, s, m or h'],
  ["1m30", 'no unit after "30", expected ns, us, ms, s, m or h'],
  ["s", 'expected digits at "s"'],
  [".", 'expected digits at "."'],
  [".s", 'expected digits at ".s"'],
  ["+.s", 'expected digits at ".s"'],
  ["--5s", 'expected digits at "-5s"'],
  ["1d", 'unknown unit "d", expected ns, us, ms, s, m or h'],
  ["1S", 'unknown unit "S", expected ns, us, ms, s, m or h'],
  ["1 s", 'unknown unit " s", expected ns, us, ms, s, m or h'],
  [" 1s", 'expected digits at " 1s"'],
  ["1s ", 'unknown unit "s ", expected ns, us, ms, s, m or h'],
  ["1e3s", 'unknown unit "e", expected ns, us, ms, s, m or h'],
  ["1s\n", 'unknown unit "s\\n", expected ns, us, ms, s, m or h'],
  ["1_000s", 'unknown unit "_", expected ns, us, ms, s, m or h'],
  ["\u0661s", 'expected digits at "\u0661s"'],
  ["9223372036854775808ns", '"9223372036854775808ns" is beyond 292 years'],
  ["-9223372036854775809ns", '"-9223372036854775809ns" is beyond 292 years'],
  ["9223372036854ms775us808ns", '"9223372036854ms775us808ns" is beyond 292 years'],
  ["3000000h", '"3000000h" is beyond 292 years'],
];

Deno.test("parseDuration() yields Go's nanoseconds for what Go accepts", () => {
  for (const [text, ns] of ACCEPTED) {
    assert.deepEqual(parseDuration(text), { kind: "duration", ns }, text);
  }
});

Deno.test("parseDuration() says what is wrong with what Go refuses", () => {
  for (const [text, problem] of REJECTED) {
    assert.deepEqual(parseDuration(text), { kind: "invalid", problem }, text);
  }
});

Deno.test("formatDuration() spells durations as Go does", () => {
  const table: readonly (readonly [ns: bigint, text: string])[] = [
    [0n, "0s"],
    [1n, "1ns"],
    [999n, "999ns"],
    [1_000n, "1\u00b5s"],
    [1_100n, "1.1\u00b5s"],
    [999_999n, "999.999\u00b5s"],
    [1_000_000n, "1ms"],
    [2_200_000n, "2.2ms"],
    [999_999_999n, "999.999999ms"],
    [SECOND, "1s"],
    [3_300_000_000n, "3.3s"],
    [59_999_999_999n, "59.999999999s"],
    [MINUTE, "1m0s"],
    [4n * MINUTE + 5n * SECOND + 1_000_000n, "4m5.001s"],
    [HOUR, "1h0m0s"],
    [24n * HOUR, "24h0m0s"],
    [5n * HOUR + 6n * MINUTE + 7_001_000_000n, "5h6m7.001s"],
    [-SECOND / 2n, "-500ms"],
    [(1n << 63n) - 1n, "2562047h47m16.854775807s"],
    [-(1n << 63n), "-2562047h47m16.854775808s"],
  ];
  for (const [ns, text] of table) assert.equal(formatDuration(ns), text);
});

Deno.test("parseDuration() reads back every duration that formatDuration() writes", () => {
  checkProperty(property.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }), (ns) => {
    assert.deepEqual(parseDuration(formatDuration(ns)), { kind: "duration", ns });
  });
});

Deno.test("parseDuration() adds up the terms of any sequence of them", () => {
  const nsPerUnit = { h: HOUR, m: MINUTE, s: SECOND, ms: 1_000_000n, us: 1_000n, ns: 1n };
  const term = property.tuple(property.nat({ max: 10_000 }), property.constantFrom("h", "m", "s", "ms", "us", "ns"));
  checkProperty(property.array(term, { minLength: 1, maxLength: 8 }), (terms) => {
    const text = terms.map(([value, unit]) => `${value}${unit}`).join("");
    const ns = terms.reduce((sum, [value, unit]) => sum + BigInt(value) * nsPerUnit[unit], 0n);
    assert.deepEqual(parseDuration(text), { kind: "duration", ns });
  });
});

Deno.test("parseDuration() never throws, whatever the text", () => {
  checkProperty(property.string({ unit: "binary", maxLength: 40 }), (text) => {
    const parsed = parseDuration(text);
    if (parsed.kind === "invalid") assert.notEqual(parsed.problem, "");
  });
});

Deno.test("toMs() keeps the fraction and is exact over a day", () => {
  assert.equal(toMs(1_500_000n), 1.5);
  assert.equal(toMs(1n), 0.000001);
  assert.equal(toMs(24n * HOUR), 86_400_000);
  assert.equal(toMs(24n * HOUR + 1_000_000n), 86_400_001);
});
