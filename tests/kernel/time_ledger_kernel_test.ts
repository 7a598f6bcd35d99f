/**
 * The time ledger against the scheduler's own accounts, on this kernel.
 *
 * @module
 */

import { makeDiskDirectory } from "../../cmd/dev/demo/disk_directory.ts";
import type { Measurements } from "../../engine/api/measurements.ts";
import { assert } from "../support/assert.ts";
import { type FixtureName, type FixtureSettings, numberOf, startFixture } from "../support/fixture_programs.ts";
import { kernelTest } from "../support/kernel.ts";
import {
  assertBooksBalance,
  assertComplete,
  assertOnCpuAgrees,
  assertRunnableAgrees,
  assertTimeAddsUp,
  holdsOnce,
  readStealMs,
  sumOf,
} from "../support/ledger_checks.ts";
import { makeLimitedCgroup } from "../support/limited_cgroup.ts";
import { processTarget, Tracing, TRACING_REQUIREMENTS, type TracingOptions } from "../support/tracing.ts";

const REQUIRES = { requires: TRACING_REQUIREMENTS };
/** Longer than attaching takes on a machine with much else to do; each test ends its fixtures itself. */
const DURATION_MS_MAX = 120_000;

interface Subject {
  readonly fixture: FixtureName;
  readonly settings?: FixtureSettings;
  readonly windowMs: number;
  readonly options?: TracingOptions;
}

interface Outcome {
  readonly measurements: Measurements;
  /** What the hypervisor took during the window. */
  readonly stealMs: number;
}

/** Traces a fixture that was there before the window, and is there after it unless it `ends` with it. */
async function measure(subject: Subject, options: { ends?: true } = {}): Promise<Outcome> {
  await using directory = await makeDiskDirectory([]);
  await using fixture = await startFixture(subject.fixture, {
    duration_ms: DURATION_MS_MAX,
    path: `${directory.path}/audit.log`,
    ...subject.settings,
  });
  await using tracing = await Tracing.start([processTarget(fixture.processId)], subject.options);
  const stealMs = readStealMs();
  await tracing.lasts(subject.windowMs);
  if (options.ends === true) await fixture.finish();
  return { measurements: await tracing.finish(), stealMs: readStealMs() - stealMs };
}

const WHOLE_WINDOW_MS = 400;

/** Threads that live through the whole window: how many, and what most of their time was. */
const OLDER_THAN_THE_WINDOW: readonly (Subject & { readonly name: string; readonly threadCount: number })[] = [
  { name: "a thread that never runs", fixture: "sleeper", threadCount: 1, windowMs: WHOLE_WINDOW_MS },
  { name: "a thread that never waits", fixture: "busy", threadCount: 1, windowMs: WHOLE_WINDOW_MS },
  {
    name: "six busy threads that share the CPUs",
    fixture: "cpu_hogs",
    settings: { threads: 6 },
    threadCount: 7,
    windowMs: 600,
  },
  {
    name: "thousands of waits of some microseconds",
    fixture: "fsync_log",
    threadCount: 2,
    windowMs: 800,
  },
  {
    name: "threads that contend for a lock whose holder syncs",
    fixture: "lock_holder",
    settings: { holder: "fsync" },
    threadCount: 9,
    windowMs: 800,
  },
];

for (const subject of OLDER_THAN_THE_WINDOW) {
  kernelTest(`the time ledger adds up for ${subject.name}`, REQUIRES, async () => {
    const { measurements } = await measure(subject);

    assert.equal(measurements.threads.length, subject.threadCount);
    assertTimeAddsUp(measurements);
    assertBooksBalance(measurements);
    assertComplete(measurements);
    for (const thread of measurements.threads) {
      assert.ok(!thread.exited && thread.endMs >= measurements.window.endMs, JSON.stringify(thread));
      // Taken in one after the other, while the machine may have other things to do.
      assert.ok(thread.beginMs - measurements.window.beginMs < subject.windowMs / 2, JSON.stringify(thread));
    }
  });
}

/** Threads that end with the window, or in it: the scheduler's account of them is exact then. */
const COMPARED: readonly (Subject & { readonly name: string })[] = [
  ...OLDER_THAN_THE_WINDOW.filter(({ windowMs }) => windowMs > WHOLE_WINDOW_MS),
  {
    name: "threads that contend for a lock whose holder computes",
    fixture: "lock_holder",
    settings: { holder: "burn" },
    windowMs: 600,
  },
  { name: "threads and processes shorter than the window", fixture: "short_threads", windowMs: 1000 },
  {
    name: "a thread that sleeps for some hundred microseconds, again and again",
    fixture: "poller",
    settings: { work_us: 5, pause_us: 300 },
    windowMs: 2000,
  },
];

for (const subject of COMPARED) {
  kernelTest(`the scheduler's own account agrees for ${subject.name}`, REQUIRES, async () => {
    await holdsOnce(async () => {
      const { measurements, stealMs } = await measure(subject, { ends: true });
      assertOnCpuAgrees(measurements, { stealMs });
      assertRunnableAgrees(measurements, { stealMs });
    });
  });
}

kernelTest("a thread that never runs is blocked on what it was found in, all the time", REQUIRES, async () => {
  const { measurements: { threads, waits } } = await measure({ fixture: "sleeper", windowMs: WHOLE_WINDOW_MS });

  const [thread] = threads;
  assert.deepEqual([thread?.onCpuMs, thread?.runnableMs, thread?.throttledMs], [0, 0, 0]);
  assert.deepEqual(waits.map(({ waitClass, systemCall, count }) => [waitClass, systemCall, count]), [
    ["sleep", "clock_nanosleep", 1],
  ]);
  assert.ok(Math.abs((waits[0]?.openMs ?? 0) - (thread?.blockedMs ?? 1)) < 1e-6);
});

kernelTest("a thread that never waits has no wait", REQUIRES, async () => {
  const { measurements: { threads, waits } } = await measure({ fixture: "busy", windowMs: WHOLE_WINDOW_MS });

  assert.equal(waits.length, 0, JSON.stringify(waits));
  assert.equal(threads[0]?.blockedMs, 0);
  assert.ok((threads[0]?.onCpuMs ?? 0) > WHOLE_WINDOW_MS / 10);
});

kernelTest("the time ledger adds up for threads and processes shorter than the window", REQUIRES, async () => {
  await using fixture = await startFixture("short_threads", { duration_ms: DURATION_MS_MAX, burst: 16 });
  await using tracing = await Tracing.start([processTarget(fixture.processId)]);
  await tracing.lasts(1000);
  const truth = await fixture.finish();
  const measurements = await tracing.finish();

  assertTimeAddsUp(measurements);
  assertBooksBalance(measurements);
  assertComplete(measurements);
  // It counts from before the window on, so it started at least what was seen.
  const { threads } = measurements;
  const bornCount = threads.filter((thread) => thread.beginMs > measurements.window.beginMs + 20).length;
  const startedCount = numberOf(truth, "thread_count") + numberOf(truth, "process_count");
  assert.ok(threads.length > 1000, `only ${threads.length} threads`);
  assert.ok(bornCount > threads.length * 0.9 && threads.length <= startedCount + 1, `${bornCount} of ${startedCount}`);
  assert.ok(threads.every((thread) => thread.exited), "a thread of an ended process is said to live");
});

kernelTest("a process that ends in the window is accounted for to its last instant", REQUIRES, async () => {
  await using fixture = await startFixture("lock_holder", { duration_ms: DURATION_MS_MAX, holder: "burn" });
  await using tracing = await Tracing.start([processTarget(fixture.processId)]);
  await tracing.lasts(400);
  await fixture.finish();
  const measurements = await tracing.finish();

  assertTimeAddsUp(measurements);
  assertBooksBalance(measurements);
  assert.equal(measurements.threads.length, 9);
  assert.ok(measurements.threads.every((thread) => thread.exited));
  const ended = tracing.events.filter((event) => event.kind === "exit" && event.processEnded);
  assert.equal(ended.length, 1, JSON.stringify(ended));
});

kernelTest("time that a CPU limit took is throttled time, not waiting for a CPU", REQUIRES, async () => {
  await holdsOnce(async () => {
    await using limits = await makeLimitedCgroup({ cpus: 0.2 });
    await using fixture = await startFixture("cpu_hogs", { duration_ms: DURATION_MS_MAX, threads: 2 });
    await limits.add(fixture.processId);
    await using tracing = await Tracing.start([processTarget(fixture.processId)]);
    const stealMs = readStealMs();
    await tracing.lasts(1000);
    await fixture.finish();
    const measurements = await tracing.finish();

    assertTimeAddsUp(measurements);
    // Not so waiting for a CPU: of throttled threads 6.18 counts more run_delay than they have lived.
    assertOnCpuAgrees(measurements, { stealMs: readStealMs() - stealMs });
    const throttledMs = sumOf(measurements.threads, (thread) => thread.throttledMs);
    const runnableMs = sumOf(measurements.threads, (thread) => thread.runnableMs);
    assert.ok(throttledMs > runnableMs && throttledMs > 500, `${throttledMs} throttled, ${runnableMs} runnable`);
  });
});
