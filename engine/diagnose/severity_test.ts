import { assert } from "../../tests/support/assert.ts";
import type { Severity } from "../api/severity.ts";
import { capSeverity, isWorthMentioning, severityOf } from "./severity.ts";

const WINDOW_MS = 10_000;

/** Both sides of every boundary: the share of the non-idle time, and the explained time. */
const TABLE: readonly { share: number; explainedMs: number; severity: Severity }[] = [
  { share: 0.049, explainedMs: 9000, severity: "info" },
  { share: 0.05, explainedMs: 199, severity: "info" },
  { share: 0.05, explainedMs: 200, severity: "warning" },
  { share: 0.249, explainedMs: 9000, severity: "warning" },
  { share: 0.25, explainedMs: 999, severity: "warning" },
  { share: 0.25, explainedMs: 1000, severity: "error" },
  { share: 0.499, explainedMs: 9000, severity: "error" },
  { share: 0.5, explainedMs: 2499, severity: "error" },
  { share: 0.5, explainedMs: 2500, severity: "critical" },
];

for (const { share, explainedMs, severity } of TABLE) {
  Deno.test(`severityOf() is ${severity} for ${share} of the non-idle time and ${explainedMs} of 10000 ms`, () => {
    assert.equal(severityOf({ share, explainedMs, windowMs: WINDOW_MS }), severity);
  });
}

Deno.test("severityOf() stays info below 50 ms in total, however short the window", () => {
  assert.equal(severityOf({ share: 1, explainedMs: 49.9, windowMs: 100 }), "info");
  assert.equal(severityOf({ share: 1, explainedMs: 50, windowMs: 100 }), "critical");
});

Deno.test("isWorthMentioning() needs both a share and an amount", () => {
  assert.ok(isWorthMentioning({ share: 0.02, explainedMs: 20, windowMs: WINDOW_MS }));
  assert.ok(!isWorthMentioning({ share: 0.019, explainedMs: 20, windowMs: WINDOW_MS }));
  assert.ok(!isWorthMentioning({ share: 0.02, explainedMs: 19, windowMs: WINDOW_MS }));
});

Deno.test("capSeverity() yields the milder of the two", () => {
  assert.equal(capSeverity("critical", "warning"), "warning");
  assert.equal(capSeverity("info", "warning"), "info");
});
