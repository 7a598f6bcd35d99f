/**
 * As many targets as there may be and one more, targets within targets, tables
 * that are full half way, and a target that does nothing but fork.
 *
 * @module
 */

import { EngineError } from "../../engine/api/errors.ts";
import { EXITED_THREADS_MAX, PROCESSES_MAX, TARGETS_MAX } from "../../engine/api/limits.ts";
import type { Target } from "../../engine/api/target.ts";
import { toProcessId, toTargetId } from "../../engine/api/units.ts";
import { assert } from "../support/assert.ts";
import { numberOf, startFixture } from "../support/fixture_programs.ts";
import { kernelTest } from "../support/kernel.ts";
import { assertBooksBalance, assertTimeAddsUp } from "../support/ledger_checks.ts";
import { openBackend, processTarget, Tracing, TRACING_REQUIREMENTS } from "../support/tracing.ts";
import { until } from "../support/until.ts";
import { cgroupTarget, makeNestedCgroups, moveProcess } from "../support/v2_cgroup.ts";

const REQUIRES = { requires: TRACING_REQUIREMENTS };
const REQUIRES_CGROUP = { requires: [...TRACING_REQUIREMENTS, "cgroup_v2", "root"] as const };
const DURATION_MS_MAX = 120_000;

/** Groups below one of their own. */
class ManyCgroups implements AsyncDisposable {
  readonly #nested: Awaited<ReturnType<typeof makeNestedCgroups>>;
  readonly paths: readonly string[];

  private constructor(nested: Awaited<ReturnType<typeof makeNestedCgroups>>, count: number) {
    this.#nested = nested;
    this.paths = Array.from({ length: count }, (_, index) => `${nested.outer}/c${index}`);
    for (const path of this.paths) Deno.mkdirSync(path);
  }

  static async make(count: number): Promise<ManyCgroups> {
    return new ManyCgroups(await makeNestedCgroups(), count);
  }

  get root(): string {
    return this.#nested.root;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const path of this.paths) Deno.removeSync(path);
    await this.#nested[Symbol.asyncDispose]();
  }
}

/** Takes the process out again, so that the group can be removed. */
async function inCgroup(processId: number, path: string, root: string): Promise<AsyncDisposable> {
  await moveProcess(processId, path);
  return { [Symbol.asyncDispose]: () => moveProcess(processId, root) };
}

function messageOf(act: () => void): string {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof EngineError, String(error));
    assert.equal(error.code, "target_refused");
    return error.message;
  }
  assert.fail("nothing was refused");
}

kernelTest("4,096 cgroups are traced at a time; one more is refused, and they go on", REQUIRES_CGROUP, async () => {
  await using cgroups = await ManyCgroups.make(TARGETS_MAX + 1);
  await using fixture = await startFixture("lock_holder", { duration_ms: DURATION_MS_MAX, hold_ms: 2 });
  const last = cgroups.paths[TARGETS_MAX - 1] ?? "";
  await using _left = await inCgroup(fixture.processId, last, cgroups.root);
  const targets = cgroups.paths.map((path) => cgroupTarget(path));
  await using tracing = await Tracing.start(targets.slice(0, TARGETS_MAX), { slowWaitMs: 1 });
  const lastId = targets[TARGETS_MAX - 1]?.id;
  const eventCount = () => tracing.events.filter(({ targetId }) => targetId === lastId).length;
  await until(() => eventCount() > 5, { what: "the last of them was seen" });

  assert.equal(
    messageOf(() => tracing.setTargets(targets)),
    "Cannot trace 4097 targets at a time: wanted at most 4096",
  );
  const before = eventCount();
  await until(() => eventCount() > before + 5, { what: "it was still seen" });
  const measurements = await tracing.finish();
  assertTimeAddsUp(measurements);
  assertBooksBalance(measurements);
  assert.deepEqual([...new Set(measurements.threads.map(({ targetId }) => targetId))], [lastId]);
});

kernelTest("a change that a table has no room for half way changes nothing", REQUIRES, async () => {
  await using fixture = await startFixture("lock_holder", { duration_ms: DURATION_MS_MAX, hold_ms: 2 });
  await using backend = await openBackend({ mapSizes: { target_processes: 8 } });
  const change = { slowWaitMs: 1, slowFileMs: undefined, hasUserStacks: false, planes: new Set([]) };
  const traced = processTarget(fixture.processId);
  backend.applyTargets({ ...change, added: [traced], removed: [] });
  const slot = backend.slotOf(traced.id);
  const waits = () => backend.counters().ledger.waits.seen;
  await until(() => waits() > 20, { what: "it was seen" });

  const named = (id: string, first: number, count: number): Target => ({
    id: toTargetId(id),
    label: id,
    cgroups: [],
    processIds: Array.from({ length: count }, (_, index) => toProcessId(first + index)),
    isSystemWide: false,
  });
  // A hash table may hold some more than it was declared for: one spare entry per CPU.
  const tooMany = [named("fits", 4_000_000, 4), named("does not", 4_100_000, 4000)];
  assert.throws(() => backend.applyTargets({ ...change, added: tooMany, removed: [traced.id] }), /E2BIG/);
  assert.equal(backend.slotOf(traced.id), slot);
  assert.deepEqual(tooMany.map(({ id }) => backend.slotOf(id)), [undefined, undefined]);
  const before = waits();
  await until(() => waits() > before + 20, { what: "it was still seen" });

  // What was marked before the table was full is unmarked again: there is room for it.
  const [fits = named("", 1, 1)] = tooMany;
  backend.applyTargets({ ...change, added: [fits], removed: [] });
  assert.ok(backend.slotOf(fits.id) !== undefined);
  backend.closeWindow();
  let exitCount = 0;
  backend.drain((record) => exitCount += record.kind === 5 ? 1 : 0, { recordsMax: 1_000_000, turnMsMax: 1000 });
  assert.equal(exitCount, 0, "no thread was let go");
});

kernelTest("a thread belongs to the innermost target, whichever came first", REQUIRES_CGROUP, async () => {
  await using groups = await makeNestedCgroups();
  await using fixture = await startFixture("lock_holder", { duration_ms: DURATION_MS_MAX, hold_ms: 2 });
  await using _left = await inCgroup(fixture.processId, groups.inner, groups.root);
  const [outer, inner, process] = [
    cgroupTarget(groups.outer),
    cgroupTarget(groups.inner),
    processTarget(fixture.processId),
  ];
  for (const nested of [inner, process]) {
    await using tracing = await Tracing.start([outer], { slowWaitMs: 1 });
    const seenOf = (target: Target) => tracing.events.filter(({ targetId }) => targetId === target.id).length;
    await until(() => seenOf(outer) > 5, { what: "the outer one has it" });
    tracing.setTargets([outer, nested]);
    const before = seenOf(outer);
    await until(() => seenOf(nested) > 5, { what: `${nested.label} has it` });
    // Waits that had ended before are told late; nothing follows them.
    const afterMove = seenOf(outer);
    await until(() => seenOf(nested) > 50, { what: `${nested.label} goes on` });
    assert.equal(seenOf(outer), afterMove, `${before} before the change`);
    tracing.setTargets([outer]);
    await until(() => seenOf(outer) > afterMove + 20, { what: "the outer one has it again" });
    const measurements = await tracing.finish();
    assertTimeAddsUp(measurements);
    assertBooksBalance(measurements);
  }
});

kernelTest("two targets that are the same place are refused, by name", REQUIRES_CGROUP, async () => {
  await using groups = await makeNestedCgroups();
  await using backend = await openBackend();
  const target = cgroupTarget(groups.inner);
  const added = [target, { ...target, id: toTargetId("another"), label: "another" }];
  const change = { removed: [], slowWaitMs: 1, slowFileMs: undefined, hasUserStacks: false, planes: new Set([]) };
  const message = messageOf(() => backend.applyTargets({ ...change, added }));
  assert.match(
    message,
    /^Cannot trace another beside cgroup \S+: both are cgroup \S+, wanted each thread in one target$/,
  );
  assert.equal(backend.slotOf(target.id), undefined);
});

/** Ten thousand a second for three seconds, where the machine manages that. */
const FLOOD_COUNT = 30_000;

kernelTest("incident 6: of a flood of forks nothing is lost without a count", REQUIRES, async () => {
  await using fixture = await startFixture("fork_flood", { duration_ms: DURATION_MS_MAX, count: FLOOD_COUNT });
  await using tracing = await Tracing.start([processTarget(fixture.processId)]);
  Deno.kill(fixture.processId, "SIGUSR1");
  const command = () => Deno.readTextFileSync(`/proc/${fixture.processId}/comm`).trim();
  await until(() => command() === "flooded", { what: "the flood was over", timeoutMs: 60_000 });
  const measurements = await tracing.finish();
  const truth = await fixture.finish();

  assert.deepEqual([numberOf(truth, "process_count"), numberOf(truth, "lost_count")], [FLOOD_COUNT, 0]);
  assertTimeAddsUp(measurements);
  assertBooksBalance(measurements);
  const { lifecycle, scheduling } = measurements.books.ledger;
  // Every child was born once and ended once; each is delivered, or counted as lost.
  const lostCount = lifecycle.dropped["ring_full"] ?? 0;
  assert.equal(lifecycle.delivered + lostCount, 2 * FLOOD_COUNT);
  const exited = measurements.threads.filter((thread) => thread.exited);
  assert.equal(exited.length + (measurements.departed?.threadCount ?? 0), FLOOD_COUNT);
  assert.equal(scheduling.dropped["map_full"] ?? 0, 0);
  const { verdict } = measurements.books.completeness.lifecycle;
  assert.equal(verdict, lostCount > 0 ? "partial" : "complete");
  // What is kept of them is bounded.
  assert.ok(exited.length <= EXITED_THREADS_MAX);
  assert.ok(measurements.processes.length <= PROCESSES_MAX);
});
