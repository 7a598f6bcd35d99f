import { assert } from "../../tests/support/assert.ts";
import type { CgroupReading } from "../api/host_reader.ts";
import { toTargetId } from "../api/units.ts";
import { toCgroupMeasurement, toPressureDelta } from "./window_deltas.ts";

const GROUP = { targetId: toTargetId("a"), path: "/sys/fs/cgroup/a" };

function aReading(overrides: Partial<CgroupReading> = {}): CgroupReading {
  return {
    cpuLimit: 0.5,
    periodCount: 100,
    throttledPeriodCount: 10,
    throttledMs: 1000,
    cpuUsageMs: 5000,
    memory: undefined,
    io: undefined,
    pressure: undefined,
    ...overrides,
  };
}

Deno.test("toCgroupMeasurement() yields what was added over the window, and the limit in force at its end", () => {
  const end = aReading({
    cpuLimit: 2,
    periodCount: 150,
    throttledPeriodCount: 30,
    throttledMs: 1800,
    cpuUsageMs: 5600,
  });

  assert.deepEqual(toCgroupMeasurement(GROUP, { begin: aReading(), end }), {
    ...GROUP,
    cpuLimit: 2,
    periodCount: 50,
    throttledPeriodCount: 20,
    throttledMs: 800,
    cpuUsageMs: 600,
    pressure: undefined,
  });
});

Deno.test("toCgroupMeasurement() keeps the limit of a cgroup that is gone, and knows no deltas", () => {
  const gone = toCgroupMeasurement(GROUP, { begin: aReading(), end: undefined });
  assert.deepEqual([gone.cpuLimit, gone.throttledMs, gone.cpuUsageMs], [0.5, undefined, undefined]);
});

Deno.test("toCgroupMeasurement() takes all of a counter that began anew", () => {
  const end = aReading({ throttledMs: 30 });
  assert.equal(toCgroupMeasurement(GROUP, { begin: aReading(), end }).throttledMs, 30);
});

Deno.test("toCgroupMeasurement() yields no limit where the limit was lifted", () => {
  const end = aReading({ cpuLimit: undefined });
  assert.equal(toCgroupMeasurement(GROUP, { begin: aReading(), end }).cpuLimit, undefined);
});

Deno.test("toPressureDelta() yields the stall time between two readings, figure by figure", () => {
  const begin = { cpuSomeMs: 10, ioSomeMs: 20, ioFullMs: undefined, memorySomeMs: 0, memoryFullMs: 0 };
  const end = { cpuSomeMs: 15, ioSomeMs: 20, ioFullMs: 9, memorySomeMs: 1, memoryFullMs: 0 };

  assert.deepEqual(toPressureDelta(begin, end), {
    cpuSomeMs: 5,
    ioSomeMs: 0,
    ioFullMs: undefined,
    memorySomeMs: 1,
    memoryFullMs: 0,
  });
  assert.equal(toPressureDelta(undefined, end), undefined);
  assert.equal(toPressureDelta(begin, undefined), undefined);
});
