import { assert } from "../../../tests/support/assert.ts";
import type { Completeness } from "../../api/measurements.ts";
import { NOT_ASKED_FOR } from "../../api/plane.ts";
import { buildFacts, TARGET_ID } from "../test_measurements.ts";
import { cpuThrottling } from "./cpu_throttling.ts";
import { eventLoss } from "./event_loss.ts";
import { resourceLimit } from "./resource_limit.ts";

const GROUP = {
  targetId: TARGET_ID,
  path: "/kubepods/shop",
  cpuLimit: 0.5,
  periodCount: 100,
  throttledPeriodCount: 0,
  throttledMs: 0,
  cpuUsageMs: 0,
  pressure: undefined,
};

/** A window of 10 s: the quota is 5000 ms. */
function factsWith(cpuUsageMs: number, throttledMs = 0) {
  return buildFacts({
    processes: [{ processId: 100, command: "shop", threads: [{ threadId: 100, onCpuMs: 4000, throttledMs }] }],
    cgroups: [{ ...GROUP, cpuUsageMs }],
  });
}

Deno.test("resourceLimit() is silent below 80 % of the quota, a warning from there, an error from 95 %", () => {
  const table = [[3999, []], [4000, ["warning"]], [4749, ["warning"]], [4750, ["error"]], [5100, ["error"]]] as const;
  for (const [cpuUsageMs, severities] of table) {
    assert.deepEqual(resourceLimit(factsWith(cpuUsageMs)).map(({ severity }) => severity), severities, `${cpuUsageMs}`);
  }
  assert.equal(resourceLimit(factsWith(4250))[0]?.title, "Resource limit: /kubepods/shop uses 85.0% of its 0.50 CPUs.");
  const above = { ...factsWith(0), cgroups: [{ ...GROUP, cpuUsageMs: 4250, cpuLimitPath: "/kubepods" }] };
  assert.equal(resourceLimit(above)[0]?.title, "Resource limit: /kubepods uses 85.0% of its 0.50 CPUs.");
});

Deno.test("resourceLimit() leaves the word to throttling, and says nothing without a limit", () => {
  const throttled = factsWith(4900, 2000);
  assert.equal(cpuThrottling(throttled).length, 1);
  assert.deepEqual(resourceLimit(throttled), []);
  const facts = factsWith(4900);
  const cgroups = [{ ...GROUP, cpuUsageMs: 9000, cpuLimit: undefined }];
  assert.deepEqual(resourceLimit({ ...facts, cgroups }), []);
});

Deno.test("resourceLimit() takes the threads' own time where the group's account is missing, unless there are several groups", () => {
  const facts = factsWith(0); // its thread ran for 4000 ms
  const group = { ...GROUP, cpuUsageMs: undefined };
  const [finding] = resourceLimit({ ...facts, cgroups: [group] });
  assert.equal(finding?.title, "Resource limit: /kubepods/shop uses 80.0% of its 0.50 CPUs.");
  assert.match(finding?.evidence.notes?.[0] ?? "", /^of the target's own threads/);
  assert.deepEqual(resourceLimit({ ...facts, cgroups: [group, { ...group, path: "/b" }] }), []);
});

const LOSSES: readonly (readonly [name: string, completeness: Completeness, expected: readonly string[]])[] = [
  ["a complete category", { verdict: "complete" }, []],
  ["one nobody asked for", { verdict: "blind", reason: NOT_ASKED_FOR }, []],
  ["one the kernel cannot show", { verdict: "blind", reason: "no provider" }, ["info"]],
  ["a small loss", { verdict: "partial", percent: 99.9, reason: "ring_full 3" }, ["info"]],
  ["half of it", { verdict: "partial", percent: 50, reason: "ring_full 300" }, ["info"]],
  ["less than half of it", { verdict: "partial", percent: 49.9, reason: "ring_full 301" }, ["warning"]],
];

for (const [name, completeness, expected] of LOSSES) {
  Deno.test(`eventLoss() yields ${expected[0] ?? "nothing"} for ${name}`, () => {
    const facts = factsWith(0);
    const target = { ...facts, completeness: { ...facts.completeness, waits: completeness } };
    assert.deepEqual(eventLoss([target]).map(({ severity }) => severity), expected);
  });
}

Deno.test("eventLoss() says once for all targets what was lost and what follows", () => {
  const facts = factsWith(0);
  const waits = { verdict: "partial", percent: 42.42, reason: "map_full 570" } as const;
  const target = { ...facts, completeness: { ...facts.completeness, waits } };
  assert.deepEqual(eventLoss([target, target]).map(({ title }) => title), [
    "Only 42.4% of waits were seen (map_full 570): rules that need it are silent.",
  ]);
  assert.deepEqual(eventLoss([]), []);
});
