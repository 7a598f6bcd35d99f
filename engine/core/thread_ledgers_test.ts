import { assert } from "../../tests/support/assert.ts";
import { toTargetId } from "../api/units.ts";
import { anAccount } from "./test_backend.ts";
import { ExitedThreads, toDeparted, toThreadLedger } from "./thread_ledgers.ts";

const A = toTargetId("a");
const B = toTargetId("b");

Deno.test("toThreadLedger() leaves as residual what the parts do not explain", () => {
  const balanced = anAccount({
    beginMs: 100,
    endMs: 1100,
    onCpuMs: 250,
    runnableMs: 125,
    throttledMs: 125,
    blockedMs: 500,
  });
  assert.equal(toThreadLedger(balanced, A).residualMs, 0);
  assert.equal(toThreadLedger({ ...balanced, blockedMs: 400 }, A).residualMs, 100);
  assert.equal(toThreadLedger({ ...balanced, blockedMs: 600 }, A).residualMs, -100);
});

Deno.test("toThreadLedger() lets no control character of a command through", () => {
  assert.equal(toThreadLedger(anAccount({ command: "a\x07\u202eb" }), A).command, "a\\x07\\u202eb");
});

Deno.test("toDeparted() balances the kernel's totals", () => {
  const totals = { threadCount: 2, lifetimeMs: 100, onCpuMs: 10, runnableMs: 20, throttledMs: 5, blockedMs: 60 };
  assert.deepEqual(toDeparted(totals), { ...totals, residualMs: 5 });
});

Deno.test("ExitedThreads fold the oldest ledgers into a total of their target, and lose no time", () => {
  const threads = new ExitedThreads({ threadsMax: 2 });
  for (const [threadId, target] of [[1, A], [2, B], [3, A], [4, A]] as const) {
    threads.add(toThreadLedger(anAccount({ threadId, exited: true }), target));
  }

  assert.deepEqual([...threads.ledgers()].map((ledger) => ledger.threadId), [3, 4]);
  assert.deepEqual(threads.foldedOf(A), {
    threadCount: 1,
    lifetimeMs: 1000,
    onCpuMs: 100,
    runnableMs: 50,
    throttledMs: 0,
    blockedMs: 850,
    residualMs: 0,
  });
  assert.equal(threads.foldedOf(B).threadCount, 1);
  threads.forgetTarget(A);
  assert.deepEqual([...threads.ledgers()], []);
  assert.deepEqual([threads.foldedOf(A).threadCount, threads.foldedOf(B).threadCount], [0, 1]);
});
