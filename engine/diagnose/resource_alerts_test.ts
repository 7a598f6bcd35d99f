import { assert } from "../../tests/support/assert.ts";
import type { Finding } from "./finding.ts";
import { toAlerts } from "./alerts.ts";
import { toResourceAlerts } from "./resource_alerts.ts";
import { HEALTHY_REPORT } from "./sample_reports.ts";
import type { FiguresOf } from "./sections/section_input.ts";

type Row = FiguresOf<"resource_limits">[number];

const MIB = 1024 * 1024;

function row(overrides: Partial<Row> = {}): Row {
  return {
    resource: "memory",
    subject: "/kubepods/shop",
    unit: "bytes",
    usage: 85 * MIB,
    limit: 100 * MIB,
    utilization_percent: 85,
    status: "WARNING",
    ...overrides,
  };
}

function reportWith(rows: readonly Row[], findings: readonly Finding[] = []) {
  return { ...HEALTHY_REPORT, findings, sections: { ...HEALTHY_REPORT.sections, resource_limits: [...rows] } };
}

function finding(overrides: Partial<Finding>): Finding {
  return {
    id: "memory-limit",
    targetId: HEALTHY_REPORT.targets[0]?.id ?? assert.fail("the sample report has a target"),
    severity: "warning",
    title: "told",
    evidence: { object: "/kubepods/shop" },
    consequences: [],
    nextStep: "do",
    explainedMs: 0,
    share: 0,
    ...overrides,
  };
}

Deno.test("toResourceAlerts() says which limit is nearly used up, by whom and how far", () => {
  const [alert, ...others] = toResourceAlerts(reportWith([row()]));
  assert.deepEqual(others, []);
  assert.deepEqual([alert?.title, alert?.source, alert?.severity], [
    "Resource Limit warning",
    "resource_monitor",
    "warning",
  ]);
  assert.equal(
    alert?.message,
    "memory of /kubepods/shop: 85.0% of the limit are used, 85.00 MB of 100.00 MB.",
  );
  assert.equal(alert?.recommendations.length, 4);
  assert.deepEqual(alert?.context, {
    resource_type: "memory",
    utilization_percent: 85,
    usage_bytes: 85 * MIB,
    limit_bytes: 100 * MIB,
    cgroup_path: "/kubepods/shop",
  });
});

const SEVERITIES = [
  [row({ status: "OK", utilization_percent: 79.9 }), []],
  [row(), ["warning"]],
  [row({ status: "CRITICAL", utilization_percent: 90 }), ["critical"]],
  [row({ status: "EMERGENCY", utilization_percent: 95 }), ["fatal"]],
  [row({ resource: "tasks", unit: "count", status: "EMERGENCY" }), ["fatal"]],
  [row({ resource: "cpu", unit: "CPUs", status: "EMERGENCY" }), ["warning"]],
  [row({ resource: "io", unit: "bytes/s", use: "writes of device 8:0", status: "EMERGENCY" }), ["warning"]],
] as const;

for (const [given, expected] of SEVERITIES) {
  Deno.test(`toResourceAlerts() yields ${expected[0] ?? "nothing"} for ${given.resource} that is ${given.status}`, () => {
    assert.deepEqual(toResourceAlerts(reportWith([given])).map(({ severity }) => severity), expected);
  });
}

Deno.test("toResourceAlerts() is silent where a finding above info tells the same trouble, and only there", () => {
  const subjects = (findings: readonly Finding[]) =>
    toResourceAlerts(reportWith([row(), row({ subject: "/kubepods/other" })], findings)).map(({ subject }) => subject);
  assert.deepEqual(subjects([finding({})]), ["/kubepods/other"]);
  assert.deepEqual(subjects([finding({ severity: "info" })]), ["/kubepods/shop", "/kubepods/other"]);
  assert.deepEqual(subjects([finding({ id: "slow-peer" })]), ["/kubepods/shop", "/kubepods/other"]);
  assert.deepEqual(subjects([finding({ id: "oom-kill", evidence: { object: "shop" } })]), []);
});

Deno.test("toAlerts() puts a limit that is used up before milder findings", () => {
  const rows = [row({ resource: "descriptors", unit: "count", subject: "shop (100)", status: "EMERGENCY" })];
  const alerts = toAlerts(reportWith(rows, [finding({ id: "slow-peer" })]));
  assert.deepEqual(alerts.map(({ source }) => source), ["resource_monitor", "error_detector"]);
  assert.equal(alerts[0]?.context["process"], "shop (100)");
});
