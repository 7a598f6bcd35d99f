/**
 * Totals that are handed out while the window is open, on a real kernel whose
 * tables go on changing while they are read.
 *
 * @module
 */

import { CATEGORIES, type Measurements, type ThreadLedger } from "../../engine/api/measurements.ts";
import { assert } from "../support/assert.ts";
import { type FixtureName, type FixtureSettings, startFixture } from "../support/fixture_programs.ts";
import { kernelTest } from "../support/kernel.ts";
import { assertBooksBalance, assertTimeAddsUp, sumOf } from "../support/ledger_checks.ts";
import { processTarget, Tracing, TRACING_REQUIREMENTS } from "../support/tracing.ts";
import { until } from "../support/until.ts";
import { makeDiskDirectory } from "../../cmd/dev/demo/disk_directory.ts";

const REQUIRES = { requires: TRACING_REQUIREMENTS };
/** Longer than attaching takes on a machine with much else to do; each test ends its fixtures itself. */
const DURATION_MS_MAX = 120_000;

/** What rounding makes of sums of nanoseconds as fractional milliseconds. */
const ROUNDING_MS = 1e-3;

interface Subject {
  readonly fixture: FixtureName;
  readonly settings?: FixtureSettings;
}

/** Two interim measurements, the final ones after them, and the fixture's process. */
async function look(subject: Subject): Promise<{ interims: readonly Measurements[]; final: Measurements }> {
  await using directory = await makeDiskDirectory([]);
  await using fixture = await startFixture(subject.fixture, {
    duration_ms: DURATION_MS_MAX,
    path: `${directory.path}/audit.log`,
    ...subject.settings,
  });
  await using tracing = await Tracing.start([processTarget(fixture.processId)], { wantsInterim: true });
  await until(() => tracing.interims.length >= 2, { what: "two interim measurements came", timeoutMs: 60_000 });
  return { interims: tracing.interims.slice(0, 2), final: await tracing.finish() };
}

/** Every thread's time is its span, up to the instant the totals speak for. */
function assertAddsUpSoFar(measurements: Measurements): void {
  const { threads, window, waits } = measurements;
  for (const thread of threads) {
    const what = JSON.stringify(thread);
    assert.ok(Math.abs(thread.residualMs) <= ROUNDING_MS, `residual in ${what}`);
    assert.ok(thread.beginMs >= window.beginMs && thread.endMs <= window.endMs, `outside of the window: ${what}`);
    assert.ok(thread.exited || thread.endMs === window.endMs, `lives, and ends before the window: ${what}`);
  }
  // A wait that ends between the two readings is in neither of them: too little, never too much.
  const blockedMs = sumOf(threads, (thread) => thread.blockedMs);
  const waitedMs = sumOf(waits, (wait) => wait.totalMs);
  assert.ok(waitedMs <= blockedMs + ROUNDING_MS * threads.length, `${waitedMs} ms in waits, ${blockedMs} ms blocked`);
  assert.ok(waitedMs >= blockedMs * 0.5, `only ${waitedMs} ms of ${blockedMs} ms blocked are in waits`);
}

/** Descriptors, threads and faults are told on the way, and faults only ever grow. */
function assertResourcesGrow(all: readonly Measurements[]): void {
  let before = 0;
  for (const { processResources } of all) {
    const faults = sumOf(processResources, (row) => row.minorFaultCount + row.majorFaultCount);
    assert.ok(faults >= before, `${faults} faults after ${before}`);
    before = faults;
    assert.ok(processResources.some(({ fdCountEnd, threadCountEnd }) => (fdCountEnd ?? 0) > 0 && threadCountEnd));
  }
}

/** Whole-run totals of one thread only ever grow. */
function assertGrows(earlier: Measurements, later: Measurements): void {
  const toText = (thread: ThreadLedger) => `${thread.threadId}/${thread.beginMs}`;
  const byLife = new Map(later.threads.map((thread) => [toText(thread), thread]));
  for (const before of earlier.threads) {
    const after = byLife.get(toText(before));
    assert.ok(after !== undefined, `a thread is gone: ${JSON.stringify(before)}`);
    assert.ok(after.endMs >= before.endMs, JSON.stringify([before, after]));
  }
  for (const category of CATEGORIES) {
    assert.ok(later.books.ledger[category].seen >= earlier.books.ledger[category].seen - 16, category);
  }
}

const SUBJECTS: readonly (Subject & { readonly name: string })[] = [
  { name: "thousands of waits of some microseconds", fixture: "fsync_log" },
  { name: "threads that contend for a lock", fixture: "lock_holder", settings: { holder: "burn" } },
  { name: "threads and processes that come and go", fixture: "short_threads", settings: { burst: 16 } },
  { name: "a thread that never waits", fixture: "busy" },
];

for (const subject of SUBJECTS) {
  kernelTest(`interim measurements add up at their own instant for ${subject.name}`, REQUIRES, async () => {
    const { interims, final } = await look(subject);

    for (const interim of interims) {
      assert.equal(interim.isFinal, false);
      assertAddsUpSoFar(interim);
      assertBooksBalance(interim);
    }
    const [first, second] = interims;
    assert.ok(first !== undefined && second !== undefined);
    assert.ok(second.window.endMs - first.window.endMs >= 500, "one a second");
    assertGrows(first, second);
    assertGrows(second, final);
    assertResourcesGrow([first, second, final]);
    assertTimeAddsUp(final);
    assertBooksBalance(final);
  });
}
