import { assert } from "../../tests/support/assert.ts";
import { FILE_OPERATIONS } from "../api/file_measurements.ts";
import { INTERIM_INTERVAL_MS } from "../api/limits.ts";
import { DEFAULT_PLANES } from "../api/plane.ts";
import type { ChainRow, FileRow } from "../api/tracer_backend.ts";
import { toProcessId, toTargetId } from "../api/units.ts";
import { anAccount, anExit, anObject } from "./test_backend.ts";
import { A, aRoute, aSet, Bench } from "./test_engine.ts";
import { aTarget, targetMap } from "./test_host.ts";
import { NO_SYSTEM_CALL, OBJECT_KINDS } from "./wait_objects.ts";

const B = toTargetId("b");
const FILE = anObject({ kind: OBJECT_KINDS.file, highLow: 8 << 20, lowLow: 42 });
const LOCK = anObject({ kind: OBJECT_KINDS.lock, lowLow: 0xd0 });

function aFileRow(targetSlot: number, count: number): FileRow {
  const buckets = new Array<number>(32).fill(0);
  buckets[3] = count;
  const key = { processId: 100, targetSlot, operation: FILE_OPERATIONS.read, errno: 5, object: FILE };
  return { key, count, byteCount: 10 * count, totalMs: count, maxMs: 1, maxEndMs: 900 + targetSlot, buckets };
}

function aChain(targetSlot: number, count: number): ChainRow {
  return {
    processId: 100,
    targetSlot,
    holderThreadId: 102,
    holderProcessId: 100,
    holderCommand: "holder",
    waitClass: 0,
    systemCall: NO_SYSTEM_CALL,
    lockAddressLow: LOCK.lowLow,
    lockAddressHigh: 0,
    object: anObject(),
    count,
    totalMs: 10 * count,
  };
}

function aSample(targetSlot: number, count: number) {
  return { processId: 100, threadId: 101, targetSlot, stackId: -1, count };
}

const ROUTE = aRoute({ targetIds: new Set([A, B]), planes: new Set([...DEFAULT_PLANES, "files", "profile"]) });

/** A bench in which A and B have counted rows of every kind; members of A change, B goes. */
async function benchAfterChange(): Promise<Bench> {
  const bench = new Bench();
  const both = targetMap([aTarget("a"), aTarget("b")]);
  bench.engine.setTargets(aSet(1, { targets: both, routes: [ROUTE] }));
  bench.start();
  bench.backend.files = [aFileRow(1, 2), aFileRow(2, 50)];
  bench.backend.chains = [aChain(1, 2), aChain(2, 50)];
  bench.backend.samples = [aSample(1, 2), aSample(2, 50)];
  await bench.turn();
  const grown = targetMap([aTarget("a", { processIds: [toProcessId(77)] })]);
  bench.engine.setTargets(aSet(2, { targets: grown, routes: [{ ...ROUTE, targetIds: new Set([A]) }] }));
  return bench;
}

Deno.test("rows of every kind leave the kernel with the slot their target gave up", async () => {
  await using bench = await benchAfterChange();
  const { files, chains, samples } = bench.backend;
  assert.deepEqual({ files, chains, samples }, { files: [], chains: [], samples: [] });
});

Deno.test("a target with other members keeps its file operations, samples and lock chains, one row for each", async () => {
  await using bench = await benchAfterChange();
  bench.backend.files = [aFileRow(3, 1)];
  bench.backend.chains = [aChain(3, 1)];
  bench.backend.samples = [aSample(3, 1)];

  const { fileOperations, cpuSamples, lockChains } = await bench.stop();

  assert.deepEqual(
    fileOperations.map(({ targetId, count, byteCount, errors }) => [targetId, count, byteCount, errors]),
    [[A, 3, 30, [{ errno: 5, name: "EIO", count: 3 }]]],
  );
  assert.deepEqual(fileOperations[0]?.buckets[3], 3);
  assert.deepEqual(cpuSamples.map(({ targetId, sampleCount }) => [targetId, sampleCount]), [[A, 3]]);
  assert.deepEqual(lockChains.map(({ targetId, count, totalMs }) => [targetId, count, totalMs]), [[A, 3, 30]]);
});

Deno.test("interim measurements have what was counted before the members changed", async () => {
  await using bench = await benchAfterChange();
  const [exporter] = bench.exporters;
  if (exporter !== undefined) exporter.wantsInterim = true;
  await bench.turn(INTERIM_INTERVAL_MS);
  await bench.turn();

  const [interim] = exporter?.measurements ?? [];
  assert.deepEqual([interim?.isFinal, interim?.fileOperations.map(({ count }) => count)], [false, [2]]);
  assert.deepEqual(interim?.lockChains.map(({ count }) => count), [2]);
});

Deno.test("interim measurements have what processes have open, and what threads faulted, told once", async () => {
  await using bench = new Bench();
  const resources = { processId: 100, targetSlot: 1, fdCount: 10, fdLimit: 99, threadCount: 2, residentBytes: 4096 };
  bench.backend.processes = [resources];
  bench.engine.setTargets(aSet(1));
  const [exporter] = bench.exporters;
  if (exporter !== undefined) exporter.wantsInterim = true;
  bench.start();
  const ended = anAccount({ beginMs: 1000, endMs: 1900, minorFaultCount: 5, majorFaultCount: 0, exited: true });
  // It ends while the tables are read: it is in them, and tells its end.
  const living = anAccount({ threadId: 102, minorFaultCount: 2, majorFaultCount: 1 });
  bench.backend.accounts = [ended, living];
  bench.backend.submit(anExit({ thread: ended }));
  bench.backend.processes = [{ ...resources, fdCount: 12 }];
  await bench.turn(INTERIM_INTERVAL_MS);
  await bench.turn();
  const [interim] = exporter?.measurements ?? [];
  bench.backend.accounts = [living];

  assert.deepEqual([interim?.isFinal, interim?.threads.length], [false, 2]);
  for (const measurements of [interim, await bench.stop()]) {
    assert.deepEqual(
      measurements?.processResources.map((
        row,
      ) => [row.fdCountBegin, row.fdCountEnd, row.minorFaultCount, row.majorFaultCount]),
      [[10, 12, 7, 1]],
    );
  }
});

Deno.test("a slot that is given out again has none of the rows of the target before", async () => {
  await using bench = await benchAfterChange();
  bench.backend.nextSlot = 2; // B's
  const onC = { ...ROUTE, targetIds: new Set([A, toTargetId("c")]) };
  const next = targetMap([aTarget("a", { processIds: [toProcessId(77)] }), aTarget("c")]);
  bench.engine.setTargets(aSet(3, { targets: next, routes: [onC] }));

  const measurements = await bench.stop();

  for (const rows of [measurements.fileOperations, measurements.cpuSamples, measurements.lockChains]) {
    assert.deepEqual([...new Set(rows.map(({ targetId }) => targetId))], [A]);
  }
});
