import { assert } from "./assert.ts";
import { until } from "./until.ts";

Deno.test("until() yields what was found, at the look that found it", async () => {
  const answers = [undefined, false, 7, 8] as const;
  let lookCount = 0;
  assert.equal(await until(() => answers[lookCount++], { what: "there is a number" }), 7);
  assert.equal(lookCount, 3);
});

Deno.test("until() says what did not come true", async () => {
  await assert.rejects(
    until(() => false, { what: "pigs fly", timeoutMs: 1 }),
    /Waited in vain until pigs fly: 1 ms are over/,
  );
});
