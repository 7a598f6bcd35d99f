import { assert } from "../../tests/support/assert.ts";
import { property } from "../../tests/support/property.ts";
import type { TraceEvent } from "../api/events.ts";
import { toTargetId } from "../api/units.ts";
import { toForkEvent } from "./event_mapper.ts";
import { EventQueue } from "./event_queue.ts";
import { aFork } from "./test_backend.ts";

function anEvent(atMs: number): TraceEvent {
  return toForkEvent(aFork({ atMs }), toTargetId("a"));
}

Deno.test("EventQueue behaves like a bounded list, whatever is added and taken", () => {
  const steps = property.array(
    property.oneof(
      property.record({ kind: property.constant("add" as const) }),
      property.record({ kind: property.constant("take" as const), eventsMax: property.nat(5) }),
    ),
    { maxLength: 60 },
  );
  property.assert(property.property(steps, (script) => {
    const queue = new EventQueue(8);
    const model: { event: TraceEvent; arrivalMs: number }[] = [];
    script.forEach((step, atMs) => {
      if (step.kind === "add") {
        const event = anEvent(atMs);
        assert.equal(queue.add(event, atMs), model.length < 8);
        if (model.length < 8) model.push({ event, arrivalMs: atMs });
      } else {
        const expected = model.splice(0, step.eventsMax).map((entry) => entry.event);
        assert.deepEqual(queue.take(step.eventsMax), expected);
      }
      assert.equal(queue.length, model.length);
      assert.equal(queue.oldestMs(), model[0]?.arrivalMs);
    });
  }));
});

Deno.test("EventQueue asserts that its capacity is a power of two", () => {
  assert.throws(() => new EventQueue(12), assert.AssertionError);
  assert.throws(() => new EventQueue(0), assert.AssertionError);
  new EventQueue(1);
});
