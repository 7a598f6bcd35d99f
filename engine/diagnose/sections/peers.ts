/**
 * What was exchanged with each peer and through each port of the target's own.
 *
 * @module
 */

import { formatBytes, formatCount, formatMs } from "../format.ts";
import { openAtEnd } from "../open_connections.ts";
import { describeObject } from "../wait_object.ts";
import { summariseLatency } from "./latency.ts";
import { commandsOf, type FiguresOf, type SectionInput } from "./section_input.ts";

const PEERS_SHOWN_MAX = 10;
const PEERS_MAX = 1000;

/** `undefined`: nobody was talked to. */
export function peerFigures({ measurements }: SectionInput): FiguresOf<"peers"> | undefined {
  const commandOf = commandsOf(measurements);
  const rows = measurements.peers.map((peer): FiguresOf<"peers">[number] => ({
    pid: peer.processId,
    name: commandOf(peer.processId),
    role: peer.role,
    target: peer.endpoint === undefined ? "(no room for its name)" : describeObject(peer.endpoint),
    send_operations: peer.sends.operationCount,
    receive_operations: peer.receives.operationCount,
    sent_bytes: peer.sends.byteCount,
    received_bytes: peer.receives.byteCount,
    connects: peer.connects.attemptCount,
    failed_connects: peer.connects.failedCount,
    accepts: peer.acceptCount,
    open: openAtEnd(peer),
    errors: peer.sends.failedCount + peer.receives.failedCount,
    retransmits: peer.retransmitCount,
    resets: peer.resetReceivedCount + peer.resetSentCount,
    handshake: summariseLatency([peer.connects.handshakes]),
    responses: summariseLatency([peer.responses]),
    smoothed_rtt_ms: peer.roundTrip?.lastMs,
  })).sort((first, second) => weightOf(second) - weightOf(first) || compareTargets(first, second));
  return rows.length === 0 ? undefined : rows.slice(0, PEERS_MAX);
}

function weightOf(row: FiguresOf<"peers">[number]): number {
  return row.send_operations + row.receive_operations + row.connects + row.accepts;
}

function compareTargets(first: FiguresOf<"peers">[number], second: FiguresOf<"peers">[number]): number {
  return first.pid - second.pid || (first.target < second.target ? -1 : 1);
}

export function renderPeers(figures: FiguresOf<"peers">): readonly string[] {
  // Open sockets that nothing happened to are no news; the JSON has them.
  const busy = figures.filter((row) => weightOf(row) + row.errors + row.resets + row.retransmits > 0);
  const shown = busy.slice(0, PEERS_SHOWN_MAX);
  const idleCount = figures.length - busy.length;
  return [
    ...shown.map(describePeer),
    ...(busy.length > shown.length ? [`and ${formatCount(busy.length - shown.length, "more peer")}`] : []),
    ...(idleCount > 0 ? [`${formatCount(idleCount, "peer")} with nothing exchanged`] : []),
  ];
}

function describePeer(row: FiguresOf<"peers">[number]): string {
  const { responses, handshake } = row;
  return [
    `${row.target}, ${
      row.role === "client" ? "asked" : "served"
    } by ${row.name} (${row.pid}): sent ${row.send_operations} (${formatBytes(row.sent_bytes)})`,
    `received ${row.receive_operations} (${formatBytes(row.received_bytes)})`,
    ...(row.connects === 0 ? [] : [
      `${formatCount(row.connects, "connect")}${row.failed_connects > 0 ? `, ${row.failed_connects} failed` : ""}`,
    ]),
    ...(row.accepts === 0 ? [] : [`accepted ${row.accepts}`]),
    ...(handshake === undefined ? [] : [`handshake ${formatMs(handshake.avg_ms)}`]),
    ...(responses === undefined ? [] : [`answers ${formatMs(responses.avg_ms)}, P95 <= ${formatMs(responses.p95_ms)}`]),
    ...(row.retransmits === 0 ? [] : [formatCount(row.retransmits, "retransmit")]),
    ...(row.resets === 0 ? [] : [formatCount(row.resets, "reset")]),
    ...(row.errors === 0 ? [] : [formatCount(row.errors, "error")]),
  ].join(", ");
}
