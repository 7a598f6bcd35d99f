import { assert } from "../../tests/support/assert.ts";
import { callBounded } from "./bounded_call.ts";
import { settle, TestTime } from "./test_host.ts";

Deno.test("callBounded() yields the value of a call that ends in time, and leaves no timer", async () => {
  const time = new TestTime();

  const outcome = await callBounded(() => Promise.resolve(7), { timer: time, timeoutMs: 100 });

  assert.deepEqual(outcome, { kind: "done", value: 7 });
  assert.equal(time.sleeperCount, 0);
});

Deno.test("callBounded() yields what was thrown, at once or later", async () => {
  const time = new TestTime();
  const cause = new RangeError("Cannot send: 9 of 8");
  const options = { timer: time, timeoutMs: 100 };

  const thrownAtOnce = await callBounded(() => {
    throw cause;
  }, options);
  const rejected = await callBounded(() => Promise.reject(cause), options);

  assert.deepEqual([thrownAtOnce, rejected], [{ kind: "failed", cause }, { kind: "failed", cause }]);
  assert.equal(time.sleeperCount, 0);
});

Deno.test("callBounded() gives up at the time-out, not before, and aborts the call", async () => {
  const time = new TestTime();
  let isAborted = false;
  const pending = callBounded((signal) =>
    new Promise<void>((_, reject) => {
      signal.addEventListener("abort", () => {
        isAborted = true;
        reject(signal.reason);
      });
    }), { timer: time, timeoutMs: 100 });
  let isDone = false;
  const watched = pending.then(() => isDone = true);

  time.advance(99);
  await settle();
  assert.equal(isDone, false);
  time.advance(1);
  await watched;

  const outcome = await pending;
  assert.equal(outcome.kind, "expired");
  assert.equal(isAborted, true);
  if (outcome.kind === "expired") await outcome.settled;
});

Deno.test("callBounded() gives up when its signal aborts, also before it began", async () => {
  const time = new TestTime();
  const stop = new AbortController();
  const options = { timer: time, timeoutMs: 100, signal: stop.signal };
  const during = callBounded(() => new Promise<void>(() => {}), options);
  stop.abort();

  assert.equal((await during).kind, "cancelled");
  assert.equal((await callBounded(() => new Promise<void>(() => {}), options)).kind, "cancelled");
  assert.equal(time.sleeperCount, 0);
});
