/**
 * What several rules make of the same facts, made once.
 *
 * @module
 */

/** Keeps what functions made of facts, for as long as the facts are there. */
export class DerivedFacts {
  // By the very facts: a copy with other figures has results of its own.
  readonly #results = new WeakMap<object, Map<unknown, unknown>>();

  /** Yields what `derive` makes of `facts`; `derive` must be pure, and the same function each time. */
  of<Facts extends object, Result>(facts: Facts, derive: (facts: Facts) => Result): Result {
    const known = this.#results.get(facts) ?? new Map<unknown, unknown>();
    if (known.size === 0) this.#results.set(facts, known);
    if (!known.has(derive)) known.set(derive, derive(facts));
    return known.get(derive) as Result; // under its own maker
  }
}
