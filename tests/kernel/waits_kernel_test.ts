/**
 * What a wait is: one call, however often the kernel wakes the thread within
 * it, and no more than one call.
 *
 * @module
 */

import { makeDiskDirectory } from "../../cmd/dev/demo/disk_directory.ts";
import { assert } from "../support/assert.ts";
import { type FixtureName, type FixtureSettings, numberOf, startFixture } from "../support/fixture_programs.ts";
import { kernelTest } from "../support/kernel.ts";
import { assertBooksBalance, assertTimeAddsUp, sumOf } from "../support/ledger_checks.ts";
import { BackgroundProgram } from "../support/server_process.ts";
import { processTarget, Tracing, TRACING_REQUIREMENTS } from "../support/tracing.ts";
import { until } from "../support/until.ts";

const REQUIRES = { requires: TRACING_REQUIREMENTS };
const DURATION_MS_MAX = 120_000;
const WINDOW_MS = 1000;

/** What the fixture says one of its calls takes, and the waits of such a call as traced meanwhile. */
async function measureCalls(
  fixtureName: FixtureName,
  { settings, tally, systemCall }: { settings: FixtureSettings; tally: string; systemCall: string },
): Promise<{ readonly callMs: number; readonly waitMs: number; readonly sleepsEach: number }> {
  await using directory = await makeDiskDirectory([]);
  await using fixture = await startFixture(fixtureName, {
    duration_ms: DURATION_MS_MAX,
    path: `${directory.path}/audit.log`,
    ...settings,
  });
  await using tracing = await Tracing.start([processTarget(fixture.processId)]);
  await tracing.lasts(WINDOW_MS);
  const { threads, waits, ...measurements } = await tracing.finish();
  const truth = await fixture.finish();
  assertTimeAddsUp({ ...measurements, threads, waits });
  assertBooksBalance({ ...measurements, threads, waits });
  const rows = waits.filter((row) => row.systemCall === systemCall); // several: what a socket is may become known late
  for (const row of rows) assert.equal(sumOf(row.buckets, (count) => count), row.count);
  const waitCount = sumOf(rows, (row) => row.count);
  assert.ok(waitCount > 0, JSON.stringify(waits));
  return {
    callMs: numberOf(truth, `${tally}_ms`) / numberOf(truth, `${tally}_count`),
    waitMs: sumOf(rows, (row) => row.totalMs) / waitCount,
    sleepsEach: sumOf(rows, (row) => row.sleepCount) / waitCount,
  };
}

kernelTest("a receive that is woken when its question is taken is still one wait", REQUIRES, async () => {
  const delayMs = 20;
  const settings = { delay_ms: delayMs };
  const { callMs, waitMs, sleepsEach } = await measureCalls("pair_asker", {
    settings,
    tally: "answer",
    systemCall: "recvfrom",
  });

  assert.ok(waitMs > delayMs * 0.75 && waitMs < callMs * 1.25, `${waitMs} ms a wait, ${callMs} ms a call`);
  assert.ok(sleepsEach > 1.5, `${sleepsEach} sleeps in a wait`);
});

kernelTest("a sync that sleeps for one block after the other is one wait", REQUIRES, async () => {
  const settings = { write_bytes: 8 << 20, pause_ms: 5 };
  const { callMs, waitMs } = await measureCalls("fsync_log", { settings, tally: "fsync", systemCall: "fsync" });

  assert.ok(waitMs > callMs * 0.25 && waitMs < callMs * 1.5, `${waitMs} ms a wait, ${callMs} ms a call`);
});

kernelTest("reads of one pipe from one place, with nothing between them, are as many waits", REQUIRES, async () => {
  const settings = { delay_ms: 5 };
  const { callMs, waitMs } = await measureCalls("pipe_waiter", { settings, tally: "pipe", systemCall: "read" });

  assert.ok(waitMs > callMs * 0.5 && waitMs < callMs * 1.5, `${waitMs} ms a wait, ${callMs} ms a call`);
});

kernelTest("waiting for somebody to open the other end of a named pipe is no wait for a disk", REQUIRES, async () => {
  await using directory = await makeDiskDirectory([]);
  const path = `${directory.path}/control`;
  const made = await new Deno.Command("mkfifo", { args: [path] }).output();
  assert.equal(made.code, 0);
  await using reader = new BackgroundProgram(["sh", "-c", `read line < ${path}`], { isGroup: true });
  await until(() => Deno.readTextFileSync(`/proc/${reader.processId}/wchan`).includes("partner"), {
    what: "it waits in its open",
  });
  await using tracing = await Tracing.start([processTarget(reader.processId)]);
  await tracing.lasts(WINDOW_MS / 2);
  const { waits } = await tracing.finish();

  assert.deepEqual(waits.map((row) => [row.waitClass, row.object.kind]), [["other", "none"]]);
});
