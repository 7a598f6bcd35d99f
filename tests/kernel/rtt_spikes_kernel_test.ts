/**
 * `rtt-spikes` against a way that gets slow while it is looked at: the queue of
 * a real interface, in a network namespace of its own.
 *
 * @module
 */

import { assert } from "../support/assert.ts";
import { numberOf, type RunningFixture } from "../support/fixture_programs.ts";
import { kernelTest } from "../support/kernel.ts";
import { limitLoopback, startIsolatedFixture } from "../support/network_namespace.ts";
import { findingsIn } from "../support/report_findings.ts";
import { processTarget, Tracing, TRACING_REQUIREMENTS } from "../support/tracing.ts";
import { until } from "../support/until.ts";

const REQUIRES = { requires: [...TRACING_REQUIREMENTS, "network_namespace"] } as const;
const DURATION_MS_MAX = 120_000;

/**
 * A request and its answer are 67 bytes each on this wire: at 750 bytes a
 * second each waits for 89 ms, 178 in all. That is below the least time-out of
 * a retransmission (200 ms), so nothing is sent twice.
 */
const SLOW_WAY = { bitsPerSecond: 6000, burstBytes: 200 };

/** Kernel's smoothing takes in an eighth of each new time: 178 ms show as more than 100 after seven. */
const ROUND_TRIPS_MIN = 12;

function startPair(): Promise<RunningFixture> {
  return startIsolatedFixture("slow_upstream", { duration_ms: DURATION_MS_MAX, delay_ms: 5 });
}

/** Segments with payload that the namespace's loopback let through so far. */
function sentCount(processId: number): number {
  const line = Deno.readTextFileSync(`/proc/${processId}/net/dev`).split("\n").find((text) => text.includes("lo:"));
  return Number(line?.split(":")[1]?.trim().split(/\s+/)[1] ?? NaN);
}

kernelTest(
  "rtt-spikes tells a peer the way to which gets slow in the window, and from what to what",
  REQUIRES,
  async () => {
    await using fixture = await startPair();
    const { processId } = fixture;
    await using tracing = await Tracing.start([processTarget(processId)]);
    const before = sentCount(processId);
    await until(() => sentCount(processId) > before + 40, { what: "quick round trips were seen" });
    await limitLoopback(processId, SLOW_WAY);
    const slowFrom = sentCount(processId);
    await until(() => sentCount(processId) > slowFrom + 2 * ROUND_TRIPS_MIN, {
      what: "slow ones were",
      timeoutMs: 30_000,
    });
    const measured = await tracing.finish();

    const findings = findingsIn(measured, tracing.events);
    const told = JSON.stringify(findings, undefined, 2);
    const spike = findings.find(({ id }) => id === "rtt-spikes");
    assert.equal(spike?.severity, "warning", told);
    assert.equal(spike?.evidence.object, `127.0.0.1:${numberOf(fixture.ready, "upstream_port")}`);
    const trips = measured.connections.find(({ role }) => role === "client")?.roundTrip;
    assert.ok(trips !== undefined && trips.maxMs >= 100 && trips.minMs < 100, JSON.stringify(trips));
  },
);

kernelTest("rtt-spikes is silent about the same peer while its way is quick", REQUIRES, async () => {
  await using fixture = await startPair();
  await using tracing = await Tracing.start([processTarget(fixture.processId)]);
  await tracing.lasts(1500);
  const measured = await tracing.finish();

  assert.ok(measured.connections.some(({ roundTrip }) => roundTrip !== undefined), "round trips were seen");
  assert.deepEqual(findingsIn(measured, tracing.events).filter(({ id }) => id === "rtt-spikes"), []);
});
