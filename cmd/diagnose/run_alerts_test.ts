import type { Alert, AlertingReceipt, AlertSeverity } from "../../engine/api/alerts.ts";
import { buildAlert } from "../../tests/support/alert_builder.ts";
import { buildMeasurements } from "../../engine/diagnose/test_measurements.ts";
import { AlertSink, never } from "../../tests/support/alert_sink.ts";
import { assert } from "../../tests/support/assert.ts";
import { keepContext, type KeptContext } from "../../tests/support/process_contexts.ts";
import { until } from "../../tests/support/until.ts";
import { ALERT_LOOK_INTERVAL_MS, openRunAlerts, type RunAlerts } from "./run_alerts.ts";

const ALERTS = ["a", "b"].map((subject) => buildAlert({ subject }));

function open(sink: AlertSink | undefined, environment: Readonly<Record<string, string>> = {}) {
  const url = sink === undefined ? {} : { PODTRACE_ALERT_WEBHOOK_URL: sink.url("/hunter2") };
  const context = keepContext({ PODTRACE_ALERTING_ENABLED: "true", ...url, ...environment });
  return { context, alerts: openRunAlerts({ context, log: context.status.logger("info") }) };
}

async function finish({ context, alerts }: { context: KeptContext; alerts: RunAlerts }) {
  const receipt: AlertingReceipt | undefined = await alerts.conclude(ALERTS);
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

Deno.test("openRunAlerts() tells in a long run what two looks in a row show, and at the end only what is new", async () => {
  await using sink = new AlertSink(() => new Response("ok"));
  const { context, alerts } = open(sink);
  let soFar = [buildAlert({ subject: "lasting" }), buildAlert({ subject: "hiccup" })];
  const passedOn: boolean[] = [];
  const exporter = alerts.watch({
    export: (batch) => Promise.resolve({ exportedCount: batch.length, droppedCount: 0 }),
    exportMeasurements: ({ isFinal }) => Promise.resolve(void passedOn.push(isFinal)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }, () => soFar);
  const { signal } = new AbortController();
  const pass = (isFinal = false) => exporter.exportMeasurements({ ...buildMeasurements(), isFinal }, { signal });

  await context.timer.advance(ALERT_LOOK_INTERVAL_MS - 1);
  assert.equal(exporter.wantsInterim, false, "nothing is read before a look is due");
  await context.timer.advance(1);
  assert.equal(exporter.wantsInterim, true);
  await pass();
  assert.equal(exporter.wantsInterim, false);
  soFar = [buildAlert({ subject: "lasting" }), buildAlert({ subject: "mild", severity: "info" })];
  await pass(); // not due
  await context.timer.advance(ALERT_LOOK_INTERVAL_MS);
  await pass();
  await until(() => sink.requests.length === 1, { what: "the lasting one is told" });
  for (let look = 0; look < 20; look++) {
    await context.timer.advance(ALERT_LOOK_INTERVAL_MS);
    await pass();
  }
  await pass(true);
  const receipt = await alerts.conclude([buildAlert({ subject: "lasting" }), buildAlert({ subject: "late" })]);

  assert.deepEqual(passedOn, [...new Array(23).fill(false), true]);
  assert.deepEqual([receipt?.offeredCount, receipt?.duplicateCount, receipt?.sinks[0]?.deliveredCount], [2, 0, 2]);
  assert.equal(sink.requests.length, 2);
});

/** Looks at what `steps` yields, one step a look. */
async function look({ context, alerts }: { context: KeptContext; alerts: RunAlerts }, steps: readonly Step[]) {
  let soFar: readonly Alert[] = [];
  const exporter = alerts.watch({
    export: (batch) => Promise.resolve({ exportedCount: batch.length, droppedCount: 0 }),
    exportMeasurements: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }, () => soFar);
  const { signal } = new AbortController();
  for (const step of steps) {
    soFar = step.alerts;
    await context.timer.advance(ALERT_LOOK_INTERVAL_MS);
    await exporter.exportMeasurements({ ...buildMeasurements(), isFinal: false }, { signal });
    await step.then?.();
  }
}

interface Step {
  readonly alerts: readonly Alert[];
  readonly then?: () => Promise<unknown>;
}

Deno.test("openRunAlerts() tells later what the rate limit held back, and again what no sink took", async () => {
  await using sink = new AlertSink((_request, index) => new Response("", { status: index === 0 ? 404 : 200 }));
  const run = open(sink, { PODTRACE_ALERT_RATE_LIMIT: "1", PODTRACE_ALERT_HTTP_TIMEOUT: "10m" });
  const both = { alerts: ALERTS };
  const told = (count: number) => ({
    ...both,
    then: () => until(() => sink.requests.length === count, { what: `${count} requests` }),
  });
  // One a minute: a fails, b is held back; then a again; then b.
  await look(run, [both, told(1), both, told(2), both, told(3), both, both]);
  const receipt = await run.alerts.conclude(ALERTS);
  assert.equal(sink.requests.length, 3);
  assert.deepEqual([receipt?.sinks[0]?.deliveredCount, receipt?.sinks[0]?.failedCount], [2, 1]);
});

Deno.test("openRunAlerts() tells a finding again when it gets graver, not when it gets milder", async () => {
  await using sink = new AlertSink(() => new Response("ok"));
  const as = (severity: AlertSeverity) => ({ alerts: [buildAlert({ subject: "a", severity })] });
  for (
    const [severities, told] of [
      [["warning", "warning", "error", "error", "warning", "warning"], ["warning", "error"]],
      [["error", "error", "warning", "warning"], ["error"]],
      [["warning", "error", "warning"], ["warning"]],
    ] as const
  ) {
    const before = sink.requests.length;
    const run = open(sink, { PODTRACE_ALERT_HTTP_TIMEOUT: "10m" }); // looks come faster than answers here
    await look(run, severities.map(as));
    await run.alerts.conclude(as("warning").alerts);
    assert.deepEqual(sink.requests.slice(before).map(({ text }) => JSON.parse(text).severity), told);
  }
});

Deno.test("openRunAlerts() puts nothing between where no alerts are told", () => {
  const { alerts } = open(undefined, { PODTRACE_ALERTING_ENABLED: "" });
  const next = {
    export: () => Promise.resolve({ exportedCount: 0, droppedCount: 0 }),
    exportMeasurements: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  assert.equal(alerts.watch(next, () => []), next);
});
