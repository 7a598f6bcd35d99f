import { assert } from "../../../tests/support/assert.ts";
import { denoStep, ownStep, runSteps } from "./steps.ts";

Deno.test("runSteps() goes on after a step that fails or throws", async () => {
  const results = await runSteps([
    ownStep("first", () => Promise.resolve(3)),
    ownStep("second", () => Promise.reject(new Error("no such module"))),
    ownStep("third", () => Promise.resolve(0)),
  ]);
  assert.deepEqual(results.map(({ name, outcome, detail }) => [name, outcome, detail]), [
    ["first", "failed", "ended with 3"],
    ["second", "failed", "no such module"],
    ["third", "passed", undefined],
  ]);
});

Deno.test("denoStep() passes or fails as deno does", async () => {
  const good = await denoStep("good", ["--version"]).run();
  assert.deepEqual(good, { outcome: "passed" });
  const bad = await denoStep("bad", ["run", "no_such_file.ts"]).run();
  assert.deepEqual(bad, { outcome: "failed", detail: "deno run ended with 1" });
});
