/**
 * From the environment to how alerts are told. The variables' names, meanings
 * and defaults are a contract; docs/alerts.md lists them.
 *
 * @module
 */

import { ALERT_SEVERITIES, type AlertSeverity } from "../engine/api/alerts.ts";
import { ALERT_RATE_MAX, ALERT_RETRIES_MAX } from "../engine/api/limits.ts";
import { Redacted } from "../engine/api/redacted.ts";
import { type AlertingSettings, type SinkSpec, sinkUrlProblem } from "../engine/mod.ts";
import { formatDuration, parseDuration, toMs } from "./duration.ts";

/** What the environment says, and what of it could not be used: one sentence each. */
export interface AlertConfiguration {
  /** `undefined`: no alerts are told. */
  readonly settings: AlertingSettings | undefined;
  readonly problems: readonly string[];
}

type Environment = (name: string) => string | undefined;

/** What stands where nothing, or nothing usable, is said. */
export const ALERT_DEFAULTS = {
  slackChannel: "#alerts",
  severityMin: "warning",
  dedupWindowMs: 5 * 60_000,
  perMinuteMax: 10,
  timeoutMs: 10_000,
  retriesMax: 3,
  payloadBytesMax: 1024 * 1024,
  shutdownMs: 5000,
} as const;

const DURATION_MS_MAX = 24 * 60 * 60 * 1000;
const PAYLOAD_BYTES_MAX = 64 * 1024 * 1024;
const NS_PER_MS = 1_000_000n;

/** Yields the configuration; nothing in `environment` makes it fail. */
export function readAlertConfiguration(environment: Environment): AlertConfiguration {
  const reader = new VariableReader(environment);
  if (!reader.flag("ALERTING_ENABLED")) return { settings: undefined, problems: reader.problems };
  const sinks = [webhookOf(reader), slackOf(reader), splunkOf(reader)].filter((sink) => sink !== undefined);
  const settings = {
    sinks,
    severityMin: reader.severity("ALERT_MIN_SEVERITY", ALERT_DEFAULTS.severityMin),
    dedupWindowMs: reader.durationMs("ALERT_DEDUP_WINDOW", ALERT_DEFAULTS.dedupWindowMs),
    perMinuteMax: reader.integer("ALERT_RATE_LIMIT", ALERT_DEFAULTS.perMinuteMax, { min: 1, max: ALERT_RATE_MAX }),
    timeoutMs: reader.durationMs("ALERT_HTTP_TIMEOUT", ALERT_DEFAULTS.timeoutMs),
    retriesMax: reader.integer("ALERT_MAX_RETRIES", ALERT_DEFAULTS.retriesMax, { min: 0, max: ALERT_RETRIES_MAX }),
    payloadBytesMax: reader.integer("ALERT_MAX_PAYLOAD_SIZE", ALERT_DEFAULTS.payloadBytesMax, {
      min: 1,
      max: PAYLOAD_BYTES_MAX,
    }),
    isPrivateRefused: reader.flag("EXPORTER_BLOCK_PRIVATE"),
    shutdownMs: reader.durationMs("SHUTDOWN_TIMEOUT", ALERT_DEFAULTS.shutdownMs),
  };
  if (sinks.length > 0) return { settings, problems: reader.problems };
  const nothing = "Cannot tell alerts: PODTRACE_ALERTING_ENABLED is true, but no sink can be used";
  return { settings: undefined, problems: [...reader.problems, nothing] };
}

function webhookOf(reader: VariableReader): SinkSpec | undefined {
  const url = reader.url("ALERT_WEBHOOK_URL", {
    type: "webhook",
    isHttpAllowed: reader.flag("ALERT_WEBHOOK_ALLOW_HTTP"),
  });
  return url === undefined ? undefined : { type: "webhook", url };
}

function slackOf(reader: VariableReader): SinkSpec | undefined {
  const url = reader.url("ALERT_SLACK_WEBHOOK_URL", { type: "slack", isHttpAllowed: false });
  const channel = reader.text("ALERT_SLACK_CHANNEL") ?? ALERT_DEFAULTS.slackChannel;
  return url === undefined ? undefined : { type: "slack", url, channel };
}

function splunkOf(reader: VariableReader): SinkSpec | undefined {
  const isHttpAllowed = reader.flag("ALERT_SPLUNK_ALLOW_HTTP");
  if (!reader.flag("ALERT_SPLUNK_ENABLED")) return undefined;
  const missing = ["SPLUNK_ENDPOINT", "SPLUNK_TOKEN"].filter((name) => reader.text(name) === undefined);
  if (missing.length > 0) {
    const names = missing.map((name) => `PODTRACE_${name}`).join(" and ");
    reader.refuse(`Cannot tell alerts to Splunk: PODTRACE_ALERT_SPLUNK_ENABLED is true, but ${names} is not set`);
    return undefined;
  }
  const url = reader.url("SPLUNK_ENDPOINT", { type: "splunk", isHttpAllowed });
  const token = reader.text("SPLUNK_TOKEN") ?? "";
  if (!isHeaderText(token)) {
    reader.refuse("Cannot tell alerts to Splunk: PODTRACE_SPLUNK_TOKEN has characters that no token has");
    return undefined;
  }
  return url === undefined ? undefined : { type: "splunk", url, token: new Redacted(token) };
}

/** Visible ASCII; anything else could not stand in a header, or would end it. */
function isHeaderText(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

const YES: ReadonlySet<string> = new Set(["true", "1", "yes", "on"]);
const NO: ReadonlySet<string> = new Set(["false", "0", "no", "off", ""]);

/** Reads one variable after the other; what cannot be used is said once, and its default stands. */
class VariableReader {
  readonly problems: string[] = [];
  readonly #environment: Environment;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** `undefined`: not set, or empty. */
  text(name: string): string | undefined {
    const text = this.#environment(`PODTRACE_${name}`)?.trim();
    return text === "" ? undefined : text;
  }

  flag(name: string): boolean {
    const text = (this.text(name) ?? "").toLowerCase();
    if (!YES.has(text) && !NO.has(text)) this.#refuseValue(name, { expected: "true or false", default: "false" });
    return YES.has(text);
  }

  integer(name: string, value: number, range: { min: number; max: number }): number {
    const text = this.text(name);
    if (text === undefined) return value;
    const given = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (given >= range.min && given <= range.max) return given;
    this.#refuseValue(name, { expected: `a whole number from ${range.min} to ${range.max}`, default: `${value}` });
    return value;
  }

  durationMs(name: string, valueMs: number): number {
    const text = this.text(name);
    if (text === undefined) return valueMs;
    const parsed = parseDuration(text);
    const ns = parsed.kind === "duration" ? parsed.ns : 0n;
    if (ns >= NS_PER_MS && ns <= BigInt(DURATION_MS_MAX) * NS_PER_MS) return toMs(ns);
    const formatted = formatDuration(BigInt(valueMs) * NS_PER_MS);
    this.#refuseValue(name, { expected: "a duration from 1ms to 24h such as 30s", default: formatted });
    return valueMs;
  }

  severity(name: string, value: AlertSeverity): AlertSeverity {
    const text = this.text(name);
    if (text === undefined) return value;
    const given = ALERT_SEVERITIES.find((severity) => severity === text.toLowerCase());
    if (given === undefined) this.#refuseValue(name, { expected: ALERT_SEVERITIES.join(", "), default: value });
    return given ?? value;
  }

  /** The value is never quoted: paths and queries are secrets. */
  url(name: string, options: { type: SinkSpec["type"]; isHttpAllowed: boolean }): Redacted | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const problem = sinkUrlProblem(text, options);
    if (problem === undefined) return new Redacted(text);
    this.refuse(`Cannot tell alerts to PODTRACE_${name}: ${problem}`);
    return undefined;
  }

  refuse(problem: string): void {
    this.problems.push(problem);
  }

  #refuseValue(name: string, options: { expected: string; default: string }): void {
    const text = JSON.stringify(this.text(name));
    this.refuse(`Cannot use PODTRACE_${name} ${text}: expected ${options.expected}; ${options.default} is used`);
  }
}
