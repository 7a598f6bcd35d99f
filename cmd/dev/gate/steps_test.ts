import { assert } from "../../../tests/support/assert.ts";
import { denoStep, ownStep, runSteps } from "./steps.ts";

Deno.test("runSteps() goes on after a step that fails or throws", async () => {
  const printed: string[] = [];
  const steps = [
    ownStep("first", () => Promise.resolve(3)),
    ownStep("second", () => Promise.reject(new Error("no such module"))),
    ownStep("third", () => Promise.resolve(0)),
  ];
  const results = await runSteps(steps, (text) => printed.push(text));
  assert.deepEqual(results.map(({ name, outcome, detail }) => [name, outcome, detail]), [
    ["first", "failed", "ended with 3"],
    ["second", "failed", "no such module"],
    ["third", "passed", undefined],
  ]);
  assert.match(printed[0] ?? "", /^gate: first: failed: ended with 3 \(\d+\.\d s\)$/);
  assert.match(printed[1] ?? "", /Error: no such module/);
});

Deno.test("denoStep() passes or fails as deno does", async () => {
  const printed: string[] = [];
  const good = await denoStep("good", ["--version"]).run((text) => printed.push(text));
  assert.deepEqual(good, { outcome: "passed" });
  const bad = await denoStep("bad", ["run", "no_such_file.ts"]).run((text) => printed.push(text));
  assert.deepEqual(bad, { outcome: "failed", detail: "deno run ended with 1" });
  assert.equal(printed.length, 1, "only the failed step shows its output");
  assert.match(printed[0] ?? "", /no_such_file\.ts/);
});
