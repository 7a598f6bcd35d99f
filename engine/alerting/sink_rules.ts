/**
 * Which addresses a sink may have.
 *
 * @module
 */

import type { SinkSpec } from "./sink.ts";

const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Of the commercial and the government cloud. */
const SLACK_HOSTS: ReadonlySet<string> = new Set(["hooks.slack.com", "hooks.slack-gov.com"]);

/**
 * Yields what is wrong with `url` as the address of a sink, or `undefined`. The
 * sentence names the host at most: paths and queries hold secrets.
 */
export function sinkUrlProblem(
  url: string,
  options: { type: SinkSpec["type"]; isHttpAllowed: boolean },
): string | undefined {
  if (!URL.canParse(url)) return "it is no URL";
  const { protocol, hostname, host } = new URL(url);
  if (protocol !== "https:" && protocol !== "http:") {
    return `its scheme is ${protocol.slice(0, -1)}, expected https`;
  }
  if (options.type === "slack") {
    if (protocol !== "https:") return `it is http to ${host}, expected https`;
    return SLACK_HOSTS.has(hostname) ? undefined : `its host is ${host}, expected hooks.slack.com`;
  }
  if (protocol === "https:" || options.isHttpAllowed || LOOPBACK_HOSTS.has(hostname)) return undefined;
  return `it is http to ${host}, expected https: only loopback may be spoken to in clear`;
}
