import { assert } from "../../tests/support/assert.ts";
import { compareSeverity, type Severity } from "../api/severity.ts";
import { toAlerts } from "./alerts.ts";
import { HEALTHY_REPORT, TROUBLED_REPORT } from "./sample_reports.ts";
import { BEGIN_WALL_MS, WINDOW_MS } from "./test_measurements.ts";

Deno.test("toAlerts() tells findings with what they are about, their figures and their next step", () => {
  const alerts = toAlerts(TROUBLED_REPORT);
  assert.equal(alerts.length, TROUBLED_REPORT.findings.length);
  const peer = alerts.find((alert) => alert.rule === "slow-peer");
  const finding = TROUBLED_REPORT.findings.find(({ id }) => id === "slow-peer");
  assert.deepEqual(peer, {
    severity: finding?.severity,
    title: "Diagnostic Issue Detected: slow-peer",
    message: finding?.title,
    atWallMs: BEGIN_WALL_MS + WINDOW_MS,
    source: "error_detector",
    rule: "slow-peer",
    subject: `pid:100 ${finding?.evidence.object}`,
    pod: undefined,
    namespace: undefined,
    errorCode: undefined,
    recommendations: [finding?.nextStep],
    context: {
      rule: "slow-peer",
      target: "pid 100 (shop)",
      subject: finding?.evidence.object,
      explained_ms: 3800,
      share_percent: Math.round((finding?.share ?? 0) * 10_000) / 100,
      wait_count: 25,
      wait_mean_ms: 152,
      wait_longest_ms: 160,
      window_seconds: 10,
    },
  });
  assert.equal(alerts.find((alert) => alert.rule === "crash-loop")?.errorCode, "exit 7");
});

Deno.test("toAlerts() puts the gravest first, and has nothing to tell of a healthy target", () => {
  const severities = toAlerts(TROUBLED_REPORT).map(({ severity }) => severity as Severity);
  assert.deepEqual(severities, [...severities].sort((a, b) => compareSeverity(b, a)));
  assert.deepEqual(toAlerts(HEALTHY_REPORT), []);
});

Deno.test("toAlerts() gives the same subject to the same trouble, whatever its figures", () => {
  const again = {
    ...TROUBLED_REPORT,
    findings: TROUBLED_REPORT.findings.map((finding) => ({
      ...finding,
      title: `${finding.title} But this time otherwise.`,
      explainedMs: finding.explainedMs + 1,
    })),
  };
  const subjects = [TROUBLED_REPORT, again].map((report) =>
    toAlerts(report).map(({ rule, subject }) => [rule, subject])
  );
  assert.deepEqual(subjects[0], subjects[1]);
  assert.equal(new Set(subjects[0]?.map((pair) => pair.join())).size, subjects[0]?.length);
});
