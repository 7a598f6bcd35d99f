import { assert } from "../../tests/support/assert.ts";
import { joinSpans, LossSpans } from "./loss_spans.ts";

Deno.test("LossSpans spans from the look before the first growth to the look after the last", () => {
  const spans = new LossSpans<"waits" | "names">(1000);
  spans.look(2000, [["waits", 0], ["names", 0]]);
  spans.look(3000, [["waits", 5], ["names", 0]]);
  spans.look(4000, [["waits", 5], ["names", 0]]);
  spans.look(5000, [["waits", 6], ["names", 0]]);
  spans.look(6000, [["waits", 6], ["names", 0]]);

  assert.deepEqual(spans.spanOf("waits"), { beginMs: 2000, endMs: 5000 });
  assert.equal(spans.spanOf("names"), undefined);
});

Deno.test("LossSpans begins at the window's begin when the first look already shows losses", () => {
  const spans = new LossSpans<"waits">(1000);
  spans.look(1500, [["waits", 1]]);

  assert.deepEqual(spans.spanOf("waits"), { beginMs: 1000, endMs: 1500 });
});

Deno.test("joinSpans() covers both", () => {
  assert.deepEqual(joinSpans({ beginMs: 2, endMs: 5 }, { beginMs: 1, endMs: 3 }), { beginMs: 1, endMs: 5 });
  assert.deepEqual(joinSpans({ beginMs: 2, endMs: 5 }, undefined), { beginMs: 2, endMs: 5 });
  assert.deepEqual(joinSpans(undefined, { beginMs: 2, endMs: 5 }), { beginMs: 2, endMs: 5 });
  assert.equal(joinSpans(undefined, undefined), undefined);
});
