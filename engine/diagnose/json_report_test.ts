import { assert } from "../../tests/support/assert.ts";
import { schemaProblems } from "../../tests/support/json_schema.ts";
import type { Report } from "./report.ts";
import { renderJsonReport, toJsonReport } from "./json_report.ts";
import { reportJsonSchema, reportSchema } from "./report_schema.ts";
import { HEALTHY_REPORT, PARTIAL_REPORT, TROUBLED_REPORT } from "./sample_reports.ts";
import { buildReport, PEER } from "./test_measurements.ts";

const PUBLISHED = new URL("../../docs/report.schema.json", import.meta.url);

Deno.test("reportJsonSchema() is what docs/report.schema.json publishes", async () => {
  const published = JSON.parse(await Deno.readTextFile(PUBLISHED));
  assert.deepEqual(published, reportJsonSchema(), "run deno task generate");
});

const SAMPLES: readonly { name: string; report: Report }[] = [
  { name: "a troubled target", report: TROUBLED_REPORT },
  { name: "a healthy target", report: HEALTHY_REPORT },
  { name: "a partial look", report: PARTIAL_REPORT },
  {
    name: "a command that was stopped",
    report: {
      ...HEALTHY_REPORT,
      runEnd: {
        endReason: "duration",
        command: { argv: ["job", "--token", "t1"], exitCode: undefined, signal: "SIGTERM", stoppedBy: "SIGTERM" },
      },
    },
  },
  { name: "a run that saw nothing", report: buildReport() },
];

for (const { name, report } of SAMPLES) {
  Deno.test(`renderJsonReport() keeps to the published schema for ${name}`, async () => {
    const schema = JSON.parse(await Deno.readTextFile(PUBLISHED));
    const json = JSON.parse(renderJsonReport(report));
    assert.deepEqual(schemaProblems(schema, json), []);
    assert.ok(reportSchema.safeParse(json).success);
  });
}

Deno.test("reportJsonSchema() refuses a report with a field that is missing, wrong or unknown", () => {
  const schema = reportJsonSchema();
  const json = toJsonReport(TROUBLED_REPORT);
  const { cost: _cost, ...withoutCost } = json;
  assert.notDeepEqual(schemaProblems(schema, withoutCost), []);
  assert.notDeepEqual(schemaProblems(schema, { ...json, surprise: 1 }), []);
  const findings = json.findings.map((finding) => ({ ...finding, severity: "fatal" }));
  assert.notDeepEqual(schemaProblems(schema, { ...json, findings }), []);
});

Deno.test("toJsonReport() keeps the reference sections that can be told truly and leaves the others out", () => {
  const json = toJsonReport(TROUBLED_REPORT);
  assert.equal(json.summary.start_time, "2026-01-02T03:04:05.000Z");
  assert.equal(json.summary.end_time, "2026-01-02T03:04:15.000Z");
  assert.equal(json.summary.duration_seconds, 10);
  assert.equal(json.summary.events_per_second, json.summary.total_events / 10);
  assert.deepEqual(
    json.potential_issues,
    json.findings.filter(({ severity }) => severity !== "info").map(({ title }) => title),
  );
  const [busiest] = json.process_activity ?? [];
  assert.equal(busiest?.name, "shop");
  assert.equal(
    busiest?.percentage.toFixed(3),
    ((busiest?.event_count ?? 0) / json.summary.total_events * 100).toFixed(3),
  );
  assert.equal(json.filesystem?.disk_waits?.writes, 400);
  for (const key of ["dns", "http", "tcp", "connections", "udp"]) assert.ok(!(key in json), key);
});

Deno.test("toJsonReport() leaves optional sections out of an empty report", () => {
  const json = toJsonReport(buildReport());
  for (const key of ["cpu", "process_activity", "potential_issues"]) assert.ok(!(key in json), key);
});

Deno.test("toJsonReport() balances the ledger in every category and in total", () => {
  const { categories, ...total } = toJsonReport(PARTIAL_REPORT).ledger;
  for (const ledger of [total, ...Object.values(categories)]) {
    const { seen, filtered, aggregated, delivered, dropped, residual } = ledger;
    assert.equal(seen, filtered + aggregated + delivered + dropped + residual);
    assert.equal(dropped, Object.values(ledger.droppedByReason).reduce((sum, count) => sum + count, 0));
  }
  assert.ok(total.dropped > 0);
});

Deno.test("renderJsonReport() hides secrets and escapes what would steer a terminal", () => {
  const text = renderJsonReport(buildReport({
    processes: [{
      processId: 100,
      command: "ev\x9bil\u202e",
      commandLine: ["app", "--password", "hunter2"],
      threads: [{
        threadId: 100,
        onCpuMs: 500,
        waits: [{ waitClass: "network", object: PEER, count: 40, eachMs: 100 }],
      }],
    }],
  }));
  assert.ok(!text.includes("hunter2"));
  assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/);
  assert.ok(text.includes("ev\\\\x9bil\\\\u202e"));
});
