import { assert } from "../../tests/support/assert.ts";
import { checkProperty, property } from "../../tests/support/property.ts";
import type { AggregateVisitor } from "../api/tracer_backend.ts";
import { CarriedRows } from "./carried_rows.ts";

type Samples = Pick<AggregateVisitor, "sample">;

/** `count` samples of thread `threadId` in slot 1. */
function tell({ sample }: Samples, threadId: number, count: number): void {
  sample({ processId: 100, threadId, targetSlot: 1, stackId: threadId, count });
}

Deno.test("the oldest of too many rows lose what they were about, not what they counted", () => {
  const carried = new CarriedRows({ rowsMax: 2 });
  const visit = carried.moveSlots(new Map([[1, 2]]));
  for (const threadId of [11, 12, 13, 14]) tell(visit, threadId, threadId);

  assert.deepEqual(carried.samples.with([]).map(({ threadId, stackId, count }) => [threadId, stackId, count]), [
    [13, 13, 13],
    [14, 14, 14],
    [0, -1, 11 + 12],
  ]);
  assert.equal(carried.samples.namelessCount, 11 + 12);
});

Deno.test("rows follow their target from slot to slot, and go with it", () => {
  const carried = new CarriedRows();
  tell(carried.moveSlots(new Map([[1, 2]])), 11, 5);
  carried.moveSlots(new Map([[2, 3]]));
  assert.deepEqual(carried.samples.with([]).map(({ targetSlot }) => targetSlot), [3]);
  carried.moveSlots(new Map([[3, undefined]]));
  assert.deepEqual(carried.samples.with([]), []);
});

Deno.test("rows of slots that stay where they are, or of nobody, are not taken", () => {
  const carried = new CarriedRows();
  const { sample } = carried.moveSlots(new Map([[1, 2]]));
  for (const targetSlot of [0, 3]) sample({ processId: 1, threadId: 1, targetSlot, stackId: -1, count: 4 });
  assert.deepEqual(carried.samples.with([]), []);
});

Deno.test("whatever moves, no sample is lost or told twice", () => {
  const told = property.array(
    property.tuple(property.integer({ min: 1, max: 6 }), property.integer({ min: 1, max: 9 })),
  );
  checkProperty(property.tuple(told, property.integer({ min: 1, max: 3 })), ([samples, rowsMax]) => {
    const carried = new CarriedRows({ rowsMax });
    const visit = carried.moveSlots(new Map([[1, 2]]));
    for (const [threadId, count] of samples) tell(visit, threadId, count);
    carried.moveSlots(new Map([[2, 4]]));
    const rows = carried.samples.with([{ processId: 100, threadId: 1, targetSlot: 4, stackId: 1, count: 7 }]);
    const total = rows.reduce((sum, { count }) => sum + count, 0);
    assert.equal(total, samples.reduce((sum, [, count]) => sum + count, 7));
    assert.equal(new Set(rows.map(({ threadId, stackId }) => `${threadId}/${stackId}`)).size, rows.length);
    assert.ok(rows.length <= rowsMax + 2, "bounded, with what is nameless and what is new");
  });
});
