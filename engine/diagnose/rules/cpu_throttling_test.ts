import { assert } from "../../../tests/support/assert.ts";
import type { CgroupMeasurement } from "../../api/measurements.ts";
import { buildFacts, TARGET_ID, type ThreadSketch } from "../test_measurements.ts";
import { cpuThrottling } from "./cpu_throttling.ts";
import { cpuWait } from "./cpu_wait.ts";

const CGROUP: CgroupMeasurement = {
  targetId: TARGET_ID,
  path: "/kubepods/pod1",
  cpuLimit: 0.5,
  periodCount: 100,
  throttledPeriodCount: 80,
  throttledMs: 5200,
  cpuUsageMs: 5000,
  pressure: undefined,
};

const factsWith = (thread: Partial<ThreadSketch>, cgroups: readonly CgroupMeasurement[] = [CGROUP]) =>
  buildFacts({
    processes: [{ processId: 100, command: "shop", threads: [{ threadId: 100, ...thread }] }],
    cgroups,
  });

Deno.test("cpuThrottling() names the limit, the cgroup and the throttled periods", () => {
  const [finding] = cpuThrottling(factsWith({ onCpuMs: 5000, throttledMs: 5000 }));
  assert.equal(finding?.severity, "critical");
  assert.equal(finding?.title, "Throttled by its limit of 0.50 CPUs for 50.0% of the non-idle time.");
  assert.equal(finding?.evidence.object, "/kubepods/pod1");
  assert.equal(finding?.evidence.cpu?.throttledPeriodCount, 80);
  assert.equal(finding?.evidence.cpu?.cgroupThrottledMs, 5200);
});

Deno.test("cpuThrottling() yields info for less than 5 % and nothing for none", () => {
  assert.equal(cpuThrottling(factsWith({ onCpuMs: 9600, throttledMs: 400 }))[0]?.severity, "info");
  assert.deepEqual(cpuThrottling(factsWith({ onCpuMs: 10_000 }, [{ ...CGROUP, throttledMs: 0 }])), []);
});

Deno.test("cpuThrottling() does not blame a target for what others in its cgroup suffered", () => {
  assert.deepEqual(cpuThrottling(factsWith({ onCpuMs: 10_000 })), []);
});

Deno.test("cpuThrottling() takes the cgroup's account where the threads' cannot be read, and no CPU wait beside it", () => {
  const facts = factsWith({ onCpuMs: 5000, runnableMs: 5000 });
  const [finding] = cpuThrottling(facts);
  assert.equal(finding?.explainedMs, 5000);
  assert.match(finding?.evidence.notes?.join() ?? "", /from the cgroup's account/);
  assert.deepEqual(cpuWait(facts), []);
});

Deno.test("cpuWait() leaves the word to throttling while the quota is used up in most periods, and only then", () => {
  const threads = { onCpuMs: 4700, runnableMs: 3300, throttledMs: 2000 };
  const isTold = (cgroup: Partial<CgroupMeasurement>) =>
    cpuWait(factsWith(threads, [{ ...CGROUP, ...cgroup }])).length > 0;
  assert.equal(isTold({}), false);
  assert.equal(isTold({ cpuUsageMs: undefined }), false); // the threads' own time is near the quota as well
  assert.equal(isTold({ throttledPeriodCount: 50 }), false);
  assert.equal(isTold({ throttledPeriodCount: 49 }), true);
  assert.equal(isTold({ cpuUsageMs: 4000 }), false);
  assert.equal(isTold({ cpuUsageMs: 3900 }), true);
});

Deno.test("cpuThrottling() tells of the rush after each period, unless waiting for a CPU is told for itself", () => {
  const threads = { onCpuMs: 4700, runnableMs: 3300, throttledMs: 2000 };
  const consequences = (cgroup: Partial<CgroupMeasurement>) =>
    cpuThrottling(factsWith(threads, [{ ...CGROUP, ...cgroup }]))[0]?.consequences.length;
  assert.equal(consequences({}), 1);
  assert.equal(consequences({ throttledPeriodCount: 10 }), 0);
});
