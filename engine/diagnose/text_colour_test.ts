import { assert } from "../../tests/support/assert.ts";
import { HEALTHY_REPORT, PARTIAL_REPORT, TROUBLED_REPORT } from "./sample_reports.ts";
import { colourText } from "./text_colour.ts";
import { renderTextReport } from "./text_report.ts";

// deno-lint-ignore no-control-regex -- these are what is looked for
const SGR = /\x1b\[[0-9;]*m/g;

Deno.test("colourText() adds nothing but colour, and leaves none on at the end of a line", () => {
  for (const report of [TROUBLED_REPORT, HEALTHY_REPORT, PARTIAL_REPORT]) {
    const plain = renderTextReport(report);
    const coloured = colourText(plain);
    assert.equal(coloured.replace(SGR, ""), plain);
    for (const line of coloured.split("\n")) {
      const codes = line.match(SGR) ?? [];
      assert.ok(codes.length === 0 || codes.at(-1) === "\x1b[0m", JSON.stringify(line));
    }
  }
});

Deno.test("colourText() marks severities, next steps, bars and verdicts", () => {
  const coloured = colourText(renderTextReport(PARTIAL_REPORT));
  for (
    const part of [
      "\x1b[1m [", // a rule beside its severity
      "\x1b[1;32m   next      \x1b[0m",
      "\x1b[30;45mW",
      "\x1b[1mWHERE THE TIME WENT\x1b[0m",
      "\x1b[1;33mPARTIAL\x1b[0m",
      "\x1b[32mCOMPLETE\x1b[0m",
    ]
  ) {
    assert.ok(colourText(renderTextReport(TROUBLED_REPORT)).includes(part) || coloured.includes(part), part);
  }
});

Deno.test("colourText() takes no name for a bar", () => {
  for (const line of ["  shop [NNNN] 1", "[####]", "1. critical [x] y"]) assert.equal(colourText(line), line);
});
