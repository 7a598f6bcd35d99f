import { assert } from "../../../tests/support/assert.ts";
import { checkProperty, property } from "../../../tests/support/property.ts";
import { barSegments, CHART_WIDTH, histogramPicture, niceCeiling, stackMax, stackPaths } from "./chart_paths.ts";

Deno.test("niceCeiling() yields the least round number that is not below", () => {
  for (
    const [value, expected] of [[0, 1], [-1, 1], [NaN, 1], [0.3, 0.5], [1, 1], [1.01, 2], [4.2, 5], [6, 10]] as const
  ) {
    assert.equal(niceCeiling(value), expected);
  }
  checkProperty(property.double({ min: 1e-6, max: 1e9, noNaN: true }), (value) => {
    const ceiling = niceCeiling(value);
    assert.ok(ceiling >= value * (1 - 1e-6) && ceiling < value * 2.6, `${ceiling} for ${value}`);
  });
});

Deno.test("stackPaths() draws steps on top of each other", () => {
  const slices = [[1, 1], [3, 0]];
  assert.equal(stackMax({ slices, columns: [0, 1] }), 3);
  assert.deepEqual(stackPaths({ slices, columns: [0, 1], max: 4, height: 100 }), [
    "M0 100V75H500V25H1000V100H500V100H0Z",
    "M0 75V50H500V25H1000V25H500V75H0Z",
  ]);
  assert.deepEqual(stackPaths({ slices: [[0]], columns: [0], max: 1, height: 100 }), [""]);
});

Deno.test("histogramPicture() begins at the first occupied bucket and loses no bar, however small", () => {
  assert.equal(histogramPicture([0, 0], { width: 10, height: 10 }), undefined);
  const picture = histogramPicture([0, 0, 1, 0, 1_000_000], { width: 30, height: 10 });
  assert.deepEqual([picture?.first, picture?.last], [2, 4]);
  assert.equal(picture?.path, "M0 10V9h8.6V10ZM20 10V0h8.6V10Z");
});

Deno.test("barSegments() fills the bar with what makes up the whole", () => {
  assert.deepEqual(barSegments([1, 0, 3], 4), [
    { x: "0", width: "250" },
    { x: "250", width: "0" },
    { x: "250", width: "750" },
  ]);
  assert.deepEqual(barSegments([5], 0), [{ x: "0", width: "0" }]);
  assert.equal(CHART_WIDTH, 1000);
});
