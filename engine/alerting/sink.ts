/**
 * The three kinds of sink, and the request each makes of an alert.
 *
 * @module
 */

import type { Alert } from "../api/alerts.ts";
import type { Redacted } from "../api/redacted.ts";
import { slackPayload, splunkPayload, webhookPayload } from "./payloads.ts";

/** Where alerts go. URLs are secrets too: those of Slack are all one needs to write to a channel. */
export type SinkSpec =
  | { readonly type: "webhook"; readonly url: Redacted }
  | { readonly type: "slack"; readonly url: Redacted; readonly channel: string }
  | { readonly type: "splunk"; readonly url: Redacted; readonly token: Redacted };

/** One POST; not to be printed. */
export interface SinkRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string;
  /** What an answer may echo and nobody else may read: parts of the URL and credentials; longest first. */
  readonly secrets: readonly string[];
  /** The codes that mean that the sink took it. */
  readonly isSuccess: (status: number) => boolean;
}

/** Yields where a sink is, without anything secret: host, and port unless it is the usual one. */
export function hostOf(spec: SinkSpec): string {
  return new URL(spec.url.reveal()).host;
}

/** Yields the request, or `undefined` when the alert makes a payload of more than `payloadBytesMax` in every shape. */
export function toSinkRequest(
  spec: SinkSpec,
  alert: Alert,
  options: { userAgent: string; payloadBytesMax: number },
): SinkRequest | undefined {
  const body = fitPayload((shape) => JSON.stringify(payloadOf(spec, shape)), alert, options.payloadBytesMax);
  if (body === undefined) return undefined;
  const url = new URL(spec.url.reveal());
  const authorization = authorizationOf(spec, url);
  const secrets = secretsOf(url, authorization);
  url.username = "";
  url.password = "";
  return {
    url: url.href,
    headers: {
      "Content-Type": "application/json",
      "User-Agent": options.userAgent,
      ...(authorization === undefined ? {} : { Authorization: authorization }),
    },
    body,
    secrets,
    isSuccess: (status) => spec.type === "slack" ? status === 200 : status >= 200 && status < 300,
  };
}

function payloadOf(spec: SinkSpec, alert: Alert): Readonly<Record<string, unknown>> {
  switch (spec.type) {
    case "webhook":
      return webhookPayload(alert);
    case "slack":
      return slackPayload(alert, { channel: spec.channel });
    case "splunk":
      return splunkPayload(alert);
  }
}

function authorizationOf(spec: SinkSpec, url: URL): string | undefined {
  if (spec.type === "splunk") return `Splunk ${spec.token.reveal()}`;
  if (url.username === "" && url.password === "") return undefined;
  const credentials = `${decodeEscapes(url.username)}:${decodeEscapes(url.password)}`;
  return `Basic ${btoa(String.fromCodePoint(...new TextEncoder().encode(credentials)))}`;
}

/** Shorter words of an address, such as `v1`, say nothing. */
const SECRET_WORD_LENGTH_MIN = 4;

/** Yields every secret as a whole, as written and as meant, and its words: pages echo them escaped in many ways. */
function secretsOf(url: URL, authorization: string | undefined): readonly string[] {
  const credentials = [url.username, url.password, authorization?.replace(/^\w+ /, "") ?? ""];
  const written = [...credentials, `${url.pathname}${url.search}`, url.pathname, url.search];
  const wholes = written.flatMap((text) => [text, decodeEscapes(text)]).filter((text) => text !== "" && text !== "/");
  const words = wholes.flatMap((text) => text.split(/[^\p{L}\p{N}_-]+/u))
    .filter((word) => word.length >= SECRET_WORD_LENGTH_MIN);
  return [...new Set([...wholes, ...words])].sort((first, second) => second.length - first.length);
}

/** What is no escape stays as it is: a `%` in a password is often just that. */
function decodeEscapes(text: string): string {
  return text.replaceAll(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes;
    }
  });
}

/** Leaves out what can be spared until the payload fits: figures first, then advice. */
function fitPayload(render: (alert: Alert) => string, alert: Alert, bytesMax: number): string | undefined {
  const shapes: readonly Alert[] = [alert, { ...alert, context: {} }, { ...alert, context: {}, recommendations: [] }];
  return shapes.map(render).find((text) => new TextEncoder().encode(text).length <= bytesMax);
}
