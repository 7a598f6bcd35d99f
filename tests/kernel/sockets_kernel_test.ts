/**
 * What is measured of sockets against what programs know of themselves: bytes,
 * operations, errors, outcomes and times, over every kind of socket.
 *
 * @module
 */

import type { ConnectionMeasurement, PeerMeasurement, SocketEndpoint } from "../../engine/api/socket_measurements.ts";
import { CATEGORIES, type Measurements } from "../../engine/api/measurements.ts";
import { assert } from "../support/assert.ts";
import { numberOf, startFixture } from "../support/fixture_programs.ts";
import { kernelTest } from "../support/kernel.ts";
import { processTarget, Tracing, TRACING_REQUIREMENTS } from "../support/tracing.ts";
import { until } from "../support/until.ts";

const REQUIRES = { requires: TRACING_REQUIREMENTS };

/** Longer than any of these tests; they end their programs themselves. */
const DURATION_MS_MAX = 120_000;

const DELAY_MS = 2;
const TIMES = 40;
const REQUEST_BYTES = 100;
const ANSWER_BYTES = 200;

function describe(endpoint: SocketEndpoint | undefined): string {
  switch (endpoint?.kind) {
    case "peer":
      return `${endpoint.protocol} ${endpoint.address} ${endpoint.port}`;
    case "server":
      return `${endpoint.protocol} server ${endpoint.port}`;
    case "unixPeer":
    case "unixServer":
      return `${endpoint.kind} ${endpoint.path}`;
    case undefined:
      return "other";
  }
}

function peerOf({ peers }: Measurements, endpoint: string): PeerMeasurement {
  const found = peers.filter((peer) => describe(peer.endpoint) === endpoint);
  assert.equal(found.length, 1, `${endpoint} among ${peers.map((peer) => describe(peer.endpoint)).join(", ")}`);
  const [peer] = found;
  if (peer === undefined) throw new RangeError(`Cannot find ${endpoint}`);
  return peer;
}

function assertSocketBooks({ books }: Measurements): void {
  for (const category of CATEGORIES) {
    assert.equal(books.ledger[category].residual, 0, category);
    assert.deepEqual(books.ledger[category].dropped, {}, category);
  }
}

function totals(peer: Pick<PeerMeasurement, "sends" | "receives">) {
  return {
    sent: [peer.sends.operationCount, peer.sends.byteCount],
    received: [peer.receives.operationCount, peer.receives.byteCount],
  };
}

function exchanges(count: number) {
  return { sent: [count, count * REQUEST_BYTES], received: [count, count * ANSWER_BYTES] };
}

kernelTest(
  "every kind of socket is counted to the byte, the one opened before the look included",
  REQUIRES,
  async () => {
    await using fixture = await startFixture("socket_talker", {
      duration_ms: DURATION_MS_MAX,
      delay_ms: DELAY_MS,
      times: TIMES,
    });
    await using tracing = await Tracing.start([processTarget(fixture.processId)]);
    Deno.kill(fixture.processId, "SIGUSR1");
    const truth = await fixture.ended();
    const measurements = await tracing.finish();

    const port = numberOf(fixture.ready, "tcp_port");
    const four = peerOf(measurements, `tcp 127.0.0.1 ${port}`);
    // Old: TIMES, three on top of each other and two more; mapped: TIMES; the one that is reset sends one request more.
    const expected = exchanges(2 * TIMES + 5);
    assert.deepEqual(totals(four), {
      sent: [2 * TIMES + 6, (2 * TIMES + 6) * REQUEST_BYTES],
      received: expected.received,
    });
    assert.equal(four.role, "client");
    assert.deepEqual([four.receives.wouldBlockCount, four.receives.failedCount], [5, 1]);
    assert.deepEqual([four.receives.errors, four.sends.errors], [{ ECONNRESET: 1 }, { EPIPE: 1 }]);
    assert.deepEqual([four.connects.attemptCount, four.connects.establishedCount, four.connects.failedCount], [
      2,
      2,
      0,
    ]);
    assert.equal(four.connects.handshakes.count, 2);
    assert.deepEqual([four.closeCount, four.openCount, four.resetReceivedCount], [3, 0, 1]);

    assert.deepEqual([four.sends.operationBytesMax, four.receives.operationBytesMax], [REQUEST_BYTES, ANSWER_BYTES]);

    const six = peerOf(measurements, `tcp ::1 ${port}`);
    assert.deepEqual(totals(six), exchanges(TIMES));
    const datagrams = peerOf(measurements, `udp 127.0.0.1 ${numberOf(fixture.ready, "udp_port")}`);
    assert.deepEqual(totals(datagrams), exchanges(TIMES));
    assert.deepEqual([datagrams.sends.operationBytesMax, datagrams.receives.operationBytesMax], [
      REQUEST_BYTES,
      ANSWER_BYTES,
    ]);
    const local = peerOf(measurements, `unixPeer @${fixture.ready["unix_name"]}`);
    assert.deepEqual(totals(local), exchanges(TIMES));

    const refused = peerOf(measurements, `tcp 127.0.0.1 ${numberOf(fixture.ready, "closed_port")}`);
    assert.deepEqual([refused.connects.attemptCount, refused.connects.failures], [7, { ECONNREFUSED: 7 }]);
    assert.deepEqual(totals(refused), { sent: [0, 0], received: [0, 0] });
    assert.deepEqual([refused.sends.operationBytesMax, refused.receives.operationBytesMax], [0, 0]);

    assertResponses(measurements, { port, talkedMs: numberOf(truth, "talked_ms") });
    assertSocketBooks(measurements);
  },
);

kernelTest("a connection goes on through a change of its target's members, and is closed once", REQUIRES, async () => {
  await using fixture = await startFixture("socket_talker", { duration_ms: DURATION_MS_MAX, delay_ms: 1, times: 3 });
  await using other = await startFixture("sleeper", { duration_ms: DURATION_MS_MAX, in: "pause" });
  const target = processTarget(fixture.processId);
  const grown = { ...target, processIds: [...target.processIds, ...processTarget(other.processId).processIds] };
  await using tracing = await Tracing.start([target]);
  tracing.setTargets([grown]);
  tracing.setTargets([target]);
  tracing.setTargets([grown]);
  const measurements = await tracing.finish();
  await fixture.finish();

  const peer = peerOf(measurements, `tcp 127.0.0.1 ${numberOf(fixture.ready, "tcp_port")}`);
  assert.deepEqual([peer.openCount, peer.closeCount], [1, 0]);
  assertSocketBooks(measurements);
});

/** The peers took at least their delay; the program's own clock saw hardly more than we did. */
function assertResponses(measurements: Measurements, truth: { port: number; talkedMs: number }): void {
  for (const peer of measurements.peers) {
    const { count, totalMs, maxMs, buckets } = peer.responses;
    assert.equal(buckets.reduce((total, bucket) => total + bucket, 0), count);
    if (count === 0) continue;
    assert.ok(totalMs / count >= DELAY_MS, `${describe(peer.endpoint)}: ${totalMs / count} ms`);
    assert.ok(maxMs * count >= totalMs);
  }
  const four = peerOf(measurements, `tcp 127.0.0.1 ${truth.port}`);
  assert.ok(four.roundTrip !== undefined && four.roundTrip.minMs <= four.roundTrip.maxMs);
  // The three that overlapped are one exchange that is not measured, and so are the next ones until their answers came.
  assert.ok(four.unmeasuredResponseCount >= 1 && four.unmeasuredResponseCount <= 3, `${four.unmeasuredResponseCount}`);
  assert.ok(four.responses.count >= 2 * TIMES && four.responses.count <= 2 * TIMES + 2, `${four.responses.count}`);
  const old = measurements.connections.find(({ openedWallMs, remote }) =>
    openedWallMs === undefined && remote?.port === truth.port
  );
  assert.ok(old !== undefined, "the connection from before the window is not listed as such");
  // From send to receive is within what the program timed around them; what overlapped is in neither.
  assert.equal(old.responses.count, TIMES + 2);
  assert.ok(old.responses.totalMs <= truth.talkedMs, `${old.responses.totalMs} ms, ${truth.talkedMs} by its own clock`);
}

kernelTest("sockets and peers without a row of their own are counted together, and said to be", REQUIRES, async () => {
  await using fixture = await startFixture("socket_talker", {
    duration_ms: DURATION_MS_MAX,
    delay_ms: 0,
    times: TIMES,
  });
  await using tracing = await Tracing.start([processTarget(fixture.processId)], {
    mapSizes: { sockets: 2, peers: 2 }, // one of each is what takes the others
  });
  Deno.kill(fixture.processId, "SIGUSR1");
  await fixture.ended();
  const { peers, books } = await tracing.finish();

  // Five conversations, five exchanges more on the first, and the request that is answered by a reset.
  const sum = (figure: (peer: PeerMeasurement) => number) => peers.reduce((total, peer) => total + figure(peer), 0);
  assert.equal(sum(({ sends }) => sends.operationCount), 5 * TIMES + 6);
  assert.equal(sum(({ sends }) => sends.byteCount), (5 * TIMES + 6) * REQUEST_BYTES);
  assert.equal(sum(({ receives }) => receives.byteCount), (5 * TIMES + 5) * ANSWER_BYTES);
  assert.ok(peers.some(({ endpoint, processId }) => endpoint === undefined && processId === 0));
  const { transfers, connections } = books.ledger;
  assert.ok((transfers.dropped["key_overflow"] ?? 0) >= 2 * TIMES, JSON.stringify(transfers));
  assert.ok((connections.dropped["map_full"] ?? 0) > 0, JSON.stringify(connections));
  assert.deepEqual([transfers.residual, connections.residual], [0, 0]);
  assert.equal(books.completeness.transfers.verdict, "partial");
});

kernelTest("a connection has its addresses, as ss lists them, and its times", REQUIRES, async () => {
  await using fixture = await startFixture("slow_upstream", { duration_ms: DURATION_MS_MAX, delay_ms: 5 });
  await using tracing = await Tracing.start([processTarget(fixture.processId)]);
  await tracing.lasts(300);
  const listed = await ssConnections(fixture.processId);
  const measurements = await tracing.finish();

  const open = measurements.connections.filter(({ closedWallMs }) => closedWallMs === undefined);
  const addresses = open.map(({ local, remote }) =>
    `${local?.address}:${local?.port} ${remote?.address}:${remote?.port}`
  );
  assert.deepEqual(addresses.sort(), [...listed].sort());
  assert.ok(open.every((connection: ConnectionMeasurement) => connection.openedWallMs === undefined));
  assertSocketBooks(measurements);
});

/** "local remote" of every TCP connection of a process, as the kernel tells `ss`. */
async function ssConnections(processId: number): Promise<readonly string[]> {
  const { stdout } = await new Deno.Command("ss", { args: ["-tnpH", "state", "established"], stderr: "null" }).output();
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line.includes(`pid=${processId},`))
    .map((line) => line.trim().split(/\s+/).slice(2, 4).join(" "));
}

kernelTest(
  "a server's connections are its own: accepted in the window and before it, with the bytes of both",
  REQUIRES,
  async () => {
    const answered = 60;
    await using fixture = await startFixture("troubled_peer", {
      duration_ms: DURATION_MS_MAX,
      trouble: "none",
      as: "server",
    });
    const port = numberOf(fixture.ready, "upstream_port");
    using old = await Deno.connect({ hostname: "127.0.0.1", port });
    await ask(old);
    await using tracing = await Tracing.start([processTarget(fixture.processId)]);
    const accepted = await acceptedElsewhere(tracing);
    using fresh = await Deno.connect({ hostname: "127.0.0.1", port });
    for (let count = 0; count < answered; count++) {
      await ask(old);
      await ask(fresh);
    }
    const measurements = await tracing.finish();

    const peer = peerOf(measurements, `tcp server ${port}`);
    assert.equal(peer.role, "server");
    assert.ok(peer.acceptCount >= 1 + accepted);
    const ours = [old, fresh].map(({ localAddr }) =>
      measurements.connections.find(({ remote }) => remote?.port === (localAddr as Deno.NetAddr).port)
    );
    for (const connection of ours) {
      assert.ok(connection !== undefined, "a connection of ours is not listed");
      assert.equal(connection.role, "server");
      assert.deepEqual(connection.sent, { operationCount: answered, byteCount: answered });
      assert.deepEqual(connection.received, { operationCount: answered, byteCount: answered });
      assert.equal(connection.responses.count, answered);
    }
    assert.deepEqual(ours.map((connection) => connection?.openedWallMs === undefined), [true, false]);
    const queues = measurements.listenQueues.filter(({ endpoint }) => describe(endpoint) === `tcp server ${port}`);
    assert.deepEqual(queues.map(({ backlogMax, droppedCount, address }) => [backlogMax, droppedCount, address]), [
      [64, 0, "127.0.0.1"],
    ]);
    assertSocketBooks(measurements);
  },
);

/** The fixture's own callers connect all the time. */
async function acceptedElsewhere(tracing: Tracing): Promise<number> {
  const accepts = () => tracing.events.filter(({ kind }) => kind === "accept").length;
  await until(() => accepts() >= 3, { what: "its own callers are accepted" });
  return accepts();
}

async function ask(connection: Deno.Conn): Promise<void> {
  await connection.write(new Uint8Array([63]));
  const read = await connection.read(new Uint8Array(8));
  assert.equal(read, 1);
}
