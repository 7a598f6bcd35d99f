import { assert } from "../../tests/support/assert.ts";
import { compareSeverity, SEVERITIES } from "./severity.ts";

Deno.test("compareSeverity() sorts from info over warning and error to critical", () => {
  assert.deepEqual([...SEVERITIES].reverse().sort(compareSeverity), ["info", "warning", "error", "critical"]);
  assert.equal(compareSeverity("error", "error"), 0);
});
