import { assert } from "../../../tests/support/assert.ts";
import { type DemoPlan, describePlan, planDemo, SEED_MAX } from "./demo_plan.ts";

const SEEDS = [0, 1, 2, 3, 7, 42, 1000, SEED_MAX - 1, SEED_MAX];

Deno.test("planDemo() yields the same plan for the same seed", () => {
  for (const seed of SEEDS) assert.deepEqual(planDemo(seed), planDemo(seed));
});

Deno.test("planDemo() moves every part of the trouble when the seed changes", () => {
  const plans = Array.from({ length: 40 }, (_, seed) => planDemo(seed));
  for (const part of Object.keys(planDemo(0)) as (keyof DemoPlan)[]) {
    const variants = new Set(plans.map((plan) => JSON.stringify(plan[part])));
    assert.ok(variants.size >= 3, `${part} took only ${variants.size} values over 40 seeds`);
  }
});

Deno.test("planDemo() stays within what the service accepts for any seed", () => {
  for (const seed of SEEDS) {
    const plan = planDemo(seed);
    assert.ok(plan.holderThread.length <= 15, "the kernel keeps 15 characters of a thread's name");
    assert.ok(plan.upstreamPorts.every((port) => port >= 20_000 && port < 30_000));
    assert.ok(plan.workerCount >= 2 && plan.workerCount <= 4);
    assert.ok(plan.logDirectory.length >= 2);
  }
});

Deno.test("describePlan() names what the report has to name", () => {
  const plan = planDemo(3);
  const text = describePlan(plan, 4711, "/tmp/x/audit.log");
  for (const name of ["seed 3", "127.0.0.1:4711", "/tmp/x/audit.log", plan.holderThread]) {
    assert.ok(text.includes(name));
  }
});
