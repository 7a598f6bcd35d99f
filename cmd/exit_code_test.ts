import { assert } from "../tests/support/assert.ts";
import { SEVERITIES } from "../engine/api/severity.ts";
import { EXIT_CODES, exitCodeOf } from "./exit_code.ts";

Deno.test("EXIT_CODES keeps the numbers that scripts branch on", () => {
  assert.deepEqual(EXIT_CODES, { ok: 0, error: 1, usage: 2, nothingCollected: 3, findings: 4 });
});

Deno.test("exitCodeOf() is 4 exactly when a finding reaches the severity of --fail-on", () => {
  for (const [thresholdRank, failOn] of SEVERITIES.entries()) {
    for (const [severityRank, severity] of SEVERITIES.entries()) {
      const exitCode = exitCodeOf({ threadCount: 1, findingSeverities: ["info", severity] }, { failOn });
      const isFailed = severityRank >= thresholdRank || thresholdRank === 0;
      assert.equal(exitCode, isFailed ? 4 : 0, `${severity} with --fail-on ${failOn}`);
    }
    assert.equal(exitCodeOf({ threadCount: 1, findingSeverities: [] }, { failOn }), 0);
  }
});

Deno.test("exitCodeOf() ignores findings when --fail-on is not given", () => {
  assert.equal(exitCodeOf({ threadCount: 1, findingSeverities: ["critical"] }, { failOn: undefined }), 0);
});

Deno.test("exitCodeOf() is 3 when no thread was seen, whatever else holds", () => {
  assert.equal(exitCodeOf({ threadCount: 0, findingSeverities: [] }, { failOn: undefined }), 3);
  assert.equal(exitCodeOf({ threadCount: 0, findingSeverities: ["critical"] }, { failOn: "info" }), 3);
});
