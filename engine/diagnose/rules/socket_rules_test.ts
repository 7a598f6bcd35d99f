import { assert } from "../../../tests/support/assert.ts";
import type { ListenQueueMeasurement, PeerMeasurement } from "../../api/socket_measurements.ts";
import type { Severity } from "../../api/severity.ts";
import type { TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { buildLatency, buildPeer } from "../sections/test_input.ts";
import { buildFacts, PEER, TARGET_ID, type WaitSketch } from "../test_measurements.ts";
import { connectionFailures } from "./connection_failures.ts";
import { connectionResets } from "./connection_resets.ts";
import { listenOverflow } from "./listen_overflow.ts";
import { portExhaustion } from "./port_exhaustion.ts";
import { retransmits } from "./retransmits.ts";
import { slowHandshake } from "./slow_handshake.ts";
import { slowResponses } from "./slow_responses.ts";
import { slowService } from "./slow_service.ts";

interface World {
  readonly peers?: readonly PeerMeasurement[];
  readonly listenQueues?: readonly ListenQueueMeasurement[];
  readonly waits?: readonly WaitSketch[];
}

function factsOf({ waits = [], ...world }: World): TargetFacts {
  return buildFacts({
    processes: [{ processId: 100, command: "shop", threads: [{ threadId: 100, waits }] }],
    ...world,
  });
}

function connects(attemptCount: number, failures: Readonly<Record<string, number>>, pendingCount = 0): PeerMeasurement {
  const failedCount = Object.values(failures).reduce((total, count) => total + count, 0);
  const establishedCount = attemptCount - failedCount - pendingCount;
  return buildPeer({ connects: { attemptCount, establishedCount, failedCount, pendingCount, failures } });
}

/** `count` durations of `eachMs`. */
function latency(...parts: readonly (readonly [count: number, eachMs: number])[]) {
  return buildLatency(parts.flatMap(([count, eachMs]) => new Array<number>(count).fill(eachMs)));
}

/** Attempts of one process at port 8080 of one address. */
function attempts(
  address: string,
  counts: { readonly established?: number; readonly refused?: number },
  { processId = 100, port = 8080 }: { readonly processId?: number; readonly port?: number } = {},
): PeerMeasurement {
  const { established = 0, refused = 0 } = counts;
  return buildPeer({
    processId,
    endpoint: { kind: "peer", protocol: "tcp", address, port },
    connects: {
      attemptCount: established + refused,
      establishedCount: established,
      failedCount: refused,
      failures: refused === 0 ? {} : { ECONNREFUSED: refused },
    },
  });
}

function far(peer: PeerMeasurement, minMs: number): PeerMeasurement {
  return { ...peer, roundTrip: { minMs, maxMs: minMs + 2, lastMs: minMs + 1 } };
}

function opening(...parts: readonly (readonly [count: number, eachMs: number])[]): PeerMeasurement {
  const handshakes = latency(...parts);
  return buildPeer({
    connects: { attemptCount: handshakes.count, establishedCount: handshakes.count, handshakes },
  });
}

function answering(...parts: readonly (readonly [count: number, eachMs: number])[]): PeerMeasurement {
  return buildPeer({ responses: latency(...parts) });
}

function sending(segmentCount: number, retransmitCount: number): PeerMeasurement {
  return buildPeer({ segmentCount, retransmitCount });
}

function resetting(resetReceivedCount: number, closeCount: number, hurtCount = resetReceivedCount): PeerMeasurement {
  const receives = { failedCount: hurtCount, errors: hurtCount === 0 ? {} : { ECONNRESET: hurtCount } };
  return buildPeer({ resetReceivedCount, closeCount, openCount: 0, receives });
}

function queue(droppedCount: number | undefined): ListenQueueMeasurement {
  return {
    targetId: TARGET_ID,
    processId: 100,
    endpoint: { kind: "server", protocol: "tcp", port: 80 },
    address: "0.0.0.0",
    backlogMax: 128,
    queuedCount: 7,
    droppedCount,
  };
}

const ACCEPTING = buildPeer({
  role: "server",
  endpoint: { kind: "server", protocol: "tcp", port: 80 },
  acceptCount: 100,
});

/** Threads wait for the peer most of the time: `slow-peer` tells of it. */
const WAITED_FOR: readonly WaitSketch[] = [{ waitClass: "network", object: PEER, count: 40, eachMs: 200 }];

type Rule = (facts: TargetFacts) => readonly Finding[];

const ROWS: readonly (readonly [name: string, rule: Rule, world: World, severity: Severity | undefined])[] = [
  ["a peer that takes every connection", connectionFailures, { peers: [connects(100, {})] }, undefined],
  ["2 refused of 4", connectionFailures, { peers: [connects(4, { ECONNREFUSED: 2 })] }, undefined],
  ["3 refused of 30", connectionFailures, { peers: [connects(30, { ECONNREFUSED: 3 })] }, "warning"],
  ["3 refused of 31: below the threshold", connectionFailures, { peers: [connects(31, { ETIMEDOUT: 3 })] }, undefined],
  ["half of them refused", connectionFailures, { peers: [connects(20, { ECONNREFUSED: 10 })] }, "error"],
  ["all of 9 refused", connectionFailures, { peers: [connects(9, { ECONNREFUSED: 9 })] }, "error"],
  ["all of 10 refused", connectionFailures, { peers: [connects(10, { ECONNREFUSED: 10 })] }, "critical"],
  ["all that were decided", connectionFailures, { peers: [connects(12, { ETIMEDOUT: 10 }, 2)] }, "critical"],
  [
    "failures of two processes together",
    connectionFailures,
    { peers: [connects(15, { ECONNREFUSED: 2 }), { ...connects(15, { ECONNREFUSED: 1 }), processId: 101 }] },
    "warning",
  ],
  [
    "localhost by its other address",
    connectionFailures,
    { peers: [attempts("::1", { refused: 20 }), attempts("127.0.0.1", { established: 20 })] },
    "info",
  ],
  [
    "a host by its other family",
    connectionFailures,
    { peers: [attempts("2001:db8::7", { refused: 20 }), attempts("10.0.0.7", { established: 19 })] },
    "info",
  ],
  [
    "one of two hosts of one family",
    connectionFailures,
    { peers: [attempts("10.0.0.8", { refused: 20 }), attempts("10.0.0.7", { established: 20 })] },
    "critical",
  ],
  [
    "localhost, while another host takes connections",
    connectionFailures,
    { peers: [attempts("::1", { refused: 20 }), attempts("10.0.0.7", { established: 20 })] },
    "critical",
  ],
  [
    "localhost, while its other address takes few",
    connectionFailures,
    { peers: [attempts("::1", { refused: 20 }), attempts("127.0.0.1", { established: 9 })] },
    "critical",
  ],
  [
    "localhost, while its other address has another port",
    connectionFailures,
    { peers: [attempts("::1", { refused: 20 }), attempts("127.0.0.1", { established: 20 }, { port: 81 })] },
    "critical",
  ],
  [
    "localhost, while only another process got through",
    connectionFailures,
    { peers: [attempts("::1", { refused: 20 }), attempts("127.0.0.1", { established: 20 }, { processId: 101 })] },
    "critical",
  ],
  ["attempts without a local port", connectionFailures, { peers: [connects(10, { EADDRNOTAVAIL: 10 })] }, undefined],
  ["attempts without a local port", portExhaustion, { peers: [connects(10, { EADDRNOTAVAIL: 10 })] }, "error"],
  ["one of 11 without a local port", portExhaustion, { peers: [connects(11, { EADDRNOTAVAIL: 1 })] }, "warning"],
  ["refused connections", portExhaustion, { peers: [connects(10, { ECONNREFUSED: 10 })] }, undefined],
  ["quick handshakes", slowHandshake, { peers: [opening([100, 1])] }, undefined],
  ["one lost SYN of 21", slowHandshake, { peers: [opening([20, 1], [1, 1010])] }, undefined],
  ["one lost SYN of 20", slowHandshake, { peers: [opening([19, 1], [1, 1010])] }, "warning"],
  ["handshakes of 120 ms, every one", slowHandshake, { peers: [opening([10, 120])] }, "error"],
  ["one handshake of 150 ms", slowHandshake, { peers: [opening([1, 150])] }, undefined],
  ["2 handshakes of 150 ms", slowHandshake, { peers: [opening([2, 150])] }, undefined],
  ["3 handshakes of 150 ms", slowHandshake, { peers: [opening([3, 150])] }, "error"],
  ["one connection, whose SYN got lost", slowHandshake, { peers: [opening([1, 1010])] }, "warning"],
  ["one connection to a far peer", slowHandshake, { peers: [far(opening([1, 150]), 149)] }, undefined],
  ["10 connections to a far peer", slowHandshake, { peers: [far(opening([10, 150]), 149)] }, "info"],
  ["a peer not quite that far", slowHandshake, { peers: [far(opening([10, 120]), 99)] }, "error"],
  ["lost SYNs to a far peer", slowHandshake, { peers: [far(opening([2, 150], [4, 1150]), 149)] }, "error"],
  ["handshakes of 99 ms", slowHandshake, { peers: [opening([10, 99])] }, undefined],
  ["what slow-peer tells", slowHandshake, { peers: [opening([1, 1010])], waits: WAITED_FOR }, "info"],
  ["no retransmit", retransmits, { peers: [sending(1000, 0)] }, undefined],
  ["4 of 100 segments", retransmits, { peers: [sending(100, 4)] }, undefined],
  ["5 of 500 segments", retransmits, { peers: [sending(500, 5)] }, "warning"],
  ["5 of 501 segments", retransmits, { peers: [sending(501, 5)] }, undefined],
  ["5 of 100 segments", retransmits, { peers: [sending(100, 5)] }, "error"],
  ["SYNs of connections that never opened", retransmits, { peers: [sending(0, 6)] }, undefined],
  ["connections that are closed", connectionResets, { peers: [resetting(0, 100)] }, undefined],
  ["2 resets of 4", connectionResets, { peers: [resetting(2, 4)] }, undefined],
  ["3 resets of 30", connectionResets, { peers: [resetting(3, 30)] }, "warning"],
  ["3 resets of 31", connectionResets, { peers: [resetting(3, 31)] }, undefined],
  ["half of them reset", connectionResets, { peers: [resetting(10, 20)] }, "error"],
  ["resets that hurt nobody", connectionResets, { peers: [resetting(20, 20, 0)] }, "info"],
  ["quick answers", slowResponses, { peers: [answering([1000, 2])] }, undefined],
  ["6 slow answers of 100", slowResponses, { peers: [answering([94, 2], [6, 200])] }, "warning"],
  ["5 slow answers of 100", slowResponses, { peers: [answering([95, 2], [5, 200])] }, undefined],
  ["2 slow answers of 2", slowResponses, { peers: [answering([2, 200])] }, undefined],
  ["answers of 110 ms, every one", slowResponses, { peers: [answering([10, 110])] }, "error"],
  ["answers of a far peer", slowResponses, { peers: [far(answering([10, 155]), 149)] }, "info"],
  ["answers of a peer not quite that far", slowResponses, { peers: [far(answering([10, 155]), 99)] }, "error"],
  ["a far peer that is slow besides", slowResponses, { peers: [far(answering([10, 600]), 149)] }, "error"],
  ["answers of 90 ms, every one", slowResponses, { peers: [answering([10, 90])] }, undefined],
  ["what slow-peer tells", slowResponses, { peers: [answering([10, 200])], waits: WAITED_FOR }, undefined],
  ["a queue that took everybody", listenOverflow, { peers: [ACCEPTING], listenQueues: [queue(0)] }, undefined],
  ["a queue that nobody counts", listenOverflow, { peers: [ACCEPTING], listenQueues: [queue(undefined)] }, undefined],
  ["one dropped beside 100 accepted", listenOverflow, { peers: [ACCEPTING], listenQueues: [queue(1)] }, "warning"],
  ["12 dropped beside 100 accepted", listenOverflow, { peers: [ACCEPTING], listenQueues: [queue(12)] }, "error"],
];

for (const [name, rule, world, severity] of ROWS) {
  Deno.test(`${rule.name}() yields ${severity ?? "nothing"} for ${name}`, () => {
    assert.deepEqual(rule(factsOf(world)).map((finding) => finding.severity), severity ? [severity] : []);
  });
}

Deno.test("listenOverflow() counts SYNs, for a client that tries again is counted again", () => {
  const titles = [1, 12].map((count) =>
    listenOverflow(factsOf({ peers: [ACCEPTING], listenQueues: [queue(count)] }))[0]?.title ?? ""
  );
  assert.match(titles[0] ?? "", /^1 SYN to tcp port \d+ was dropped, repeats included: its listen queue holds \d+\.$/);
  assert.match(titles[1] ?? "", /^12 SYNs to tcp port \d+ were dropped, repeats included: /);
});

const SLOW_PORT = buildPeer({
  role: "server",
  endpoint: { kind: "server", protocol: "tcp", port: 80 },
  responses: latency([10, 200]),
});

Deno.test("slowService() stands for itself only while nothing else says what the time goes to", () => {
  const facts = factsOf({ peers: [SLOW_PORT] });
  assert.deepEqual(slowService(facts, []).map(({ severity }) => severity), ["error"]);
  const others = slowResponses(factsOf({ peers: [answering([10, 200])] }));
  assert.deepEqual(slowService(facts, others).map(({ severity }) => severity), ["info"]);
  const harmless = others.map((finding) => ({ ...finding, severity: "info" as const }));
  assert.deepEqual(slowService(facts, harmless).map(({ severity }) => severity), ["error"]);
  assert.deepEqual(slowService(factsOf({ peers: [answering([10, 200])] }), []), []);
});

Deno.test("connectionFailures() names the outcomes, most first, and what to do about the commonest", () => {
  const [finding] = connectionFailures(factsOf({ peers: [connects(20, { ETIMEDOUT: 4, ECONNREFUSED: 6 })] }));
  assert.equal(
    finding?.title,
    "50.0% of the connections to 10.0.0.9:5432 failed (10 of 20): refused, timed out.",
  );
  assert.deepEqual(finding?.evidence.notes, ["6 ECONNREFUSED", "4 ETIMEDOUT", "threshold 10%"]);
  assert.match(finding?.nextStep ?? "", /something listens at 10\.0\.0\.9:5432/);
});

Deno.test("connectionFailures() names the address that took the connections instead", () => {
  const peers = [attempts("::1", { refused: 20 }), attempts("127.0.0.1", { established: 20 })];
  const [finding] = connectionFailures(factsOf({ peers }));
  assert.equal(
    finding?.title,
    "100.0% of the connections to [::1]:8080 failed (20 of 20): refused; 127.0.0.1:8080 took them instead.",
  );
  assert.match(finding?.nextStep ?? "", /goes on to 127\.0\.0\.1:8080/);
});

Deno.test("rules of sockets measure against the thresholds they are given", () => {
  const failing = factsOf({ peers: [connects(30, { ECONNREFUSED: 3 })] });
  const lenient = { ...failing, thresholds: { ...failing.thresholds, errorPercent: 11 } };
  assert.deepEqual(connectionFailures(lenient), []);
  const slow = factsOf({ peers: [answering([10, 40])] });
  assert.deepEqual(slowResponses(slow), []);
  assert.equal(slowResponses({ ...slow, thresholds: { ...slow.thresholds, rttMs: 30 } }).length, 1);
});

Deno.test("rules of sockets say nothing when what they read was not seen", () => {
  const blind = { verdict: "blind", reason: "no hook" } as const;
  for (const [name, rule, world, severity] of ROWS) {
    const facts = factsOf(world);
    const unseen = { ...facts, completeness: { ...facts.completeness, connections: blind, transfers: blind } };
    if (severity !== undefined) assert.deepEqual(rule(unseen), [], `${rule.name}: ${name}`);
  }
});
