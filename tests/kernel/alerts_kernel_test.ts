/**
 * A planted trouble that somebody is told of: `podtrace diagnose` as its user
 * runs it, and the sinks it tells, on this machine.
 *
 * @module
 */

import { assert } from "../support/assert.ts";
import { AlertSink, never } from "../support/alert_sink.ts";
import { startFixture } from "../support/fixture_programs.ts";
import { kernelTest } from "../support/kernel.ts";
import { makeMemoryLimitedCgroup, makeTaskLimitedCgroup } from "../support/limited_cgroup.ts";
import { podtraceCommand } from "../support/podtrace_process.ts";
import { until } from "../support/until.ts";

interface SinkReceipt {
  readonly sink: string;
  readonly delivered: number;
  readonly failed: number;
  readonly abandoned?: number;
  readonly lastProblem?: string;
}

interface JsonReport {
  readonly findings: readonly { readonly id: string; readonly severity: string; readonly title: string }[];
  readonly alerting: {
    readonly offered: number;
    readonly belowSeverity: number;
    readonly sinks: readonly SinkReceipt[];
  };
}

async function diagnose(processId: number, environment: Record<string, string>) {
  const [program, ...args] = podtraceCommand(["diagnose", "--pid", `${processId}`, "--duration", "2s", "-o", "json"]);
  const command = new Deno.Command(program, {
    args,
    env: environment,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, report: JSON.parse(decoder.decode(stdout)) as JsonReport, stderr: decoder.decode(stderr) };
}

const REQUIRES = { requires: ["bpf_capability", "btf", "ring_buffer", "clang"] } as const;
const CERTIFICATE = new URL("../fixtures/tls/localhost_certificate.pem", import.meta.url).pathname;
const MIB = 1024 * 1024;

/** What the fixture has beside what it is asked to hold, and what of it the kernel has not counted yet. */
const HELD_SHARES = { least: 0.8, most: 0.89 };

kernelTest(
  "podtrace diagnose tells a planted trouble to a webhook and to Splunk, and keeps the receipt",
  { requires: ["bpf_capability", "btf", "ring_buffer", "clang"] },
  async () => {
    await using webhook = new AlertSink(() => new Response(null, { status: 204 }));
    await using splunk = new AlertSink(() => new Response('{"text":"Invalid token","code":4}', { status: 403 }));
    await using fixture = await startFixture("slow_upstream", { duration_ms: 120_000 });

    const { code, report, stderr } = await diagnose(fixture.processId, {
      PODTRACE_ALERTING_ENABLED: "true",
      PODTRACE_ALERT_WEBHOOK_URL: webhook.url("/hook"),
      PODTRACE_ALERT_SPLUNK_ENABLED: "true",
      PODTRACE_SPLUNK_ENDPOINT: splunk.url("/services/collector"),
      PODTRACE_SPLUNK_TOKEN: "hunter2",
    });

    assert.equal(code, 0);
    const told = report.findings.filter(({ severity }) => severity !== "info");
    assert.ok(told.some(({ id }) => id === "slow-peer"), JSON.stringify(report.findings));
    assert.equal(report.alerting.belowSeverity, report.findings.length - told.length);
    const requests = webhook.requests.map(({ text }) => JSON.parse(text));
    // The machine's own cgroups may be nearly full, which is told too.
    const bodies = requests.filter(({ source }) => source !== "resource_monitor");
    assert.equal(report.alerting.offered, report.findings.length + requests.length - bodies.length);
    assert.deepEqual(bodies.map(({ message }) => message).toSorted(), told.map(({ title }) => title).toSorted());
    assert.ok(
      bodies.every(({ source, timestamp }) => source === "error_detector" && !Number.isNaN(Date.parse(timestamp))),
    );
    assert.equal(splunk.requests[0]?.headers.get("authorization"), "Splunk hunter2");

    const [first, second] = report.alerting.sinks;
    assert.deepEqual([first?.sink, first?.delivered, first?.failed], ["webhook", requests.length, 0]);
    assert.deepEqual([second?.sink, second?.delivered, second?.failed], ["splunk", 0, requests.length]);
    assert.equal(splunk.requests.length, requests.length, "a refused token is not tried again");
    assert.match(
      stderr,
      /^podtrace: warning: Cannot tell every alert: splunk at localhost:\d+: [^\n]*Invalid token[^\n]*$/m,
    );
    assert.ok(!`${stderr}${JSON.stringify(report)}`.includes("hunter2"));
  },
);

kernelTest(
  "podtrace diagnose tells over TLS of memory that is nearly used up, before any finding does",
  REQUIRES,
  async () => {
    await using webhook = new AlertSink(() => new Response(null, { status: 204 }), { isSecure: true });
    const limitBytes = 64 * MIB;
    await using cgroup = await makeMemoryLimitedCgroup({ limitBytes });
    await using fixture = await startFixture("resource_hog", {
      duration_ms: 120_000,
      what: "memory",
      hold_bytes: 0.84 * limitBytes,
    });
    await cgroup.add(fixture.processId);
    Deno.kill(fixture.processId, "SIGUSR1");
    const resident = () => /^VmRSS:\s+(\d+)/m.exec(Deno.readTextFileSync(`/proc/${fixture.processId}/status`))?.[1];
    await until(() => Number(resident()) * 1024 > 0.84 * limitBytes, { what: "it holds its memory" });

    const { code, report, stderr } = await diagnose(fixture.processId, {
      DENO_CERT: CERTIFICATE,
      PODTRACE_ALERTING_ENABLED: "true",
      PODTRACE_ALERT_WEBHOOK_URL: webhook.url("/hook"),
    });

    assert.equal(code, 0, stderr);
    assert.ok(!report.findings.some(({ id }) => id === "memory-limit"), JSON.stringify(report.findings));
    const told = webhook.requests.map(({ text }) => JSON.parse(text)).find(({ source }) =>
      source === "resource_monitor"
    );
    assert.deepEqual(
      [told?.title, told?.severity],
      ["Resource Limit warning", "warning"],
      JSON.stringify(report.alerting),
    );
    const { resource_type, cgroup_path, usage_bytes, limit_bytes, utilization_percent } = told.context;
    assert.deepEqual([resource_type, cgroup_path, limit_bytes], ["memory", cgroup.path, limitBytes]);
    const share = usage_bytes / limit_bytes;
    assert.ok(share >= HELD_SHARES.least && share <= HELD_SHARES.most, `${share} of the limit`);
    assert.ok(Math.abs(utilization_percent - share * 100) <= 0.01);
    assert.equal(told.recommendations.length, 4);
  },
);

kernelTest(
  "podtrace diagnose tells of tasks that are nearly used up; a sink that hangs holds up neither it nor others",
  REQUIRES,
  async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    await using hanging = new AlertSink(() => never(released));
    let refusals = 1;
    await using splunk = new AlertSink(() =>
      refusals-- > 0 ? new Response("busy", { status: 503 }) : new Response("{}")
    );
    await using cgroup = await makeTaskLimitedCgroup({ limitCount: 10 });
    await using fixture = await startFixture("lock_holder", { duration_ms: 120_000, holder: "burn" }); // nine threads
    await cgroup.add(fixture.processId);

    const { code, report, stderr } = await diagnose(fixture.processId, {
      PODTRACE_ALERTING_ENABLED: "true",
      PODTRACE_ALERT_WEBHOOK_URL: hanging.url("/hook"),
      PODTRACE_ALERT_HTTP_TIMEOUT: "2s",
      PODTRACE_ALERT_SPLUNK_ENABLED: "true",
      PODTRACE_SPLUNK_ENDPOINT: splunk.url("/services/collector"),
      PODTRACE_SPLUNK_TOKEN: "hunter2",
    });
    release();

    assert.equal(code, 0, stderr);
    const events = splunk.requests.map(({ text }) => JSON.parse(text).event);
    const told = events.find(({ source }) => source === "resource_monitor");
    assert.deepEqual(
      [told?.title, told?.resource_type, told?.usage, told?.limit, told?.cgroup_path],
      ["Resource Limit critical", "tasks", 9, 10, cgroup.path],
      JSON.stringify(report.alerting),
    );
    const [webhook, collector] = report.alerting.sinks;
    assert.deepEqual([webhook?.sink, webhook?.delivered], ["webhook", 0]);
    assert.ok((webhook?.failed ?? 0) + (webhook?.abandoned ?? 0) > 0, JSON.stringify(webhook));
    assert.equal(collector?.failed, 0, JSON.stringify(collector));
    assert.match(stderr, /^podtrace: warning: Cannot tell every alert: webhook at localhost:\d+: /m);
  },
);
