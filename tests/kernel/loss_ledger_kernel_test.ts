/**
 * What happens when tables and rings are too small: every loss is counted, the
 * report says so, and the time still adds up.
 *
 * @module
 */

import { makeDiskDirectory } from "../../cmd/dev/demo/disk_directory.ts";
import type { Category, Measurements } from "../../engine/api/measurements.ts";
import { LIFECYCLE_RING_BYTES } from "../../engine/api/limits.ts";
import { MAP_TYPE } from "../../engine/ffi/bpf_map.ts";
import { BpfObject } from "../../engine/ffi/bpf_object.ts";
import { openLibbpf } from "../../engine/ffi/libbpf.ts";
import { openLibc } from "../../engine/ffi/libc.ts";
import { DiagnosisAccumulator, readBpfObjectFile } from "../../engine/mod.ts";
import { assert } from "../support/assert.ts";
import { type FixtureName, type FixtureSettings, startFixture } from "../support/fixture_programs.ts";
import { kernelTest } from "../support/kernel.ts";
import { assertBooksBalance, assertComplete, assertTimeAddsUp, sumOf } from "../support/ledger_checks.ts";
import { processTarget, Tracing, TRACING_REQUIREMENTS } from "../support/tracing.ts";

const REQUIRES = { requires: TRACING_REQUIREMENTS };
/** Longer than attaching takes on a machine with much else to do; each test ends its fixtures itself. */
const DURATION_MS_MAX = 120_000;
const PAGE_BYTES = 4096;
const MEMORY_BYTES_MAX = 64 * 1024 * 1024;

interface Shortage {
  readonly name: string;
  readonly fixture: FixtureName;
  readonly settings?: FixtureSettings;
  readonly mapSizes: Readonly<Record<string, number>>;
  readonly category: Category;
  readonly reason: "ring_full" | "map_full" | "key_overflow";
}

const SHORTAGES: readonly Shortage[] = [
  {
    name: "more threads than the thread table has rows",
    fixture: "short_threads",
    mapSizes: { threads: 4 },
    category: "scheduling",
    reason: "map_full",
  },
  {
    name: "more kinds of wait than the wait table has rows",
    fixture: "lock_holder",
    settings: { holder: "fsync" },
    // One row for each of the twelve classes is made beforehand.
    mapSizes: { waits: 14 },
    category: "waits",
    reason: "key_overflow",
  },
  {
    name: "more holders of locks than their table has rows",
    fixture: "lock_holder",
    settings: { holder: "fsync" },
    mapSizes: { chains: 1 },
    category: "chains",
    reason: "map_full",
  },
  {
    name: "more threads that end than the lifecycle ring holds",
    fixture: "short_threads",
    settings: { burst: 64, pause_ms: 0 },
    mapSizes: { lifecycle_ring: PAGE_BYTES },
    category: "lifecycle",
    reason: "ring_full",
  },
  {
    name: "more slow waits than the data ring holds",
    fixture: "lock_holder",
    settings: { holder: "burn", hold_ms: 2, workers: 32 },
    mapSizes: { data_ring: PAGE_BYTES },
    category: "slowWaits",
    reason: "ring_full",
  },
];

async function measure(shortage: Shortage): Promise<Measurements> {
  await using directory = await makeDiskDirectory([]);
  await using fixture = await startFixture(shortage.fixture, {
    duration_ms: DURATION_MS_MAX,
    path: `${directory.path}/audit.log`,
    ...shortage.settings,
  });
  await using tracing = await Tracing.start([processTarget(fixture.processId)], {
    mapSizes: shortage.mapSizes,
    slowWaitMs: 1,
  });
  await tracing.lasts(400);
  return await tracing.finish();
}

for (const shortage of SHORTAGES) {
  kernelTest(`the loss ledger counts ${shortage.name}`, REQUIRES, async () => {
    const measurements = await measure(shortage);
    const { category, reason } = shortage;

    assertBooksBalance(measurements);
    assertComplete(measurements, { except: [category] });
    const ledger = measurements.books.ledger[category];
    assert.ok((ledger.dropped[reason] ?? 0) > 0, JSON.stringify(ledger));
    const verdict = measurements.books.completeness[category];
    assert.ok(verdict.verdict === "partial" && verdict.reason.includes(reason), JSON.stringify(verdict));
    assertTimeAddsUp(measurements);
  });
}

kernelTest("the loss ledger balances under load when nothing is lost", REQUIRES, async () => {
  await using directory = await makeDiskDirectory([]);
  const path = `${directory.path}/audit.log`;
  await using threads = await startFixture("short_threads", { duration_ms: DURATION_MS_MAX, pause_ms: 0 });
  await using locks = await startFixture("lock_holder", { duration_ms: DURATION_MS_MAX, holder: "fsync", path });
  await using tracing = await Tracing.start([processTarget(threads.processId), processTarget(locks.processId)], {
    slowWaitMs: 1,
  });
  await tracing.lasts(800);
  const measurements = await tracing.finish();

  assertBooksBalance(measurements);
  assertTimeAddsUp(measurements);
  for (const category of ["scheduling", "waits", "chains", "slowWaits", "names", "lifecycle"] as const) {
    assert.ok(measurements.books.ledger[category].seen > 0, `${category} was not put to the test`);
  }
  // Lifecycle floods either fit or are said to have not fitted; all else is complete.
  assertComplete(measurements, { except: ["lifecycle"] });
  const exited = measurements.threads.filter((thread) => thread.exited).length +
    (measurements.departed?.threadCount ?? 0);
  const { dropped } = measurements.books.ledger.lifecycle;
  assert.equal(
    measurements.books.completeness.lifecycle.verdict,
    dropped["ring_full"] === undefined ? "complete" : "partial",
  );
  assert.ok(exited > 500, `only ${exited} threads ended`);
});

/** What the diagnosis of `measurements` says was absent, and what it withholds. */
async function absencesOf(measurements: Measurements) {
  await using accumulator = new DiagnosisAccumulator({ targetLabels: new Map() });
  await accumulator.exportMeasurements(measurements);
  const report = accumulator.report({ endReason: "duration" });
  assert.ok(report !== undefined);
  return report.absences;
}

kernelTest(
  "what was not found is said when the waits are complete, and withheld when they are partial",
  REQUIRES,
  async () => {
    const shortage = SHORTAGES.find(({ category }) => category === "waits");
    assert.ok(shortage !== undefined);
    const complete = await absencesOf(await measure({ ...shortage, mapSizes: {} }));
    const partial = await absencesOf(await measure(shortage));

    assert.ok(complete.absent.includes("network waits"), JSON.stringify(complete));
    assert.equal(partial.absent.includes("network waits"), false, JSON.stringify(partial));
    const withheld = partial.withheld.find(({ statement }) => statement === "no network waits");
    assert.match(withheld?.reason ?? "", /^waits is PARTIAL .*key_overflow/);
  },
);

/** What a map takes at the most, by its declaration, on a machine of `cpuCount` CPUs. */
function declaredBytes(
  map: { type: number; keyBytes: number; valueBytes: number; maxEntries: number },
  cpuCount: number,
) {
  const padded = (bytes: number) => Math.ceil(bytes / 8) * 8;
  const copies = map.type === MAP_TYPE.PERCPU_ARRAY || map.type === MAP_TYPE.PERCPU_HASH ? cpuCount : 1;
  // A ring's data pages are mapped twice and allocated once (kernel/bpf/ringbuf.c); a hash element has a header of 48.
  if (map.type === MAP_TYPE.RINGBUF) return map.maxEntries;
  const isArray = map.type === MAP_TYPE.ARRAY || map.type === MAP_TYPE.PERCPU_ARRAY;
  const overhead = isArray ? 0 : 48 + padded(map.keyBytes) + 16;
  return map.maxEntries * (overhead + padded(map.valueBytes) * copies);
}

kernelTest("the maps take at most 64 MiB, here and with 128 CPUs", REQUIRES, async () => {
  await using fixture = await startFixture("sleeper", { duration_ms: DURATION_MS_MAX });
  await using tracing = await Tracing.start([processTarget(fixture.processId)]);
  const { mapMemoryBytes } = tracing.counters();
  assert.ok(mapMemoryBytes > LIFECYCLE_RING_BYTES && mapMemoryBytes <= MEMORY_BYTES_MAX, `${mapMemoryBytes} bytes`);

  using libc = openLibc();
  using library = openLibbpf(libc);
  using object = BpfObject.open(library, await readBpfObjectFile(), { name: "podtrace" });

  // Maps are what it is about; some programs are for other kernels than this one.
  for (const program of object.programs) program.setAutoload(false);
  object.load();
  const maps = object.mapNames().map((name) => object.map(name));
  const bytes = (cpuCount: number) => sumOf(maps, (map) => declaredBytes(map, cpuCount));
  assert.ok(maps.length >= 10);
  assert.ok(bytes(128) <= MEMORY_BYTES_MAX, `${bytes(128)} bytes with 128 CPUs`);
  // The arithmetic is right: here it comes to what the kernel says.
  const here = bytes(navigator.hardwareConcurrency);
  assert.ok(Math.abs(here - mapMemoryBytes) <= 0.1 * mapMemoryBytes, `${here} computed, ${mapMemoryBytes} accounted`);
});
