/**
 * Whose connections are whose: what a listening socket of the target accepts is
 * the target's, and nothing else is, whoever has the port before, after or
 * beside it.
 *
 * @module
 */

import type { Measurements } from "../../engine/api/measurements.ts";
import type { PeerMeasurement } from "../../engine/api/socket_measurements.ts";
import { assert } from "../support/assert.ts";
import { numberOf, type RunningFixture, startFixture } from "../support/fixture_programs.ts";
import { kernelTest } from "../support/kernel.ts";
import { processTarget, Tracing, TRACING_REQUIREMENTS } from "../support/tracing.ts";

const REQUIRES = { requires: TRACING_REQUIREMENTS };

/** Longer than any of these tests; they end their programs themselves. */
const DURATION_MS_MAX = 120_000;

/** So many that the kernel gives some to either of two listeners. */
const TIMES = 32;

function servedAt({ peers }: Measurements, port: number): PeerMeasurement | undefined {
  return peers.find(({ endpoint }) => endpoint?.kind === "server" && endpoint.port === port);
}

function queuesAt({ listenQueues }: Measurements, port: number) {
  return listenQueues.filter(({ endpoint }) => endpoint.kind === "server" && endpoint.port === port);
}

function assertBooks({ books }: Measurements): void {
  for (const [category, { residual, dropped }] of Object.entries(books.ledger)) {
    assert.deepEqual([category, residual, dropped], [category, 0, {}]);
  }
}

async function shareAPort(settings: { alone: number }): Promise<RunningFixture> {
  return await startFixture("shared_port", { duration_ms: DURATION_MS_MAX, times: TIMES, ...settings });
}

kernelTest(
  "connections to a stranger on the same port are not the target's, after it closed the port nor beside it",
  REQUIRES,
  async () => {
    await using fixture = await shareAPort({ alone: 0 });
    await using tracing = await Tracing.start([processTarget(fixture.processId)]);
    Deno.kill(fixture.processId, "SIGUSR1");
    const truth = await fixture.ended();
    const measurements = await tracing.finish();

    const port = numberOf(fixture.ready, "port");
    const own = numberOf(truth, "own_count");
    assert.equal(own + numberOf(truth, "strange_count"), 3 * TIMES);
    assert.ok(own > TIMES && own < 2 * TIMES, `both sides listened, and one got everything: ${own}`);
    const peer = servedAt(measurements, port);
    assert.deepEqual([peer?.acceptCount, peer?.closeCount, peer?.openCount], [own, own, 0]);
    assert.equal(tracing.events.filter(({ kind }) => kind === "accept").length, own);
    assert.equal(queuesAt(measurements, port).length, 1, "it listened twice, on one port");
    assertBooks(measurements);
  },
);

kernelTest("a target goes on accepting when another one comes", REQUIRES, async () => {
  await using fixture = await shareAPort({ alone: 1 });
  await using other = await startFixture("sleeper", { duration_ms: DURATION_MS_MAX });
  const target = processTarget(fixture.processId);
  await using tracing = await Tracing.start([target]);
  tracing.setTargets([target, processTarget(other.processId)]);
  Deno.kill(fixture.processId, "SIGUSR1");
  await fixture.ended();
  const measurements = await tracing.finish();

  assert.equal(servedAt(measurements, numberOf(fixture.ready, "port"))?.acceptCount, TIMES);
  assertBooks(measurements);
});

kernelTest(
  "ports and listening sockets beyond the tables are counted as lost, and nothing else is",
  REQUIRES,
  async () => {
    await using fixture = await shareAPort({ alone: 1 });
    using _others = {
      listeners: [1, 2].map(() => Deno.listen({ hostname: "127.0.0.1", port: 0 })),
      [Symbol.dispose]() {
        for (const listener of this.listeners) listener.close();
      },
    };
    await using tracing = await Tracing.start([processTarget(fixture.processId)], {
      mapSizes: { listeners: 1, listen_queues: 1 },
    });
    Deno.kill(fixture.processId, "SIGUSR1");
    await fixture.ended();
    const { books } = await tracing.finish();

    const { listeners, connections } = books.ledger;
    assert.ok((listeners.dropped["map_full"] ?? 0) >= 2, JSON.stringify(listeners));
    assert.deepEqual([listeners.residual, connections.residual], [0, 0]);
    assert.equal(books.completeness.listeners.verdict, "partial");
  },
);
