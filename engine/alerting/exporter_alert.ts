/**
 * An exporter that fails, as an alert: its events are lost while it does.
 *
 * @module
 */

import type { Alert } from "../api/alerts.ts";

const SOURCE = "exporter";

const RECOMMENDATIONS = [
  "Look at the destination: is it there, does it answer, does it take the credentials?",
  "What it was not given is counted in the report (delivered against dropped).",
];

/** Yields the alert; its title names the exporter, its message what went wrong. */
export function toExporterAlert(
  failure: { readonly exporter: string; readonly problem: string; readonly atWallMs: number },
): Alert {
  const { exporter, problem, atWallMs } = failure;
  const name = exporter.slice(0, 1).toUpperCase() + exporter.slice(1);
  return {
    severity: "error",
    title: `${name} Exporter Failure`,
    message: problem,
    atWallMs,
    source: SOURCE,
    rule: "exporter-failure",
    subject: exporter,
    pod: undefined,
    namespace: undefined,
    errorCode: undefined,
    recommendations: RECOMMENDATIONS,
    context: { exporter },
  };
}
