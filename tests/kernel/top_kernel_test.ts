/**
 * `podtrace diagnose --top` on a real kernel and a real (pseudo-)terminal.
 *
 * @module
 */

import { assert } from "../support/assert.ts";
import { startFixture } from "../support/fixture_programs.ts";
import { kernelTest } from "../support/kernel.ts";
import { leavingNothingBehind, podtrace } from "../support/podtrace_process.ts";
import { PodtraceOnTerminal } from "../support/terminal_process.ts";
import { TRACING_REQUIREMENTS } from "../support/tracing.ts";

const REQUIRES = { requires: TRACING_REQUIREMENTS };
/** Longer than attaching takes on a machine with much else to do; each test ends its fixtures itself. */
const DURATION_MS_MAX = 120_000;

kernelTest(
  "--top shows threads by where their time goes, sorts, follows the window's size, and q ends it",
  REQUIRES,
  async () => {
    await using fixture = await startFixture("lock_holder", { duration_ms: DURATION_MS_MAX, holder: "sleep" });
    await leavingNothingBehind(async () => {
      await using top = new PodtraceOnTerminal("diagnose", "--pid", String(fixture.processId), "--top");
      await top.shows(/^podtrace top: pid \d+ \(lock_holder\)/);
      await top.shows(/ worker-\d +\d+ +\d+ +\d+ +\d+ +[1-9]\d+ .* lock 0x[0-9a-f]/);
      await top.shows(/^\d+ s, (COMPLETE|.*PARTIAL).* lost; 9 threads/);
      await top.fills({ columns: 80, rows: 24 });

      await top.press("i");
      await top.shows(/\[i idle\]/);
      await top.resize({ columns: 40, rows: 10 });
      await top.shows(/^ +TID COMMAND +CPU RUN BLK IDL +$/);
      await top.fills({ columns: 40, rows: 10 });
      await top.resize({ columns: 100, rows: 30 });
      await top.shows(/^ +PID +TID COMMAND .* WAITS FOR +$/);
      await top.fills({ columns: 100, rows: 30 });

      await top.press("q");
      const { code } = await top.ended();
      assert.equal(code, 0, top.text);
      assert.equal(top.isOnScreen, false);
      assert.match(top.text, /\x1b\[\?25h\x1b\[\?1049l/, "the cursor is back");
      assert.match(top.afterwards, /podtrace diagnose: pid \d+ \(lock_holder\)[^]*WHAT IT COST TO LOOK/);
    });
  },
);

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
  kernelTest(`--top gives the terminal back, and the report, on ${signal}`, REQUIRES, async () => {
    await using fixture = await startFixture("sleeper", { duration_ms: DURATION_MS_MAX });
    await using top = new PodtraceOnTerminal("diagnose", "--pid", String(fixture.processId), "--top");
    await top.shows(/ sleeper +0 +0 /);
    Deno.kill(await top.processId(), signal);
    assert.equal((await top.ended()).code, 0, top.text);
    assert.equal(top.isOnScreen, false);
    assert.match(top.afterwards, /ended early: interrupted/);
  });
}

kernelTest("--top gives the terminal back before it says what went wrong", REQUIRES, async () => {
  await using top = new PodtraceOnTerminal("diagnose", "--pid", "4194304", "--top");
  assert.equal((await top.ended()).code, 1);
  assert.equal(top.isOnScreen, false);
  assert.match(top.text, /podtrace: Cannot [^\n]*4194304[^\n]*\n?$/);
});

kernelTest("--top is refused in one line where there is no terminal", REQUIRES, async () => {
  const { code, stdout, stderr } = await podtrace("diagnose", "--pid", String(Deno.pid), "--top");
  assert.deepEqual([code, stdout], [1, ""]);
  assert.equal(stderr, "podtrace: Cannot use --top: stdin or stdout is no terminal, use --follow for lines\n");
});
