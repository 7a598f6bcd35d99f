/**
 * Connects that no socket's state tells of: refused before anything was sent,
 * and those of unix sockets. Seen where operations are looked at call by call.
 *
 * @module
 */

import { DEFAULT_PLANES, NOT_ASKED_FOR, type Plane } from "../../engine/api/plane.ts";
import type { PeerMeasurement } from "../../engine/api/socket_measurements.ts";
import { assert } from "../support/assert.ts";
import { startFixture } from "../support/fixture_programs.ts";
import { kernelTest } from "../support/kernel.ts";
import { processTarget, Tracing, TRACING_REQUIREMENTS } from "../support/tracing.ts";

/** Longer than any of these tests; they end their programs themselves. */
const DURATION_MS_MAX = 120_000;

const TIMES = 5;

async function peersOfFailingConnects(planes: ReadonlySet<Plane>): Promise<readonly PeerMeasurement[]> {
  const folder = await Deno.makeTempDir({ prefix: "podtrace-test-" });
  await using owned = new AsyncDisposableStack();
  owned.defer(() => Deno.remove(folder, { recursive: true }));
  await using fixture = await startFixture("failing_connects", { duration_ms: DURATION_MS_MAX, folder, times: TIMES });
  await using tracing = await Tracing.start([processTarget(fixture.processId)], { planes });
  Deno.kill(fixture.processId, "SIGUSR1");
  await fixture.ended();
  const { peers, books } = await tracing.finish();
  const verdict = books.completeness.connectCalls;
  if (planes.has("files")) assert.deepEqual(verdict, { verdict: "complete" });
  else assert.deepEqual(verdict, { verdict: "blind", reason: NOT_ASKED_FOR });
  for (const [category, { residual, dropped }] of Object.entries(books.ledger)) {
    assert.deepEqual([category, residual, dropped], [category, 0, {}]);
  }
  return peers;
}

/** "unix absent" or "tcp 4242", what became of the connects, and how many were timed. */
function told({ endpoint, connects }: PeerMeasurement) {
  const name = endpoint?.kind === "unixPeer" || endpoint?.kind === "unixServer"
    ? `unix ${endpoint.path?.split("/").at(-1)}`
    : endpoint?.kind === "peer"
    ? `${endpoint.protocol} ${endpoint.address} ${endpoint.port}`
    : "other";
  const { attemptCount, failedCount, failures, handshakes } = connects;
  return [name, { attemptCount, failedCount, failures, handshakeCount: handshakes.count }] as const;
}

function failed(name: string) {
  return { attemptCount: TIMES, failedCount: TIMES, failures: { [name]: TIMES }, handshakeCount: 0 };
}

kernelTest(
  "connects that are refused before anything is sent, and those of unix sockets, have their outcome",
  { requires: TRACING_REQUIREMENTS },
  async () => {
    const peers = await peersOfFailingConnects(new Set<Plane>([...DEFAULT_PLANES, "files"]));
    assert.deepEqual(Object.fromEntries(peers.map(told)), {
      "tcp 255.255.255.255 4242": failed("ENETUNREACH"),
      "udp 255.255.255.255 4242": failed("EACCES"),
      "unix absent": failed("ENOENT"),
      "unix silent": failed("ECONNREFUSED"),
      "unix served": { attemptCount: TIMES, failedCount: 0, failures: {}, handshakeCount: TIMES },
    });
  },
);

kernelTest("a connect that its socket's state tells of is not counted again for its call", {
  requires: TRACING_REQUIREMENTS,
}, async () => {
  await using fixture = await startFixture("socket_talker", { duration_ms: DURATION_MS_MAX, delay_ms: 0, times: 1 });
  const planes = new Set<Plane>([...DEFAULT_PLANES, "files"]);
  await using tracing = await Tracing.start([processTarget(fixture.processId)], { planes });
  Deno.kill(fixture.processId, "SIGUSR1");
  await fixture.ended();
  const { peers } = await tracing.finish();

  const connects = Object.fromEntries(peers.map(told));
  const closed = connects[`tcp 127.0.0.1 ${fixture.ready["closed_port"]}`];
  assert.deepEqual([closed?.attemptCount, closed?.failures], [7, { ECONNREFUSED: 7 }]);
  const [four, six] = ["127.0.0.1", "::1"].map((address) => connects[`tcp ${address} ${fixture.ready["tcp_port"]}`]);
  assert.deepEqual([four?.attemptCount, six?.attemptCount], [2, 1]);
  const local = connects[`unix @${fixture.ready["unix_name"]}`];
  assert.deepEqual([local?.attemptCount, local?.failedCount], [1, 0]);
});

kernelTest("without looking at calls they are not seen, and nothing else is made of them", {
  requires: TRACING_REQUIREMENTS,
}, async () => {
  assert.deepEqual(await peersOfFailingConnects(DEFAULT_PLANES), []);
});
