import { assert } from "../../tests/support/assert.ts";
import { alertKey } from "./alert_text.ts";
import { toExporterAlert } from "./exporter_alert.ts";

Deno.test("toExporterAlert() names the exporter and what went wrong; another problem of it is the same alert", () => {
  const failure = { exporter: "diagnosis", problem: "Cannot export 3 events: broken pipe", atWallMs: 1000 };
  const alert = toExporterAlert(failure);
  assert.deepEqual([alert.title, alert.source, alert.severity], ["Diagnosis Exporter Failure", "exporter", "error"]);
  assert.equal(alert.message, "Cannot export 3 events: broken pipe");
  assert.equal(alertKey(alert), alertKey(toExporterAlert({ ...failure, problem: "no answer" })));
  assert.notEqual(alertKey(alert), alertKey(toExporterAlert({ ...failure, exporter: "otlp" })));
});
