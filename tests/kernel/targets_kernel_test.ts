/**
 * Whose time is counted: nobody's without a target, nobody's but the target's
 * with one, from the moment it is one to the moment it is none.
 *
 * @module
 */

import type { Measurements } from "../../engine/api/measurements.ts";
import type { LibbpfBackend } from "../../engine/backend/libbpf_backend.ts";
import type { Plane } from "../../engine/api/plane.ts";
import { toTargetId } from "../../engine/api/units.ts";
import { systemWideTarget } from "../../engine/mod.ts";
import { assert } from "../support/assert.ts";
import { startFixture } from "../support/fixture_programs.ts";
import { kernelTest } from "../support/kernel.ts";
import { assertBooksBalance, assertTimeAddsUp, holdsOnce, sumOf } from "../support/ledger_checks.ts";
import { openBackend, processTarget, Tracing, TRACING_REQUIREMENTS } from "../support/tracing.ts";
import { until } from "../support/until.ts";
import { cgroupTarget, makeNestedCgroups, moveProcess } from "../support/v2_cgroup.ts";

const REQUIRES = { requires: TRACING_REQUIREMENTS };
const REQUIRES_CGROUP = { requires: [...TRACING_REQUIREMENTS, "cgroup_v2", "root"] as const };
/** Longer than attaching takes on a machine with much else to do; each test ends its fixtures itself. */
const DURATION_MS_MAX = 120_000;

/** How often the scheduler's program was called, however it ended. */
function switchCount(backend: Pick<LibbpfBackend, "counters">): number {
  return backend.counters().programs.find(({ name }) => name.startsWith("sched_switch"))?.callCount ?? 0;
}

/** Lets others do a lot of what would be recorded if it were a target's. */
async function awaitSwitches(backend: Pick<LibbpfBackend, "counters">, count: number): Promise<void> {
  const before = switchCount(backend);
  await until(() => switchCount(backend) >= before + count, { what: `there were ${count} switches` });
}

/** Everything in the maps and rings after the window was closed. */
function contentsOf(backend: LibbpfBackend) {
  const found = { records: 0, waits: 0, chains: 0, threadIds: [] as number[] };
  backend.closeWindow();
  backend.drain(() => found.records++, { recordsMax: 1_000_000, turnMsMax: 1000 });
  backend.readAggregates({
    wait: () => found.waits++,
    chain: () => found.chains++,
    thread: ({ threadId }) => found.threadIds.push(threadId),
    file: () => {},
    sample: () => {},
    process: () => {},
  });
  return found;
}

kernelTest("without a target nothing is recorded, though every switch is looked at", REQUIRES, async () => {
  await using _threads = await startFixture("short_threads", { duration_ms: DURATION_MS_MAX, pause_ms: 0 });
  await using _locks = await startFixture("lock_holder", { duration_ms: DURATION_MS_MAX, hold_ms: 2 });
  await using backend = await openBackend();
  await awaitSwitches(backend, 5000);

  assert.deepEqual(contentsOf(backend), { records: 0, waits: 0, chains: 0, threadIds: [] });
  for (const [category, ledger] of Object.entries(backend.counters().ledger)) {
    assert.deepEqual([ledger.seen, ledger.aggregated, ledger.delivered], [0, 0, 0], category);
  }
});

kernelTest("what is no target leaves nothing in any map or ring while a target is traced", REQUIRES, async () => {
  await using sleeper = await startFixture("sleeper", { duration_ms: DURATION_MS_MAX, in: "pause" });
  await using _threads = await startFixture("short_threads", { duration_ms: DURATION_MS_MAX, pause_ms: 0 });
  await using _locks = await startFixture("lock_holder", { duration_ms: DURATION_MS_MAX, hold_ms: 2 });
  await using backend = await openBackend();
  backend.applyTargets({
    added: [processTarget(sleeper.processId)],
    removed: [],
    slowWaitMs: 1,
    slowFileMs: undefined,
    hasUserStacks: false,
    planes: new Set(),
  });
  await awaitSwitches(backend, 5000);

  assert.deepEqual(contentsOf(backend), { records: 0, waits: 0, chains: 0, threadIds: [sleeper.processId] });
  const { scheduling, waits, lifecycle } = backend.counters().ledger;
  assert.equal(scheduling.aggregated, 1); // it was taken in
  assert.ok(scheduling.filtered > 5000 && lifecycle.filtered > 0, JSON.stringify({ scheduling, lifecycle }));
  assert.deepEqual([waits.seen, lifecycle.delivered], [0, 0]);
});

function processIdsOf(measurements: Measurements): readonly number[] {
  return [...new Set(measurements.threads.map(({ processId }) => processId))].toSorted((a, b) => a - b);
}

kernelTest("a process target is followed into its children, from their birth to their end", REQUIRES, async () => {
  await using fixture = await startFixture("child_waiter", { duration_ms: DURATION_MS_MAX, child_ms: 20 });
  await using tracing = await Tracing.start([processTarget(fixture.processId)]);
  await until(() => tracing.events.filter(({ kind }) => kind === "exit").length >= 5, { what: "five children ended" });
  const measurements = await tracing.finish();

  assertTimeAddsUp(measurements);
  assertBooksBalance(measurements);
  const forks = tracing.events.filter((event) => event.kind === "fork");
  const childIds = new Set(forks.map((event) => event.childProcessId));
  assert.ok(forks.every((event) => event.parentProcessId === fixture.processId));
  // One may have been there already when the window opened.
  const ended = tracing.events.filter((event) => event.kind === "exit");
  assert.ok(ended.filter((event) => !childIds.has(event.processId)).length <= 1, JSON.stringify({ forks, ended }));
  assert.equal(new Set(ended.map(({ processId }) => processId)).size, ended.length);
  for (const event of ended) {
    assert.deepEqual([event.exitCode, event.signal, event.processEnded], [0, 0, true]);
    assert.equal(event.parentProcessId, fixture.processId);
  }
  assert.ok(processIdsOf(measurements).length >= 6);
});

/** Between the end of the leader and the exec that gives its id on nobody has it; the window may close just then. */
const LOOKS_MAX = 3;

kernelTest("a process target keeps its time through an exec of a thread that is not the leader", REQUIRES, async () => {
  await holdsOnce(async () => {
    await using fixture = await startFixture("exec_chain", { duration_ms: DURATION_MS_MAX, stage_ms: 200 });
    await using tracing = await Tracing.start([processTarget(fixture.processId)]);
    await until(() => tracing.events.filter(({ kind }) => kind === "exec").length >= 4, {
      what: "it executed four times",
    });
    const measurements = await tracing.finish();

    assertTimeAddsUp(measurements);
    assertBooksBalance(measurements);
    assert.deepEqual(processIdsOf(measurements), [fixture.processId]);
    const living = measurements.threads.filter((thread) => !thread.exited);
    assert.ok(living.some((thread) => thread.threadId === fixture.processId), "the leader's id is lost");
    const exec = tracing.events.find((event) => event.kind === "exec");
    assert.equal(exec?.kind === "exec" && exec.path, "/proc/self/exe");
    // A process that executes does not end.
    assert.ok(!tracing.events.some((event) => event.kind === "exit" && event.processEnded));
  }, { looksMax: LOOKS_MAX });
});

kernelTest(
  "a cgroup target holds what is below it: there before, moved in, and moved out",
  REQUIRES_CGROUP,
  async () => {
    await using groups = await makeNestedCgroups();
    await using before = await startFixture("busy", { duration_ms: DURATION_MS_MAX });
    await using joining = await startFixture("slow_upstream", { duration_ms: DURATION_MS_MAX });
    await using leaving = await startFixture("fsync_log", {
      duration_ms: DURATION_MS_MAX,
      path: "/dev/null",
      pause_ms: 1,
    });
    await using outside = await startFixture("busy", { duration_ms: DURATION_MS_MAX });
    await moveProcess(before.processId, groups.inner);
    await moveProcess(leaving.processId, groups.outer);
    await using tracing = await Tracing.start([cgroupTarget(groups.outer)]);
    await tracing.lasts(200);
    const movedMs = tracing.nowMs();
    await moveProcess(joining.processId, groups.inner);
    await moveProcess(leaving.processId, groups.root);
    await tracing.lasts(600);
    const measurements = await tracing.finish();

    assertTimeAddsUp(measurements);
    assertBooksBalance(measurements);
    const expected = [before, joining, leaving].map(({ processId }) => processId).toSorted((a, b) => a - b);
    assert.deepEqual(processIdsOf(measurements), expected);
    assert.equal(expected.includes(outside.processId), false);
    const of = (processId: number) => measurements.threads.filter((thread) => thread.processId === processId);
    for (const thread of of(joining.processId)) assert.ok(thread.beginMs >= movedMs, JSON.stringify(thread));
    const active = of(leaving.processId).find((thread) => thread.command === "flusher");
    assert.ok(active !== undefined && active.endMs < movedMs + 300, JSON.stringify({ active, movedMs }));
    // It left, and lives on: nobody is told that it ended.
    assert.ok(!tracing.events.some((event) => event.kind === "exit" && event.processId === leaving.processId));
  },
);

kernelTest(
  "a target that is removed leaves no thread behind, and nothing more of it is counted",
  REQUIRES,
  async () => {
    await using fixture = await startFixture("lock_holder", { duration_ms: DURATION_MS_MAX, hold_ms: 2 });
    await using backend = await openBackend();
    const target = processTarget(fixture.processId);
    const change = { slowWaitMs: 1, slowFileMs: undefined, hasUserStacks: false, planes: new Set<never>() };
    backend.applyTargets({ ...change, added: [target], removed: [] });
    await until(() => backend.counters().ledger.waits.seen > 20, { what: "some of its waits were counted" });

    backend.applyTargets({ ...change, added: [], removed: [target.id] });
    const before = backend.counters().ledger;
    await awaitSwitches(backend, 1000);
    const after = backend.counters().ledger;
    assert.deepEqual([after.waits, after.slowWaits, after.chains], [before.waits, before.slowWaits, before.chains]);
    assert.equal(after.scheduling.aggregated, before.scheduling.aggregated);
    assert.deepEqual(contentsOf(backend).threadIds, []);
  },
);

kernelTest("targets come and go while the hooks stay attached", REQUIRES, async () => {
  await using first = await startFixture("lock_holder", { duration_ms: DURATION_MS_MAX, hold_ms: 2 });
  await using second = await startFixture("lock_holder", { duration_ms: DURATION_MS_MAX, hold_ms: 2 });
  const [firstTarget, secondTarget] = [processTarget(first.processId), processTarget(second.processId)];
  await using tracing = await Tracing.start([firstTarget], { slowWaitMs: 1 });
  const switches = switchCount(tracing);
  await until(() => tracing.events.length > 0, { what: "the first was seen" });

  tracing.setTargets([firstTarget, secondTarget]);
  await until(() => tracing.events.some(({ targetId }) => targetId === secondTarget.id), {
    what: "the second was seen",
  });

  tracing.setTargets([secondTarget]);
  const removedMs = tracing.nowMs();
  const seenCount = tracing.events.length;
  await until(() => tracing.events.length > seenCount + 50, { what: "the second went on" });
  const measurements = await tracing.finish();

  // Detached and attached again, the counters of the programs would have begun anew.
  assert.ok(switchCount(tracing) > switches);
  const late = tracing.events.filter((event) =>
    event.kind === "wait" && event.targetId === firstTarget.id && event.endMs > removedMs
  );
  assert.deepEqual(late, []);
  assert.deepEqual(processIdsOf(measurements), [second.processId]);
  assertTimeAddsUp(measurements);
  assertBooksBalance(measurements);
});

kernelTest("a target with other members keeps what was counted of those it had, of every kind", REQUIRES, async () => {
  const path = await Deno.makeTempDir({ prefix: "podtrace-test-" });
  await using folder = new AsyncDisposableStack();
  folder.defer(() => Deno.remove(path, { recursive: true }));
  await using worker = await startFixture("file_worker", { duration_ms: DURATION_MS_MAX, path, rounds: 20 });
  await using locks = await startFixture("lock_holder", { duration_ms: DURATION_MS_MAX, hold_ms: 2 });
  await using busy = await startFixture("busy", { duration_ms: DURATION_MS_MAX });
  await using heir = await startFixture("sleeper", { duration_ms: DURATION_MS_MAX, in: "pause" });
  const id = toTargetId("members-change");
  const members = [worker, locks, busy].flatMap(({ processId }) => processTarget(processId).processIds);
  const planes: ReadonlySet<Plane> = new Set<Plane>(["time", "files", "profile"]);
  await using tracing = await Tracing.start([{ ...processTarget(heir.processId), id, processIds: members }], {
    planes,
  });
  Deno.kill(worker.processId, "SIGUSR1");
  await worker.ended();
  await tracing.lasts(300);
  await locks.finish();
  await busy.finish();

  tracing.setTargets([{ ...processTarget(heir.processId), id }]);
  const measured = await tracing.finish();

  const absent = measured.fileOperations.filter(({ operation, errorCount }) => operation === "open" && errorCount > 0);
  assert.deepEqual(absent.map(({ processId, count }) => [processId, count]), [[worker.processId, 20]]);
  assert.ok(measured.lockChains.some(({ processId, totalMs }) => processId === locks.processId && totalMs > 0));
  const samples = measured.cpuSamples.filter(({ processId }) => processId === busy.processId);
  assert.ok(
    samples.reduce((total, { sampleCount }) => total + sampleCount, 0) > 0,
    "samples of a thread that computes",
  );
  assertTimeAddsUp(measured);
  assertBooksBalance(measured);
});

kernelTest("the whole system is everything but ourselves", REQUIRES, async () => {
  await using fixture = await startFixture("lock_holder", { duration_ms: DURATION_MS_MAX });
  await using tracing = await Tracing.start([systemWideTarget()]);
  await until(() => tracing.events.length > 20, { what: "something happened" });
  await tracing.lasts(300);
  const measurements = await tracing.finish();

  assertBooksBalance(measurements);
  const processIds = processIdsOf(measurements);
  assert.ok(processIds.includes(fixture.processId));
  assert.ok(processIds.length > 1, "only one process on a whole system");
  assert.equal(processIds.includes(Deno.pid), false);
  assert.equal(measurements.waits.some(({ processId }) => processId === Deno.pid), false);
  assert.ok(sumOf(measurements.threads, (thread) => Math.abs(thread.residualMs)) < 1e-3);
});

kernelTest("a flood of threads loses no exit, or says how many", REQUIRES, async () => {
  await using fixture = await startFixture("short_threads", { duration_ms: DURATION_MS_MAX, burst: 64, pause_ms: 0 });
  await using tracing = await Tracing.start([processTarget(fixture.processId)]);
  await tracing.lasts(800);
  await fixture.finish();
  const measurements = await tracing.finish();

  assertTimeAddsUp(measurements);
  assertBooksBalance(measurements);
  const { lifecycle } = measurements.books.ledger;
  const lostCount = lifecycle.dropped["ring_full"] ?? 0;
  const exitCount = tracing.events.filter(({ kind }) => kind === "exit").length;
  const departedCount = measurements.departed?.threadCount ?? 0;
  assert.equal(measurements.threads.filter((thread) => thread.exited).length, exitCount);
  assert.ok(exitCount > 1000, `only ${exitCount} exits`);
  assert.equal(departedCount > 0, lostCount > 0, `${departedCount} departed, ${lostCount} records lost`);
  assert.equal(lifecycle.delivered, tracing.events.filter(({ kind }) => kind !== "wait").length);
});
