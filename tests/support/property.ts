/**
 * The one door to property testing.
 *
 * @module
 */

import * as property from "fast-check";

export { property };

/** Set to the seed that a failing run printed, to run the same cases again; `deno task fuzz` sets fresh ones. */
const SEED_VARIABLE = "PODTRACE_TEST_SEED";

/** The gate answers the same for the same tree, so it tries the same cases every time; `deno task fuzz` tries new ones. */
const GATE_SEED = 20_240_229;

/** Enough cases to find the edges of small inputs, few enough for every run of the suite. */
const DEFAULT_RUN_COUNT = 200;

// Also for `property.assert`, which asynchronous properties use: no property draws a seed of its own.
property.configureGlobal({ seed: testSeed() });

/**
 * Checks that `holds` neither throws nor yields `false` for values of `values`.
 *
 * A failure names the smallest value found and the seed; with
 * `PODTRACE_TEST_SEED` set to it the same cases run again.
 *
 * @throws {Error} With the counterexample and the seed
 */
export function checkProperty<T>(
  values: property.Arbitrary<T>,
  holds: (value: T) => boolean | void,
  options: { readonly runCount?: number; readonly seed?: number } = {},
): void {
  const details = property.check(property.property(values, holds), {
    numRuns: options.runCount ?? DEFAULT_RUN_COUNT,
    seed: options.seed ?? testSeed(),
  });
  if (!details.failed) return;
  const counterexample = property.stringify(details.counterexample?.[0]);
  throw new Error(
    `Cannot hold the property for ${counterexample}: found after ${details.numRuns} values ` +
      `(again with ${SEED_VARIABLE}=${details.seed})`,
    { cause: details.errorInstance },
  );
}

/**
 * Yields the seed of this run: the one asked for, else the gate's own.
 *
 * @throws {RangeError} If `PODTRACE_TEST_SEED` is not a 32-bit integer
 */
export function testSeed(): number {
  return readSeed(Deno.env.get(SEED_VARIABLE)) ?? GATE_SEED;
}

/** Yields a source of numbers in [0, 2^32), the same ones for the same `seed`. */
export function seededNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state ^ (state >>> 15)) >>> 0;
  };
}

/**
 * Yields the seed that `text` asks for, or `undefined` if it asks for none.
 *
 * @throws {RangeError} If `text` is not a 32-bit integer
 */
export function readSeed(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const seed = Number(text);
  if ((seed | 0) === seed) return seed;
  throw new RangeError(`Cannot read ${SEED_VARIABLE}: expected a 32-bit integer, got ${JSON.stringify(text)}`);
}
