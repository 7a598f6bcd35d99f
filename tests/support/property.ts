/**
 * The one door to property testing.
 *
 * @module
 */

import * as property from "fast-check";

export { property };

/** Set to the seed that a failing run printed, to run the same cases again. */
const SEED_VARIABLE = "PODTRACE_TEST_SEED";

/** Enough cases to find the edges of small inputs, few enough for every run of the suite. */
const DEFAULT_RUN_COUNT = 200;

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
  const seed = options.seed ?? readSeed(Deno.env.get(SEED_VARIABLE));
  const details = property.check(property.property(values, holds), {
    numRuns: options.runCount ?? DEFAULT_RUN_COUNT,
    ...(seed === undefined ? {} : { seed }),
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
 * Yields the seed that `text` asks for, or `undefined` for a fresh one.
 *
 * @throws {RangeError} If `text` is not a 32-bit integer
 */
export function readSeed(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const seed = Number(text);
  if ((seed | 0) === seed) return seed;
  throw new RangeError(`Cannot read ${SEED_VARIABLE}: expected a 32-bit integer, got ${JSON.stringify(text)}`);
}
