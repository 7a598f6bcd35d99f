import { assert } from "../../tests/support/assert.ts";
import { toRunTotals } from "./run_time_sampler.ts";

Deno.test("toRunTotals() takes misses as none when the kernel does not count them", () => {
  const info = { runTimeNs: 700n, runCount: 7n, recursionMissCount: undefined };
  assert.deepEqual(toRunTotals(info), { runTimeNs: 700, runCount: 7, recursionMissCount: 0 });
});

Deno.test("toRunTotals() keeps the misses the kernel counted", () => {
  const info = { runTimeNs: 700n, runCount: 7n, recursionMissCount: 3n };
  assert.deepEqual(toRunTotals(info), { runTimeNs: 700, runCount: 7, recursionMissCount: 3 });
});
