import { assert } from "../../../tests/support/assert.ts";
import { buildFacts, type WaitSketch } from "../test_measurements.ts";
import { stopped } from "./stopped.ts";

const factsWith = (wait: Partial<WaitSketch>) =>
  buildFacts({
    processes: [{
      processId: 100,
      command: "shop",
      threads: [{ threadId: 100, onCpuMs: 100, waits: [{ waitClass: "stopped", ...wait }] }],
    }],
  });

Deno.test("stopped() tells a process that is halted still from one that was", () => {
  assert.match(stopped(factsWith({ openMs: 9000 }))[0]?.title ?? "", /^shop \(100\) is stopped for 90\.0% of its/);
  assert.match(stopped(factsWith({ eachMs: 3000 }))[0]?.title ?? "", /^shop \(100\) was stopped for 30\.0% of its/);
});

Deno.test("stopped() is never above error, and info below 5 %", () => {
  assert.equal(stopped(factsWith({ openMs: 9000 }))[0]?.severity, "error");
  assert.equal(stopped(factsWith({ eachMs: 400 }))[0]?.severity, "info");
  assert.deepEqual(stopped(factsWith({ eachMs: 10 })), []);
});
