/**
 * Recordings of real runs: replayed they yield the same report, and what keeps
 * one from being whole is said.
 *
 * @module
 */

import { assert } from "../support/assert.ts";
import { startFixture } from "../support/fixture_programs.ts";
import { kernelTest } from "../support/kernel.ts";
import {
  type Answer,
  leavingNothingBehind,
  podtrace,
  podtraceCommand,
  run,
  RunningPodtrace,
} from "../support/podtrace_process.ts";
import { TRACING_REQUIREMENTS } from "../support/tracing.ts";
import { until } from "../support/until.ts";

const REQUIRES = { requires: TRACING_REQUIREMENTS };
const DURATION_MS_MAX = 120_000;

/** Yields a folder that is removed with the test. */
function makeFolder(): { readonly path: string } & Disposable {
  const path = Deno.makeTempDirSync();
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

function replay(path: string, ...argv: readonly string[]): Promise<Answer> {
  return podtrace("diagnose", "--replay", path, ...argv);
}

kernelTest("a replay yields the report of the recorded run, byte for byte, in every form", REQUIRES, async () => {
  using folder = makeFolder();
  await using fixture = await startFixture("lock_holder", { duration_ms: DURATION_MS_MAX });
  for (const output of ["json", "text", "csv", "html"]) {
    const path = `${folder.path}/${output}.rec`;
    const argv = ["--pid", String(fixture.processId), "--duration", "1500ms", "--stacks", "-o", output];
    const live = await leavingNothingBehind(() => podtrace("diagnose", ...argv, "--record", path));
    assert.equal(live.code, 0, live.stderr);
    assert.ok(live.stdout.length > 500);

    const again = await replay(path, "-o", output);
    assert.deepEqual([again.code, again.stderr], [0, ""]);
    assert.equal(again.stdout, live.stdout);
    assert.equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
  }
});

kernelTest("a recorded command and its many children are replayed alike, exit code and all", REQUIRES, async () => {
  using folder = makeFolder();
  const path = `${folder.path}/command.rec`;
  const script = "i=0; while [ $i -lt 150 ]; do /bin/true; i=$((i+1)); done; exit 3";
  const live = await podtrace("diagnose", "-o", "json", "--record", path, "--", "/bin/sh", "-c", script);
  assert.equal(live.code, 0, live.stderr);

  const again = await replay(path, "-o", "json");
  assert.equal(again.stdout, live.stdout);
  const report = JSON.parse(again.stdout);
  assert.deepEqual([report.endReason, report.command.exitCode], ["commandEnded", 3]);
});

kernelTest("what a replay is asked for does not change what was measured", REQUIRES, async () => {
  using folder = makeFolder();
  await using fixture = await startFixture("lock_holder", { duration_ms: DURATION_MS_MAX });
  const path = `${folder.path}/look.rec`;
  const argv = ["--pid", String(fixture.processId), "--duration", "1500ms", "-o", "json"];
  const live = await podtrace("diagnose", ...argv, "--record", path, "--follow", "--output-file", `${path}.json`);
  assert.equal(live.code, 0, live.stderr);
  const followed = await replay(path, "-o", "json", "--follow", "--output-file", `${path}.again.json`);
  const plain = await replay(path, "-o", "json", "--fail-on", "critical");

  const report = Deno.readTextFileSync(`${path}.json`);
  assert.equal(plain.stdout, report);
  assert.equal(Deno.readTextFileSync(`${path}.again.json`), report);
  assert.equal(followed.stdout, live.stdout);
  assert.equal(
    plain.code,
    JSON.parse(report).findings.some((one: { severity: string }) => one.severity === "critical") ? 4 : 0,
  );
});

kernelTest("a recording whose podtrace was killed is replayed as far as it goes, and says so", REQUIRES, async () => {
  using folder = makeFolder();
  await using fixture = await startFixture("lock_holder", { duration_ms: DURATION_MS_MAX });
  const path = `${folder.path}/killed.rec`;
  {
    const argv = ["--pid", String(fixture.processId), "--duration", "1h", "--record", path];
    await using running = new RunningPodtrace("diagnose", ...argv);
    await running.traces();
    await until(async () => (await replay(path)).code === 0, {
      what: "the recording holds its first state",
      timeoutMs: 30_000,
    });
    running.signal("SIGKILL");
    await running.ended();
  }
  const answer = await replay(path, "-o", "json");
  assert.equal(answer.code, 0, answer.stderr);
  const report = JSON.parse(answer.stdout);
  assert.match(report.completeness.waits.reason, /the recording is cut after \d+\.\d s of 3600\.0 s/);
  for (const [category, verdict] of Object.entries<{ verdict: string }>(report.completeness)) {
    assert.ok(["partial", "blind"].includes(verdict.verdict), `${category} ${verdict.verdict}`);
  }
  assert.ok(report.summary.duration_seconds >= 0.9, String(report.summary.duration_seconds));
  assert.equal(report.endReason, "interrupted");
});

kernelTest("a full disk ends the recording in one line, not the diagnosis", REQUIRES, async () => {
  using folder = makeFolder();
  await using fixture = await startFixture("sleeper", { duration_ms: DURATION_MS_MAX });
  const mount = `mount -t tmpfs -o size=8k tmpfs ${folder.path} && exec "$@"`;
  const argv = ["diagnose", "--pid", String(fixture.processId), "--duration", "1500ms", "-o", "json"];
  const command = podtraceCommand([...argv, "--record", `${folder.path}/look.rec`]);
  const answer = await leavingNothingBehind(() =>
    run(["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", mount, "sh", ...command])
  );
  assert.match(
    answer.stderr,
    /^podtrace: Cannot go on recording to "[^"]+": No space left on device \(os error 28\); [^\n]+\n$/,
  );
  assert.equal(answer.code, 1);
  assert.equal(JSON.parse(answer.stdout).endReason, "duration");
});

kernelTest(
  "a file that may not grow ends the recording in one line, and is replayed up to there",
  REQUIRES,
  async () => {
    using folder = makeFolder();
    await using fixture = await startFixture("lock_holder", { duration_ms: DURATION_MS_MAX });
    const path = `${folder.path}/look.rec`;
    await using running = new RunningPodtrace(
      "diagnose",
      ...["--pid", String(fixture.processId), "--duration", "1h", "-o", "json", "--slow-wait", "1ms", "--record", path],
    );
    await running.traces();
    await until(async () => (await replay(path)).code === 0, { what: "it holds its first state", timeoutMs: 30_000 });
    const limitBytes = Deno.statSync(path).size + 512;
    const limit = await run(["prlimit", "--pid", String(running.processId), `--fsize=${limitBytes}`]);
    assert.equal(limit.code, 0, limit.stderr);
    await until(() => Deno.statSync(path).size === limitBytes, { what: "the file is full", timeoutMs: 60_000 });
    running.signal("SIGINT");
    const answer = await running.ended();
    assert.match(answer.stderr, /Cannot go on recording to "[^"]+": File too large \(os error 27\); /);
    assert.equal(answer.code, 1);
    assert.equal(JSON.parse(answer.stdout).endReason, "interrupted");
    assert.equal((await replay(path)).code, 0);
  },
);

kernelTest(
  "a recording goes to no link, device or folder, and a refused run leaves the old one",
  REQUIRES,
  async () => {
    using folder = makeFolder();
    await using fixture = await startFixture("sleeper", { duration_ms: DURATION_MS_MAX });
    const pid = String(fixture.processId);
    const old = `${folder.path}/old.rec`;
    Deno.writeTextFileSync(old, "old");
    Deno.symlinkSync(old, `${folder.path}/link.rec`);
    const table = [
      [`${folder.path}/link.rec`, "a link"],
      [folder.path, "a directory"],
      ["/dev/null", "a device or pipe"],
    ] as const;
    for (const [path, found] of table) {
      const answer = await podtrace("diagnose", "--pid", pid, "--duration", "1h", "--record", path);
      assert.equal(
        answer.stderr,
        `podtrace: Cannot record to ${JSON.stringify(path)}: found ${found}, wanted a new file or one to replace\n`,
      );
      assert.equal(answer.code, 1);
    }
    const gone = await podtrace("diagnose", "--pid", "4194304", "--record", old);
    assert.equal(gone.code, 1);
    assert.equal(Deno.readTextFileSync(old), "old");
    assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name).sort(), ["link.rec", "old.rec"]);
  },
);
