/**
 * Machines that do not tell of every switch: the test machine tells nobody when
 * threads of its first process leave a CPU. Elsewhere this holds all the more.
 *
 * @module
 */

import { systemWideTarget } from "../../engine/mod.ts";
import { assert } from "../support/assert.ts";
import { kernelTest } from "../support/kernel.ts";
import { assertTimeAddsUp, holdsOnce, readStealMs, sumOf } from "../support/ledger_checks.ts";
import { Tracing, TRACING_REQUIREMENTS } from "../support/tracing.ts";

const REQUIRES = { requires: TRACING_REQUIREMENTS };
const WINDOW_MS = 3000;

/** Ticks, late switches, and the ends of the window. */
const SLACK_MS = 100;

/** What the scheduler has charged the threads of the first process so far (Documentation/scheduler/sched-stats.rst). */
function chargedMs(): number {
  return sumOf(Deno.readDirSync("/proc/1/task"), ({ name }) => {
    const [chargedNs = "0"] = Deno.readTextFileSync(`/proc/1/task/${name}/schedstat`).split(" ");
    return Number(chargedNs) / 1e6;
  });
}

kernelTest("the first process is not on a CPU for longer than the scheduler charges it", REQUIRES, async () => {
  await holdsOnce(async () => {
    const beforeMs = chargedMs() + readStealMs();
    await using tracing = await Tracing.start([systemWideTarget()]);
    await tracing.lasts(WINDOW_MS);
    const measurements = await tracing.finish();
    const allowedMs = chargedMs() + readStealMs() - beforeMs;

    assertTimeAddsUp(measurements);
    const threads = measurements.threads.filter(({ processId }) => processId === 1);
    const onCpuMs = sumOf(threads, (thread) => thread.onCpuMs);
    assert.ok(onCpuMs <= allowedMs * 1.05 + SLACK_MS, `${onCpuMs} ms on a CPU, charged ${allowedMs} ms`);
  });
});
