import { assert } from "../tests/support/assert.ts";
import { EndOfProcess, type EndSignalName, realTimer, SAME_WISH_MS } from "./process_context.ts";

/** An end whose clock and exit are in the test's hands. */
function openEnd() {
  const state = { nowMs: 1000, exitCount: 0 };
  const end = new EndOfProcess({ exit: () => state.exitCount++, elapsedMs: () => state.nowMs });
  return { state, end };
}

Deno.test("EndOfProcess asks for an orderly end at the first signal and names it", () => {
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] satisfies EndSignalName[]) {
    const { state, end } = openEnd();
    assert.equal(end.signal.aborted, false);
    end.onSignal(name);
    assert.deepEqual(end.signal.reason, { kind: "signal", name });
    assert.equal(state.exitCount, 0);
  }
});

Deno.test("EndOfProcess ends the process at a second signal, once it is a second wish", () => {
  const { state, end } = openEnd();
  end.onSignal("SIGINT");
  state.nowMs += SAME_WISH_MS - 1;
  end.onSignal("SIGINT");
  assert.equal(state.exitCount, 0);
  state.nowMs += 1;
  end.onSignal("SIGTERM");
  assert.equal(state.exitCount, 1);
});

Deno.test("EndOfProcess never takes a repeated hang-up for a second wish", () => {
  const { state, end } = openEnd();
  end.onSignal("SIGHUP");
  state.nowMs += 60_000;
  end.onSignal("SIGHUP");
  assert.equal(state.exitCount, 0);
  end.onSignal("SIGTERM");
  assert.equal(state.exitCount, 1);
});

Deno.test("EndOfProcess keeps the first reason when another request follows", () => {
  const { state, end } = openEnd();
  end.request({ kind: "outputGone" });
  end.request({ kind: "signal", name: "SIGINT" });
  assert.deepEqual(end.signal.reason, { kind: "outputGone" });
  assert.equal(state.exitCount, 0);
});

Deno.test("EndOfProcess cleans up before a forced end, except what was withdrawn", () => {
  const { state, end } = openEnd();
  const cleaned: string[] = [];
  end.onForcedEnd(() => cleaned.push(`kept at ${state.exitCount} exits`));
  const withdrawn = end.onForcedEnd(() => cleaned.push("withdrawn"));
  withdrawn[Symbol.dispose]();
  end.onSignal("SIGINT");
  assert.deepEqual(cleaned, []);
  state.nowMs += SAME_WISH_MS;
  end.onSignal("SIGINT");
  assert.deepEqual(cleaned, ["kept at 0 exits"]);
  assert.equal(state.exitCount, 1);
});

Deno.test("realTimer sleeps its time, and leaves no timer behind when it is aborted", async () => {
  const beginMs = performance.now();
  await realTimer.sleep(20, { signal: new AbortController().signal });
  assert.ok(performance.now() - beginMs >= 19);

  const abort = new AbortController();
  const sleep = realTimer.sleep(3_600_000, { signal: abort.signal });
  abort.abort();
  await sleep; // the sanitizer would report the timer
  await realTimer.sleep(3_600_000, { signal: abort.signal });
});

Deno.test("realTimer.nextTurn() lets other work of the thread run first", async () => {
  const order: string[] = [];
  const other = new Promise<void>((resolve) => {
    setTimeout(() => {
      order.push("other");
      resolve();
    }, 0);
  });
  while (order.length === 0) await realTimer.nextTurn();
  await other;
  assert.deepEqual(order, ["other"]);
});
