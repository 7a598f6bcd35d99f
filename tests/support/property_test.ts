import { assert } from "./assert.ts";
import { checkProperty, property, readSeed } from "./property.ts";

Deno.test("checkProperty() accepts what holds for every value", () => {
  let seenCount = 0;
  checkProperty(property.integer(), (value) => {
    seenCount++;
    return value + 1 > value;
  }, { runCount: 50 });
  assert.equal(seenCount, 50);
});

Deno.test("checkProperty() names the smallest counterexample and the seed when a value fails", () => {
  assert.throws(
    () => checkProperty(property.nat({ max: 1000 }), (value) => value < 10, { seed: 42 }),
    /Cannot hold the property for 10: .*PODTRACE_TEST_SEED=42/,
  );
});

Deno.test("checkProperty() runs the same values when the seed is the same", () => {
  const valuesOf = (seed: number) => {
    const values: number[] = [];
    checkProperty(property.integer(), (value) => void values.push(value), { seed, runCount: 20 });
    return values;
  };
  assert.deepEqual(valuesOf(7), valuesOf(7));
  assert.notDeepEqual(valuesOf(7), valuesOf(8));
});

Deno.test("readSeed() accepts 32-bit integers and refuses the rest", () => {
  assert.equal(readSeed(undefined), undefined);
  assert.equal(readSeed(""), undefined);
  assert.equal(readSeed("-2147483648"), -2147483648);
  assert.equal(readSeed("2147483647"), 2147483647);
  for (const text of ["2147483648", "-2147483649", "1.5", "seven"]) assert.throws(() => readSeed(text), RangeError);
});
