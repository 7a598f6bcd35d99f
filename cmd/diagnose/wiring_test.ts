import { assert } from "../../tests/support/assert.ts";
import { parseStrictCsv } from "../../tests/support/csv_parser.ts";
import { reportSchema } from "../../engine/diagnose/report_schema.ts";
import { buildMeasurements } from "../../engine/diagnose/test_measurements.ts";
import { toTargetId } from "../../engine/api/units.ts";
import { EXIT_CODES, exitCodeOf } from "../exit_code.ts";
import { OUTPUT_FORMATS, type OutputFormat } from "../options.ts";
import { toReportLine } from "./event_follower.ts";
import { toSelection } from "./selection.ts";
import { openDiagnosis } from "./wiring.ts";

const NEVER_ABORTED = { signal: new AbortController().signal };

const AT_WALL_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

/** Yields what a run that measured nothing leaves. */
function concludeNothing(output: OutputFormat) {
  return openIt(output).conclude({ endReason: "interrupted", command: undefined });
}

function openIt(output: OutputFormat, filter: readonly string[] = []) {
  const target = { id: toTargetId("pid:7"), label: "pid 7 (shop)", cgroups: [], processIds: [], isSystemWide: false };
  const selection = toSelection({
    filter,
    errorThreshold: undefined,
    rttThreshold: undefined,
    fsThreshold: undefined,
  });
  return openDiagnosis([target], { output, selection, wallMs: () => AT_WALL_MS });
}

Deno.test("a run that measured nothing ends with its own exit code in every form", () => {
  for (const output of OUTPUT_FORMATS) {
    assert.equal(exitCodeOf(concludeNothing(output), { failOn: undefined }), EXIT_CODES.nothingCollected, output);
  }
});

Deno.test("a category that is not collected is named in every form of the report", async () => {
  const processes = [{ processId: 7, command: "shop", threads: [{ threadId: 7 }] }];
  for (const output of OUTPUT_FORMATS) {
    const diagnosis = openIt(output, ["dns"]);
    await diagnosis.exporter.exportMeasurements(buildMeasurements({ processes }), NEVER_ABORTED);
    const report = diagnosis.conclude({ endReason: "duration", command: undefined });
    assert.match(report.render(output).replace(/\s+/g, " "), /dns.*are not collected in this version/, output);
  }
});

Deno.test("a run that measured nothing yields a whole JSON report with the reason, in a stream too", () => {
  const text = concludeNothing("json").render("json");
  const report = reportSchema.parse(JSON.parse(text));
  assert.match(report.emptyReason ?? "", /ended before anything was measured/);
  assert.equal(report.summary.start_time, "2026-01-02T03:04:05.000Z");
  assert.deepEqual(report.targets, [{ id: "pid:7", label: "pid 7 (shop)" }]);
  assert.equal(report.completeness.waits.verdict, "blind");
  assert.deepEqual(JSON.parse(toReportLine(text)).report, JSON.parse(text));
});

Deno.test("a run that measured nothing yields a CSV table, a page and a text that say why", () => {
  const reason = /No events were collected: the look ended before anything was measured\./;
  const [header = [], ...rows] = parseStrictCsv(concludeNothing("csv").render("csv"));
  const empty = rows.find((row) => row[header.indexOf("row")] === "empty");
  assert.match(empty?.[header.indexOf("detail")] ?? "", reason);
  const page = concludeNothing("html").render("html");
  assert.match(page, /^<!DOCTYPE html>/);
  assert.match(page, reason);
  assert.match(concludeNothing("text").render("text"), reason);
});
