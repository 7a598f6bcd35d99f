import { assert } from "../../../tests/support/assert.ts";
import type { PeerMeasurement } from "../../api/socket_measurements.ts";
import type { Severity } from "../../api/severity.ts";
import { buildLatency, buildPeer } from "../sections/test_input.ts";
import { buildFacts } from "../test_measurements.ts";
import { connectionChurn } from "./connection_churn.ts";
import { rttSpikes } from "./rtt_spikes.ts";

function factsOf(peer: PeerMeasurement, thresholds: { rttMs?: number } = {}) {
  const facts = buildFacts({
    processes: [{ processId: 100, command: "shop", threads: [{ threadId: 100 }] }],
    peers: [peer],
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

const trip = (minMs: number, maxMs: number): PeerMeasurement =>
  buildPeer({ roundTrip: { minMs, maxMs, lastMs: maxMs } });

const SPIKES: readonly (readonly [name: string, peer: PeerMeasurement, severity: Severity | undefined])[] = [
  ["a way that got slow", trip(1, 150), "warning"],
  ["a way exactly as slow as the threshold", trip(1, 100), "warning"],
  ["a way just below it", trip(1, 99.9), undefined],
  ["a peer that is far away", trip(120, 150), "info"],
  ["a peer without a known round trip", buildPeer(), undefined],
];

for (const [name, peer, severity] of SPIKES) {
  Deno.test(`rttSpikes() yields ${severity ?? "nothing"} for ${name}`, () => {
    assert.deepEqual(rttSpikes(factsOf(peer)).map((finding) => finding.severity), severity ? [severity] : []);
  });
}

Deno.test("rttSpikes() measures against the threshold it is given", () => {
  assert.equal(rttSpikes(factsOf(trip(1, 50), { rttMs: 40 })).length, 1);
  assert.equal(rttSpikes(factsOf(trip(1, 150), { rttMs: 200 })).length, 0);
});

Deno.test("rules of connections say nothing when what they read was not seen", () => {
  const facts = factsOf(buildPeer({ ...churning(950, 1), roundTrip: { minMs: 1, maxMs: 150, lastMs: 1 } }));
  assert.equal(connectionChurn(facts).length + rttSpikes(facts).length, 2);
  const blind = { verdict: "blind", reason: "no hook" } as const;
  const unseen = { ...facts, completeness: { ...facts.completeness, transfers: blind } };
  assert.deepEqual([...connectionChurn(unseen), ...rttSpikes(unseen)], []);
});
