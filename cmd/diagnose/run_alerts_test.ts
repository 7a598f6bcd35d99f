import type { AlertingReceipt } from "../../engine/api/alerts.ts";
import { buildAlert } from "../../tests/support/alert_builder.ts";
import { AlertSink, never } from "../../tests/support/alert_sink.ts";
import { assert } from "../../tests/support/assert.ts";
import { keepContext, type KeptContext } from "../../tests/support/process_contexts.ts";
import { until } from "../../tests/support/until.ts";
import { openRunAlerts, type TellAlerts } from "./run_alerts.ts";

const ALERTS = ["a", "b"].map((subject) => buildAlert({ subject }));

function open(sink: AlertSink | undefined, environment: Readonly<Record<string, string>> = {}) {
  const url = sink === undefined ? {} : { PODTRACE_ALERT_WEBHOOK_URL: sink.url("/hunter2") };
  const context = keepContext({ PODTRACE_ALERTING_ENABLED: "true", ...url, ...environment });
  return { context, tellAlerts: openRunAlerts({ context, log: context.status.logger("info") }) };
}

async function finish({ context, tellAlerts }: { context: KeptContext; tellAlerts: TellAlerts }) {
  const receipt: AlertingReceipt | undefined = await tellAlerts(ALERTS);
  await context.status.flush();
  return { receipt, stderr: context.stderr.text };
}

Deno.test("openRunAlerts() tells nothing, and says nothing, where alerts are not switched on", async () => {
  await using sink = new AlertSink(() => new Response("ok"));
  const run = open(sink, { PODTRACE_ALERTING_ENABLED: "" });
  assert.deepEqual(await finish(run), { receipt: undefined, stderr: "" });
  assert.equal(sink.requests.length, 0);
});

Deno.test("openRunAlerts() tells every alert once and yields the receipt", async () => {
  await using sink = new AlertSink(() => new Response("ok"));
  const { receipt, stderr } = await finish(open(sink));
  assert.equal(sink.requests.length, 2);
  assert.match(sink.requests[0]?.headers.get("user-agent") ?? "", /^podtrace\/\d+\.\d+\.\d+$/);
  assert.equal(receipt?.sinks[0]?.deliveredCount, 2);
  assert.equal(stderr, "");
});

Deno.test("openRunAlerts() says a failure once on stderr, and in the receipt", async () => {
  await using sink = new AlertSink(() => new Response("no such hook", { status: 404 }));
  const { receipt, stderr } = await finish(open(sink));
  assert.equal(receipt?.sinks[0]?.failedCount, 2);
  assert.equal(
    stderr,
    `podtrace: warning: Cannot tell every alert: webhook at localhost:${sink.port}: ` +
      "0 of 2 delivered, 2 failed (answered 404: no such hook)\n",
  );
});

Deno.test("openRunAlerts() says at once what of the configuration cannot be used", async () => {
  const run = open(undefined, { PODTRACE_ALERT_WEBHOOK_URL: "http://example.com/hunter2" });
  await run.context.status.flush();
  assert.equal(
    run.context.stderr.text,
    "podtrace: warning: Cannot tell alerts to PODTRACE_ALERT_WEBHOOK_URL: it is http to example.com, expected https: " +
      "only loopback may be spoken to in clear\n" +
      "podtrace: warning: Cannot tell alerts: PODTRACE_ALERTING_ENABLED is true, but no sink can be used\n",
  );
  assert.equal((await finish(run)).receipt, undefined);
});

Deno.test("openRunAlerts() gives up on a sink that hangs: after twice the time limit, sooner when an end is asked for", async () => {
  for (const [isHurried, waitMs] of [[false, 20_000], [true, 5000]] as const) {
    const release = Promise.withResolvers<void>();
    await using sink = new AlertSink(() => never(release.promise));
    const run = open(sink, { PODTRACE_ALERT_MAX_RETRIES: "0", PODTRACE_ALERT_HTTP_TIMEOUT: "10s" });
    const finished = finish(run);
    await until(() => sink.requests.length === 1, { what: "the first alert arrived" });

    if (isHurried) run.context.requestEnd({ kind: "signal", name: "SIGINT" });
    await run.context.timer.advance(waitMs - 1);
    assert.equal(run.context.stderr.text, "", "nothing is given up before its time");
    // Not hurried, the second alert is on its way by now: it is out of the run's time with the deadline.
    await run.context.timer.advance(1);
    const { receipt, stderr } = await finished;
    release.resolve();

    assert.deepEqual(
      [receipt?.sinks[0]?.failedCount, receipt?.sinks[0]?.abandonedCount],
      isHurried ? [0, 2] : [1, 1],
    );
    assert.match(stderr, isHurried ? /2 abandoned at the end/ : /1 failed, 1 abandoned at the end/);
  }
});
