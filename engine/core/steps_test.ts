import { assert } from "../../tests/support/assert.ts";
import { INTERIM_CPU_SHARE_MAX, INTERIM_INTERVAL_MS, INTERIM_TURN_MS_MAX } from "../api/limits.ts";
import { eachInSteps, finishSteps, RecurringWork, type Steps } from "./steps.ts";

Deno.test("eachInSteps() visits everything, in pieces; finishSteps() does it in one go", () => {
  const items = Array.from({ length: 1000 }, (_, index) => index);
  const seen: number[] = [];
  let stepCount = 0;
  for (const _step of eachInSteps(items, (item) => seen.push(item))) stepCount++;
  assert.deepEqual(seen, items);
  assert.ok(stepCount >= 3, `${stepCount} pieces`);

  function* work(): Steps<string> {
    yield* eachInSteps(items, () => {});
    return "done";
  }
  assert.equal(finishSteps(work()), "done");
});

/** Work of `stepCount` steps that take `stepMs` each of a clock that only they move. */
function aBench(stepCount: number, stepMs: number) {
  const bench = { nowMs: 5000, doneCount: 0 };
  function* steps(): Generator<void, void> {
    for (let step = 0; step < stepCount; step++) {
      bench.nowMs += stepMs;
      bench.doneCount++;
      yield;
    }
  }
  return { bench, steps, work: new RecurringWork(() => bench.nowMs) };
}

Deno.test("RecurringWork does no more per turn than it may, and goes on at the next", () => {
  const stepMs = INTERIM_TURN_MS_MAX / 4;
  const { bench, steps, work } = aBench(10, stepMs);
  work.begin(steps());
  const done: number[] = [];
  while (work.isRunning) {
    work.advance();
    done.push(bench.doneCount);
  }
  assert.deepEqual(done, [4, 8, 10]);
});

Deno.test("RecurringWork is due once per interval, and later the more it cost", () => {
  const { bench, steps, work } = aBench(100, 2);
  const beganMs = bench.nowMs;
  assert.equal(work.isDue(beganMs + INTERIM_INTERVAL_MS - 1), false);
  assert.equal(work.isDue(beganMs + INTERIM_INTERVAL_MS), true);
  work.begin(steps());
  assert.equal(work.isDue(beganMs + 1e6), false, "it is running");
  while (work.isRunning) work.advance();
  const pauseMs = 200 / INTERIM_CPU_SHARE_MAX;
  assert.deepEqual([work.isDue(beganMs + pauseMs - 1), work.isDue(beganMs + pauseMs)], [false, true]);
});

Deno.test("RecurringWork.abandon() leaves the rest undone", () => {
  const { bench, steps, work } = aBench(10, INTERIM_TURN_MS_MAX);
  work.begin(steps());
  work.advance();
  work.abandon();
  work.advance();
  assert.deepEqual([work.isRunning, bench.doneCount], [false, 1]);
});

Deno.test("RecurringWork ends its turn where the work asks for it", () => {
  const work = new RecurringWork(() => 0);
  const seen: string[] = [];
  function* steps(): Steps<void> {
    seen.push("read");
    yield;
    yield "turn";
    seen.push("drained");
  }
  work.begin(steps());
  work.advance();
  assert.deepEqual(seen, ["read"]);
  work.advance();
  assert.deepEqual([seen, work.isRunning], [["read", "drained"], false]);
});
