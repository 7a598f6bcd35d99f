import { assert } from "../../tests/support/assert.ts";
import { checkProperty, property } from "../../tests/support/property.ts";
import type { WaitEvent } from "../api/events.ts";
import { EventLog } from "./event_log.ts";
import { BEGIN_MS, buildExit, PEER, TARGET_ID } from "./test_measurements.ts";

function wait(durationMs: number, endMs = BEGIN_MS + durationMs): WaitEvent {
  return {
    kind: "wait",
    targetId: TARGET_ID,
    endMs,
    durationMs,
    processId: 100,
    threadId: 104,
    waitClass: "network",
    systemCall: "recvfrom",
    object: PEER,
    wakerThreadId: 0,
  };
}

Deno.test("EventLog keeps exactly the longest waits, whatever order they come in", () => {
  const durations = property.array(property.integer({ min: 1, max: 1000 }), { maxLength: 80 });
  checkProperty(durations, (all) => {
    const log = new EventLog({ longestMax: 8 });
    for (const durationMs of all) log.add(wait(durationMs));
    const { events, omittedShorterCount } = log.list();
    const kept = events.map((event) => event.kind === "wait" ? event.durationMs : NaN);
    assert.deepEqual(kept.toSorted((a, b) => b - a), all.toSorted((a, b) => b - a).slice(0, 8));
    assert.equal(omittedShorterCount, Math.max(0, all.length - 8));
  });
});

Deno.test("EventLog keeps the first events without a duration, counts the others, and lists all by time", () => {
  const log = new EventLog({ momentsMax: 2 });
  log.add(wait(40, BEGIN_MS + 2500));
  for (const index of [1, 2, 3]) log.add(buildExit({ processId: 900 + index, atMs: BEGIN_MS + index * 1000 }));
  const { events, omittedLaterCount } = log.list();
  assert.deepEqual(events.map(({ kind }) => kind), ["exit", "exit", "wait"]);
  assert.equal(omittedLaterCount, 1);
});
