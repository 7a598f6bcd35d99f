/**
 * Operations on files against what a planted program did, and the plane that is
 * attached only while it is asked for.
 *
 * @module
 */

import type { FileMeasurement, FileOperation } from "../../engine/api/file_measurements.ts";
import type { Measurements } from "../../engine/api/measurements.ts";
import { NOT_ASKED_FOR, type Plane } from "../../engine/api/plane.ts";
import { assert } from "../support/assert.ts";
import { numberOf, startFixture } from "../support/fixture_programs.ts";
import { kernelTest } from "../support/kernel.ts";
import { assertBooksBalance } from "../support/ledger_checks.ts";
import { programsOfOurs } from "../support/podtrace_process.ts";
import { findingsIn } from "../support/report_findings.ts";
import { processTarget, Tracing, TRACING_REQUIREMENTS } from "../support/tracing.ts";
import { until } from "../support/until.ts";

const REQUIRES = { requires: TRACING_REQUIREMENTS };

const DURATION_MS_MAX = 120_000;
const ROUNDS = 50;
const WRITE_BYTES = 20_000;
const WITH_FILES: ReadonlySet<Plane> = new Set<Plane>(["time", "memory", "files"]);
const WITHOUT_FILES: ReadonlySet<Plane> = new Set<Plane>(["time", "memory"]);

/** All rows of one operation on what `isMeant` says; in one figure. */
function sumOf(
  { fileOperations }: Measurements,
  meant: { readonly operation: FileOperation; readonly isMeant?: (entry: FileMeasurement) => boolean },
) {
  const rows = fileOperations.filter((entry) =>
    entry.operation === meant.operation && (meant.isMeant?.(entry) ?? true)
  );
  const sum = (figure: (entry: FileMeasurement) => number) => rows.reduce((total, entry) => total + figure(entry), 0);
  return {
    count: sum(({ count }) => count),
    errorCount: sum(({ errorCount }) => errorCount),
    byteCount: sum(({ byteCount }) => byteCount),
    totalMs: sum(({ totalMs }) => totalMs),
    bucketCount: sum(({ buckets }) => buckets.reduce((total, count) => total + count, 0)),
    errors: [...new Set(rows.flatMap(({ errors }) => errors.map(({ name }) => name)))],
  };
}

kernelTest("every operation on a file is counted once, with its bytes, its errors and its time", REQUIRES, async () => {
  const path = await Deno.makeTempDir({ prefix: "podtrace-test-" });
  await using folder = new AsyncDisposableStack();
  folder.defer(() => Deno.remove(path, { recursive: true }));
  await using fixture = await startFixture("file_worker", {
    duration_ms: DURATION_MS_MAX,
    path,
    rounds: ROUNDS,
    write_bytes: WRITE_BYTES,
  });
  await using tracing = await Tracing.start([processTarget(fixture.processId)], { planes: WITH_FILES });
  Deno.kill(fixture.processId, "SIGUSR1");
  const truth = await fixture.ended();
  const measured = await tracing.finish();

  const isOf = (name: string) => ({ object }: FileMeasurement) =>
    (object.kind === "file" || object.kind === "path") && object.path === `${path}/${name}`;
  assert.equal(numberOf(truth, "rounds"), ROUNDS);
  const absent = sumOf(measured, { operation: "open", isMeant: isOf("absent") });
  assert.deepEqual([absent.count, absent.errorCount, absent.errors], [ROUNDS, ROUNDS, ["ENOENT"]]);
  const run = sumOf(measured, { operation: "exec" });
  assert.deepEqual([run.count, run.errorCount, run.errors], [ROUNDS, ROUNDS, ["ENOENT"]]);
  // A file that is made anew each round may get another inode, and its name is that of the moment it was met.
  const opened = sumOf(measured, { operation: "open", isMeant: ({ object }) => object.kind === "file" });
  assert.deepEqual([opened.count, opened.errorCount], [ROUNDS, 0]);
  const written = sumOf(measured, { operation: "write", isMeant: ({ byteCount }) => byteCount >= WRITE_BYTES });
  assert.deepEqual([written.count, written.byteCount], [ROUNDS, ROUNDS * WRITE_BYTES]);
  const read = sumOf(measured, { operation: "read", isMeant: ({ errorCount }) => errorCount === 0 });
  assert.deepEqual([read.count, read.byteCount], [ROUNDS, ROUNDS * WRITE_BYTES]);
  const refused = sumOf(measured, { operation: "read", isMeant: ({ errorCount }) => errorCount > 0 });
  assert.deepEqual([refused.count, refused.errors], [ROUNDS, ["EBADF"]]);
  for (const operation of ["close", "rename", "unlink"] as const) {
    const { count, errorCount, bucketCount } = sumOf(measured, { operation });
    assert.deepEqual([count, errorCount, bucketCount], [ROUNDS, 0, ROUNDS], operation);
  }
  const synced = sumOf(measured, { operation: "sync" });
  assert.equal(synced.count, numberOf(truth, "fsync_count"));
  // The program's clock is read around the call: it has at least what we have, and a little more each time.
  const truthMs = numberOf(truth, "fsync_ms");
  assert.ok(synced.totalMs <= truthMs, `${synced.totalMs} of ${truthMs} ms`);
  assert.ok(synced.totalMs >= truthMs * 0.5 - 1, `${synced.totalMs} of ${truthMs} ms`);
  assertBooksBalance(measured);
  assert.deepEqual(measured.books.completeness.files, { verdict: "complete" });

  const failed = tracing.events.filter((event) => event.kind === "file" && event.errno !== 0);
  const told = failed.filter((event) => event.kind === "file" && event.operation === "exec");
  assert.equal(told.length, 16, "the first of each kind are told one by one, the rest is counted");
});

kernelTest("hooks on system calls come with the plane and go with it; the others stay", REQUIRES, async () => {
  const path = await Deno.makeTempDir({ prefix: "podtrace-test-" });
  await using folder = new AsyncDisposableStack();
  folder.defer(() => Deno.remove(path, { recursive: true }));
  await using fixture = await startFixture("fsync_log", {
    duration_ms: DURATION_MS_MAX,
    path: `${path}/log`,
    pause_ms: 1,
  });
  const before = await programsOfOurs();
  {
    const target = processTarget(fixture.processId);
    await using tracing = await Tracing.start([target], { planes: WITHOUT_FILES });
    const callsOf = (name: string) => tracing.counters().programs.find((program) => program.name === name)?.callCount;
    const off = tracing.counters().hooks.find(({ hook }) => hook === "file_call_exit");
    assert.deepEqual([off?.provider, off?.blindFor, off?.isAskedFor], [undefined, NOT_ASKED_FOR, false]);
    assert.equal(callsOf("file_call_exit"), undefined);
    const loaded = await programsOfOurs();

    tracing.setTargets([target], WITH_FILES);
    await until(() => (callsOf("file_call_exit") ?? 0) > 100, { what: "calls are seen" });
    assert.deepEqual(await programsOfOurs(), loaded, "nothing was loaded again");
    const switches = callsOf("sched_switch") ?? 0;

    tracing.setTargets([target], WITHOUT_FILES);
    const after = callsOf("file_call_exit");
    await until(() => (callsOf("sched_switch") ?? 0) > switches + 100, { what: "the scheduler is still watched" });
    assert.equal(callsOf("file_call_exit"), after, "nothing is seen any more");
    const measured = await tracing.finish();
    assertBooksBalance(measured);
    assert.ok(measured.books.cost.programs.some(({ name }) => name === "file_call_exit"), "the receipt shows it");
    const { files, memory } = measured.books.completeness;
    assert.equal(files.verdict, "partial", "for a part of the window");
    assert.match(files.verdict === "partial" ? files.reason : "", /^asked for during \d/);
    assert.deepEqual(memory, { verdict: "complete" });
    assert.deepEqual(measured.fileOperations, [], "of a route that does not ask at the end");
  }
  const left = (await programsOfOurs()).difference(before);
  await until(async () => (await programsOfOurs()).intersection(left).size === 0, { what: "nothing is left behind" });
});

kernelTest("a call that was not seen to begin is not taken for one that was cut off before", REQUIRES, async () => {
  // It is inside a read nearly all the time: when the hooks go, and when they come back.
  await using fixture = await startFixture("resource_hog", { duration_ms: DURATION_MS_MAX, what: "slow_file" });
  const target = processTarget(fixture.processId);
  await using tracing = await Tracing.start([target], { planes: WITH_FILES, slowFileMs: 1 });
  const readCount = () => tracing.events.filter(({ kind }) => kind === "file").length;
  let apartMs = Infinity;
  for (let round = 1; round <= 2; round++) {
    const seen = readCount();
    await until(() => readCount() > seen + 2, { what: "reads are seen" });
    tracing.setTargets([target], WITHOUT_FILES);
    const goneMs = tracing.nowMs();
    await until(() => tracing.nowMs() - goneMs >= 1500, { what: "nobody looked for a while" });
    apartMs = Math.min(apartMs, tracing.nowMs() - goneMs);
    tracing.setTargets([target], WITH_FILES);
  }
  const seen = readCount();
  await until(() => readCount() > seen + 2, { what: "reads are seen again" });
  const measured = await tracing.finish();
  await fixture.finish();

  const longest = measured.fileOperations.filter(({ operation }) => operation === "read");
  assert.ok(longest.length > 0);
  for (const { maxMs } of longest) {
    assert.ok(maxMs < apartMs, `a read of ${maxMs} ms, in a look of ${apartMs} ms pauses`);
  }
  assertBooksBalance(measured);
});

kernelTest(
  "operations the table has no room for are counted without their file, and the books balance",
  REQUIRES,
  async () => {
    const path = await Deno.makeTempDir({ prefix: "podtrace-test-" });
    await using folder = new AsyncDisposableStack();
    folder.defer(() => Deno.remove(path, { recursive: true }));
    await using fixture = await startFixture("file_worker", { duration_ms: DURATION_MS_MAX, path, rounds: ROUNDS });
    // Two rows per operation take what finds no room; three are left for all else.
    const rowCount = 16 + 3;
    await using tracing = await Tracing.start([processTarget(fixture.processId)], {
      planes: WITH_FILES,
      mapSizes: { file_rows: rowCount },
    });
    Deno.kill(fixture.processId, "SIGUSR1");
    await fixture.ended();
    const measured = await tracing.finish();

    assertBooksBalance(measured);
    const { files } = measured.books.ledger;
    assert.ok((files.dropped["key_overflow"] ?? 0) > 0, JSON.stringify(files));
    assert.equal(measured.books.completeness.files.verdict, "partial");
    const unlinked = sumOf(measured, { operation: "unlink" });
    assert.deepEqual([unlinked.count, unlinked.errorCount], [ROUNDS, 0]);
    const read = sumOf(measured, { operation: "read" });
    assert.ok(read.count >= 2 * ROUNDS && read.errorCount >= ROUNDS, JSON.stringify(read));
  },
);

kernelTest("a report without the plane says that nobody asked", REQUIRES, async () => {
  await using fixture = await startFixture("sleeper", { duration_ms: DURATION_MS_MAX });
  await using tracing = await Tracing.start([processTarget(fixture.processId)]);
  const measured = await tracing.finish();
  assert.deepEqual(measured.books.completeness.files, { verdict: "blind", reason: NOT_ASKED_FOR });
  assert.deepEqual(measured.fileOperations, []);
});

kernelTest("file-errors names what is looked for in vain", REQUIRES, async () => {
  const path = await Deno.makeTempDir({ prefix: "podtrace-test-" });
  await using folder = new AsyncDisposableStack();
  folder.defer(() => Deno.remove(path, { recursive: true }));
  await using fixture = await startFixture("file_worker", {
    duration_ms: DURATION_MS_MAX,
    path,
    rounds: 1_000_000,
    write_bytes: 10,
  });
  await using tracing = await Tracing.start([processTarget(fixture.processId)], { planes: WITH_FILES });
  Deno.kill(fixture.processId, "SIGUSR1");
  await tracing.lasts(1500);
  const measured = await tracing.finish();
  await fixture.finish();

  const found = findingsIn(measured, tracing.events).filter(({ id }) => id === "file-errors");
  const exec = found.find(({ title }) => title.startsWith("exec keeps failing with ENOENT"));
  assert.equal(exec?.severity, "warning", JSON.stringify(found.map(({ title }) => title)));
  assert.match(exec?.title ?? "", new RegExp(`on ${path}/absent\\.$`));
});

kernelTest("slow-files names a file whose calls take long without a disk", REQUIRES, async () => {
  await using fixture = await startFixture("resource_hog", { duration_ms: DURATION_MS_MAX, what: "slow_file" });
  await using tracing = await Tracing.start([processTarget(fixture.processId)], { planes: WITH_FILES, slowFileMs: 1 });
  await tracing.lasts(1500);
  const measured = await tracing.finish();
  await fixture.finish();

  const read = sumOf(measured, { operation: "read" });
  // One machine walks 50 000 mappings in 20 ms, another in 5: the rule goes by what is slow, so give it that.
  const meanMs = read.totalMs / Math.max(1, read.count);
  const found = findingsIn(measured, tracing.events, { fsMs: meanMs / 4 });
  const slow = found.find(({ id }) => id === "slow-files");
  assert.match(slow?.title ?? "", /^read of \/proc\/\d+\/smaps_rollup takes/, JSON.stringify(found));
  assert.notEqual(slow?.severity, "info");
  assert.ok(tracing.events.some((event) => event.kind === "file" && event.operation === "read" && event.errno === 0));
});
