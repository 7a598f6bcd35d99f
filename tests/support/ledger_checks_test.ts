import { assert } from "./assert.ts";
import { holdsOnce, sumOf } from "./ledger_checks.ts";

Deno.test("holdsOnce() is content with the look that holds, and throws what the last one found", async () => {
  let lookCount = 0;
  await holdsOnce(() => {
    lookCount++;
    assert.equal(lookCount, 3);
    return Promise.resolve();
  });
  assert.equal(lookCount, 3);
  lookCount = 0;
  const look = () => Promise.reject(new assert.AssertionError({ message: `look ${++lookCount}` }));
  await assert.rejects(holdsOnce(look, { looksMax: 4 }), { message: "look 4" });
});

Deno.test("holdsOnce() does not look again when something else went wrong", async () => {
  let lookCount = 0;
  const look = () => {
    lookCount++;
    return Promise.reject(new RangeError("broken"));
  };
  await assert.rejects(holdsOnce(look), RangeError);
  assert.equal(lookCount, 1);
});

Deno.test("sumOf() adds up one figure of every item", () => {
  assert.equal(sumOf([{ ms: 1.5 }, { ms: 2 }], ({ ms }) => ms), 3.5);
  assert.equal(sumOf([], () => 1), 0);
});
