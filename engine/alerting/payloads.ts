/**
 * What each sink is sent. Pure; the shapes are part of what users rely on.
 *
 * @module
 */

import type { Alert, AlertSeverity } from "../api/alerts.ts";

/** Recommendations a Slack message shows. */
const SLACK_RECOMMENDATIONS_MAX = 3;

const SLACK_COLOURS: Readonly<Record<AlertSeverity, string>> = {
  fatal: "danger",
  critical: "danger",
  error: "warning",
  warning: "warning",
  info: "#808080",
};

/** Yields the body of a webhook; `pod` and `namespace` are "" where they are not known. */
export function webhookPayload(alert: Alert): Readonly<Record<string, unknown>> {
  return {
    severity: alert.severity,
    title: alert.title,
    message: alert.message,
    timestamp: new Date(alert.atWallMs).toISOString(),
    source: alert.source,
    pod: alert.pod ?? "",
    namespace: alert.namespace ?? "",
    context: alert.context,
    ...detailsOf(alert),
  };
}

/** Yields the body of a Slack message: one attachment. */
export function slackPayload(alert: Alert, options: { channel: string }): Readonly<Record<string, unknown>> {
  const advice = alert.recommendations.slice(0, SLACK_RECOMMENDATIONS_MAX);
  return {
    channel: options.channel,
    attachments: [{
      color: SLACK_COLOURS[alert.severity],
      title: escapeForSlack(alert.title),
      text: escapeForSlack(alert.message),
      footer: "Podtrace",
      ts: Math.floor(alert.atWallMs / 1000),
      mrkdwn_in: ["text", "fields"],
      fields: [
        slackField("Severity", alert.severity, { isShort: true }),
        slackField("Source", alert.source, { isShort: true }),
        ...(alert.pod === undefined ? [] : [slackField("Pod", alert.pod, { isShort: true })]),
        ...(alert.namespace === undefined ? [] : [slackField("Namespace", alert.namespace, { isShort: true })]),
        ...(alert.errorCode === undefined ? [] : [slackField("Error Code", alert.errorCode, { isShort: true })]),
        ...(advice.length === 0 ? [] : [slackField("Recommendations", advice.join("\n"), { isShort: false })]),
      ],
    }],
  };
}

function slackField(title: string, value: string, options: { isShort: boolean }): Readonly<Record<string, unknown>> {
  return { title, value: escapeForSlack(value), short: options.isShort };
}

/** Slack reads `<!channel>` and `<url|text>`: a process could be called so. */
function escapeForSlack(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Yields the body for Splunk's HTTP event collector; the context's entries stand beside the alert's own fields. */
export function splunkPayload(alert: Alert): Readonly<Record<string, unknown>> {
  return {
    time: alert.atWallMs / 1000,
    sourcetype: "Podtrace:alert",
    event: {
      ...alert.context,
      severity: alert.severity,
      title: alert.title,
      message: alert.message,
      source: alert.source,
      pod: alert.pod ?? "",
      namespace: alert.namespace ?? "",
      ...detailsOf(alert),
    },
  };
}

function detailsOf(alert: Alert): Readonly<Record<string, unknown>> {
  return {
    ...(alert.errorCode === undefined ? {} : { error_code: alert.errorCode }),
    ...(alert.recommendations.length === 0 ? {} : { recommendations: alert.recommendations }),
  };
}
