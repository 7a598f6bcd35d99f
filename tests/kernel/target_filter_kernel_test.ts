/**
 * The first look at every call, a filter in front of the thread table: it may
 * send too many to the table, never one too few, however targets change
 * meanwhile.
 *
 * @module
 */

import { PT_BOOKS, PT_HOOK } from "../../bpf/generated/layout.ts";
import { addressHash, FILTER_BITS } from "../../engine/backend/address_filter.ts";
import { encodeControl, OPEN_CONTROL } from "../../engine/backend/control_words.ts";
import { HOOKS, toHookPlans } from "../../engine/backend/hooks.ts";
import { attachBpfObject, type AttachedBpfObject } from "../../engine/backend/object_loader.ts";
import { openLibbpf } from "../../engine/ffi/libbpf.ts";
import { openLibc } from "../../engine/ffi/libc.ts";
import { readBpfObjectFile } from "../../engine/mod.ts";
import { assert } from "../support/assert.ts";
import { startFixture } from "../support/fixture_programs.ts";
import { kernelTest } from "../support/kernel.ts";
import { assertBooksBalance, assertTimeAddsUp } from "../support/ledger_checks.ts";
import { processTarget, Tracing, TRACING_REQUIREMENTS } from "../support/tracing.ts";
import { until } from "../support/until.ts";
import { cgroupTarget, makeNestedCgroups, moveProcess } from "../support/v2_cgroup.ts";

const REQUIRES = { requires: TRACING_REQUIREMENTS };
const REQUIRES_CGROUP = { requires: [...TRACING_REQUIREMENTS, "cgroup_v2", "root"] as const };
const DURATION_MS_MAX = 120_000;

/** What takes threads into the table and out of it, but for the iterator. */
const HOOK_NAMES = new Set(["sched_switch", "sched_waking", "sched_wakeup", "process_fork"]);

const ROUNDS = 40;
const FORKS_PER_ROUND = 50;

function u32(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Uint32Array([value]).buffer);
}

/** The keys of the thread table: addresses of tasks. */
function rowsOf({ object }: AttachedBpfObject): readonly bigint[] {
  const addresses: bigint[] = [];
  object.map("threads").lookupBatch((keys, _values, count) => {
    for (let row = 0; row < count; row++) addresses.push(keys.getBigUint64(row * 8, true));
  });
  return addresses;
}

/** All variables of the programs; nobody writes any but the filter's. */
function variablesOf({ object }: AttachedBpfObject): readonly number[] {
  const bytes = object.map("podtrace.bss").lookup(u32(0));
  assert.ok(bytes !== undefined);
  return [...new Uint32Array(bytes.slice().buffer)];
}

function forkCount({ object }: AttachedBpfObject): number {
  const books = object.map("books").lookup(u32(0));
  assert.ok(books !== undefined);
  const view = new DataView(books.buffer, books.byteOffset, books.byteLength);
  let total = 0;
  for (let cpu = 0; cpu < books.byteLength; cpu += PT_BOOKS.sizeBytes) {
    total += Number(view.getBigUint64(cpu + PT_BOOKS.offsets.calls + PT_HOOK.PROCESS_FORK * 8, true));
  }
  return total;
}

/** Whether the filter counts exactly these rows, at whatever place its variable has. */
function countsExactly(counts: readonly number[], rows: readonly bigint[]): boolean {
  const wanted = new Map<number, number>();
  for (const address of rows) wanted.set(addressHash(address), (wanted.get(addressHash(address)) ?? 0) + 1);
  const found = new Map([...counts.entries()].filter(([, count]) => count !== 0));
  if (found.size !== wanted.size) return false;
  const places = [...found.keys()].toSorted((a, b) => a - b);
  const hashes = [...wanted.keys()].toSorted((a, b) => a - b);
  const offset = (places[0] ?? 0) - (hashes[0] ?? 0);
  // Each hash at its place, with as many rows as it has.
  return offset >= 0 &&
    hashes.every((hash) => hash < 1 << FILTER_BITS && found.get(hash + offset) === wanted.get(hash));
}

/** Every second, every third, ... of them, so that each round is another set. */
function isTraced(fixture: number, round: number): boolean {
  return round % (fixture + 2) === 0;
}

kernelTest("the filter counts exactly the rows of the table while targets come, go and fork", REQUIRES, async () => {
  await using first = await startFixture("short_threads", { duration_ms: DURATION_MS_MAX, pause_ms: 0 });
  await using second = await startFixture("short_threads", { duration_ms: DURATION_MS_MAX, pause_ms: 0 });
  await using third = await startFixture("child_waiter", { duration_ms: DURATION_MS_MAX, child_ms: 1 });
  const bytes = await readBpfObjectFile();
  using libc = openLibc();
  using library = openLibbpf(libc);
  using attached = attachBpfObject(library, bytes, {
    name: "podtrace",
    hooks: toHookPlans(HOOKS.filter(({ hook }) => HOOK_NAMES.has(hook))),
  });
  const map = (name: string) => attached.object.map(name);
  assert.equal(map("removed_sockets").maxEntries, 1 << FILTER_BITS);
  const control = { ...OPEN_CONTROL, isEnabled: true, ownProcessId: Deno.pid };
  map("control").update(u32(0), encodeControl(control));
  let rowsMost = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, { processId }] of [first, second, third].entries()) {
      const slot = u32(index + 1);
      map("target_slots").update(slot, u32(Number(isTraced(index, round))));
      if (isTraced(index, round)) map("target_processes").update(u32(processId), slot);
      else map("target_processes").delete(u32(processId));
    }
    const forks = forkCount(attached);
    await until(() => forkCount(attached) >= forks + FORKS_PER_ROUND, { what: `${FORKS_PER_ROUND} were born` });
    rowsMost = Math.max(rowsMost, rowsOf(attached).length);
  }
  map("control").update(u32(0), encodeControl({ ...control, frozenAtMs: 1 }));
  attached.detach();

  assert.ok(rowsMost > 0, "no thread was ever in the table");
  // A program that had begun by then may still be at it.
  await until(() => countsExactly(variablesOf(attached), rowsOf(attached)), {
    what: "the filter holds the table's rows and nothing else",
  });
});

kernelTest("no birth and no end of a target is missed while others come and go", REQUIRES, async () => {
  await using steady = await startFixture("short_threads", { duration_ms: DURATION_MS_MAX, pause_ms: 1 });
  await using second = await startFixture("short_threads", { duration_ms: DURATION_MS_MAX, pause_ms: 1 });
  await using third = await startFixture("child_waiter", { duration_ms: DURATION_MS_MAX, child_ms: 1 });
  const others = [second, third].map(({ processId }) => processTarget(processId));
  const target = processTarget(steady.processId);
  await using tracing = await Tracing.start([target]);
  for (let round = 0; round < ROUNDS; round++) {
    tracing.setTargets([target, ...others.filter((_, index) => isTraced(index, round))]);
    const seenCount = tracing.events.length;
    await until(() => tracing.events.length >= seenCount + FORKS_PER_ROUND, { what: "there was something to tell" });
  }
  const measurements = await tracing.finish();

  assertTimeAddsUp(measurements);
  assertBooksBalance(measurements);
  const ofTarget = tracing.events.filter(({ targetId }) => targetId === target.id);
  const ended = new Set(ofTarget.flatMap((event) => event.kind === "exit" ? [event.threadId] : []));
  const living = new Set(measurements.threads.flatMap(({ exited, threadId }) => exited ? [] : [threadId]));
  const born = ofTarget.flatMap((event) => event.kind === "fork" ? [event.childThreadId] : []);
  const { lifecycle } = measurements.books.ledger;
  if (Object.keys(lifecycle.dropped).length === 0) {
    assert.deepEqual(born.filter((threadId) => !ended.has(threadId) && !living.has(threadId)), []);
  }
  assert.ok(born.length > ROUNDS, `only ${born.length} births`);
  // Whose end was missed would still be said to live.
  assert.ok(living.size <= 3 * (2 + 16), `${living.size} live, wanted those of three processes`);
});

kernelTest("a cgroup that was nobody's is remembered as such only until it is a target", REQUIRES_CGROUP, async () => {
  await using groups = await makeNestedCgroups();
  await using inside = await startFixture("lock_holder", { duration_ms: DURATION_MS_MAX, hold_ms: 2 });
  await using joining = await startFixture("lock_holder", { duration_ms: DURATION_MS_MAX, hold_ms: 2 });
  await moveProcess(inside.processId, groups.outer);
  const [inner, outer] = [cgroupTarget(groups.inner), cgroupTarget(groups.outer)];
  await using tracing = await Tracing.start([inner], { slowWaitMs: 1 });
  // Both are met now, again and again, in cgroups that hold no target.
  await tracing.lasts(300);
  assert.deepEqual(tracing.events, []);
  tracing.setTargets([outer]);
  // Nobody but the scheduler's hook can take it in: it was not there when the cgroup became a target.
  await moveProcess(joining.processId, groups.outer);
  await until(() => tracing.events.some((event) => event.kind === "wait" && event.processId === joining.processId), {
    what: "the one that moved in was seen",
  });
  const measurements = await tracing.finish();
  await moveProcess(joining.processId, groups.root);
  await moveProcess(inside.processId, groups.root);

  assertTimeAddsUp(measurements);
  assertBooksBalance(measurements);
  const processIds = new Set(measurements.threads.map(({ processId }) => processId));
  assert.deepEqual(processIds, new Set([inside.processId, joining.processId]));
});
