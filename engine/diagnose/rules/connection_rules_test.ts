import { assert } from "../../../tests/support/assert.ts";
import type { ConnectionMeasurement, PeerMeasurement } from "../../api/socket_measurements.ts";
import type { Severity } from "../../api/severity.ts";
import { buildConnection, buildLatency, buildPeer } from "../sections/test_input.ts";
import { buildFacts } from "../test_measurements.ts";
import { connectionChurn } from "./connection_churn.ts";
import { rttSpikes } from "./rtt_spikes.ts";

function factsOf(
  peer: PeerMeasurement,
  { connections = [], ...thresholds }: { rttMs?: number; connections?: readonly ConnectionMeasurement[] } = {},
) {
  const facts = buildFacts({
    processes: [{ processId: 100, command: "shop", threads: [{ threadId: 100 }] }],
    peers: [peer],
    connections,
  });
  return { ...facts, thresholds: { ...facts.thresholds, ...thresholds } };
}

/** `count` connections in 10 s, each for `exchanges`. */
function churning(count: number, exchanges: number, overrides: Parameters<typeof buildPeer>[0] = {}): PeerMeasurement {
  return buildPeer({
    connects: { attemptCount: count, establishedCount: count, handshakes: buildLatency([1, 1]) },
    responses: { ...buildLatency(), count: Math.round(count * exchanges) },
    closeCount: count,
    ...overrides,
  });
}

const CHURN: readonly (readonly [name: string, peer: PeerMeasurement, severity: Severity | undefined])[] = [
  ["3 connections a second, one exchange each", churning(30, 1), "info"],
  ["95 a second: a fifth of the ports at rest", churning(950, 1), "warning"],
  ["93 a second: just below", churning(930, 1), "info"],
  ["400 a second: most of the ports at rest", churning(4000, 1), "error"],
  ["connections that are not even used", churning(100, 0), "info"],
  ["connections that serve one and a half exchanges", churning(100, 1.5), "info"],
  ["connections that serve two exchanges", churning(100, 2), undefined],
  ["a start with 19 connections", churning(19, 1), undefined],
  ["20 connections in 10 s", churning(20, 1), "info"],
  ["connections that others open to us", churning(950, 1, { role: "server" }), undefined],
  [
    "a unix socket: it has no ports",
    churning(950, 1, { endpoint: { kind: "unixPeer", id: "7", path: "/run/a" } }),
    undefined,
  ],
];

for (const [name, peer, severity] of CHURN) {
  Deno.test(`connectionChurn() yields ${severity ?? "nothing"} for ${name}`, () => {
    assert.deepEqual(connectionChurn(factsOf(peer)).map((finding) => finding.severity), severity ? [severity] : []);
  });
}

Deno.test("connectionChurn() says how often, how much use, and what the handshakes cost", () => {
  const [finding] = connectionChurn(factsOf(churning(950, 1)));
  assert.equal(
    finding?.title,
    "95.0 connections a second are opened to 10.0.0.9:5432, each for 1.0 exchanges; their handshakes took 2.00 ms.",
  );
  assert.deepEqual(finding?.evidence.notes, [
    "950 connections in the window, 950 closed; at this rate 20% of the default local ports rest in TIME_WAIT",
  ]);
});

/** Connections with the round-trip times of each: best, worst, latest. */
function trips(
  times: readonly (readonly [minMs: number, maxMs: number, lastMs: number])[],
  { role = "client", operationCount = 50 }: { readonly role?: "client" | "server"; readonly operationCount?: number } =
    {},
): readonly ConnectionMeasurement[] {
  return times.map(([minMs, maxMs, lastMs]) =>
    buildConnection({
      role,
      ...(role === "server" ? { endpoint: { kind: "server", protocol: "tcp", port: 8080 } } : {}),
      sent: { operationCount, byteCount: 0 },
      received: { operationCount, byteCount: 0 },
      roundTrip: { minMs, maxMs, lastMs },
    })
  );
}

const few = (role: "client" | "server") => ({ role, operationCount: 2 });
const repeat = <T>(count: number, entry: T): readonly T[] => new Array<T>(count).fill(entry);
const SERVER = { role: "server" } as const;

const SPIKES: readonly (readonly [
  name: string,
  connections: readonly ConnectionMeasurement[],
  severity: Severity | undefined,
])[] = [
  ["a way that got slow", trips([[1, 150, 150]]), "warning"],
  ["a way that got slow and quick again", trips([[1, 150, 2]]), "info"],
  ["a way that gets slow and quick again on three connections", trips(repeat(3, [1, 150, 2])), "warning"],
  ["a way exactly as slow as the threshold", trips([[1, 100, 100]]), "warning"],
  ["a way just below it", trips([[1, 99.9, 99.9]]), undefined],
  ["one connection with hardly an exchange", trips([[1, 150, 150]], few("client")), undefined],
  [
    "three new connections of which each was slow",
    trips([[1, 1, 1], ...repeat(3, [150, 150, 150] as const)], few("client")),
    "warning",
  ],
  ["one slow connection of 20", trips([[1, 150, 150], ...repeat(19, [1, 2, 2] as const)]), "warning"],
  ["one slow connection of 21", trips([[1, 150, 150], ...repeat(20, [1, 2, 2] as const)]), undefined],
  ["a peer that is far away", trips([[120, 150, 130]]), "info"],
  ["a far peer, asked once", trips([[120, 120, 120]], few("client")), undefined],
  ["a near and a far client", trips([[1, 2, 2], [149, 160, 150]], SERVER), undefined],
  ["a near client and many far ones", trips([[1, 2, 2], ...repeat(30, [149, 160, 150] as const)], SERVER), undefined],
  ["clients of which one got slow", trips([[1, 150, 150], [1, 2, 2]], SERVER), "warning"],
  ["clients of which one got slow with hardly an exchange", trips([[1, 150, 150]], few("server")), undefined],
  ["a peer without a known round trip", [buildConnection()], undefined],
];

for (const [name, connections, severity] of SPIKES) {
  Deno.test(`rttSpikes() yields ${severity ?? "nothing"} for ${name}`, () => {
    const facts = factsOf(buildPeer(), { connections });
    assert.deepEqual(rttSpikes(facts).map((finding) => finding.severity), severity ? [severity] : []);
  });
}

Deno.test("rttSpikes() says how many connections, and how slow the slowest of them was", () => {
  const connections = trips([[1, 150, 120], [2, 170, 3], [1, 2, 2], [149, 160, 150]], SERVER);
  const [finding] = rttSpikes(factsOf(buildPeer(), { connections }));
  assert.equal(
    finding?.title,
    "Round trips to clients of tcp port 8080 went up to 170.00 ms (smoothed), from 1.00 ms at best.",
  );
  assert.deepEqual(finding?.evidence.notes, [
    "on 2 of 4 connections; the slowest was last seen at 3.00 ms; 0 retransmits on them; threshold 100 ms",
  ]);
});

Deno.test("rttSpikes() measures against the threshold it is given", () => {
  assert.equal(rttSpikes(factsOf(buildPeer(), { connections: trips([[1, 50, 50]]), rttMs: 40 })).length, 1);
  assert.equal(rttSpikes(factsOf(buildPeer(), { connections: trips([[1, 150, 150]]), rttMs: 200 })).length, 0);
});

Deno.test("rules of connections say nothing when what they read was not seen", () => {
  const facts = factsOf(churning(950, 1), { connections: trips([[1, 150, 150]]) });
  assert.equal(connectionChurn(facts).length + rttSpikes(facts).length, 2);
  const blind = { verdict: "blind", reason: "no hook" } as const;
  const unseen = { ...facts, completeness: { ...facts.completeness, transfers: blind } };
  assert.deepEqual([...connectionChurn(unseen), ...rttSpikes(unseen)], []);
});
