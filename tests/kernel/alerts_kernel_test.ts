/**
 * A planted trouble that somebody is told of: `podtrace diagnose` as its user
 * runs it, and the sinks it tells, on this machine.
 *
 * @module
 */

import { assert } from "../support/assert.ts";
import { AlertSink } from "../support/alert_sink.ts";
import { startFixture } from "../support/fixture_programs.ts";
import { kernelTest } from "../support/kernel.ts";
import { podtraceCommand } from "../support/podtrace_process.ts";

interface SinkReceipt {
  readonly sink: string;
  readonly delivered: number;
  readonly failed: number;
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
    assert.equal(report.alerting.offered, report.findings.length);
    assert.equal(report.alerting.belowSeverity, report.findings.length - told.length);
    const bodies = webhook.requests.map(({ text }) => JSON.parse(text));
    assert.deepEqual(bodies.map(({ message }) => message).toSorted(), told.map(({ title }) => title).toSorted());
    assert.ok(
      bodies.every(({ source, timestamp }) => source === "error_detector" && !Number.isNaN(Date.parse(timestamp))),
    );
    assert.equal(splunk.requests[0]?.headers.get("authorization"), "Splunk hunter2");

    const [first, second] = report.alerting.sinks;
    assert.deepEqual([first?.sink, first?.delivered, first?.failed], ["webhook", told.length, 0]);
    assert.deepEqual([second?.sink, second?.delivered, second?.failed], ["splunk", 0, told.length]);
    assert.equal(splunk.requests.length, told.length, "a refused token is not tried again");
    assert.match(
      stderr,
      /^podtrace: warning: Cannot tell every alert: splunk at localhost:\d+: [^\n]*Invalid token[^\n]*$/m,
    );
    assert.ok(!`${stderr}${JSON.stringify(report)}`.includes("hunter2"));
  },
);
