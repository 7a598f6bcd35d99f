import type { Books, CategoryLedger, Completeness } from "../../../engine/api/measurements.ts";
import { assert } from "../../../tests/support/assert.ts";
import { toBurstFigure } from "./burst_figure.ts";

const STALL = { beginMs: 2000, endMs: 3000 };
const SPAN = { beginMs: 1900, endMs: 3900 };
const LOST: CategoryLedger = {
  seen: 100,
  filtered: 0,
  aggregated: 0,
  delivered: 70,
  dropped: { ring_full: 30 },
  residual: 0,
};

function verdictOf(given: { ledger?: Partial<CategoryLedger>; span?: typeof SPAN; eventCount?: number }): string {
  const slowWaits: Completeness = { verdict: "partial", percent: 70, reason: "", ...spanOf(given.span) };
  // The figure reads one category of the books.
  const books = {
    ledger: { slowWaits: { ...LOST, ...given.ledger } },
    completeness: { slowWaits },
  } as unknown as Books;
  return toBurstFigure({ books }, { eventCount: given.eventCount ?? 70, stall: STALL }).verdict;
}

function spanOf(span: typeof SPAN | undefined): { span?: typeof SPAN } {
  return span === undefined ? {} : { span };
}

Deno.test("toBurstFigure() passes when everything is accounted for and the time told holds the stall", () => {
  assert.equal(verdictOf({ span: SPAN }), "PASS");
});

Deno.test("toBurstFigure() fails a residual, a lost event, no loss at all, and a loss told for another time", () => {
  assert.equal(verdictOf({ span: SPAN, ledger: { residual: 1 } }), "FAIL");
  assert.equal(verdictOf({ span: SPAN, eventCount: 69 }), "FAIL");
  assert.equal(verdictOf({ span: SPAN, ledger: { seen: 70, dropped: {} } }), "FAIL");
  assert.equal(verdictOf({}), "FAIL");
  assert.equal(verdictOf({ span: { beginMs: 2100, endMs: 3900 } }), "FAIL");
  assert.equal(verdictOf({ span: { beginMs: 1900, endMs: 2900 } }), "FAIL");
});
