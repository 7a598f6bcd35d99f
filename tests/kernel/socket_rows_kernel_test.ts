/**
 * What is counted of a socket stays that socket's: when its address is used
 * again, when nobody looked for a while, when its process belongs to another
 * target, when the tables are full and when its process has ended.
 *
 * @module
 */

import type { Measurements } from "../../engine/api/measurements.ts";
import { DEFAULT_PLANES, type Plane } from "../../engine/api/plane.ts";
import type { PeerMeasurement } from "../../engine/api/socket_measurements.ts";
import { assert } from "../support/assert.ts";
import { type FixtureSettings, type RunningFixture, startFixture } from "../support/fixture_programs.ts";
import { kernelTest } from "../support/kernel.ts";
import { processTarget, Tracing, TRACING_REQUIREMENTS } from "../support/tracing.ts";
import { until } from "../support/until.ts";
import { cgroupTarget, makeNestedCgroups, moveProcess } from "../support/v2_cgroup.ts";

const REQUIRES = { requires: TRACING_REQUIREMENTS };
const REQUIRES_CGROUP = { requires: [...TRACING_REQUIREMENTS, "cgroup_v2", "root"] as const };

/** Longer than any of these tests; they end their programs themselves. */
const DURATION_MS_MAX = 120_000;

const WITHOUT_SOCKETS: ReadonlySet<Plane> = new Set([...DEFAULT_PLANES].filter((plane) => plane !== "sockets"));

/** Answers every byte with a byte. */
class EchoServer implements AsyncDisposable {
  acceptedCount = 0;
  answeredCount = 0;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Deno.Conn>();
  readonly #work: Promise<void>;

  constructor() {
    this.#work = this.#serve();
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  async #serve(): Promise<void> {
    const work: Promise<void>[] = [];
    for await (const connection of this.#listener) {
      this.acceptedCount++;
      this.#connections.add(connection);
      work.push(this.#answer(connection).catch(() => {})); // whoever leaves in between leaves
    }
    await Promise.all(work);
  }

  async #answer(connection: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(64);
    try {
      for (let count = await connection.read(buffer); count !== null; count = await connection.read(buffer)) {
        await connection.write(buffer.subarray(0, count));
        this.answeredCount += count;
      }
    } finally {
      this.#connections.delete(connection);
      connection.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) await connection.closeWrite().catch(() => {});
    await this.#work;
  }
}

async function startMoves(
  servers: { readonly first: EchoServer; readonly second: EchoServer },
  settings: FixtureSettings = {},
): Promise<RunningFixture> {
  const { first, second } = servers;
  return await startFixture("socket_moves", {
    duration_ms: DURATION_MS_MAX,
    first_port: first.port,
    second_port: second.port,
    ...settings,
  });
}

function peersAt({ peers }: Measurements, { port }: EchoServer): readonly PeerMeasurement[] {
  return peers.filter(({ endpoint }) => endpoint?.kind === "peer" && endpoint.port === port);
}

function sentBytes(measurements: Measurements, server: EchoServer): number {
  return peersAt(measurements, server).reduce((total, { sends }) => total + sends.byteCount, 0);
}

function assertBooks({ books }: Measurements): void {
  for (const [category, { residual, dropped }] of Object.entries(books.ledger)) {
    assert.deepEqual([category, residual, dropped], [category, 0, {}]);
  }
}

const COUNT = 16;

kernelTest("a Multipath TCP socket at the address of an earlier one is another one", REQUIRES, async () => {
  await using first = new EchoServer();
  await using second = new EchoServer();
  await using fixture = await startMoves({ first, second }, { protocol: "mptcp", at_once: 1, count: COUNT });
  await using tracing = await Tracing.start([processTarget(fixture.processId)]);
  Deno.kill(fixture.processId, "SIGUSR1");
  await until(() => second.answeredCount === COUNT, { what: "everything was answered" });
  await fixture.finish();
  const measurements = await tracing.finish();

  assert.deepEqual([sentBytes(measurements, first), sentBytes(measurements, second)], [COUNT, COUNT]);
  assertBooks(measurements);
});

kernelTest(
  "sockets that came while nobody looked are not taken for those that were there before",
  REQUIRES,
  async () => {
    await using first = new EchoServer();
    await using second = new EchoServer();
    await using fixture = await startMoves({ first, second }, { count: COUNT });
    const target = processTarget(fixture.processId);
    await using tracing = await Tracing.start([target]);
    Deno.kill(fixture.processId, "SIGUSR1");
    Deno.kill(fixture.processId, "SIGUSR2");
    await until(() => first.answeredCount === COUNT, { what: "the first answered everything" });
    tracing.setTargets([target], WITHOUT_SOCKETS);
    Deno.kill(fixture.processId, "SIGUSR1"); // the same addresses again, as a rule
    await until(() => second.acceptedCount === COUNT, { what: "the second accepted everything" });
    tracing.setTargets([target], DEFAULT_PLANES);
    Deno.kill(fixture.processId, "SIGUSR2");
    await until(() => second.answeredCount === COUNT, { what: "the second answered everything" });
    await fixture.finish();
    const measurements = await tracing.finish();

    assert.deepEqual([sentBytes(measurements, first), sentBytes(measurements, second)], [COUNT, COUNT]);
    const [there] = peersAt(measurements, first);
    // They were closed unseen: neither open, nor known to be closed.
    assert.deepEqual([there?.openCount, there?.closeCount, there?.connects.establishedCount], [0, 0, COUNT]);
    assert.equal(peersAt(measurements, second)[0]?.closeCount, COUNT);
  },
);

kernelTest("sockets follow their process to an inner target that is added later", REQUIRES_CGROUP, async () => {
  await using first = new EchoServer();
  await using second = new EchoServer();
  await using groups = await makeNestedCgroups();
  await using fixture = await startMoves({ first, second }, { count: COUNT });
  await moveProcess(fixture.processId, groups.inner);
  const [outer, inner] = [cgroupTarget(groups.outer), cgroupTarget(groups.inner)];
  await using tracing = await Tracing.start([outer]);
  Deno.kill(fixture.processId, "SIGUSR1");
  Deno.kill(fixture.processId, "SIGUSR2");
  await until(() => first.answeredCount === COUNT, { what: "the first answered everything" });
  tracing.setTargets([outer, inner]);
  Deno.kill(fixture.processId, "SIGUSR2");
  await until(() => first.answeredCount === 2 * COUNT, { what: "the first answered everything again" });
  await fixture.finish();
  const measurements = await tracing.finish();

  const peers = peersAt(measurements, first);
  const told = peers.map(({ targetId, sends, openCount, closeCount }) => ({
    targetId,
    sent: sends.byteCount,
    openCount,
    closeCount,
  }));
  assert.deepEqual(told.find(({ targetId }) => targetId === outer.id), {
    targetId: outer.id,
    sent: COUNT,
    openCount: 0,
    closeCount: 0,
  });
  assert.deepEqual(told.find(({ targetId }) => targetId === inner.id), {
    targetId: inner.id,
    sent: COUNT,
    openCount: 0,
    closeCount: COUNT,
  });
  assertBooks(measurements);
});

kernelTest(
  "peers and errors without room of their own are counted among the others, and said to be",
  REQUIRES,
  async () => {
    await using first = new EchoServer();
    await using second = new EchoServer();
    await using fixture = await startMoves({ first, second }, { at_once: 1, count: COUNT });
    await using talker = await startFixture("socket_talker", { duration_ms: DURATION_MS_MAX, delay_ms: 0, times: 2 });
    await using tracing = await Tracing.start([processTarget(fixture.processId), processTarget(talker.processId)], {
      mapSizes: { peers: 2, socket_errors: 4 }, // the others' own, and one more of each
    });
    Deno.kill(fixture.processId, "SIGUSR1");
    Deno.kill(talker.processId, "SIGUSR1");
    await until(() => second.answeredCount === COUNT, { what: "everything was answered" });
    await talker.ended();
    await fixture.finish();
    const { peers, books } = await tracing.finish();

    const { connections } = books.ledger;
    assert.equal(connections.residual, 0);
    assert.ok((connections.dropped["key_overflow"] ?? 0) >= COUNT, JSON.stringify(connections));
    assert.equal(books.completeness.connections.verdict, "partial");
    const errors = peers.flatMap(({ sends, receives, connects }) => [sends.errors, receives.errors, connects.failures]);
    const count = errors.flatMap((byName) => Object.values(byName)).reduce((total, number) => total + number, 0);
    assert.equal(count, 9, `seven refusals, a reset and a broken pipe: ${JSON.stringify(errors)}`);
    assert.ok(errors.some(({ other = 0 }) => other > 0), JSON.stringify(errors));
  },
);
