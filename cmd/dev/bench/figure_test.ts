import { assert } from "../../../tests/support/assert.ts";
import {
  type Figure,
  figureLines,
  formatValue,
  isMiss,
  judgeAtLeast,
  judgeAtMost,
  judgeIntervalAtMost,
} from "./figure.ts";

const AT_MOST = [
  { value: 1.49, verdict: "PASS" },
  { value: 1.5, verdict: "PASS" },
  { value: 1.51, verdict: "FAIL" },
  { value: NaN, verdict: "FAIL" },
];

for (const { value, verdict } of AT_MOST) {
  Deno.test(`judgeAtMost() says ${verdict} when ${value} should be at most 1.5`, () => {
    assert.equal(judgeAtMost(value, 1.5), verdict);
  });
}

const AT_LEAST = [
  { value: 4.99, verdict: "FAIL" },
  { value: 5, verdict: "PASS" },
  { value: NaN, verdict: "FAIL" },
];

for (const { value, verdict } of AT_LEAST) {
  Deno.test(`judgeAtLeast() says ${verdict} when ${value} should be at least 5`, () => {
    assert.equal(judgeAtLeast(value, 5), verdict);
  });
}

const INTERVALS = [
  { low: -1, high: 1.9, verdict: "PASS" },
  { low: -1, high: 2, verdict: "PASS" },
  { low: 1.9, high: 2.1, verdict: "UNDECIDED" },
  { low: 2, high: 5, verdict: "UNDECIDED" },
  { low: 2.01, high: 5, verdict: "FAIL" },
];

for (const { low, high, verdict } of INTERVALS) {
  Deno.test(`judgeIntervalAtMost() says ${verdict} when ${low} to ${high} should be at most 2`, () => {
    assert.equal(judgeIntervalAtMost({ low, high }, 2), verdict);
  });
}

function aFigure(overrides: Partial<Figure> = {}): Figure {
  return {
    name: "reader",
    value: 1.234,
    unit: "times",
    target: "at most 1.5",
    verdict: "PASS",
    spread: "15 pairs",
    how: "by reading",
    ...overrides,
  };
}

const MISSES = [
  { figure: aFigure(), expected: false },
  { figure: aFigure({ verdict: "UNDECIDED" }), expected: false },
  { figure: aFigure({ verdict: "INFO" }), expected: false },
  { figure: aFigure({ verdict: "FAIL" }), expected: true },
  { figure: { name: "reader", problem: "Cannot read" }, expected: true },
];

for (const { figure, expected } of MISSES) {
  Deno.test(`isMiss() says ${expected} when it is ${"problem" in figure ? "not to be had" : figure.verdict}`, () => {
    assert.equal(isMiss(figure), expected);
  });
}

Deno.test("figureLines() prints name, value, unit, target and verdict, and how it was measured", () => {
  assert.deepEqual(figureLines(aFigure()), [
    "PASS       reader: 1.23 times, target at most 1.5; 15 pairs",
    "           by reading",
  ]);
});

Deno.test("figureLines() prints why a figure could not be had", () => {
  assert.deepEqual(figureLines({ name: "reader", problem: "Cannot read: found nothing" }), [
    "FAIL       reader: Cannot read: found nothing",
  ]);
});

const VALUES = [
  [0, "0.00"],
  [0.01234, "0.0123"],
  [-1.996, "-2.00"],
  [12.34, "12.3"],
  [123.4, "123"],
  [6_512_345, "6512345"],
] as const;

for (const [value, text] of VALUES) {
  Deno.test(`formatValue() yields ${text} when it is ${value}`, () => assert.equal(formatValue(value), text));
}
