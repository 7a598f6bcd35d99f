import { assert } from "../../../tests/support/assert.ts";
import {
  estimateGrowthPercent,
  estimateLossPercent,
  estimateMean,
  geometricMean,
  median,
  quantile,
  studentT975,
} from "./statistics.ts";

function assertNear(found: number, expected: number, difference: number): void {
  assert.ok(Math.abs(found - expected) <= difference, `expected ${expected} within ${difference}, got ${found}`);
}

const QUANTILES = [
  { values: [7], share: 0.5, expected: 7 },
  { values: [9, 1, 5], share: 0.5, expected: 5 },
  { values: [4, 1, 3, 2], share: 0.5, expected: 2.5 },
  { values: [10, 2, 9, 100], share: 0, expected: 2 },
  { values: [10, 2, 9, 100], share: 1, expected: 100 },
  { values: [0, 10], share: 0.25, expected: 2.5 },
];

for (const { values, share, expected } of QUANTILES) {
  Deno.test(`quantile() yields ${expected} at ${share} of ${values}`, () => {
    assert.equal(quantile(values, share), expected);
  });
}

Deno.test("median() throws when there are no values", () => {
  assert.throws(() => median([]), RangeError);
});

Deno.test("geometricMean() lies in the middle of a half and a double", () => {
  assertNear(geometricMean([0.5, 2]), 1, 1e-12);
  assertNear(geometricMean([7]), 7, 1e-12);
});

// Printed tables of Student's t give these to three decimals.
const T_POINTS = [
  { degreesOfFreedom: 1, expected: 12.706 },
  { degreesOfFreedom: 10, expected: 2.228 },
  { degreesOfFreedom: 11, expected: 2.201 },
  { degreesOfFreedom: 14, expected: 2.145 },
  { degreesOfFreedom: 30, expected: 2.042 },
  { degreesOfFreedom: 200, expected: 1.972 },
];

for (const { degreesOfFreedom, expected } of T_POINTS) {
  Deno.test(`studentT975() yields ${expected} for ${degreesOfFreedom} degrees of freedom`, () => {
    assertNear(studentT975(degreesOfFreedom), expected, 0.001);
  });
}

Deno.test("estimateMean() yields an interval around the mean as wide as Student's t says", () => {
  // Variance 2.5, five values: 2.776 * sqrt(2.5 / 5).
  const { mean, low, high } = estimateMean([1, 2, 3, 4, 5]);
  assert.equal(mean, 3);
  assertNear(low, 3 - 1.963, 0.001);
  assertNear(high, 3 + 1.963, 0.001);
});

Deno.test("estimateMean() yields a point when all values are alike", () => {
  assert.deepEqual(estimateMean([4, 4, 4]), { mean: 4, low: 4, high: 4 });
});

Deno.test("estimateMean() throws when there is one value", () => {
  assert.throws(() => estimateMean([1]), RangeError);
});

Deno.test("estimateLossPercent() yields the loss of every pair when all lose alike", () => {
  const { mean, low, high } = estimateLossPercent([{ before: 100, after: 98 }, { before: 50, after: 49 }]);
  for (const figure of [mean, low, high]) assertNear(figure, 2, 1e-9);
});

Deno.test("estimateLossPercent() sees no loss when halving and doubling take turns", () => {
  const { mean, low, high } = estimateLossPercent([{ before: 100, after: 50 }, { before: 50, after: 100 }]);
  assertNear(mean, 0, 1e-9);
  assert.ok(low < 0 && high > 0);
});

Deno.test("estimateGrowthPercent() yields the growth, and orders its ends", () => {
  const { mean, low, high } = estimateGrowthPercent([{ before: 10, after: 10.1 }, { before: 10, after: 10.3 }]);
  assertNear(mean, 1.995, 0.001);
  assert.ok(low < 1 && high > 3);
});
