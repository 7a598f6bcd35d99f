import type { AlertSeverity } from "../api/alerts.ts";
import { AlertSink, never, SINK_CERTIFICATE } from "../../tests/support/alert_sink.ts";
import { buildAlert } from "../../tests/support/alert_builder.ts";
import { openAlertWorld, slackAt, splunkAt, TIMEOUT_MS, webhookAt } from "../../tests/support/alert_world.ts";
import { assert } from "../../tests/support/assert.ts";
import { until } from "../../tests/support/until.ts";
import type { HttpPort } from "./send.ts";

const ok = () => new Response("ok");
const status = (code: number, init: ResponseInit = {}) => () => new Response(`says ${code}`, { status: code, ...init });

Deno.test("AlertDispatcher hands every sink its own shape, with its own credentials", async () => {
  await using sink = new AlertSink(ok);
  await using world = openAlertWorld([
    webhookAt(`http://user:p%40ss@localhost:${sink.port}/hook?key=secret`),
    slackAt(sink.url("/services/T0/B0/secret")),
    splunkAt(sink.url("/services/collector"), "hec-token"),
  ]);

  assert.equal(world.dispatcher.offer(buildAlert({ pod: "web-0", namespace: "shop", errorCode: "111" })), "queued");
  const receipt = await world.dispatcher.flush(world.patience);

  assert.deepEqual(receipt.sinks.map(({ sink, deliveredCount, failedCount }) => [sink, deliveredCount, failedCount]), [
    ["webhook", 1, 0],
    ["slack", 1, 0],
    ["splunk", 1, 0],
  ]);
  const at = (path: string) => sink.requests.find((request) => request.path.startsWith(path));
  const [webhook, slack, splunk] = [at("/hook"), at("/services/T0"), at("/services/collector")];
  for (const request of [webhook, slack, splunk]) {
    assert.equal(request?.method, "POST");
    assert.equal(request?.headers.get("content-type"), "application/json");
    assert.equal(request?.headers.get("user-agent"), "podtrace/test");
  }
  assert.equal(webhook?.headers.get("authorization"), `Basic ${btoa("user:p@ss")}`);
  assert.equal(slack?.headers.get("authorization"), null);
  assert.equal(splunk?.headers.get("authorization"), "Splunk hec-token");

  const common = { severity: "error", title: "Diagnostic Issue Detected: slow-peer", source: "error_detector" };
  const message = buildAlert().message;
  assert.deepEqual(JSON.parse(webhook?.text ?? ""), {
    ...common,
    message,
    timestamp: "2026-01-02T03:04:05.250Z",
    pod: "web-0",
    namespace: "shop",
    context: { rule: "slow-peer", share_percent: 62 },
    error_code: "111",
    recommendations: ["Look at tcp 10.0.0.9:5432."],
  });
  assert.deepEqual(JSON.parse(slack?.text ?? ""), {
    channel: "#alerts",
    attachments: [{
      color: "warning",
      title: common.title,
      text: message,
      footer: "Podtrace",
      ts: 1767323045,
      mrkdwn_in: ["text", "fields"],
      fields: [
        { title: "Severity", value: "error", short: true },
        { title: "Source", value: "error_detector", short: true },
        { title: "Pod", value: "web-0", short: true },
        { title: "Namespace", value: "shop", short: true },
        { title: "Error Code", value: "111", short: true },
        { title: "Recommendations", value: "Look at tcp 10.0.0.9:5432.", short: false },
      ],
    }],
  });
  assert.deepEqual(JSON.parse(splunk?.text ?? ""), {
    time: 1767323045.25,
    sourcetype: "Podtrace:alert",
    event: {
      ...common,
      message,
      pod: "web-0",
      namespace: "shop",
      error_code: "111",
      recommendations: ["Look at tcp 10.0.0.9:5432."],
      rule: "slow-peer",
      share_percent: 62,
    },
  });
});

Deno.test("AlertDispatcher tells errors when warnings are asked for, and leaves out what is milder", async () => {
  await using sink = new AlertSink(ok);
  await using world = openAlertWorld([webhookAt(sink.url())]);
  const severities: readonly AlertSeverity[] = ["info", "warning", "error", "critical", "fatal"];

  const admissions = severities.map((severity) => world.dispatcher.offer(buildAlert({ severity })));
  const receipt = await world.dispatcher.flush(world.patience);

  assert.deepEqual(admissions, ["belowSeverity", "queued", "queued", "queued", "queued"]);
  assert.equal(receipt.belowSeverityCount, 1);
  assert.equal(sink.requests.length, 4);
});

Deno.test("AlertDispatcher takes duplicates out before the rate limit, so that they use up none of it", async () => {
  await using sink = new AlertSink(ok);
  await using world = openAlertWorld([webhookAt(sink.url())], { settings: { perMinuteMax: 2 } });
  const { dispatcher } = world;

  const admissions = [
    ...Array.from({ length: 20 }, () => dispatcher.offer(buildAlert({ message: `${Math.random()}` }))),
    dispatcher.offer(buildAlert({ subject: "pid:100 tcp 10.0.0.8:6379" })),
    dispatcher.offer(buildAlert({ rule: "resets", subject: "pid:100 tcp 10.0.0.8:6379" })),
  ];
  const receipt = await dispatcher.flush(world.patience);

  assert.deepEqual(admissions, ["queued", ...new Array(19).fill("duplicate"), "queued", "rateLimited"]);
  assert.deepEqual(
    [receipt.offeredCount, receipt.duplicateCount, receipt.rateLimitedCount, receipt.sinks[0]?.deliveredCount],
    [22, 19, 1, 2],
  );
});

Deno.test("AlertDispatcher tells an alert again when its window is over, or when nobody heard of it", async () => {
  let isDown = true;
  await using sink = new AlertSink(() => isDown ? new Response("", { status: 400 }) : new Response("ok"));
  await using world = openAlertWorld([webhookAt(sink.url())], { settings: { dedupWindowMs: 60_000 } });
  const { dispatcher, timer } = world;

  dispatcher.offer(buildAlert());
  await until(() => dispatcher.receipt().sinks[0]?.failedCount === 1, { what: "the first alert failed" });
  isDown = false;
  await until(() => dispatcher.offer(buildAlert()) === "queued", { what: "the alert may be told again" });
  assert.equal(dispatcher.offer(buildAlert()), "duplicate");
  timer.nowMs += 59_999;
  assert.equal(dispatcher.offer(buildAlert()), "duplicate");
  timer.nowMs += 1;
  assert.equal(dispatcher.offer(buildAlert()), "queued");
  const receipt = await dispatcher.flush(world.patience);
  assert.equal(receipt.sinks[0]?.deliveredCount, 2);
});

Deno.test("AlertDispatcher repeats what may pass, with growing pauses, and nothing else", async () => {
  const table: readonly { code: number; requestCount: number; pausesMs: readonly number[] }[] = [
    { code: 200, requestCount: 1, pausesMs: [] },
    { code: 299, requestCount: 1, pausesMs: [] },
    { code: 301, requestCount: 1, pausesMs: [] },
    { code: 400, requestCount: 1, pausesMs: [] },
    { code: 401, requestCount: 1, pausesMs: [] },
    { code: 404, requestCount: 1, pausesMs: [] },
    { code: 408, requestCount: 4, pausesMs: [1000, 2000, 4000] },
    { code: 429, requestCount: 4, pausesMs: [1000, 2000, 4000] },
    { code: 500, requestCount: 4, pausesMs: [1000, 2000, 4000] },
    { code: 503, requestCount: 4, pausesMs: [1000, 2000, 4000] },
  ];
  for (const { code, requestCount, pausesMs } of table) {
    await using sink = new AlertSink(status(code));
    await using world = openAlertWorld([webhookAt(sink.url())]);

    world.dispatcher.offer(buildAlert());
    const { sinks: [receipt] } = await world.dispatcher.flush(world.patience);

    const isTaken = code < 300;
    assert.equal(sink.requests.length, requestCount, `${code}`);
    assert.deepEqual(world.timer.pausesMs, pausesMs, `${code}`);
    assert.equal(receipt?.retryCount, pausesMs.length);
    assert.deepEqual([receipt?.deliveredCount, receipt?.failedCount], isTaken ? [1, 0] : [0, 1]);
    if (isTaken) assert.equal(receipt?.lastProblem, undefined);
    else assert.ok(receipt?.lastProblem?.startsWith(`answered ${code}`), receipt?.lastProblem);
  }
});

Deno.test("AlertDispatcher takes up to half off a pause by chance", async () => {
  await using sink = new AlertSink(status(500));
  const chances = [1, 0.5, 0];
  await using world = openAlertWorld([webhookAt(sink.url())], { random: () => chances.shift() ?? 0 });

  world.dispatcher.offer(buildAlert());
  await world.dispatcher.flush(world.patience);

  assert.deepEqual(world.timer.pausesMs, [500, 1500, 4000]);
});

Deno.test("AlertDispatcher waits as long as Retry-After asks, and gives up when that is too long", async () => {
  const table: readonly { header: string; pausesMs: readonly number[]; delivered: number }[] = [
    { header: "7", pausesMs: [7000], delivered: 1 },
    { header: "0", pausesMs: [1000], delivered: 1 },
    { header: "Thu, 01 Jan 2026 00:00:09 GMT", pausesMs: [9000], delivered: 1 },
    { header: "soon", pausesMs: [1000], delivered: 1 },
    { header: "3600", pausesMs: [], delivered: 0 },
  ];
  for (const { header, pausesMs, delivered } of table) {
    await using sink = new AlertSink((_request, index) =>
      index === 0 ? new Response("", { status: 429, headers: { "Retry-After": header } }) : new Response("ok")
    );
    await using world = openAlertWorld([webhookAt(sink.url())]);

    world.dispatcher.offer(buildAlert());
    const { sinks: [receipt] } = await world.dispatcher.flush(world.patience);

    assert.deepEqual(world.timer.pausesMs, pausesMs, header);
    assert.equal(receipt?.deliveredCount, delivered, header);
  }
});

Deno.test("AlertDispatcher gives up on a sink that hangs, and says so", async () => {
  const release = Promise.withResolvers<void>();
  await using sink = new AlertSink(() => never(release.promise));
  await using world = openAlertWorld([webhookAt(sink.url())], { settings: { retriesMax: 0 } });

  world.dispatcher.offer(buildAlert());
  await until(() => sink.requests.length === 1, { what: "the request arrived" });
  world.timer.expire();
  await until(() => world.dispatcher.receipt().sinks[0]?.failedCount === 1, { what: "the alert was given up" });
  release.resolve();

  assert.equal(world.dispatcher.receipt().sinks[0]?.lastProblem, `no answer within ${TIMEOUT_MS} ms`);
});

Deno.test("AlertDispatcher counts a hung request as out of time, and tries again", async () => {
  const release = Promise.withResolvers<void>();
  await using sink = new AlertSink((_request, index) => index === 0 ? never(release.promise) : ok());
  await using world = openAlertWorld([webhookAt(sink.url())]);

  world.dispatcher.offer(buildAlert());
  await until(() => sink.requests.length === 1, { what: "the request arrived" });
  world.timer.expire();
  await until(() => world.dispatcher.receipt().sinks[0]?.deliveredCount === 1, { what: "the second try went through" });
  release.resolve();

  assert.equal(world.dispatcher.receipt().sinks[0]?.lastProblem, `no answer within ${TIMEOUT_MS} ms`);
});

Deno.test("AlertDispatcher abandons at the deadline what is on its way and what is queued, and counts it", async () => {
  const release = Promise.withResolvers<void>();
  await using sink = new AlertSink(() => never(release.promise));
  await using world = openAlertWorld([webhookAt(sink.url())]);
  for (const subject of ["a", "b", "c"]) world.dispatcher.offer(buildAlert({ subject }));
  await until(() => sink.requests.length === 1, { what: "the first request arrived" });

  const { sinks: [receipt] } = await world.dispatcher.flush({ deadlineMs: 0 });
  release.resolve();

  assert.deepEqual([receipt?.abandonedCount, receipt?.waitingCount, receipt?.deliveredCount], [3, 0, 0]);
  assert.equal(receipt?.lastProblem, "the run was over before it was sent");
  assert.equal(world.dispatcher.offer(buildAlert({ subject: "d" })), "closed");
});

Deno.test("AlertDispatcher waits at the end for what is on its way", async () => {
  const release = Promise.withResolvers<void>();
  await using sink = new AlertSink(async () => {
    await release.promise;
    return new Response("ok");
  });
  await using world = openAlertWorld([webhookAt(sink.url())]);
  world.dispatcher.offer(buildAlert());
  await until(() => sink.requests.length === 1, { what: "the request arrived" });

  const flushed = world.dispatcher.flush(world.patience);
  release.resolve();

  assert.equal((await flushed).sinks[0]?.deliveredCount, 1);
});

Deno.test("AlertDispatcher takes an answer at its status: a body that never ends holds nothing up", async () => {
  const endless = (code: number) => () =>
    new Response(
      new ReadableStream({ pull: (controller) => controller.enqueue(new TextEncoder().encode("x".repeat(4096))) }),
      { status: code },
    );
  for (const [code, delivered] of [[200, 1], [400, 0]] as const) {
    await using sink = new AlertSink(endless(code));
    await using world = openAlertWorld([webhookAt(sink.url())]);

    world.dispatcher.offer(buildAlert());
    const { sinks: [receipt] } = await world.dispatcher.flush(world.patience);

    assert.equal(receipt?.deliveredCount, delivered);
    if (delivered === 0) assert.equal(receipt?.lastProblem, `answered 400: ${"x".repeat(512)}`);
  }
});

Deno.test("AlertDispatcher takes a cut-off connection and a refused one for what they are, without a secret", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const resets = (async () => {
    for await (const connection of listener) connection.close();
  })();
  const closed = freePort();
  for (const port of [listener.addr.port, closed]) {
    await using world = openAlertWorld([webhookAt(`http://me:hunter2@127.0.0.1:${port}/T0/B0/hunter2?token=hunter2`)]);

    world.dispatcher.offer(buildAlert());
    const receipt = await world.dispatcher.flush(world.patience);

    assert.equal(receipt.sinks[0]?.failedCount, 1);
    assert.equal(receipt.sinks[0]?.retryCount, 3);
    assert.equal(receipt.sinks[0]?.host, `127.0.0.1:${port}`);
    assert.ok((receipt.sinks[0]?.lastProblem ?? "").length > 10, "the reason is said");
    assert.ok(!Deno.inspect(receipt, { depth: 9 }).includes("hunter2"), Deno.inspect(receipt));
  }
  listener.close();
  await resets;
});

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });

  return listener.addr.port;
}

Deno.test("AlertDispatcher speaks TLS to a sink whose certificate is trusted, and to no other", async () => {
  await using sink = new AlertSink(ok, { isSecure: true });
  using client = Deno.createHttpClient({ caCerts: [SINK_CERTIFICATE] });
  const trusting: HttpPort = {
    fetch: (url, init) => fetch(url, { ...init, client }),
    lookup: () => Promise.resolve([]),
  };
  for (const [http, delivered] of [[trusting, 1], [undefined, 0]] as const) {
    await using world = openAlertWorld([splunkAt(sink.url("/services/collector"))], {
      ...(http === undefined ? {} : { http }),
      settings: { retriesMax: 0 },
    });

    world.dispatcher.offer(buildAlert());
    const { sinks: [receipt] } = await world.dispatcher.flush(world.patience);

    assert.equal(receipt?.deliveredCount, delivered);
    assert.equal(receipt?.failedCount, 1 - delivered);
    if (delivered === 0) assert.ok(receipt?.lastProblem?.includes("certificate"), receipt?.lastProblem);
  }
  assert.equal(sink.requests.length, 1);
});

Deno.test("AlertDispatcher follows no redirect, so that no credential goes elsewhere", async () => {
  await using elsewhere = new AlertSink(ok);
  await using sink = new AlertSink(() => Response.redirect(elsewhere.url("/stolen"), 307));
  await using world = openAlertWorld([splunkAt(sink.url())]);

  world.dispatcher.offer(buildAlert());
  const { sinks: [receipt] } = await world.dispatcher.flush(world.patience);

  assert.equal(receipt?.lastProblem, "answered 307, and redirects are not followed");
  assert.deepEqual([sink.requests.length, elsewhere.requests.length], [1, 0]);
});

Deno.test("AlertDispatcher refuses a private address only when asked to, before anything is sent", async () => {
  await using sink = new AlertSink(ok);
  for (const [isPrivateRefused, requestCount] of [[true, 0], [false, 1]] as const) {
    await using world = openAlertWorld([webhookAt(sink.url())], { settings: { isPrivateRefused } });

    world.dispatcher.offer(buildAlert());
    const { sinks: [receipt] } = await world.dispatcher.flush(world.patience);

    assert.equal(sink.requests.length, requestCount);
    if (!isPrivateRefused) continue;
    assert.equal(receipt?.failedCount, 1);
    assert.match(receipt?.lastProblem ?? "", /^localhost is at (127\.0\.0\.1|::1), and private addresses are refused$/);
  }
});

Deno.test("AlertDispatcher sends a password with a percent sign as it is", async () => {
  for (const [written, meant] of [["50%", "50%"], ["%zz%40", "%zz@"], ["%%5E", "%^"], ["%ff", "%ff"]]) {
    await using sink = new AlertSink(ok);
    await using world = openAlertWorld([webhookAt(`http://me:${written}@localhost:${sink.port}/hook`)]);

    world.dispatcher.offer(buildAlert());
    const { sinks: [receipt] } = await world.dispatcher.flush(world.patience);

    assert.equal(receipt?.deliveredCount, 1, written);
    assert.equal(sink.requests[0]?.headers.get("authorization"), `Basic ${btoa(`me:${meant}`)}`);
  }
});

Deno.test("AlertDispatcher counts an alert that cannot be sent for an unforeseen reason, and goes on with the next", async () => {
  await using sink = new AlertSink((_request, index) => index === 0 ? status(503)() : ok());
  await using world = openAlertWorld([webhookAt(sink.url())], {
    random: () => {
      throw new RangeError("quotes hunter2");
    },
  });

  for (const subject of ["a", "b"]) world.dispatcher.offer(buildAlert({ subject }));
  const { sinks: [receipt] } = await world.dispatcher.flush(world.patience);

  assert.deepEqual([receipt?.failedCount, receipt?.deliveredCount, receipt?.waitingCount], [1, 1, 0]);
  assert.equal(receipt?.lastProblem, "it could not be sent: RangeError");
});

Deno.test("AlertDispatcher keeps what an answer echoes of the address and credentials to itself", async () => {
  const secret = "Xyz-Secret_1234567890";
  const echoes: readonly ((request: { path: string; authorization: string }) => string)[] = [
    ({ path }) => `no ${path} here`,
    ({ path }) => `no ${path.replaceAll("/", "&#x2F;").toLowerCase()} here`,
    ({ path }) => JSON.stringify({ error: path.replaceAll("/", "\\/") }),
    ({ authorization }) => `bad ${authorization}`,
    ({ authorization }) => `bad ${authorization.startsWith("Basic ") ? atob(authorization.slice(6)) : "token"}`,
    ({ path }) => `${"\u00fc".repeat(200)}${path} ${path} ${path} ${path} ${path}`,
    ...Array.from(
      { length: 24 },
      (_, index) => ({ path }: { path: string }) => `${"x ".repeat(240)}${" ".repeat(index)}${path}`,
    ),
  ];
  for (const echo of echoes) {
    await using sink = new AlertSink(({ path, headers }) =>
      new Response(echo({ path, authorization: headers.get("authorization") ?? "" }), { status: 404 })
    );
    const url = `http://me:${secret}@localhost:${sink.port}/services/${secret}?key=${secret}`;
    await using world = openAlertWorld([webhookAt(url), splunkAt(sink.url(`/${secret}`), secret)]);

    world.dispatcher.offer(buildAlert());
    const { sinks } = await world.dispatcher.flush(world.patience);

    for (const { lastProblem = "" } of sinks) {
      assert.match(lastProblem, /^answered 404: \S/);
      assert.doesNotMatch(lastProblem, /xyz|secret|Xyz-S|WHl6/i);
      assert.ok(!lastProblem.includes(btoa(`me:${secret}`).slice(0, 8)), lastProblem);
    }
  }
});

Deno.test("AlertDispatcher counts what its queue has no room for", async () => {
  const release = Promise.withResolvers<void>();
  await using sink = new AlertSink(() => never(release.promise));
  await using world = openAlertWorld([webhookAt(sink.url())], { settings: { perMinuteMax: 1000 } });

  // One is on its way at once, 256 wait.
  for (let index = 0; index < 260; index++) world.dispatcher.offer(buildAlert({ subject: `${index}` }));
  const before = world.dispatcher.receipt().sinks[0];
  assert.deepEqual([before?.waitingCount, before?.queueFullCount], [257, 3]);
  const after = (await world.dispatcher.flush({ deadlineMs: 0 })).sinks[0];
  release.resolve();
  assert.deepEqual([after?.abandonedCount, after?.queueFullCount], [257, 3]);
});

Deno.test("AlertDispatcher leaves out figures, then advice, to fit the payload's limit, and else fails", async () => {
  const alert = buildAlert({ context: { note: "n".repeat(400) }, recommendations: ["r".repeat(400)] });
  const table = [
    { payloadBytesMax: 2000, has: ["context", "recommendations"] },
    { payloadBytesMax: 1000, has: ["recommendations"] },
    { payloadBytesMax: 400, has: [] },
    { payloadBytesMax: 100, has: undefined },
  ];
  for (const { payloadBytesMax, has } of table) {
    await using sink = new AlertSink(ok);
    await using world = openAlertWorld([webhookAt(sink.url())], { settings: { payloadBytesMax } });

    world.dispatcher.offer(alert);
    const { sinks: [receipt] } = await world.dispatcher.flush(world.patience);

    if (has === undefined) {
      assert.equal(receipt?.lastProblem, "its payload is larger than 100 bytes");
      assert.equal(sink.requests.length, 0);
      continue;
    }
    const text = sink.requests[0]?.text ?? "";
    assert.ok(new TextEncoder().encode(text).length <= payloadBytesMax);
    const body = JSON.parse(text);
    assert.equal("note" in body.context, has.includes("context"));
    assert.equal("recommendations" in body, has.includes("recommendations"));
  }
});

Deno.test("AlertDispatcher cuts every text to its limit, for all sinks alike, and leaves the alert as it was", async () => {
  await using sink = new AlertSink(ok);
  await using world = openAlertWorld([webhookAt(sink.url("/w")), splunkAt(sink.url("/h"))]);
  const long = "\u00fc".repeat(2000); // two bytes each
  const alert = Object.freeze(buildAlert({
    title: long,
    message: long,
    source: long,
    pod: long,
    namespace: long,
    errorCode: long,
    recommendations: Object.freeze(Array.from({ length: 12 }, () => long)),
    context: Object.freeze({ ...Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`k${n}`, long])), [long]: 1 }),
  }));

  world.dispatcher.offer(alert);
  await world.dispatcher.flush(world.patience);

  const body = JSON.parse(sink.requests.find(({ path }) => path === "/w")?.text ?? "");
  const event = JSON.parse(sink.requests.find(({ path }) => path === "/h")?.text ?? "").event;
  const bytesOf = (text: string) => new TextEncoder().encode(text).length;
  const limits = { title: 256, message: 1024, source: 128, pod: 256, namespace: 256, error_code: 64 };
  for (const [name, limit] of Object.entries(limits)) {
    assert.ok(bytesOf(body[name]) <= limit && bytesOf(body[name]) > limit - 6, name);
    assert.equal(event[name], body[name]);
  }
  assert.equal(body.recommendations.length, 10);
  assert.ok(bytesOf(body.recommendations[0]) <= 512);
  assert.equal(Object.keys(body.context).length, 32);
  assert.equal(long in body.context, false);
});

Deno.test("incident 7: no name of a process steers a chat or a terminal", async () => {
  await using sink = new AlertSink(ok);
  await using world = openAlertWorld([slackAt(sink.url("/s")), webhookAt(sink.url("/w"))]);

  world.dispatcher.offer(buildAlert({ message: "<!channel> <https://evil.example|ok> \x1b[31m\u202e & more" }));
  await world.dispatcher.flush(world.patience);

  const slack = JSON.parse(sink.requests.find(({ path }) => path === "/s")?.text ?? "");
  assert.equal(
    slack.attachments[0].text,
    "&lt;!channel&gt; &lt;https://evil.example|ok&gt; \\x1b[31m\\u202e &amp; more",
  );
  const webhook = JSON.parse(sink.requests.find(({ path }) => path === "/w")?.text ?? "");
  assert.equal(webhook.message, "<!channel> <https://evil.example|ok> \\x1b[31m\\u202e & more");
});
