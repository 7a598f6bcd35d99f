import { assert } from "../../tests/support/assert.ts";
import { ERRNO } from "../ffi/errno.ts";
import { ForeignCallError } from "../ffi/errors.ts";
import {
  RunTimeSampler,
  type RunTimeSource,
  type RunTotals,
  toRecursionMisses,
  toRunTimesNs,
  toRunTotals,
} from "./run_time_sampler.ts";

/** Statistics as the kernel keeps them: who has them on, and what was counted. */
class FakeStatistics implements RunTimeSource {
  readonly totals = new Map<string, RunTotals>();
  refusal: Error | undefined;
  enabledCount = 0;

  enable(): Disposable {
    if (this.refusal !== undefined) throw this.refusal;
    this.enabledCount++;
    return { [Symbol.dispose]: () => void this.enabledCount-- };
  }

  read(): ReadonlyMap<string, RunTotals> {
    return new Map(this.totals);
  }
}

/** In steps of 50 ms, as the engine ticks it. */
function tickThrough(
  sampler: RunTimeSampler,
  span: { fromMs: number; toMs: number },
  each: (nowMs: number) => void,
): void {
  for (let nowMs = span.fromMs; nowMs < span.toMs; nowMs += 50) {
    sampler.tick(nowMs);
    each(nowMs);
  }
}

Deno.test("tick() has the statistics on for the first 200 ms of every 10 s, whatever the clock said at the start", () => {
  const statistics = new FakeStatistics();
  using sampler = new RunTimeSampler(statistics);

  const onMs: number[] = [];
  tickThrough(sampler, { fromMs: 7_000, toMs: 27_500 }, (nowMs) => {
    if (statistics.enabledCount > 0) onMs.push(nowMs - 7_000);
  });
  assert.deepEqual(onMs, [0, 50, 100, 150, 10_000, 10_050, 10_100, 10_150, 20_000, 20_050, 20_100, 20_150]);
});

Deno.test("toRunTimesNs() is the mean of the calls that were sampled times all calls", () => {
  const statistics = new FakeStatistics();
  using sampler = new RunTimeSampler(statistics);

  sampler.tick(0);
  sampler.tick(200);
  statistics.totals.set("sched_switch", { runTimeNs: 3000, runCount: 10, recursionMissCount: 2 });
  statistics.totals.set("process_fork", { runTimeNs: 0, runCount: 0, recursionMissCount: 0 });
  sampler.finish(5000);

  const programs = [{ hook: "process_fork", row: 0 }, { hook: "sched_switch", row: 1 }, { hook: "unknown", row: 2 }];
  const runTimesNs = toRunTimesNs(sampler.totals(), { programs, calls: [7, 1000, 7] });
  assert.deepEqual([...runTimesNs], [["sched_switch", 300_000]]);
  assert.deepEqual([...toRecursionMisses(sampler.totals())], [["sched_switch", 2], ["process_fork", 0]]);
  assert.equal(sampler.note(), "estimated: statistics were on for 0.2 s of 5.0 s, scaled by calls");
});

Deno.test("finish() switches the statistics off in the middle of a sample, and counts that sample", () => {
  const statistics = new FakeStatistics();
  using sampler = new RunTimeSampler(statistics);

  sampler.tick(1000);
  assert.equal(statistics.enabledCount, 1);
  sampler.finish(1100);
  assert.equal(statistics.enabledCount, 0);
  assert.equal(sampler.note(), "estimated: statistics were on for 0.1 s of 0.1 s, scaled by calls");
});

Deno.test("disposal switches the statistics off", () => {
  const statistics = new FakeStatistics();
  {
    using sampler = new RunTimeSampler(statistics);
    sampler.tick(0);
    assert.equal(statistics.enabledCount, 1);
  }
  assert.equal(statistics.enabledCount, 0);
});

Deno.test("a refusal is asked for once, and said", () => {
  const table = [
    [ERRNO.EPERM, "not measured: run-time statistics need CAP_SYS_ADMIN"],
    [ERRNO.EINVAL, "not measured: run-time statistics were refused (EINVAL)"],
  ] as const;
  for (const [errno, note] of table) {
    const statistics = new FakeStatistics();
    statistics.refusal = new ForeignCallError("bpf_enable_stats", errno);
    using sampler = new RunTimeSampler(statistics);

    sampler.tick(0);
    statistics.refusal = undefined;
    sampler.tick(50);
    sampler.finish(100);
    assert.equal(statistics.enabledCount, 0);
    assert.equal(sampler.note(), note);
  }
});

Deno.test("tick() does not hide a mistake of ours behind a missing right", () => {
  const statistics = new FakeStatistics();
  statistics.refusal = new RangeError("ours");
  using sampler = new RunTimeSampler(statistics);

  assert.throws(() => sampler.tick(0), RangeError);
});
Deno.test("toRunTotals() takes misses as none when the kernel does not count them", () => {
  const info = { runTimeNs: 700n, runCount: 7n, recursionMissCount: undefined };
  assert.deepEqual(toRunTotals(info), { runTimeNs: 700, runCount: 7, recursionMissCount: 0 });
});

Deno.test("toRunTotals() keeps the misses the kernel counted", () => {
  const info = { runTimeNs: 700n, runCount: 7n, recursionMissCount: 3n };
  assert.deepEqual(toRunTotals(info), { runTimeNs: 700, runCount: 7, recursionMissCount: 3 });
});
