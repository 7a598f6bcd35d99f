import { assert } from "../tests/support/assert.ts";
import { ALERT_DEFAULTS, readAlertConfiguration } from "./alert_settings.ts";

const ON = {
  PODTRACE_ALERTING_ENABLED: "true",
  PODTRACE_ALERT_WEBHOOK_URL: "https://alerts.example.com/hook?key=hunter2",
};

function configurationOf(variables: Readonly<Record<string, string>>) {
  return readAlertConfiguration((name) => variables[name]);
}

Deno.test("readAlertConfiguration() tells nothing unless it is switched on", () => {
  const table = ["", "false", "0", "no", "off", "FALSE"];
  for (const text of table) {
    const given = { ...ON, PODTRACE_ALERTING_ENABLED: text };
    assert.deepEqual(configurationOf(given), { settings: undefined, problems: [] }, text);
  }
  assert.deepEqual(configurationOf({}), { settings: undefined, problems: [] });
  for (const text of ["true", "TRUE", "1", "yes", "on"]) {
    assert.equal(configurationOf({ ...ON, PODTRACE_ALERTING_ENABLED: text }).settings?.sinks.length, 1, text);
  }
  assert.deepEqual(configurationOf({ ...ON, PODTRACE_ALERTING_ENABLED: "maybe" }).problems, [
    'Cannot use PODTRACE_ALERTING_ENABLED "maybe": expected true or false; false is used',
  ]);
});

Deno.test("readAlertConfiguration() fills in the defaults", () => {
  const { settings, problems } = configurationOf(ON);
  const { slackChannel: _, ...defaults } = ALERT_DEFAULTS;
  assert.deepEqual(problems, []);
  assert.deepEqual({ ...settings, sinks: settings?.sinks.map(({ type }) => type) }, {
    ...defaults,
    sinks: ["webhook"],
    isPrivateRefused: false,
  });
});

Deno.test("readAlertConfiguration() takes every variable", () => {
  const { settings, problems } = configurationOf({
    ...ON,
    PODTRACE_ALERT_WEBHOOK_URL: "http://alerts.example.com/",
    PODTRACE_ALERT_WEBHOOK_ALLOW_HTTP: "1",
    PODTRACE_ALERT_SLACK_WEBHOOK_URL: "https://hooks.slack.com/services/T/B/x",
    PODTRACE_ALERT_SLACK_CHANNEL: "#on-call",
    PODTRACE_ALERT_SPLUNK_ENABLED: "true",
    PODTRACE_ALERT_SPLUNK_ALLOW_HTTP: "1",
    PODTRACE_SPLUNK_ENDPOINT: "http://splunk.example.com:8088/services/collector",
    PODTRACE_SPLUNK_TOKEN: "hec-token",
    PODTRACE_ALERT_MIN_SEVERITY: "Critical",
    PODTRACE_ALERT_DEDUP_WINDOW: "1h",
    PODTRACE_ALERT_RATE_LIMIT: "60",
    PODTRACE_ALERT_HTTP_TIMEOUT: "1.5s",
    PODTRACE_ALERT_MAX_RETRIES: "0",
    PODTRACE_ALERT_MAX_PAYLOAD_SIZE: "4096",
    PODTRACE_EXPORTER_BLOCK_PRIVATE: "1",
    PODTRACE_SHUTDOWN_TIMEOUT: "2s",
  });
  assert.deepEqual(problems, []);
  const { sinks = [], ...figures } = settings ?? {};
  assert.deepEqual(figures, {
    severityMin: "critical",
    dedupWindowMs: 3_600_000,
    perMinuteMax: 60,
    timeoutMs: 1500,
    retriesMax: 0,
    payloadBytesMax: 4096,
    isPrivateRefused: true,
    shutdownMs: 2000,
  });
  const [webhook, slack, splunk] = sinks;
  assert.equal(webhook?.url.reveal(), "http://alerts.example.com/");
  assert.equal(slack?.type === "slack" && slack.channel, "#on-call");
  assert.equal(splunk?.type === "splunk" && splunk.token.reveal(), "hec-token");
});

Deno.test("readAlertConfiguration() keeps the default where a value cannot be used, and says so in one line", () => {
  const table: readonly (readonly [name: string, value: string, expected: string])[] = [
    ["ALERT_RATE_LIMIT", "0", "a whole number from 1 to 10000; 10 is used"],
    ["ALERT_RATE_LIMIT", "-1", "a whole number from 1 to 10000; 10 is used"],
    ["ALERT_RATE_LIMIT", "1e3", "a whole number from 1 to 10000; 10 is used"],
    ["ALERT_MAX_RETRIES", "11", "a whole number from 0 to 10; 3 is used"],
    ["ALERT_MAX_PAYLOAD_SIZE", "NaN", "a whole number from 1 to 67108864; 1048576 is used"],
    ["ALERT_DEDUP_WINDOW", "5", "a duration from 1ms to 24h such as 30s; 5m0s is used"],
    ["ALERT_DEDUP_WINDOW", "-5m", "a duration from 1ms to 24h such as 30s; 5m0s is used"],
    ["ALERT_HTTP_TIMEOUT", "0s", "a duration from 1ms to 24h such as 30s; 10s is used"],
    ["ALERT_HTTP_TIMEOUT", "25h", "a duration from 1ms to 24h such as 30s; 10s is used"],
    ["ALERT_MIN_SEVERITY", "warn", "info, warning, error, critical, fatal; warning is used"],
    ["ALERT_WEBHOOK_ALLOW_HTTP", "si", "true or false; false is used"],
  ];
  for (const [name, value, expected] of table) {
    const { settings, problems } = configurationOf({ ...ON, [`PODTRACE_${name}`]: value });
    assert.deepEqual(problems, [`Cannot use PODTRACE_${name} ${JSON.stringify(value)}: expected ${expected}`]);
    assert.equal(settings?.sinks.length, 1);
  }
});

Deno.test("readAlertConfiguration() leaves a wrong sink out, and says why without its secrets", () => {
  const table: readonly (readonly [variables: Readonly<Record<string, string>>, problems: readonly string[]])[] = [
    [{}, []],
    [{ PODTRACE_ALERT_WEBHOOK_URL: "http://alerts.example.com/hunter2" }, [
      "Cannot tell alerts to PODTRACE_ALERT_WEBHOOK_URL: it is http to alerts.example.com, expected https: " +
      "only loopback may be spoken to in clear",
    ]],
    [{ PODTRACE_ALERT_WEBHOOK_URL: "hunter2" }, ["Cannot tell alerts to PODTRACE_ALERT_WEBHOOK_URL: it is no URL"]],
    [{ PODTRACE_ALERT_SPLUNK_ENABLED: "true", PODTRACE_SPLUNK_ENDPOINT: "https://splunk.example.com/hunter2" }, [
      "Cannot tell alerts to Splunk: PODTRACE_ALERT_SPLUNK_ENABLED is true, but PODTRACE_SPLUNK_TOKEN is not set",
    ]],
    [{
      PODTRACE_ALERT_SPLUNK_ENABLED: "true",
      PODTRACE_SPLUNK_ENDPOINT: "https://splunk.example.com/hunter2",
      PODTRACE_SPLUNK_TOKEN: "hunter2\r\nX-Evil: 1",
    }, ["Cannot tell alerts to Splunk: PODTRACE_SPLUNK_TOKEN has characters that no token has"]],
  ];
  for (const [variables, problems] of table) {
    const found = configurationOf({ PODTRACE_ALERTING_ENABLED: "true", ...variables });
    assert.equal(found.settings, undefined);
    assert.deepEqual(found.problems, [
      ...problems,
      "Cannot tell alerts: PODTRACE_ALERTING_ENABLED is true, but no sink can be used",
    ]);
    assert.ok(!found.problems.join("").includes("hunter2"));
  }
});
