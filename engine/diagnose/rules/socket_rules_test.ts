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
  ["attempts without a local port", connectionFailures, { peers: [connects(10, { EADDRNOTAVAIL: 10 })] }, undefined],
  ["attempts without a local port", portExhaustion, { peers: [connects(10, { EADDRNOTAVAIL: 10 })] }, "error"],
  ["one of 11 without a local port", portExhaustion, { peers: [connects(11, { EADDRNOTAVAIL: 1 })] }, "warning"],
  ["refused connections", portExhaustion, { peers: [connects(10, { ECONNREFUSED: 10 })] }, undefined],
  ["quick handshakes", slowHandshake, { peers: [opening([100, 1])] }, undefined],
  ["one lost SYN of 21", slowHandshake, { peers: [opening([20, 1], [1, 1010])] }, undefined],
  ["one lost SYN of 20", slowHandshake, { peers: [opening([19, 1], [1, 1010])] }, "warning"],
  ["handshakes of 120 ms, every one", slowHandshake, { peers: [opening([10, 120])] }, "error"],
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
