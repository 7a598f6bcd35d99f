/**
 * `--filter` and the thresholds on a real kernel: what is attached, what is told.
 *
 * @module
 */

import { assert } from "../support/assert.ts";
import { startFixture } from "../support/fixture_programs.ts";
import { kernelTest } from "../support/kernel.ts";
import { podtrace } from "../support/podtrace_process.ts";
import { TRACING_REQUIREMENTS } from "../support/tracing.ts";

const REQUIRES = { requires: TRACING_REQUIREMENTS };
/** Longer than attaching takes on a machine with much else to do; each test ends its fixtures itself. */
const DURATION_MS_MAX = 120_000;

interface Report {
  readonly findings: readonly { readonly id: string; readonly severity: string }[];
  readonly cost: { readonly hooks: readonly { hook: string; plane: string; provider?: string; isAskedFor: boolean }[] };
  readonly [field: string]: unknown;
}

async function diagnose(processId: number, ...options: readonly string[]): Promise<Report> {
  const { code, stdout, stderr } = await podtrace(
    ...["diagnose", "--pid", String(processId), "--duration", "2s", "-o", "json", ...options],
  );
  assert.ok(code === 0 || code === 4, stderr);
  return JSON.parse(stdout);
}

/** Planes whose hooks are in force. */
function attachedPlanes({ cost }: Report): readonly string[] {
  return [...new Set(cost.hooks.filter(({ provider }) => provider !== undefined).map(({ plane }) => plane))].sort();
}

kernelTest(
  "--filter attaches what its categories need, and tells and judges their findings alone",
  REQUIRES,
  async () => {
    await using fixture = await startFixture("lock_holder", { duration_ms: DURATION_MS_MAX, holder: "burn" });
    const locks = await diagnose(fixture.processId, "--filter", "lock");
    assert.deepEqual(attachedPlanes(locks), ["time"]);
    assert.ok(locks.findings.some(({ id }) => id === "lock-contention"), JSON.stringify(locks.findings));
    assert.ok(locks.findings.every(({ id }) => ["lock-contention", "stuck-lock"].includes(id)));

    const failOn = async (...options: readonly string[]) =>
      (await podtrace("diagnose", "--pid", String(fixture.processId), "--duration", "2s", ...options)).code;
    assert.equal(await failOn("--fail-on", "warning", "--filter", "lock"), 4);
    assert.equal(await failOn("--fail-on", "warning", "--filter", "net"), 0, "the lock is not what was asked about");

    const others = await diagnose(fixture.processId, "--filter=net,fs");
    assert.deepEqual(attachedPlanes(others), ["files", "sockets", "time"]);
    assert.deepEqual(others.findings.filter(({ id }) => id.includes("lock")), []);
  },
);

kernelTest("--rtt-threshold says from when on an answer is slow, to rules and as an event", REQUIRES, async () => {
  await using fixture = await startFixture("slow_upstream", { duration_ms: DURATION_MS_MAX, delay_ms: 40 });
  const look = async (thresholdMs: string) => {
    const { code, stdout, stderr } = await podtrace(
      ...["diagnose", "--pid", String(fixture.processId), "--duration", "2s", "--follow", "-o", "json"],
      ...["--slow-wait", "10s", "--filter", "net", "--rtt-threshold", thresholdMs],
    );
    assert.equal(code, 0, stderr);
    const lines = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    const { report } = lines.at(-1);
    const severities = report.findings.filter(({ id }: { id: string }) => id === "slow-peer")
      .map(({ severity }: { severity: string }) => severity);
    return { severities, kinds: new Set(lines.map(({ kind }) => kind)) };
  };
  const strict = await look("5");
  assert.deepEqual(strict.severities, ["critical"]);
  assert.ok(strict.kinds.has("wait") && strict.kinds.has("response"), [...strict.kinds].join());
  const lenient = await look("20000");
  assert.deepEqual(lenient.severities, ["info"]);
  assert.ok(!lenient.kinds.has("wait") && !lenient.kinds.has("response"), [...lenient.kinds].join());
});

interface Followed {
  readonly kinds: ReadonlySet<string>;
  readonly findings: readonly { readonly id: string; readonly severity: string }[];
}

/** Looks with `options` and yields kinds of the single events that were shown, and the findings. */
async function follow(processId: number, ...options: readonly string[]): Promise<Followed> {
  const { code, stdout, stderr } = await podtrace(
    ...["diagnose", "--pid", String(processId), "--follow", "-o", "json", "--slow-wait", "1000s", ...options],
  );
  assert.equal(code, 0, stderr);
  const lines = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  const { report } = lines.at(-1);
  return { kinds: new Set(lines.map(({ kind }) => kind)), findings: report.findings };
}

kernelTest("--rtt-threshold says from when on a handshake is an event", REQUIRES, async () => {
  // A crowded listener drops the first segment, which is sent again a second later.
  await using fixture = await startFixture("troubled_peer", { duration_ms: DURATION_MS_MAX, trouble: "crowded" });
  const look = (thresholdMs: string) =>
    follow(fixture.processId, "--duration", "6s", "--filter", "net", "--rtt-threshold", thresholdMs);
  assert.ok((await look("500")).kinds.has("connect"));
  assert.ok(!(await look("60000")).kinds.has("connect"));
});

kernelTest("--fs-threshold says from when on an operation on a file is an event and slow", REQUIRES, async () => {
  await using fixture = await startFixture("resource_hog", { duration_ms: DURATION_MS_MAX, what: "slow_file" });
  const look = (thresholdMs: string) =>
    follow(fixture.processId, "--duration", "2s", "--filter", "fs", "--fs-threshold", thresholdMs);
  const gravelySlow = ({ findings }: Followed) =>
    findings.filter(({ id, severity }) => id === "slow-files" && severity !== "info").length;
  const strict = await look("1");
  assert.ok(strict.kinds.has("file"));
  assert.ok(gravelySlow(strict) >= 1);
  const lenient = await look("60000");
  assert.ok(!lenient.kinds.has("file"));
  assert.equal(gravelySlow(lenient), 0);
});

kernelTest("--error-threshold says from which share of attempts on failures are a finding", REQUIRES, async () => {
  // Three of four children fail.
  const script = "while :; do (exit 3); (exit 3); (exit 3); (exit 0); sleep 0.02; done";
  await using shell = new Deno.Command("/bin/sh", { args: ["-c", script], stdin: "null" }).spawn();
  const look = async (percent: string) =>
    (await diagnose(shell.pid, "--filter", "proc", "--error-threshold", percent)).findings
      .filter(({ id, severity }) => id === "crash-loop" && severity !== "info").length;
  assert.equal(await look("60"), 1);
  assert.equal(await look("95"), 0);
});
