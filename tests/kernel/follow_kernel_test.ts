/**
 * `podtrace diagnose --follow` on a real kernel: lines while the look goes on,
 * the report at its end, in a pipe and when nobody reads it any more.
 *
 * @module
 */

import { assert } from "../support/assert.ts";
import { startFixture } from "../support/fixture_programs.ts";
import { kernelTest } from "../support/kernel.ts";
import { leavingNothingBehind, podtrace, podtraceCommand, run, RunningPodtrace } from "../support/podtrace_process.ts";
import { TRACING_REQUIREMENTS } from "../support/tracing.ts";

const REQUIRES = { requires: TRACING_REQUIREMENTS };
/** Longer than attaching takes on a machine with much else to do; each test ends its fixtures itself. */
const DURATION_MS_MAX = 120_000;

kernelTest("--follow prints a line per event, then the report", REQUIRES, async () => {
  await using fixture = await startFixture("child_waiter", { duration_ms: DURATION_MS_MAX });
  const processId = String(fixture.processId);
  const { code, stdout, stderr } = await leavingNothingBehind(() =>
    podtrace("diagnose", "--pid", processId, "--follow", "--duration", "3s")
  );

  assert.equal(code, 0, stderr);
  const [live = "", report] = stdout.split("podtrace diagnose: ");
  assert.match(
    live,
    new RegExp(`^\\d\\d:\\d\\d:\\d\\d\\.\\d{3} \\[PROC\\] \\w+\\(\\) waited .* for .*  pid ${processId}`, "m"),
  );
  for (const line of live.trimEnd().split("\n")) {
    assert.match(line, /^\d\d:\d\d:\d\d\.\d{3} \[(NET|FS|LOCK|MEM|PROC|TIME|CPU)\] .+ {2}pid \d+/);
  }
  assert.match(report ?? "", /WHERE THE TIME WENT/);
});

kernelTest("--follow -o json is one value per line until Ctrl+C, the report the last of them", REQUIRES, async () => {
  await using fixture = await startFixture("lock_holder", { duration_ms: DURATION_MS_MAX, holder: "sleep" });
  const processId = String(fixture.processId);
  await using follower = new RunningPodtrace(
    ...["diagnose", "--pid", processId, "--follow", "-o", "json", "--filter", "lock,proc"],
  );
  await follower.printsLines(5);
  follower.signal("SIGINT");
  const { code, stdout, stderr } = await follower.ended();

  assert.equal(code, 0, stderr);
  const values = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  const last = values.pop();
  assert.deepEqual([last.type, last.report.endReason], ["report", "interrupted"]);
  const locks = values.filter((value) => value.kind === "wait" && value.category === "lock");
  assert.ok(locks.length > 0, stdout);
  assert.ok(values.every((value) => ["lock", "proc"].includes(value.category)), stdout);
  for (const { time, durationMs, object } of locks) {
    assert.ok(Math.abs(Date.parse(time) - Date.now()) < DURATION_MS_MAX, time);
    assert.ok(durationMs >= 10 && /^0x/.test(object.address));
  }
});

kernelTest("--follow ends quietly when nobody reads it any more, and takes its hooks with it", REQUIRES, async () => {
  await using fixture = await startFixture("child_waiter", { duration_ms: DURATION_MS_MAX });
  const words = podtraceCommand(["diagnose", "--pid", String(fixture.processId), "--follow"]);
  const answer = await leavingNothingBehind(() => run(["sh", "-c", '"$@" | head -n 2', "sh", ...words]));

  assert.equal(answer.stdout.trimEnd().split("\n").length, 2, answer.stdout);
  assert.equal(answer.stderr, "");
});
