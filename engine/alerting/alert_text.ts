/**
 * Alerts within their bounds: the same alert for every sink, made once, never
 * changed afterwards.
 *
 * @module
 */

import type { Alert } from "../api/alerts.ts";
import {
  ALERT_CONTEXT_ENTRIES_MAX,
  ALERT_RECOMMENDATIONS_MAX,
  ALERT_TEXT_BYTES_MAX as BYTES_MAX,
} from "../api/limits.ts";
import { sanitizeText } from "../api/text.ts";

/** Yields the alert with every text cut to its limit and made safe; `alert` stays as it is. */
export function toBoundedAlert(alert: Alert): Alert {
  return {
    ...alert,
    title: cut(alert.title, BYTES_MAX.title),
    message: cut(alert.message, BYTES_MAX.message),
    source: cut(alert.source, BYTES_MAX.source),
    rule: cut(alert.rule, BYTES_MAX.source),
    subject: cut(alert.subject, BYTES_MAX.message),
    pod: cutIfKnown(alert.pod, BYTES_MAX.pod),
    namespace: cutIfKnown(alert.namespace, BYTES_MAX.namespace),
    errorCode: cutIfKnown(alert.errorCode, BYTES_MAX.errorCode),
    recommendations: alert.recommendations.slice(0, ALERT_RECOMMENDATIONS_MAX)
      .map((text) => cut(text, BYTES_MAX.recommendation)),
    context: boundedContext(alert.context),
  };
}

function boundedContext(context: Alert["context"]): Alert["context"] {
  const entries = Object.entries(context)
    .filter(([key]) => new TextEncoder().encode(key).length <= BYTES_MAX.contextKey)
    .slice(0, ALERT_CONTEXT_ENTRIES_MAX)
    .map(([key, value]) => [key, typeof value === "string" ? cut(value, BYTES_MAX.contextValue) : value] as const);
  return Object.fromEntries(entries);
}

function cutIfKnown(text: string | undefined, bytesMax: number): string | undefined {
  return text === undefined ? undefined : cut(text, bytesMax);
}

function cut(text: string, bytesMax: number): string {
  return sanitizeText(text, { bytesMax });
}

/**
 * Yields what makes two alerts one and the same: who has which trouble with what,
 * how bad. The figures are not part of it, the rule and its subject are.
 */
export function alertKey(alert: Alert): string {
  return JSON.stringify([
    alert.severity,
    alert.source,
    alert.namespace ?? "",
    alert.pod ?? "",
    alert.title,
    alert.rule,
    alert.subject,
  ]);
}
