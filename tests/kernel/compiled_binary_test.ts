/**
 * The compiled binary where there is nothing to lean on: a read-only root with
 * glibc's files, /proc and /sys.
 *
 * @module
 */

import { OUTPUT_FORMATS } from "../../cmd/options.ts";
import { VERSION } from "../../cmd/version.ts";
import { assert } from "../support/assert.ts";
import { BareRoot, COMPILED_PROGRAM } from "../support/bare_root.ts";
import { numberOf, type RunningFixture, startFixture } from "../support/fixture_programs.ts";
import { kernelTest } from "../support/kernel.ts";
import type { KernelRequirement } from "../support/kernel_requirements.ts";
import { isTracing, leavingNothingBehind, run, SpawnedCommand } from "../support/podtrace_process.ts";
import { until } from "../support/until.ts";

const REQUIRES: readonly KernelRequirement[] = ["compiled_program", "bpf_capability", "btf", "ring_buffer", "clang"];

/** Ends the fixtures that a failed test leaves. */
const DURATION_MS_MAX = 120_000;

/** Parts of glibc, and the one library that every program of Rust's is linked with. */
const WANTED_FILES = /^(ld-linux-[a-z0-9-]+|libc|libdl|libgcc_s|libm|libpthread|librt)\.so\.\d+$/;

function peerOf(fixture: RunningFixture): string {
  return `127.0.0.1:${numberOf(fixture.ready, "upstream_port")}`;
}

kernelTest("the compiled binary needs glibc's files and libgcc_s, nothing else", {
  requires: ["compiled_program"],
}, async () => {
  using root = await BareRoot.make();
  assert.deepEqual(root.fileNames().filter((name) => !WANTED_FILES.test(name)), []);
  assert.ok(root.fileNames().includes("libc.so.6"), root.fileNames().join(", "));
});

kernelTest("the compiled binary diagnoses a process from a read-only root of glibc's files", {
  requires: [...REQUIRES, "root"],
}, async () => {
  await using fixture = await startFixture("slow_upstream", { duration_ms: DURATION_MS_MAX, delay_ms: 20 });
  using root = await BareRoot.make();
  const argv = ["diagnose", "--pid", String(fixture.processId), "--duration", "1500ms", "-o", "json"];
  const environment = { TMPDIR: "/nowhere" };
  const answer = await leavingNothingBehind(() => run(root.command(argv, { environment })));

  assert.deepEqual([answer.code, answer.stderr], [0, ""]);
  const report = JSON.parse(answer.stdout);
  assert.equal(report.ledger.residual, 0);
  const finding = report.findings.find(({ id }: { id: string }) => id === "slow-peer");
  assert.ok(JSON.stringify(finding ?? {}).includes(peerOf(fixture)), answer.stdout);
});

kernelTest("the compiled binary shows every view and renders every format", {
  requires: REQUIRES,
}, async () => {
  await using fixture = await startFixture("slow_upstream", { duration_ms: DURATION_MS_MAX, delay_ms: 20 });
  const target = ["diagnose", "--pid", String(fixture.processId)];
  const views: readonly (readonly [argv: readonly string[], shows: string])[] = [
    ...OUTPUT_FORMATS.map((format) => [[...target, "--duration", "300ms", "-o", format], peerOf(fixture)] as const),
    [[...target, "--duration", "1s", "--follow"], peerOf(fixture)],
    [[...target, "--duration", "300ms", "--stacks", "--filter", "time,net,fs"], peerOf(fixture)],
    [[...target, "--now"], "recvfrom"],
    [["completion", "bash"], "complete -F"],
  ];
  for (const [argv, shows] of views) {
    const answer = await leavingNothingBehind(() => run([COMPILED_PROGRAM, ...argv]));
    assert.deepEqual([answer.code, answer.stderr], [0, ""], argv.join(" "));
    assert.ok(answer.stdout.includes(shows), `${argv.join(" ")} shows no ${shows}:\n${answer.stdout}`);
  }
});

kernelTest("the compiled binary ends on SIGTERM in the bare root, with the report", {
  requires: [...REQUIRES, "root"],
}, async () => {
  await using fixture = await startFixture("busy", { duration_ms: DURATION_MS_MAX });
  using root = await BareRoot.make();
  const argv = ["diagnose", "--pid", String(fixture.processId), "--duration", "1h", "-o", "json"];
  const answer = await leavingNothingBehind(async () => {
    await using running = new SpawnedCommand(root.command(argv));
    await until(() => isTracing(running.processId), { what: "podtrace traces its target", timeoutMs: 30_000 });
    running.signal("SIGTERM");
    return await running.ended();
  });

  assert.deepEqual([answer.code, answer.stderr], [0, ""]);
  const report = JSON.parse(answer.stdout);
  assert.equal(report.endReason, "interrupted");
  assert.deepEqual(report.timeLedger.processes.map(({ pid }: { pid: number }) => pid), [fixture.processId]);
});

kernelTest("the compiled binary as process 1 of a pid namespace says that it cannot trace from there", {
  requires: [...REQUIRES, "root"],
}, async () => {
  using root = await BareRoot.make();
  const argv = ["diagnose", "--pid", String(Deno.pid), "--duration", "1s"];
  const answer = await leavingNothingBehind(() => run(root.command(argv, { isFirstProcess: true })));

  assert.deepEqual([answer.code, answer.stdout], [1, ""]);
  assert.match(answer.stderr, /^podtrace: Cannot trace from inside a pid namespace: [^\n]+--pid=host[^\n]+\n$/);
});

kernelTest("the compiled binary answers help, version and mistakes from the bare root", {
  requires: ["compiled_program", "root"],
}, async () => {
  using root = await BareRoot.make();
  const answers = await Promise.all(
    [["--help"], ["--version"], ["diagnose", "--help"], ["diagnose", "--pid", "x"], ["diagnos"]].map((argv) =>
      run(root.command(argv))
    ),
  );
  assert.deepEqual(answers.map(({ code }) => code), [0, 0, 0, 2, 2]);
  const [help, version, , wrongPid, wrongCommand] = answers.map(({ stdout, stderr }) => stdout + stderr);
  assert.match(help ?? "", /^Usage: podtrace COMMAND/);
  assert.equal(version, `podtrace v${VERSION}\n`);
  assert.match(wrongPid ?? "", /^podtrace: Cannot use --pid "x": [^\n]+\n$/);
  assert.match(wrongCommand ?? "", /^podtrace: [^\n]*did you mean diagnose[^\n]*\n$/i);
});

kernelTest("the compiled binary takes another BPF object from PODTRACE_BPF_OBJECT, if it is one of ours", {
  requires: [...REQUIRES, "root"],
}, async () => {
  const answer = await leavingNothingBehind(() =>
    run(["env", `PODTRACE_BPF_OBJECT=${COMPILED_PROGRAM}`, COMPILED_PROGRAM, "diagnose", "--system-wide"])
  );
  assert.equal(answer.code, 1);
  assert.match(answer.stderr, /^podtrace: Cannot read the BPF object [^\n]+: found \d+ bytes, wanted [^\n]+\n$/);
});
