import { assert } from "../../tests/support/assert.ts";
import type { CgroupReading } from "../api/host_reader.ts";
import { toTargetId } from "../api/units.ts";
import { toCgroupMeasurement, toCgroupResources, toPressureDelta } from "./window_deltas.ts";

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
    cpuLimitPath: undefined,
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

const MEMORY = {
  limitBytes: 100,
  highBytes: undefined,
  usageBytes: 90,
  peakBytes: 95,
  anonymousBytes: 50,
  swapBytes: 0,
  highEventCount: undefined,
  maxEventCount: 40,
  oomEventCount: 2,
  oomKillCount: 1,
};

const disk = (figure: number) => ({
  device: "8:0",
  readBytes: figure,
  writeBytes: figure * 2,
  readOperationCount: figure,
  writeOperationCount: 0,
});

Deno.test("toCgroupResources() yields use and limits as they are, and events and I/O of the window", () => {
  const begin = aReading({ memory: { ...MEMORY, usageBytes: 10 }, io: { devices: [disk(10)], limits: [] } });
  const limit = {
    device: "8:0",
    readBytesPerSecond: 1,
    writeBytesPerSecond: undefined,
    readOperationsPerSecond: undefined,
    writeOperationsPerSecond: undefined,
  };
  const end = aReading({
    memory: { ...MEMORY, maxEventCount: 45, oomKillCount: 3 },
    io: { devices: [disk(30), { ...disk(7), device: "8:16" }, { ...disk(0), device: "9:0" }], limits: [limit] },
  });

  const { memory, io } = toCgroupResources(GROUP, { begin, end });
  assert.deepEqual(memory, { ...MEMORY, maxEventCount: 5, oomEventCount: 0, oomKillCount: 2 });
  // A device appears with its first request, so one that is new has its total.
  assert.deepEqual(io, { devices: [disk(20), { ...disk(7), device: "8:16" }], limits: [limit] });
});

Deno.test("toCgroupResources() knows no events of a group that was not there at the beginning, and nothing of one that is gone", () => {
  const fresh = toCgroupResources(GROUP, { begin: undefined, end: aReading({ memory: MEMORY }) });
  assert.deepEqual([fresh.memory?.usageBytes, fresh.memory?.oomKillCount, fresh.io], [90, undefined, undefined]);
  const gone = toCgroupResources(GROUP, { begin: aReading({ memory: MEMORY }), end: undefined });
  assert.deepEqual([gone.memory, gone.io], [undefined, undefined]);
});
