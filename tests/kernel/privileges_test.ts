/**
 * What works with few capabilities, as docs/privileges.md says, tried with a
 * bounding set that holds no others.
 *
 * @module
 */

import { assert } from "../support/assert.ts";
import { numberOf, startFixture } from "../support/fixture_programs.ts";
import { kernelTest } from "../support/kernel.ts";
import { leavingNothingBehind, podtraceWith } from "../support/podtrace_process.ts";
import { TRACING_REQUIREMENTS } from "../support/tracing.ts";

const REQUIRES = { requires: TRACING_REQUIREMENTS };
/** Longer than attaching takes on a machine with much else to do; each test ends its fixtures itself. */
const DURATION_MS_MAX = 120_000;

const TRACING_ALONE = ["bpf", "perfmon"];
const WITH_PTRACE = [...TRACING_ALONE, "sys_ptrace"];

/** What is said once where processes with other rights cannot be looked into. */
const WARNING = /^podtrace: warning: CAP_SYS_PTRACE is not in effect: [^\n]+\n/;

kernelTest("CAP_BPF and CAP_PERFMON alone find a slow peer, with exact books", REQUIRES, async () => {
  await using fixture = await startFixture("slow_upstream", { duration_ms: DURATION_MS_MAX, delay_ms: 20 });
  const argv = ["diagnose", "--pid", String(fixture.processId), "--duration", "1500ms", "-o", "json"];
  const answer = await leavingNothingBehind(() => podtraceWith(TRACING_ALONE, argv));

  assert.equal(answer.code, 0, answer.stderr);
  assert.match(answer.stderr, WARNING);
  const report = JSON.parse(answer.stdout);
  assert.equal(report.ledger.residual, 0);
  const finding = report.findings.find(({ id }: { id: string }) => id === "slow-peer");
  const peer = `127.0.0.1:${numberOf(fixture.ready, "upstream_port")}`;
  assert.ok(JSON.stringify(finding ?? {}).includes(peer), answer.stdout);
});

kernelTest("a lock's holder is known with CAP_SYS_PTRACE, and unknown, not fatal, without", REQUIRES, async () => {
  await using fixture = await startFixture("lock_holder", {
    duration_ms: DURATION_MS_MAX,
    holder: "sleep",
    hold_ms: 5000,
  });
  const argv = ["diagnose", "--pid", String(fixture.processId), "--now"];
  const without = await leavingNothingBehind(() => podtraceWith(TRACING_ALONE, argv));
  assert.equal(without.code, 0, without.stderr);
  assert.match(without.stderr, /who holds the locks is not known: Cannot read \/proc\/\d+\/mem: permission denied/);
  assert.match(without.stdout, /worker-\d.*lock/);
  assert.ok(!without.stdout.includes("held by flusher"), without.stdout);

  const withPtrace = await leavingNothingBehind(() => podtraceWith(WITH_PTRACE, argv));
  assert.deepEqual([withPtrace.code, withPtrace.stderr], [0, ""]);
  assert.match(withPtrace.stdout, /worker-\d.*lock.*held by flusher/);
});

kernelTest("stacks have function names with CAP_SYS_PTRACE, files and offsets without", REQUIRES, async () => {
  await using fixture = await startFixture("call_paths", { duration_ms: DURATION_MS_MAX });
  const argv = ["diagnose", "--pid", String(fixture.processId), "--duration", "1s", "--stacks"];
  const [without, withPtrace] = [
    await leavingNothingBehind(() => podtraceWith(TRACING_ALONE, argv)),
    await leavingNothingBehind(() => podtraceWith(WITH_PTRACE, argv)),
  ];
  assert.deepEqual([without.code, withPtrace.code], [0, 0], without.stderr + withPtrace.stderr);
  assert.match(withPtrace.stdout, /< load_prices\+0x[0-9a-f]+ < main\+0x/);
  assert.match(without.stdout, /call_paths(\[[^\]]*\])?\+0x[0-9a-f]+/);
  assert.ok(!without.stdout.includes("load_prices"), without.stdout);
});
