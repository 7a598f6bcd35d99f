/**
 * One report of a large run, made and rendered once, as `diagnose` does at its
 * end: `render_program.ts FORMAT EVENTS` prints how long it took.
 *
 * @module
 */

import { BATCH_EVENTS_MAX } from "../../../engine/api/limits.ts";
import type { TraceEvent } from "../../../engine/api/events.ts";
import {
  DiagnosisAccumulator,
  renderCsvReport,
  renderHtmlReport,
  renderJsonReport,
  renderTextReport,
  type Report,
} from "../../../engine/mod.ts";
import { largeMeasurements, largeRunEvents } from "./large_run.ts";

const RENDERERS: Readonly<Record<string, (report: Report) => string>> = {
  text: renderTextReport,
  json: renderJsonReport,
  csv: renderCsvReport,
  html: renderHtmlReport,
};

const [format = "", eventCount = "0"] = Deno.args;
const render = RENDERERS[format];
if (render === undefined) throw new Error(`Cannot render ${format}: expected ${Object.keys(RENDERERS).join(", ")}`);

const hasListing = format === "csv" || format === "html";
await using accumulator = new DiagnosisAccumulator({
  targetLabels: new Map(),
  hasListing,
  hasCourse: format === "html",
});
let batch: TraceEvent[] = [];
for (const event of largeRunEvents(Number(eventCount))) {
  batch.push(event);
  if (batch.length < BATCH_EVENTS_MAX) continue;
  await accumulator.export(batch);
  batch = [];
}
await accumulator.export(batch);
const measurements = largeMeasurements();
await accumulator.exportMeasurements({
  ...measurements,
  isFinal: false,
  window: { ...measurements.window, endMs: measurements.window.beginMs + 1000 },
});
await accumulator.exportMeasurements(measurements);

const beginMs = performance.now();
const report = accumulator.report();
if (report === undefined) throw new Error("Cannot render: there is no report");
const builtMs = performance.now();
const text = render(report);
const endMs = performance.now();
console.log(JSON.stringify({
  reportMs: builtMs - beginMs,
  renderMs: endMs - builtMs,
  bytes: new TextEncoder().encode(text).length,
}));
