/**
 * What a report has to tell as alerts. Making them has no effect: telling them is alerting's.
 *
 * @module
 */

import { type Alert, compareAlertSeverity } from "../api/alerts.ts";
import type { Evidence, Finding } from "./finding.ts";
import { formatList } from "./format.ts";
import type { Report } from "./report.ts";
import { toResourceAlerts } from "./resource_alerts.ts";

const SOURCE = "error_detector";
const TITLE = "Diagnostic Issue Detected";

/** Exit codes and signals named in one alert. */
const CODES_MAX = 4;

/**
 * Yields one alert per finding, and one per limit that is nearly used up,
 * gravest first: should there be too many, the milder ones stay untold.
 */
export function toAlerts(report: Pick<Report, "findings" | "sections" | "targets" | "window">): readonly Alert[] {
  const found = report.findings.map((finding) => toAlert(finding, report));
  return [...found, ...toResourceAlerts(report)]
    .sort((first, second) => compareAlertSeverity(second.severity, first.severity));
}

function toAlert(finding: Finding, { targets, window }: Pick<Report, "targets" | "window">): Alert {
  const { evidence } = finding;
  const target = targets.find(({ id }) => id === finding.targetId)?.label ?? finding.targetId;
  return {
    severity: finding.severity,
    title: `${TITLE}: ${finding.id}`,
    message: targets.length > 1 ? `${target}: ${finding.title}` : finding.title,
    atWallMs: window.endWallMs,
    source: SOURCE,
    rule: finding.id,
    subject: [finding.targetId, evidence.object ?? ""].join(" ").trim(),
    pod: undefined,
    namespace: undefined,
    errorCode: errorCodeOf(evidence),
    recommendations: [finding.nextStep],
    context: {
      rule: finding.id,
      target,
      ...(evidence.object === undefined ? {} : { subject: evidence.object }),
      ...figuresOf(finding),
      window_seconds: round((window.endMs - window.beginMs) / 1000),
    },
  };
}

function figuresOf({ evidence, explainedMs, share }: Finding): Alert["context"] {
  const { waits, failures, holder } = evidence;
  return {
    ...(explainedMs > 0 ? { explained_ms: round(explainedMs), share_percent: round(share * 100) } : {}),
    ...(waits === undefined ? {} : {
      wait_count: waits.count,
      wait_mean_ms: round(waits.meanMs),
      wait_longest_ms: round(waits.longestMs),
    }),
    ...(failures === undefined ? {} : { failed_count: failures.failedCount, attempt_count: failures.attemptCount }),
    ...(holder === undefined ? {} : { holder: `${holder.command} (${holder.threadId}) ${holder.activity}` }),
  };
}

function errorCodeOf({ failures }: Evidence): string | undefined {
  if (failures === undefined) return undefined;
  const codes = [...Object.keys(failures.exitCodes).map((code) => `exit ${code}`), ...Object.keys(failures.signals)];
  return codes.length === 0 ? undefined : formatList(codes, { itemsMax: CODES_MAX });
}

function round(figure: number): number {
  return Math.round(figure * 100) / 100;
}
