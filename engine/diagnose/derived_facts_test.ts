import { assert } from "../../tests/support/assert.ts";
import { DerivedFacts } from "./derived_facts.ts";

Deno.test("DerivedFacts makes each thing once of the same facts, and anew of a copy", () => {
  const derived = new DerivedFacts();
  let calls = 0;
  const double = ({ figure }: { figure: number }) => {
    calls++;
    return figure * 2;
  };
  const negate = ({ figure }: { figure: number }) => figure === 0 ? undefined : -figure;
  const facts = { figure: 4 };
  assert.deepEqual([derived.of(facts, double), derived.of(facts, double), derived.of(facts, negate)], [8, 8, -4]);
  assert.equal(calls, 1);
  assert.equal(derived.of({ ...facts, figure: 5 }, double), 10);
  assert.equal(derived.of(facts, double), 8);
});

Deno.test("DerivedFacts keeps that nothing was made of the facts", () => {
  const derived = new DerivedFacts();
  let calls = 0;
  const nothing = () => {
    calls++;
    return undefined;
  };
  const facts = {};
  assert.deepEqual([derived.of(facts, nothing), derived.of(facts, nothing), calls], [undefined, undefined, 1]);
});
