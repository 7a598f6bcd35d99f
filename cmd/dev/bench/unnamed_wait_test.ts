import { assert } from "../../../tests/support/assert.ts";
import { readNamedShare } from "./unnamed_wait.ts";

function report(total: { blockedMs: number; idleMs: number; delegatedMs: number }, unnamedShare: number): string {
  return JSON.stringify({ timeLedger: { total, unnamedShare } });
}

Deno.test("readNamedShare() yields the share of what is neither idle nor delegated", () => {
  const json = report({ blockedMs: 5000, idleMs: 3000, delegatedMs: 1000 }, 0.02);
  assert.deepEqual(readNamedShare(json), { unnamedPercent: 4, waitMs: 1000 });
});

Deno.test("readNamedShare() never yields more than everything", () => {
  const json = report({ blockedMs: 5000, idleMs: 3000, delegatedMs: 1000 }, 0.75);
  assert.equal(readNamedShare(json).unnamedPercent, 100);
});

Deno.test("readNamedShare() takes 100 ms of waiting and throws below", () => {
  assert.equal(readNamedShare(report({ blockedMs: 100, idleMs: 0, delegatedMs: 0 }, 0)).waitMs, 100);
  const quiet = report({ blockedMs: 199, idleMs: 50, delegatedMs: 50 }, 0);
  assert.throws(() => readNamedShare(quiet), /found 99 ms of non-idle waiting, wanted 100 or more/);
});
