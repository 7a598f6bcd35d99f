/**
 * `podtrace diagnose` on a real kernel, run as its user runs it: commands,
 * snapshots, early ends, rights, bad targets; and nothing is left behind.
 *
 * @module
 */

import { assert } from "../support/assert.ts";
import { numberOf, startFixture } from "../support/fixture_programs.ts";
import { kernelTest } from "../support/kernel.ts";
import { readClockSkewMs } from "../support/ledger_checks.ts";
import {
  type Answer,
  leavingNothingBehind,
  podtrace,
  podtraceCommand,
  podtraceWith,
  run,
  RunningPodtrace,
} from "../support/podtrace_process.ts";
import { ProcFs } from "../../engine/host/procfs.ts";
import { TARGETS_MAX } from "../../engine/api/limits.ts";
import { until } from "../support/until.ts";
import { TRACING_REQUIREMENTS } from "../support/tracing.ts";
import { makeNestedCgroups } from "../support/v2_cgroup.ts";

const REQUIRES = { requires: TRACING_REQUIREMENTS };
/** Longer than attaching takes on a machine with much else to do; each test ends its fixtures itself. */
const DURATION_MS_MAX = 120_000;

/** One line on stderr, nothing on stdout. */
function assertRefused(answer: Answer, expected: { code: number; line: RegExp }): void {
  assert.match(answer.stderr, expected.line);
  assert.match(answer.stderr, /^podtrace: [^\n]+\n$/);
  assert.deepEqual([answer.stdout, answer.code], ["", expected.code], answer.stderr);
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

kernelTest("a command is traced from its first instruction, and its exit code reported", REQUIRES, async () => {
  const answer = await leavingNothingBehind(() =>
    podtrace("diagnose", "--duration", "20s", "-o", "json", "--", "/bin/sh", "-c", "/bin/true; exit 7")
  );

  assert.equal(answer.code, 0, answer.stderr);
  assert.match(answer.stderr, /command exited with 7/);
  const report = JSON.parse(answer.stdout);
  assert.deepEqual(
    [report.endReason, report.command.argv, report.command.exitCode],
    ["commandEnded", ["/bin/sh", "-c", "/bin/true; exit 7"], 7],
  );
  const text = JSON.stringify(report.timeLedger);
  // The gate it waited behind is not its time: nothing but what it did itself.
  assert.ok(!text.includes('"pipe"') || !/"read"/.test(text), text);
});

kernelTest("a command that is ended by a signal is reported with it", REQUIRES, async () => {
  const answer = await podtrace("diagnose", "--duration", "20s", "--", "/bin/sh", "-c", "kill -9 $$");

  assert.equal(answer.code, 0, answer.stderr);
  assert.match(answer.stdout, /command: .*was ended by SIGKILL/);
});

kernelTest("a command that does not exist is refused before anything is attached", REQUIRES, async () => {
  const answer = await leavingNothingBehind(() => podtrace("diagnose", "--", "no-such-command-here"));
  assertRefused(answer, { code: 1, line: /Cannot start the command "no-such-command-here": .*\(127\)/ });
});

kernelTest("--now says who holds a lock and since when its waiters wait", REQUIRES, async () => {
  // The lock is held far longer than the look takes.
  await using fixture = await startFixture("lock_holder", {
    duration_ms: DURATION_MS_MAX,
    holder: "sleep",
    hold_ms: 5000,
  });
  const answer = await leavingNothingBehind(() => podtrace("diagnose", "--pid", String(fixture.processId), "--now"));

  assert.equal(answer.code, 0, answer.stderr);
  const address = String(fixture.ready["lock_address"]);
  assert.match(
    answer.stdout,
    new RegExp(`worker-\\d.*~\\d+\\.\\d\\d ms.*lock.*${address}[^]*held by flusher \\(\\d+\\)`),
  );
  assert.match(answer.stdout, /flusher.*~\d+\.\d\d ms.*sleep/);
  assert.match(answer.stdout, /~ times are good to one scheduler tick/);
});

kernelTest("--now says since when an idle process sleeps", REQUIRES, async () => {
  await using fixture = await startFixture("sleeper", { duration_ms: DURATION_MS_MAX, in: "pause" });
  const look = async () => {
    const { stdout } = await podtrace("diagnose", "--pid", String(fixture.processId), "--now", "-o", "json");
    return JSON.parse(stdout).threads[0];
  };
  const startedMs = performance.now();
  const first = await look();
  assert.deepEqual([first.state, first.systemCall], ["blocked", "pause"]);
  assert.ok(first.sinceMs > 0, JSON.stringify(first));
  // It has slept since then, however often it is looked at, and from whichever CPU.
  const skewMs = readClockSkewMs();
  const grownMs = await until(async () => {
    const ms = (await look()).sinceMs - first.sinceMs;
    return ms > skewMs + 100 ? ms : undefined;
  }, { what: "it has slept for longer" });
  const elapsedMs = performance.now() - startedMs;
  assert.ok(grownMs <= elapsedMs + skewMs, `${grownMs} ms in ${elapsedMs} ms, ${skewMs} ms between CPUs`);
});

kernelTest(
  "as many processes as there may be targets are diagnosed, but for one that has ended",
  REQUIRES,
  async () => {
    await using fixture = await startFixture("sleeper", {
      duration_ms: DURATION_MS_MAX,
      in: "pause",
      children: TARGETS_MAX - 1,
    });
    const ended = new Deno.Command("true").spawn();
    await ended.status;
    const childIds = new ProcFs().processTree().childIds(fixture.processId);
    const pids = [ended.pid, ...childIds].flatMap((id) => ["--pid", String(id)]);
    const answer = await leavingNothingBehind(() => podtrace("diagnose", ...pids, "--duration", "1s", "-o", "json"));

    assert.equal(answer.code, 0, answer.stderr);
    assert.match(answer.stderr, new RegExp(`pid ${ended.pid} is left out: there is no such process any more`));
    const { targets, timeLedger } = JSON.parse(answer.stdout);
    const processCount = timeLedger.processes.length + timeLedger.omittedProcesses;
    assert.deepEqual([targets.length, processCount], [TARGETS_MAX - 1, TARGETS_MAX - 1]);
  },
);

kernelTest("a process goes on to be traced when its main thread has ended", REQUIRES, async () => {
  await using fixture = await startFixture("sleeper", { duration_ms: DURATION_MS_MAX, in: "poll", main: "ended" });
  const pid = String(fixture.processId);
  await until(() => new ProcFs().stat(fixture.processId)?.state === "Z", { what: "the main thread ended" });
  const now = await podtrace("diagnose", "--pid", pid, "--now", "-o", "json");
  assert.equal(now.code, 0, now.stderr);
  const shown = JSON.parse(now.stdout).threads.map((thread: { name: string; systemCall: string }) =>
    [thread.name, thread.systemCall].join(" in ")
  );
  assert.deepEqual(shown, ["left-over in poll"]);

  const answer = await podtrace("diagnose", "--pid", pid, "--duration", "3s", "-o", "json");
  assert.equal(answer.code, 0, answer.stderr);
  const { endReason, timeLedger } = JSON.parse(answer.stdout);
  const names = timeLedger.processes.flatMap(({ threads }: { threads: { name: string }[] }) =>
    threads.map(({ name }) => name)
  );
  assert.deepEqual([endReason, names], ["duration", ["left-over"]]);
});

kernelTest("SIGINT and SIGTERM end a run early, with the report", REQUIRES, async () => {
  await using fixture = await startFixture("busy", { duration_ms: DURATION_MS_MAX });
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    const answer = await leavingNothingBehind(async () => {
      await using running = new RunningPodtrace(
        "diagnose",
        "--pid",
        String(fixture.processId),
        "--duration",
        "1h",
        "-o",
        "json",
      );
      await running.traces();
      running.signal(name);
      return await running.ended();
    });
    assert.equal(answer.code, 0, answer.stderr);
    const report = JSON.parse(answer.stdout);
    assert.equal(report.endReason, "interrupted");
    assert.equal(report.timeLedger.processes.length, 1);
  }
});

kernelTest("two runs at once on the same target give the same figures", REQUIRES, async () => {
  await using fixture = await startFixture("slow_upstream", { duration_ms: DURATION_MS_MAX, delay_ms: 20 });
  const argv = ["diagnose", "--pid", String(fixture.processId), "--duration", "1500ms", "-o", "json"];
  const answers = await Promise.all([podtrace(...argv), podtrace(...argv)]);

  const peer = `127.0.0.1:${numberOf(fixture.ready, "upstream_port")}`;
  const shares = answers.map(({ code, stdout, stderr }) => {
    assert.equal(code, 0, stderr);
    const report = JSON.parse(stdout);
    assert.equal(report.ledger.residual, 0);
    const finding = report.findings.find(({ id }: { id: string }) => id === "slow-peer");
    assert.ok(JSON.stringify(finding ?? {}).includes(peer), stdout);
    const { lifetimeMs, blockedByClass } = report.timeLedger.total;
    return blockedByClass.network / lifetimeMs;
  });
  // Each has a window of its own; what the thread does is the same in both.
  const [first = 0, second = 1] = shares;
  assert.ok(first > 0.1 && Math.abs(first - second) < 0.1, `network waits are ${shares.join(" and ")} of the time`);
});

kernelTest("a target that ends during the look ends it, with the report", REQUIRES, async () => {
  await using fixture = await startFixture("busy", { duration_ms: DURATION_MS_MAX });
  await using running = new RunningPodtrace(
    "diagnose",
    "--pid",
    String(fixture.processId),
    "--duration",
    "1h",
    "-o",
    "json",
  );
  await running.traces();
  await fixture.finish();
  const answer = await running.ended();

  assert.equal(answer.code, 0, answer.stderr);
  const report = JSON.parse(answer.stdout);
  assert.equal(report.endReason, "targetsEnded");
  assert.deepEqual(report.timeLedger.processes.map(({ pid }: { pid: number }) => pid), [fixture.processId]);
});

kernelTest(
  "with CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE alone everything works but BPF run time",
  REQUIRES,
  async () => {
    await using fixture = await startFixture("slow_upstream", { duration_ms: DURATION_MS_MAX, delay_ms: 20 });
    const argv = ["diagnose", "--pid", String(fixture.processId), "--duration", "1s"];
    const answer = await leavingNothingBehind(() => podtraceWith(["bpf", "perfmon", "sys_ptrace"], argv));

    assert.equal(answer.code, 0, answer.stderr);
    assert.match(answer.stdout, new RegExp(`127\\.0\\.0\\.1:${numberOf(fixture.ready, "upstream_port")}`));
    assert.match(answer.stdout, /BPF run time: not measured: run-time statistics need CAP_SYS_ADMIN/);
  },
);

kernelTest("without the rights to trace, the missing capability is named", REQUIRES, async () => {
  const argv = ["diagnose", "--system-wide", "--duration", "1s"];
  const table: readonly (readonly [capabilities: readonly string[], line: RegExp])[] = [
    [["perfmon"], /^podtrace: .*CAP_BPF is not in effect/],
    [["bpf"], /^podtrace: .*CAP_PERFMON is not in effect/],
    [[], /^podtrace: .*CAP_BPF and CAP_PERFMON are not in effect/],
  ];
  for (const [capabilities, line] of table) {
    assertRefused(await leavingNothingBehind(() => podtraceWith(capabilities, argv)), { code: 1, line });
  }
});

kernelTest("a target that cannot be is refused in one line", REQUIRES, async () => {
  await using groups = await makeNestedCgroups();
  const id = crypto.randomUUID().replaceAll("-", "").repeat(2);
  const twins = [`${id.slice(0, -1)}0`, `${id.slice(0, -1)}1`].map((name) => `${groups.inner}/${name}`);
  for (const twin of twins) await Deno.mkdir(twin);
  try {
    const table: readonly (readonly [argv: readonly string[], line: RegExp])[] = [
      [["--pid", "4194304"], /Cannot trace pid 4194304: there is no such process/],
      [["--pid", "2"], /Cannot trace pid 2: /],
      [["--container", "0123456789abcdef"], /Cannot find container 0123456789abcdef: looked in /],
      [["--container", id.slice(0, 20)], /Cannot tell which container [0-9a-f]+ is: 2 begin with it/],
      [["--cgroup", "/"], /Cannot trace the root cgroup: .*--system-wide/],
      [["--cgroup", groups.root], /Cannot trace the root cgroup: .*--system-wide/],
      [["--cgroup", "/no/such/group"], /Cannot find cgroup "\/no\/such\/group"/],
    ];
    for (const [argv, line] of table) {
      assertRefused(await leavingNothingBehind(() => podtrace("diagnose", ...argv)), { code: 1, line });
    }
  } finally {
    for (const twin of twins) await Deno.remove(twin);
  }
});

kernelTest(
  "a process that dies at once is refused or reported, in one line or with what it did",
  REQUIRES,
  async () => {
    const child = new Deno.Command("/bin/true", { stdout: "null", stderr: "null" }).spawn();
    const answer = await leavingNothingBehind(() =>
      podtrace("diagnose", "--pid", String(child.pid), "--duration", "20s")
    );
    await child.status;
    assertRefused(answer, {
      code: 1,
      line: /Cannot trace pid \d+: (it has ended \(a zombie\)|there is no such process)/,
    });
  },
);

kernelTest("an output file that cannot be written is refused before anything is attached", REQUIRES, async () => {
  await using fixture = await startFixture("sleeper", { duration_ms: DURATION_MS_MAX });
  const pid = String(fixture.processId);
  for (const path of ["/no/such/folder/report.txt", "/proc/report.txt", "/tmp"]) {
    const answer = await leavingNothingBehind(() =>
      podtrace("diagnose", "--pid", pid, "--duration", "1h", "--output-file", path)
    );
    assertRefused(answer, { code: 1, line: new RegExp(`Cannot write the report to ${quoted(path)}: `) });
  }
});

kernelTest("a report whose reader is gone ends the run quietly", REQUIRES, async () => {
  await using fixture = await startFixture("cpu_hogs", { duration_ms: DURATION_MS_MAX, threads: 6 });
  const argv = ["diagnose", "--pid", String(fixture.processId), "--duration", "500ms", "-o", "json"];
  const answer = await leavingNothingBehind(() =>
    run(["/bin/sh", "-c", '{ "$@"; echo "code $?" >&2; } | true', "sh", ...podtraceCommand(argv)])
  );
  assert.deepEqual([answer.stdout, answer.stderr], ["", "code 1\n"]);
});
