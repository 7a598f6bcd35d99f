import { assert } from "../../tests/support/assert.ts";
import { toEventKindMask } from "../api/events.ts";
import {
  AGGREGATE_INTERVAL_MS,
  BATCH_EVENTS_MAX,
  DRAIN_RECORDS_MAX,
  EXPORT_TIMEOUT_MS,
  INTERIM_INTERVAL_MS,
  PROCESSES_MAX,
} from "../api/limits.ts";
import type { Target } from "../api/target.ts";
import { toCgroupId, toExporterKey, toProcessId, toRouteId, toTargetId } from "../api/units.ts";
import { aFork, anAccount, aName, anExit, anObject, aRow, aWait, aWaitKey, emptyKernelLedger } from "./test_backend.ts";
import { A, aRoute, aSet, Bench, OTHER_KEY, R } from "./test_engine.ts";
import { aFrame, aTarget, settle, targetMap, TEST_WALL_OFFSET_MS } from "./test_host.ts";
import { OBJECT_KINDS } from "./wait_objects.ts";

Deno.test("run() hands a route its events and, at the end, its final measurements", async () => {
  await using bench = new Bench();
  assert.deepEqual(bench.engine.setTargets(aSet(1)), []);
  bench.start();
  bench.backend.submit(aWait());
  bench.backend.submit(aWait({ durationMs: 9 }));
  await bench.turn(250);

  const measurements = await bench.stop();

  const exporter = bench.exporters[0];
  assert.deepEqual(exporter?.events.map((event) => event.kind), ["wait"]);
  assert.equal(measurements.isFinal, true);
  assert.deepEqual(measurements.window, {
    beginMs: 1000,
    endMs: 1250,
    beginWallMs: 1000 + TEST_WALL_OFFSET_MS,
    endWallMs: 1250 + TEST_WALL_OFFSET_MS,
  });
  assert.equal(measurements.books.ledger.slowWaits.filtered, 1, "the route's own threshold");
  assert.equal(measurements.books.ledger.slowWaits.delivered, 1);
  assert.equal(exporter?.disposeCount, 1);
  assert.equal(bench.backend.isDisposed, false, "what is left can still be read");
  await bench.engine[Symbol.asyncDispose]();
  assert.equal(bench.backend.isDisposed, true);
  assert.equal(bench.time.sleeperCount, 0);
});

Deno.test("run() drains what the kernel holds when the window closes, in turns", async () => {
  await using bench = new Bench();
  bench.engine.setTargets(aSet(1, { routes: [aRoute({ kinds: toEventKindMask(["exit"]) })] }));
  bench.start();
  await bench.turn();
  for (let index = 0; index < DRAIN_RECORDS_MAX + 5; index++) bench.backend.submit(aFork({ childProcessId: 500 }));

  await bench.stop();

  assert.equal(bench.engine.stats().readCount, DRAIN_RECORDS_MAX + 5);
  assert.equal(bench.backend.heldCount, 0);
});

Deno.test("run() rejects with what the backend threw, and still closes every exporter", async () => {
  await using bench = new Bench();
  bench.engine.setTargets(aSet(1));
  bench.backend.drain = () => {
    throw new RangeError("Cannot read the ring: corrupt");
  };

  bench.backend.wake();
  await assert.rejects(bench.engine.run({ signal: new AbortController().signal }), RangeError);

  assert.equal(bench.exporters[0]?.disposeCount, 1);
  assert.deepEqual(bench.exporters[0]?.measurements, []);
});

Deno.test("run() asserts that an engine runs once", async () => {
  await using bench = new Bench();
  bench.engine.setTargets(aSet(1));
  bench.start();
  await bench.stop();

  await assert.rejects(bench.engine.run({ signal: new AbortController().signal }), assert.AssertionError);
  assert.throws(() => bench.engine.setTargets(aSet(2)), assert.AssertionError);
});

Deno.test("a hanging exporter delays no other route", async () => {
  await using bench = new Bench();
  const other = aRoute({ id: toRouteId("s"), exporterKey: OTHER_KEY });
  bench.engine.setTargets(aSet(1, { routes: [aRoute(), other] }));
  const [hanging, prompt] = bench.exporters;
  if (hanging !== undefined) hanging.mood = "deaf";
  bench.start();

  for (let round = 0; round < 40; round++) {
    for (let index = 0; index < BATCH_EVENTS_MAX; index++) bench.backend.submit(aWait());
    await bench.turn(10);
  }

  assert.equal(prompt?.events.length, 40 * BATCH_EVENTS_MAX);
  const stats = bench.engine.stats().routes.get(R);
  assert.ok((stats?.droppedCount.queue_full ?? 0) > 0);
  await bench.turn(EXPORT_TIMEOUT_MS);
  assert.deepEqual(bench.problems.map((problem) => problem.routeId), [R]);
});

Deno.test("setTargets() does nothing for the same set under a later revision", async () => {
  await using bench = new Bench();
  bench.engine.setTargets(aSet(1));

  assert.deepEqual(bench.engine.setTargets(aSet(2)), []);

  assert.equal(bench.backend.appliedDiffs.length, 1);
  assert.equal(bench.exporters.length, 1);
  assert.equal(bench.exporters[0]?.disposeCount, 0);
});

Deno.test("setTargets() asserts that revisions rise", async () => {
  await using bench = new Bench();
  bench.engine.setTargets(aSet(2));
  assert.throws(() => bench.engine.setTargets(aSet(2)), assert.AssertionError);
  assert.throws(() => bench.engine.setTargets(aSet(1)), assert.AssertionError);
});

Deno.test("setTargets() returns the routes that cannot start, starts the others, and tries again next time", async () => {
  await using bench = new Bench();
  const lost = aRoute({ id: toRouteId("lost"), targetIds: new Set([toTargetId("nobody")]) });
  const keyless = aRoute({ id: toRouteId("keyless"), exporterKey: toExporterKey("none@1") });
  bench.factoryError = new RangeError("Cannot open the exporter: no such host");

  const problems = bench.engine.setTargets(aSet(1, { routes: [aRoute(), lost, keyless] }));
  assert.deepEqual(problems.map((problem) => problem.routeId).sort(), ["keyless", "lost", "r"]);
  assert.equal(problems.find((problem) => problem.routeId === R)?.cause, bench.factoryError);
  assert.equal(bench.backend.appliedDiffs[0]?.slowWaitMs, undefined, "a route that did not start asks for nothing");

  bench.factoryError = undefined;
  assert.deepEqual(bench.engine.setTargets(aSet(2)), []);
  assert.equal(bench.backend.appliedDiffs[1]?.slowWaitMs, 10);
});

Deno.test("setTargets() changes nothing when the kernel refuses", async () => {
  await using bench = new Bench();
  bench.engine.setTargets(aSet(1));
  bench.backend.refusal = new RangeError("Cannot trace 5000 targets: want at most 4096");
  const changed = aSet(2, {
    targets: targetMap([aTarget("a"), aTarget("b")]),
    routes: [aRoute({ exporterKey: OTHER_KEY })],
  });

  assert.throws(() => bench.engine.setTargets(changed), RangeError);
  await settle();
  assert.deepEqual(bench.exporters.map((exporter) => exporter.disposeCount), [0, 1]);

  bench.backend.refusal = undefined;
  assert.deepEqual(bench.engine.setTargets(changed), []);
  assert.deepEqual(bench.backend.appliedDiffs.at(-1)?.added.map((target) => target.id), ["b"]);
});

Deno.test("setTargets() gives a route another exporter, and the old one what was queued for it", async () => {
  await using bench = new Bench();
  bench.engine.setTargets(aSet(1));
  bench.start();
  bench.backend.submit(aWait());
  await bench.turn();

  bench.engine.setTargets(aSet(2, { routes: [aRoute({ exporterKey: OTHER_KEY })] }));
  await settle();
  bench.backend.submit(aWait());
  bench.backend.submit(aWait());
  await bench.turn();
  await bench.turn(AGGREGATE_INTERVAL_MS);

  assert.deepEqual(bench.exporters.map((exporter) => exporter.events.length), [1, 2]);
  assert.deepEqual(bench.exporters.map((exporter) => exporter.disposeCount), [1, 0]);
  assert.equal(bench.engine.stats().routes.get(R)?.matchedCount, 3, "the route's books go on");
});

Deno.test("a record in the ring belongs to the target it was recorded for, also when that is removed", async () => {
  await using bench = new Bench();
  const both = targetMap([aTarget("a"), aTarget("b")]);
  const onB = aRoute({ id: toRouteId("s"), targetIds: new Set([toTargetId("b")]), exporterKey: OTHER_KEY });
  bench.engine.setTargets(aSet(1, { targets: both, routes: [aRoute(), onB] }));
  bench.backend.submit(aWait({ key: aWaitKey({ targetSlot: 1 }) }));
  bench.backend.onApplied = () => bench.backend.submit(anExit({ targetSlot: 1, leftTarget: true }));

  bench.engine.setTargets(aSet(2, { targets: targetMap([aTarget("b")]), routes: [onB] }));

  const stats = bench.engine.stats();
  assert.deepEqual([stats.matchedCount, stats.internalCount, stats.unmatchedCount], [1, 1, 0]);
});

Deno.test("a target with other members keeps its figures", async () => {
  await using bench = new Bench();
  bench.engine.setTargets(aSet(1));
  bench.start();
  bench.backend.rows = [aRow({ count: 2, totalMs: 12 })];
  const grown = targetMap([aTarget("a", { processIds: [toProcessId(77)] })]);
  bench.backend.onApplied = () => bench.backend.submit(anExit({ targetSlot: 1, leftTarget: true }));

  bench.engine.setTargets(aSet(2, { targets: grown }));
  bench.backend.rows.push(aRow({ key: aWaitKey({ targetSlot: 2 }), count: 1, totalMs: 3 }));
  const measurements = await bench.stop();

  assert.deepEqual(measurements.waits.map((wait) => [wait.targetId, wait.count, wait.totalMs]), [[A, 3, 15]]);
  assert.equal(measurements.threads.length, 1, "the account of before the change");
});

Deno.test("a removed target's rows and threads are nobody's", async () => {
  await using bench = new Bench();
  const b = toTargetId("b");
  const route = aRoute({ targetIds: new Set([A, b]) });
  bench.engine.setTargets(aSet(1, { targets: targetMap([aTarget("a"), aTarget("b")]), routes: [route] }));
  bench.start();
  bench.backend.rows = [1, 2].map((targetSlot) => aRow({ key: aWaitKey({ targetSlot, threadId: 100 + targetSlot }) }));
  bench.backend.submit(anExit({ targetSlot: 2 }));
  await bench.turn();

  bench.engine.setTargets(aSet(2));
  assert.deepEqual(bench.backend.retiredThreadIds, [102]);
  const measurements = await bench.stop();

  assert.deepEqual(measurements.waits.map((wait) => wait.targetId), [A]);
  assert.deepEqual(measurements.threads, []);
  assert.equal(measurements.processes.some((process) => process.targetId === b), false);
});

Deno.test("a thread that goes on in another target keeps its rows there when one target is removed", async () => {
  await using bench = new Bench();
  const route = aRoute({ targetIds: new Set([A, toTargetId("b")]) });
  bench.engine.setTargets(aSet(1, { targets: targetMap([aTarget("a"), aTarget("b")]), routes: [route] }));
  bench.start();
  bench.backend.rows = [1, 2].map((targetSlot) => aRow({ key: aWaitKey({ targetSlot, threadId: 101 }) }));
  await bench.turn();

  bench.engine.setTargets(aSet(2));
  assert.deepEqual(bench.backend.rows.map((row) => row.key.targetSlot), [1]);
  const measurements = await bench.stop();
  assert.deepEqual(measurements.waits.map((wait) => wait.targetId), [A]);
});

Deno.test("rows leave the kernel when the backend says so, as a recording does, not when they are due", async () => {
  await using bench = new Bench();
  bench.engine.setTargets(aSet(1));
  bench.start();
  bench.backend.rows = [aRow()];
  bench.backend.submit(anExit({ exitCode: 1 << 8 }));
  bench.backend.takesOut = () => false;
  await bench.turn(2 * AGGREGATE_INTERVAL_MS);
  assert.deepEqual(bench.backend.retiredThreadIds, []);
  bench.backend.takesOut = (what) => what === "waits";
  await bench.turn();
  assert.deepEqual(bench.backend.retiredThreadIds, [101]);
  await bench.stop();
});

Deno.test("rows of ended threads leave the kernel within a second and are in the measurements", async () => {
  await using bench = new Bench();
  bench.engine.setTargets(aSet(1));
  bench.start();
  const living = aWaitKey({ threadId: 102 });
  bench.backend.rows = [aRow(), aRow({ key: living })];
  bench.backend.submit(anExit({ exitCode: 1 << 8 }));
  await bench.turn();
  assert.deepEqual(bench.backend.retiredThreadIds, []);
  await bench.turn(AGGREGATE_INTERVAL_MS);
  assert.deepEqual(bench.backend.retiredThreadIds, [101]);
  assert.deepEqual(bench.backend.rows.map((row) => row.key), [living]);
  // The same thread id again, in the same process: one row for both lives.
  bench.backend.rows.push(aRow({ count: 1, totalMs: 1 }));

  const measurements = await bench.stop();

  const shown = measurements.waits.map((wait) => [wait.threadId, wait.count, wait.totalMs]);
  assert.deepEqual(shown.sort(), [[101, 3, 13], [102, 2, 12]]);
  assert.deepEqual(measurements.threads.map((ledger) => [ledger.threadId, ledger.exited]), [[101, true]]);
});

Deno.test("final measurements hold open waits, names, wakers, stacks and lock holders", async () => {
  await using bench = new Bench((made) => made.host.processes.set(100, aReading()));
  const file = anObject({ kind: OBJECT_KINDS.file, highLow: 8 << 20, lowLow: 42 });
  const lock = anObject({ kind: OBJECT_KINDS.lock, lowLow: 0xd0 });
  const fsync = aWaitKey({ threadId: 102, waitClass: 3, systemCall: 74, object: file, stackId: 5 });
  bench.engine.setTargets(aSet(1));
  bench.start();
  bench.backend.stacks.set(5, [0x10n, 0x20n]);
  bench.backend.rows = [
    aRow({ key: fsync, count: 1, totalMs: 5, maxMs: 5, waker: { threadId: 9, processId: 8, command: "k\x1b" } }),
  ];
  bench.backend.accounts = [
    anAccount({
      endMs: 2000,
      blockedMs: 1850,
      openWait: { key: aWaitKey({ waitClass: 4, object: lock }), sinceMs: 1500, lockOwnerThreadId: 12, joinedMs: 0 },
    }),
    anAccount({
      threadId: 102,
      namespaceThreadId: 12,
      command: "flusher",
      openWait: { key: fsync, sinceMs: 600, lockOwnerThreadId: 0, joinedMs: 0 },
    }),
  ];
  bench.backend.submit(aName());
  await bench.turn();

  const measurements = await bench.stop();

  const path = { kind: "file", id: "8:0:42", path: "/srv/data.bin" };
  const written = measurements.waits.find((wait) => wait.waitClass === "diskWrite");
  assert.deepEqual(written?.object, path);
  assert.deepEqual([written?.count, written?.totalMs, written?.openMs, written?.maxMs], [2, 405, 400, 400]);
  assert.equal(written?.maxEndWallMs, 1000 + TEST_WALL_OFFSET_MS);
  assert.deepEqual(written?.waker, { threadId: 9, processId: 8, command: "k\\x1b" });
  assert.deepEqual(written?.userStack, [
    aFrame({ function: "100", offset: 16 }),
    aFrame({ function: "100", offset: 32 }),
  ]);
  assert.deepEqual(measurements.lockChains, [{
    targetId: A,
    processId: 100,
    lockAddress: "0xd0",
    holder: { threadId: 102, processId: 100, command: "flusher" },
    holderWaitClass: "diskWrite",
    holderSystemCall: "syscall_74",
    holderObject: path,
    count: 1,
    totalMs: 400,
  }]);
  const [process] = measurements.processes;
  assert.deepEqual([process?.commandLine, process?.parentProcessId], [["server", "--port", "1"], 1]);
  assert.equal(measurements.books.cost.targetCpuMs, 200);
});

Deno.test("incident 15: processes that had no room any more are told of", async () => {
  await using bench = new Bench();
  bench.engine.setTargets(aSet(1));
  bench.start();
  for (let index = 0; index < PROCESSES_MAX + 5; index++) {
    bench.backend.submit(
      anExit({ processEnded: true, thread: anAccount({ processId: 1000 + index, threadId: 1000 + index }) }),
    );
    if (index % 4096 === 0) await bench.turn();
  }
  const { books } = await bench.stop();
  assert.ok((books.forgotten?.processes ?? 0) >= 5, JSON.stringify(books.forgotten));
});

Deno.test("samples of a route's targets are in its measurements, with their stacks", async () => {
  await using bench = new Bench();
  bench.engine.setTargets(aSet(1));
  bench.start();
  bench.backend.stacks.set(5, [0x10n]);
  const row = { processId: 100, threadId: 101, targetSlot: 1, stackId: 5, count: 7 };
  bench.backend.samples = [row, { ...row, stackId: -1, count: 2 }, { ...row, targetSlot: 9 }];
  const measurements = await bench.stop();

  const sample = { targetId: A, processId: 100, threadId: 101 };
  assert.deepEqual(measurements.cpuSamples, [
    { ...sample, sampleCount: 7, userStack: [aFrame({ function: "100", offset: 16 })] },
    { ...sample, sampleCount: 2, userStack: [] },
  ]);
});

Deno.test("stacks are described while their process lives, when they were asked for", async () => {
  for (const [hasUserStacks, name] of [[true, "100"], [false, "gone"]] as const) {
    await using bench = new Bench();
    bench.engine.setTargets(aSet(1, { routes: [aRoute({ hasUserStacks })] }));
    bench.start();
    bench.backend.stacks.set(5, [0x10n]);
    bench.backend.rows = [aRow({ key: aWaitKey({ stackId: 5 }) })];
    await bench.turn(AGGREGATE_INTERVAL_MS);
    bench.host.describeStack = () => [aFrame({ function: "gone", offset: 16 })];

    const measurements = await bench.stop();

    assert.deepEqual(measurements.waits.map((wait) => wait.userStack), [[aFrame({ function: name, offset: 16 })]]);
  }
});

function aReading(): { parentProcessId: number; command: string; commandLine: readonly string[] } {
  return { parentProcessId: 1, command: "server", commandLine: ["server", "--port", "1"] };
}

Deno.test("final measurements of a route hold its own targets alone", async () => {
  await using bench = new Bench();
  const b = toTargetId("b");
  const onB = aRoute({ id: toRouteId("s"), targetIds: new Set([b]), exporterKey: OTHER_KEY });
  const group = { id: toCgroupId(5n), level: 1, path: "/sys/fs/cgroup/b" };
  const targets: readonly Target[] = [aTarget("a"), aTarget("b", { cgroups: [group] })];
  bench.engine.setTargets(aSet(1, { targets: targetMap(targets), routes: [aRoute(), onB] }));
  bench.start();
  bench.backend.rows = [1, 2].map((targetSlot) => aRow({ key: aWaitKey({ targetSlot }) }));
  bench.backend.accounts = [1, 2].map((targetSlot) => anAccount({ targetSlot, processId: targetSlot }));
  await bench.turn();

  const ofA = await bench.stop();
  const ofB = bench.exporters[1]?.measurements[0];

  for (const [measurements, id] of [[ofA, A], [ofB, b]] as const) {
    for (const part of ["waits", "threads", "processes"] as const) {
      assert.deepEqual(measurements?.[part].map((item) => item.targetId), [id], part);
    }
  }
  assert.deepEqual(ofA.cgroups, []);
  assert.deepEqual(ofB?.cgroups.map((cgroup) => cgroup.path), [group.path]);
});

Deno.test("a target named by process is measured by the cgroup it is in", async () => {
  const reading = { cpuLimit: 0.5, periodCount: 10, throttledPeriodCount: 1, throttledMs: 5, cpuUsageMs: 9 };
  await using bench = new Bench((made) => {
    made.host.cgroupPaths.set(77, "/sys/fs/cgroup/x");
    made.host.cgroups.set("/sys/fs/cgroup/x", { ...reading, pressure: undefined, memory: undefined, io: undefined });
  });
  bench.engine.setTargets(aSet(1, { targets: targetMap([aTarget("a", { processIds: [toProcessId(77)] })]) }));
  bench.start();
  bench.host.cgroups.set("/sys/fs/cgroup/x", {
    ...reading,
    throttledMs: 905,
    pressure: undefined,
    memory: undefined,
    io: undefined,
  });

  const [cgroup] = (await bench.stop()).cgroups;

  assert.deepEqual([cgroup?.path, cgroup?.cpuLimit, cgroup?.throttledMs], ["/sys/fs/cgroup/x", 0.5, 900]);
});

Deno.test("the books show what was lost on the way, in the kernel, between, and in the route", async () => {
  await using bench = new Bench();
  bench.engine.setTargets(aSet(1));
  bench.start();
  const exporter = bench.exporters[0];
  if (exporter !== undefined) exporter.mood = "failing";
  for (let index = 0; index < 10; index++) bench.backend.submit(aWait());
  bench.backend.lose(aWait());
  bench.backend.swallow(aWait());
  await bench.turn();
  await bench.turn(AGGREGATE_INTERVAL_MS);
  if (exporter !== undefined) exporter.mood = "prompt";

  const { ledger, completeness } = (await bench.stop()).books;

  assert.deepEqual(ledger.slowWaits, {
    seen: 12,
    filtered: 0,
    aggregated: 0,
    delivered: 0,
    dropped: { ring_full: 1, export_failed: 10 },
    residual: 1,
  });
  assert.deepEqual(completeness.slowWaits, {
    verdict: "partial",
    percent: 0,
    reason: "lost 12 of 12: 10 export_failed, 1 ring_full, 1 unaccounted",
    span: { beginMs: 1000, endMs: 2000 },
  });
  assert.deepEqual(completeness.waits, { verdict: "complete" });
  assert.equal(bench.engine.stats().ringFullCount, 1);
});

Deno.test("threads whose exit record was lost are in the departed total", async () => {
  await using bench = new Bench();
  const departed = { threadCount: 2, lifetimeMs: 90, onCpuMs: 50, runnableMs: 10, throttledMs: 0, blockedMs: 30 };
  bench.backend.counterOverrides = { departed, ledger: emptyKernelLedger() };
  bench.engine.setTargets(aSet(1));
  bench.start();

  const measurements = await bench.stop();

  assert.deepEqual(measurements.departed, { ...departed, residualMs: 0 });
  assert.equal(measurements.books.cost.targetCpuMs, 50);
});

Deno.test("processes are known from the snapshot, from fork and from exec, and ended ones stay", async () => {
  await using bench = new Bench();
  bench.backend.tasks = [{
    processId: 100,
    threadId: 100,
    namespaceThreadId: 1,
    parentProcessId: 1,
    targetSlot: 1,
    command: "server",
    state: "blocked",
    waitClass: 1,
    systemCall: 0,
    systemCallArguments: [0n, 0n, 0n, 0n],
    object: anObject(),
    nameComponents: [],
    onCpuMs: 0,
    runDelayMs: 0,
    lastRanMs: 0,
  }];
  bench.engine.setTargets(aSet(1));
  bench.start();
  bench.backend.submit(aFork({ childProcessId: 200, childThreadId: 200 }));
  bench.backend.submit(aFork({ childProcessId: 100, childThreadId: 150 }));
  bench.backend.submit({
    kind: "exec",
    targetSlot: 1,
    atMs: 1,
    processId: 200,
    command: "sleep",
    path: "/bin/sleep",
    argumentList: ["sleep", "1"],
    isArgumentListCut: false,
  });
  const thread = anAccount({ processId: 200, threadId: 200, command: "sleep", exited: true });
  bench.backend.submit(anExit({ thread, processEnded: true, parentProcessId: 100 }));
  await bench.turn();

  const { processes } = await bench.stop();

  assert.deepEqual(processes.map((info) => [info.processId, info.parentProcessId, info.command, info.exited]), [
    [100, 1, "server", false],
    [200, 100, "sleep", true],
  ]);
});

Deno.test("an exporter that asks gets cumulative totals every interval; they add up at their own instant", async () => {
  await using bench = new Bench();
  bench.engine.setTargets(aSet(1));
  const [exporter] = bench.exporters;
  if (exporter !== undefined) exporter.wantsInterim = true;
  bench.start();
  bench.backend.submit(aWait());
  await bench.turn();
  for (const count of [1, 2]) {
    const endMs = 1000 + count * INTERIM_INTERVAL_MS;
    bench.backend.rows = [aRow({ count, totalMs: 10 * count })];
    const openWait = { key: aWaitKey({ waitClass: 4 }), sinceMs: endMs - 5, lockOwnerThreadId: 0, joinedMs: 0 };
    bench.backend.accounts = [anAccount({ beginMs: 1000, endMs, blockedMs: endMs - 1150, openWait })];
    await bench.turn(INTERIM_INTERVAL_MS);
    await bench.turn();
  }
  const interims = [...exporter?.measurements ?? []];
  assert.deepEqual(interims.map(({ isFinal, window }) => [isFinal, window.endMs]), [[false, 2000], [false, 3000]]);
  for (const [index, { threads, waits, books, window }] of interims.entries()) {
    assert.deepEqual(threads.map(({ endMs, residualMs }) => [endMs, residualMs]), [[window.endMs, 0]]);
    assert.deepEqual(waits.map(({ waitClass, totalMs }) => [waitClass, totalMs]), [
      ["network", 10 * (index + 1)],
      ["lock", 5],
    ]);
    assert.equal(books.ledger.slowWaits.residual, 0);
  }
  assert.equal((await bench.stop()).isFinal, true);
});

Deno.test("nobody pays for interim measurements that nobody asked for, and they change nothing", async () => {
  const finals = [];
  for (const wantsInterim of [false, true]) {
    await using bench = new Bench();
    bench.engine.setTargets(aSet(1));
    const [exporter] = bench.exporters;
    if (exporter !== undefined) exporter.wantsInterim = wantsInterim;
    bench.backend.rows = [aRow()];
    bench.backend.accounts = [anAccount({ beginMs: 1000, endMs: 4000, blockedMs: 2850 })];
    bench.start();
    bench.backend.submit(anExit({ thread: anAccount({ threadId: 7, exited: true }) }));
    for (let round = 0; round < 3; round++) await bench.turn(INTERIM_INTERVAL_MS);
    assert.equal(bench.backend.runningReadCount > 0, wantsInterim);
    finals.push(await bench.stop());
  }
  assert.deepEqual(finals[1], finals[0]);
});

Deno.test("a thread that ends while interim measurements are read is told once", async () => {
  await using bench = new Bench();
  bench.engine.setTargets(aSet(1));
  const [exporter] = bench.exporters;
  if (exporter !== undefined) exporter.wantsInterim = true;
  const living = anAccount({ beginMs: 1000, endMs: 2000, blockedMs: 850 });
  bench.backend.accounts = [living];
  bench.start();
  bench.backend.submit(anExit({ thread: { ...living, endMs: 1900, blockedMs: 750, exited: true } }));
  await bench.turn(INTERIM_INTERVAL_MS);
  await bench.turn();

  assert.deepEqual(exporter?.measurements[0]?.threads.map(({ exited, endMs }) => [exited, endMs]), [[true, 1900]]);
});
