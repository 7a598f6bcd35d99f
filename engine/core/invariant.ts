/**
 * Assertions of the engine: a bug stops the run instead of bending its figures.
 *
 * @module
 */

import { AssertionError } from "node:assert";

/** @throws {AssertionError} If `condition` does not hold; `message` says what was expected */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError({ message });
}
