import { assert } from "../../../tests/support/assert.ts";
import { attachedWallMs } from "./start_figure.ts";

Deno.test("attachedWallMs() yields the beginning of a report's window", () => {
  const report = JSON.stringify({ summary: { start_time: "2026-03-01T10:00:00.250Z" } }, null, 2);
  assert.equal(attachedWallMs(report), Date.UTC(2026, 2, 1, 10, 0, 0, 250));
});

Deno.test("attachedWallMs() refuses a report without one", () => {
  for (const report of ["", "{}", '{"summary":{"start_time":"soon"}}']) {
    assert.throws(() => attachedWallMs(report), /Cannot measure the start: found the beginning/);
  }
});
