import { assert } from "../../../tests/support/assert.ts";
import { buildFacts, FILE, TARGET_ID, type WaitSketch } from "../test_measurements.ts";
import { pageFault } from "./page_fault.ts";

const factsWith = (onCpuMs: number, waits: readonly Partial<WaitSketch>[]) =>
  buildFacts({
    processes: [{
      processId: 100,
      command: "shop",
      threads: [{ threadId: 100, onCpuMs, waits: waits.map((wait) => ({ waitClass: "pageFault", ...wait })) }],
    }],
    cgroups: [{
      targetId: TARGET_ID,
      path: "/shop",
      cpuLimit: undefined,
      periodCount: undefined,
      throttledPeriodCount: undefined,
      throttledMs: undefined,
      cpuUsageMs: undefined,
      pressure: { cpuSomeMs: 0, ioSomeMs: 0, ioFullMs: 0, memorySomeMs: 800, memoryFullMs: 0 },
    }],
  });

Deno.test("pageFault() adds up the faults of all files, names them, and the memory pressure", () => {
  const [finding, ...others] = pageFault(factsWith(1000, [
    { object: FILE, count: 300, eachMs: 3 },
    { object: { kind: "none" }, count: 100, eachMs: 1 },
  ]));
  assert.deepEqual(others, []);
  assert.equal(finding?.severity, "error");
  assert.equal(finding?.explainedMs, 1000);
  assert.match(finding?.title ?? "", /: memory is read back from \/srv\/shop\/data\.bin\.$/);
  assert.equal(finding?.evidence.object, "/srv/shop/data.bin");
  assert.deepEqual(finding?.evidence.notes, ["the cgroup was short of memory for 800.00 ms (PSI)"]);
});

Deno.test("pageFault() yields info for the faults of a start", () => {
  assert.equal(pageFault(factsWith(3000, [{ count: 100, eachMs: 3 }]))[0]?.severity, "info");
});

Deno.test("pageFault() yields nothing without faults", () => {
  assert.deepEqual(pageFault(factsWith(3000, [])), []);
});
