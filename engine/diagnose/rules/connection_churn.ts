/**
 * `connection-churn`: a new connection for every exchange with a peer. Each one
 * costs a handshake, and its port rests for a minute afterwards.
 *
 * Wrong when the peer closes after every answer: then it is the peer's setting
 * that is at fault, and the next step is there.
 *
 * @module
 */

import type { PeerMeasurement } from "../../api/socket_measurements.ts";
import { incompletenessNotes, isReliable, type TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { formatMs } from "../format.ts";
import { WINDOW_MS_MIN } from "../severity.ts";
import { describeObject } from "../wait_object.ts";

/** Fewer are a start or a reconnect. */
const CONNECTIONS_MIN = 20;
const CONNECTIONS_PER_SECOND_MIN = 2;

/** Exchanges per connection up to which it was not reused. */
const EXCHANGES_MAX = 1.5;

/** Ports of the default ip_local_port_range (32768 to 60999), and how long one rests (TCP_TIMEWAIT_LEN). */
const LOCAL_PORTS = 28_232;
const REST_SECONDS = 60;

/** Of the ports that would be at rest at this rate. */
const WARNING_PORT_SHARE = 0.2;
const ERROR_PORT_SHARE = 0.8;

export function connectionChurn(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, ["connections", "transfers"]) || facts.windowMs < WINDOW_MS_MIN) return [];
  return facts.peers.filter((peer) => peer.role === "client").flatMap((peer) => judgePeer(facts, peer));
}

function judgePeer(facts: TargetFacts, peer: PeerMeasurement): readonly Finding[] {
  const { endpoint, connects, responses } = peer;
  if (endpoint?.kind !== "peer" || endpoint.protocol !== "tcp") return [];
  const { establishedCount, handshakes } = connects;
  const perSecond = establishedCount / (facts.windowMs / 1000);
  const exchanges = (responses.count + peer.unmeasuredResponseCount) / Math.max(1, establishedCount);
  if (
    establishedCount < CONNECTIONS_MIN || perSecond < CONNECTIONS_PER_SECOND_MIN || exchanges > EXCHANGES_MAX
  ) return [];
  const portShare = perSecond * REST_SECONDS / LOCAL_PORTS;
  const name = describeObject(endpoint);
  const notes = incompletenessNotes(facts, ["connections", "transfers"]);
  return [{
    id: "connection-churn",
    targetId: facts.targetId,
    severity: portShare >= ERROR_PORT_SHARE ? "error" : portShare >= WARNING_PORT_SHARE ? "warning" : "info",
    title: `${perSecond.toFixed(1)} connections a second are opened to ${name}, each for ${exchanges.toFixed(1)} ` +
      `exchanges; their handshakes took ${formatMs(handshakes.totalMs)}.`,
    evidence: {
      object: name,
      notes: [
        ...notes,
        `${establishedCount} connections in the window, ${peer.closeCount} closed; at this rate ` +
        `${Math.min(100, portShare * 100).toFixed(0)}% of the default local ports rest in TIME_WAIT`,
      ],
    },
    consequences: [],
    nextStep: `Reuse connections to ${name}: a pool, keep-alive, or a peer that does not close after each answer.`,
    explainedMs: 0,
    share: 0,
  }];
}
