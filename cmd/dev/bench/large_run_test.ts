import { assert } from "../../../tests/support/assert.ts";
import { CHAIN_ROWS_MAX, PEER_ROWS_MAX, WAIT_ROWS_MAX } from "../../../engine/api/limits.ts";
import { largeMeasurements, largeRunEvents } from "./large_run.ts";

Deno.test("largeMeasurements() fills every table to its limit", () => {
  const { threads, waits, lockChains, peers } = largeMeasurements();
  assert.deepEqual([threads.length, lockChains.length, peers.length], [2000, CHAIN_ROWS_MAX, PEER_ROWS_MAX]);
  assert.ok(waits.length >= WAIT_ROWS_MAX && waits.length < WAIT_ROWS_MAX + 2000, String(waits.length));
});

Deno.test("largeRunEvents() yields as many events as asked for, oldest first", () => {
  const times = Array.from(largeRunEvents(40_000), (event) => event.kind === "wait" ? event.endMs : -1)
    .filter((endMs) => endMs >= 0);
  assert.ok(times.length > 39_000);
  assert.ok(times.every((endMs, index) => index === 0 || endMs >= (times[index - 1] ?? 0)));
});
