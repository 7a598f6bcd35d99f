/**
 * Alerts for tests.
 *
 * @module
 */

import type { Alert } from "../../engine/api/alerts.ts";

/** 2026-01-02T03:04:05.250Z */
export const ALERT_WALL_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 250);

/** Yields an alert that every sink takes, with `overrides`. */
export function buildAlert(overrides: Partial<Alert> = {}): Alert {
  return {
    severity: "error",
    title: "Diagnostic Issue Detected: slow-peer",
    message: "Waiting for tcp 10.0.0.9:5432 takes 62.0% of the non-idle time, 150.00 ms each time.",
    atWallMs: ALERT_WALL_MS,
    source: "error_detector",
    rule: "slow-peer",
    subject: "pid:100 tcp 10.0.0.9:5432",
    pod: undefined,
    namespace: undefined,
    errorCode: undefined,
    recommendations: ["Look at tcp 10.0.0.9:5432."],
    context: { rule: "slow-peer", share_percent: 62 },
    ...overrides,
  };
}
