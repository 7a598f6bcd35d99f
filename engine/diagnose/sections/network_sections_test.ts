import { assert } from "../../../tests/support/assert.ts";
import { connectionPatternFigures, renderConnectionPatterns } from "./connection_patterns.ts";
import { connectionFigures, renderConnections } from "./connections.ts";
import { networkPatternFigures, renderNetworkPattern } from "./network_pattern.ts";
import { peerFigures, renderPeers } from "./peers.ts";
import { renderTcp, tcpFigures } from "./tcp.ts";
import { buildConnection, buildLatency, buildPeer, buildSectionInput } from "./test_input.ts";
import { renderUdp, udpFigures } from "./udp.ts";

const DATABASE = buildPeer({
  sends: { operationCount: 300, byteCount: 30_000, operationBytesMax: 900 },
  receives: {
    operationCount: 100,
    byteCount: 970_000,
    operationBytesMax: 65_536,
    wouldBlockCount: 20,
    failedCount: 4,
    errors: { ECONNRESET: 4 },
  },
  responses: buildLatency([1, 1, 1, 40]),
  retransmitCount: 5,
  segmentCount: 1000,
  connects: {
    attemptCount: 10,
    establishedCount: 7,
    failedCount: 2,
    pendingCount: 1,
    failures: { ECONNREFUSED: 2 },
    handshakes: buildLatency([2, 2, 2, 2, 2, 2, 8]),
  },
  resetReceivedCount: 1,
  closeCount: 6,
});
const CLIENTS = buildPeer({
  role: "server",
  endpoint: { kind: "server", protocol: "tcp", port: 8080 },
  sends: { operationCount: 50, byteCount: 5000, operationBytesMax: 400 },
  receives: { operationCount: 50, byteCount: 5000, operationBytesMax: 100 },
  responses: buildLatency([3]),
  acceptCount: 12,
  openCount: 2,
});
const RESOLVER = buildPeer({
  endpoint: { kind: "peer", protocol: "udp", address: "10.0.0.53", port: 53 },
  sends: { operationCount: 8, byteCount: 400 },
  receives: { operationCount: 7, byteCount: 700 },
  responses: buildLatency([5, 5]),
});
const UNIX = buildPeer({
  endpoint: { kind: "unixPeer", id: "77", path: "/run/app.sock" },
  sends: { operationCount: 1, byteCount: 10 },
});
const WORLD = {
  processes: [{ processId: 100, command: "shop", threads: [{ threadId: 100 }] }],
  peers: [DATABASE, CLIENTS, RESOLVER, UNIX],
  connections: [1, 2, 3, 150].map((lastMs) => buildConnection({ roundTrip: { lastMs, minMs: 1, maxMs: lastMs } })),
};

Deno.test("tcpFigures() counts TCP alone, and takes round-trip times from the sockets, one per connection", () => {
  const figures = tcpFigures(buildSectionInput(WORLD));
  assert.deepEqual(
    { ...figures, responses: undefined, served: figures?.served?.count },
    {
      send_operations: 350,
      receive_operations: 150,
      sends_per_second: 35,
      receives_per_second: 15,
      would_block: 20,
      errors: 4,
      error_rate: 4 / 504 * 100,
      error_breakdown: { ECONNRESET: 4 },
      sent_bytes: 35_000,
      received_bytes: 975_000,
      total_bytes: 1_010_000,
      avg_bytes: 2020,
      peak_bytes: 65_536,
      bytes_per_second: 101_000,
      rtt_connections: 4,
      avg_rtt_ms: 39,
      max_rtt_ms: 150,
      p50_ms: 2,
      p95_ms: 3,
      p99_ms: 3,
      rtt_spikes: 1,
      rtt_threshold_ms: 100,
      retransmits: 5,
      segments: 1000,
      retransmit_rate: 0.5,
      responses: undefined,
      served: 1,
      unmeasured_responses: 0,
    },
  );
  assert.deepEqual([figures?.responses?.count, figures?.responses?.avg_ms, figures?.responses?.max_ms], [4, 10.75, 40]);
  // The true median is 1 ms: its bucket is [0.512, 1.024) ms.
  assert.equal(figures?.responses?.p50_ms, 1.024);
});

Deno.test("tcpFigures() draws the line of round-trip spikes where it is told to, and says where", () => {
  const input = buildSectionInput(WORLD);
  const figures = tcpFigures({ ...input, thresholds: { ...input.thresholds, rttMs: 2 } });
  assert.deepEqual([figures?.rtt_spikes, figures?.rtt_threshold_ms], [2, 2]);
  assert.ok(figures !== undefined && renderTcp(figures).includes("RTT spikes (> 2 ms): 2"));
});

Deno.test("every network section stays away where nothing of its kind happened", () => {
  const quiet = buildSectionInput({ ...WORLD, peers: [UNIX], connections: [] });
  assert.equal(tcpFigures(quiet), undefined);
  assert.equal(udpFigures(quiet), undefined);
  assert.equal(connectionFigures(quiet), undefined);
  assert.equal(connectionPatternFigures(quiet), undefined);
  assert.equal(networkPatternFigures(quiet), undefined);
  assert.equal(peerFigures(buildSectionInput()), undefined);
});

Deno.test("renderTcp() tells figures with their units, errors only where there are any", () => {
  const figures = tcpFigures(buildSectionInput(WORLD));
  assert.deepEqual(figures && renderTcp(figures), [
    "Send operations: 350 (35.0/s, 34.18 KB), receive operations: 150 (15.0/s, 952.15 KB)",
    "Average 1.97 KB per operation, at most 64.00 KB, throughput 98.63 KB/s, would block 20 times",
    "Errors: 4 (0.8%): ECONNRESET 4",
    "Smoothed RTT of 4 connections: average 39.00 ms, P50 2.00 ms, P95 3.00 ms, P99 3.00 ms, max 150.00 ms",
    "RTT spikes (> 100 ms): 1",
    "Retransmits: 5 (0.5% of segments)",
    "Response time of peers (4): average 10.75 ms, P50 <= 1.02 ms, P95 <= 1.02 ms, P99 <= 1.02 ms, max 40.00 ms",
    "Own response time (1): average 3.00 ms, P50 <= 3.00 ms, P95 <= 3.00 ms, P99 <= 3.00 ms, max 3.00 ms",
  ]);
  const healthy = tcpFigures(buildSectionInput({ peers: [CLIENTS] }));
  assert.ok(healthy !== undefined && renderTcp(healthy).every((line) => !/Errors|Retransmits|RTT/.test(line)));
});

Deno.test("tcpFigures() leaves out the largest operation where nobody recorded it", () => {
  const old = { ...CLIENTS, sends: { ...CLIENTS.sends, operationBytesMax: 0 } };
  const figures = tcpFigures(buildSectionInput({ peers: [old] }));
  assert.equal(figures?.peak_bytes, undefined);
  assert.ok(figures !== undefined && renderTcp(figures).every((line) => !line.includes("at most")));
});

Deno.test("tcpFigures() never tells of more retransmits than segments", () => {
  const rateOf = (retransmitCount: number, segmentCount: number) =>
    tcpFigures(
      buildSectionInput({ peers: [buildPeer({ sends: { operationCount: 1 }, retransmitCount, segmentCount })] }),
    )?.retransmit_rate;
  assert.deepEqual([rateOf(5, 20), rateOf(20, 20), rateOf(7, 1), rateOf(7, 0)], [25, 100, 100, 0]);
});

Deno.test("udpFigures() counts UDP alone", () => {
  const figures = udpFigures(buildSectionInput(WORLD));
  assert.deepEqual([figures?.send_operations, figures?.receive_operations, figures?.total_bytes], [8, 7, 1100]);
  assert.equal(
    figures && renderUdp(figures).at(-1),
    "Response time of peers (2): average 5.00 ms, P50 <= 5.00 ms, P95 <= 5.00 ms, P99 <= 5.00 ms, max 5.00 ms",
  );
});

Deno.test("connectionFigures() tells outcomes, the handshake of those that were established, and every target", () => {
  const figures = connectionFigures(buildSectionInput(WORLD));
  assert.deepEqual(figures, {
    total_connections: 10,
    rate_per_second: 1,
    avg_latency_ms: 20 / 7,
    max_latency_ms: 8,
    p50_ms: 2.048,
    p95_ms: 2.048,
    p99_ms: 2.048,
    established: 7,
    failed: 2,
    pending: 1,
    failure_rate: 2 / 9 * 100, // one of ten is not decided
    error_breakdown: { ECONNREFUSED: 2 },
    top_targets: [{ Target: "10.0.0.9:5432", Count: 10 }],
    accepted: 12,
    closed: 6,
    resets_received: 1,
    resets_sent: 0,
    open_at_end: 3,
  });
  assert.deepEqual(figures && renderConnections(figures), [
    "Total connections: 10 (1.0/s), established 7, failed 2 (22.2%), pending 1",
    "Handshake: average 2.86 ms, P50 <= 2.05 ms, P95 <= 2.05 ms, P99 <= 2.05 ms, max 8.00 ms",
    "Error breakdown: ECONNREFUSED 2",
    "Top connection targets: 10.0.0.9:5432 (10)",
    "Connection states: accepted 12, closed 6, reset by peers 1, reset by us 0, open at the end 3",
  ]);
});

Deno.test("connectionFigures() keeps all targets, most first, and shows five", () => {
  const peers = [1, 2, 3, 4, 5, 6, 7].map((attemptCount) =>
    buildPeer({
      endpoint: { kind: "peer", protocol: "tcp", address: `10.0.0.${attemptCount}`, port: 80 },
      connects: { attemptCount },
    })
  );
  const figures = connectionFigures(buildSectionInput({ peers }));
  assert.deepEqual(figures?.top_targets.map(({ Count }) => Count), [7, 6, 5, 4, 3, 2, 1]);
  const line = figures && renderConnections(figures).find((text) => text.startsWith("Top"));
  assert.ok(line?.endsWith("10.0.0.3:80 (3) and 2 more"), line);
});

Deno.test("connectionPatternFigures() tells steady, bursty and sporadic apart by the true standard deviation", () => {
  const every = (stepMs: number) => Array.from({ length: 10_000 / stepMs }, (_, index) => index * stepMs + 1);
  const table: readonly (readonly [pattern: string, openedAfterMs: readonly number[], peak: number])[] = [
    ["steady", every(100), 10],
    ["bursty", Array.from({ length: 50 }, () => 4200), 50],
    ["sporadic", [...every(1000), ...[1500, 2500, 3500].map((at) => at)], 2],
  ];
  for (const [pattern, opened, peak] of table) {
    const connections = opened.map((openedAfterMs) => buildConnection({ openedAfterMs }));
    const figures = connectionPatternFigures(buildSectionInput({ connections }));
    assert.equal(figures?.pattern, pattern);
    assert.deepEqual([figures?.window_ms, figures?.connections, figures?.peak_rate_per_second], [
      1000,
      opened.length,
      peak,
    ]);
    assert.equal(figures?.unique_targets, 1);
  }
});

Deno.test("connectionPatternFigures() leaves out what others opened, and what was open before", () => {
  const connections = [buildConnection(), buildConnection({ role: "server", openedAfterMs: 10 })];
  assert.equal(connectionPatternFigures(buildSectionInput({ connections })), undefined);
  const figures = connectionPatternFigures(
    buildSectionInput({ connections: [buildConnection({ openedAfterMs: 10 })] }),
  );
  assert.deepEqual(figures && renderConnectionPatterns({ ...figures, not_counted: 3 }), [
    "Pattern: bursty, average 0.1/s, peak 1.0/s, unique targets 1; 3 more connections are not in this",
  ]);
});

Deno.test("networkPatternFigures() has no ratio where nothing was received", () => {
  const both = networkPatternFigures(buildSectionInput(WORLD));
  assert.deepEqual(both, { send_receive_ratio: 350 / 150, operations_per_second: 50 });
  const peers = [buildPeer({ sends: { operationCount: 5 } })];
  const oneWay = networkPatternFigures(buildSectionInput({ peers }));
  assert.deepEqual(oneWay && renderNetworkPattern(oneWay), ["nothing received, average 0.5 operations/s"]);
});

Deno.test("renderPeers() counts open sockets that nothing happened to", () => {
  const silent = buildPeer({ endpoint: { kind: "unixPeer", id: "9", path: undefined } });
  const figures = peerFigures(buildSectionInput({ ...WORLD, peers: [UNIX, silent, silent] }));
  assert.deepEqual(figures && renderPeers(figures), [
    "unix socket /run/app.sock, asked by shop (100): sent 1 (10 B), received 0 (0 B)",
    "2 peers with nothing exchanged",
  ]);
});

Deno.test("peerFigures() has a row for every peer, the busiest first, unix sockets included", () => {
  const figures = peerFigures(buildSectionInput(WORLD));
  assert.deepEqual(figures?.map(({ target, role }) => [target, role]), [
    ["10.0.0.9:5432", "client"],
    ["clients of tcp port 8080", "server"],
    ["10.0.0.53:53 (udp)", "client"],
    ["unix socket /run/app.sock", "client"],
  ]);
  assert.deepEqual(figures && renderPeers(figures).slice(0, 2), [
    "10.0.0.9:5432, asked by shop (100): sent 300 (29.30 KB), received 100 (947.27 KB), 10 connects, 2 failed, handshake 2.86 ms, " +
    "answers 10.75 ms, P95 <= 1.02 ms, 5 retransmits, 1 reset, 4 errors",
    "clients of tcp port 8080, served by shop (100): sent 50 (4.88 KB), received 50 (4.88 KB), accepted 12, answers 3.00 ms, P95 <= 3.00 ms",
  ]);
});
