/**
 * What sockets did, from the kernel's tables to the measurements of one route.
 *
 * @module
 */

import {
  CONNECTIONS_MAX,
  ENDED_PROCESSES_COLLECTED,
  ENDED_PROCESSES_REMEMBERED_MAX,
  SOCKET_ROWS_MAX,
} from "../api/limits.ts";
import type { WaitObject } from "../api/measurements.ts";
import type {
  ConnectionMeasurement,
  LatencyFigures,
  ListenQueueMeasurement,
  PeerMeasurement,
  SocketAddress,
  TransferFigures,
} from "../api/socket_measurements.ts";
import type { LatencyRow, TransferRow } from "../api/socket_counts.ts";
import type {
  AddressKey,
  CloseRecord,
  ListenQueueRow,
  ObjectKey,
  SocketErrorRow,
  SocketKey,
  SocketReading,
  SocketRow,
  TracerBackend,
} from "../api/tracer_backend.ts";
import type { TargetId } from "../api/units.ts";
import { addQueue, KeptSockets, type KeptSocketsLimits } from "./kept_sockets.ts";
import { toSocketErrorName } from "./socket_errors.ts";
import {
  addError,
  addTotals,
  isEmptyTotals,
  type PeerTotals,
  toSocketKeyText,
  totalsOfHandedOn,
  totalsOfPeer,
  totalsOfSocket,
} from "./socket_rows.ts";
import type { SlotMoves } from "./traced_targets.ts";
import { OBJECT_KINDS, SOCKET_OPERATIONS, toAddressText, toSocketEndpoint } from "./wait_objects.ts";

/** Sockets in the kernel's table from which on those that lie idle make room: only TCP tells when one goes. */
const IDLE_SOCKETS_MAX = SOCKET_ROWS_MAX / 2;

const SERVER_KINDS: ReadonlySet<number> = new Set([
  OBJECT_KINDS.tcpServer,
  OBJECT_KINDS.udpServer,
  OBJECT_KINDS.unixServer,
]);

const UNIX_KINDS: ReadonlySet<number> = new Set([
  OBJECT_KINDS.unixPeer,
  OBJECT_KINDS.unixServer,
  OBJECT_KINDS.unixPair,
]);

/** Whose figures are those that found no room: `TracerBackend` has them under this key. */
const NOBODY: SocketKey = {
  processId: 0,
  targetSlot: 0,
  object: { kind: 0, port: 0, highLow: 0, highHigh: 0, lowLow: 0, lowHigh: 0 },
};

/** Everything read once; the same for every route. */
export interface SocketClosing {
  readonly totals: readonly PeerTotals[];
  readonly errors: readonly SocketErrorRow[];
  readonly sockets: readonly SocketRow[];
  readonly closed: readonly CloseRecord[];
  readonly listenQueues: readonly ListenQueueRow[];
}

/** Where names and targets come from, and whose figures are asked for. */
export interface SocketShare {
  readonly targetIds: ReadonlySet<TargetId>;
  targetOf(slot: number): TargetId | undefined;
  objectOf(key: ObjectKey): WaitObject;
  /** Adds to a monotonic time to make it unix time. */
  readonly wallOffsetMs: number;
}

/** What a route is told of sockets. */
export interface SocketMeasurements {
  readonly peers: readonly PeerMeasurement[];
  readonly connections: readonly ConnectionMeasurement[];
  readonly omittedConnectionCount: number;
  readonly listenQueues: readonly ListenQueueMeasurement[];
}

/** The tables of sockets. */
type SocketTables = Pick<
  TracerBackend,
  "readSockets" | "retireSockets" | "retirePeers" | "retireListenQueues" | "retireSocketSlots"
>;

export class SocketBook {
  readonly #backend: SocketTables;
  readonly #kept: KeptSockets;
  #closed: CloseRecord[] = [];
  /** Operations of UDP and unix sockets at the last look, to tell which lie idle. */
  #seenOperations = new Map<bigint, number>();
  /** Processes that ended, the longest ago first. */
  readonly #ended = new Set<number>();
  #endedSinceCollected = 0;

  constructor(backend: SocketTables, limits: KeptSocketsLimits = {}) {
    this.#backend = backend;
    this.#kept = new KeptSockets(limits);
  }

  /** Rows that had to give up whose they were, by what they are counted in. */
  get namelessCounts(): KeptSockets["namelessCounts"] {
    return this.#kept.namelessCounts;
  }

  /** Keeps the connections with most bytes. */
  onClose(record: CloseRecord): void {
    this.#closed.push(record);
    if (this.#closed.length >= 2 * CONNECTIONS_MAX) this.#closed = largestOf(this.#closed);
  }

  /** Its peers need no row in the kernel any more, but for sockets that still end. */
  onProcessEnd(processId: number): void {
    this.#ended.delete(processId); // last again
    this.#ended.add(processId);
    this.#endedSinceCollected++;
    if (this.#ended.size <= ENDED_PROCESSES_REMEMBERED_MAX) return;
    for (const oldest of this.#ended) {
      this.#ended.delete(oldest);
      return;
    }
  }

  /** The id is that of a process that lives. */
  onProcessBegin(processId: number): void {
    this.#ended.delete(processId);
  }

  /** As `collect`, once many processes ended: each may hold rows of peers. */
  collectWhenDue(): void {
    if (this.#endedSinceCollected >= ENDED_PROCESSES_COLLECTED) this.collect();
  }

  /**
   * Makes room in the kernel's tables: takes over what is known of processes
   * that ended and of ports nobody listens on any more, and where sockets fill
   * half their table, of those that did nothing since the last look and whose end nobody would tell.
   */
  collect(): void {
    const reading = this.#backend.readSockets();
    this.#endedSinceCollected = 0;
    const peers = reading.peers.filter(({ processId }) => this.#ended.has(processId));
    const errors = reading.errors.filter(({ processId }) => this.#ended.has(processId));
    this.#backend.retirePeers({ peers, errors });
    for (const row of peers) this.#kept.addTotals(totalsOfPeer(row));
    for (const row of errors) this.#kept.addError(row);
    this.#keepQueues(reading.listenQueues.filter(({ isClosed }) => isClosed));
    this.#collectIdle(reading.sockets);
  }

  #collectIdle(sockets: readonly SocketRow[]): void {
    if (sockets.length <= IDLE_SOCKETS_MAX) {
      this.#seenOperations.clear();
      return;
    }
    const seen = new Map<bigint, number>();
    const idle: SocketRow[] = [];
    for (const socket of sockets) {
      if (socket.processId === 0 || socket.tellsEnd) continue;
      const operations = operationCount(socket);
      if (this.#seenOperations.get(socket.key) === operations) idle.push(socket);
      else seen.set(socket.key, operations);
    }
    this.#seenOperations = seen;
    this.#backend.retireSockets(idle.map(({ key }) => key));
    for (const socket of idle) this.#kept.addTotals(totalsOfHandedOn(socket));
  }

  #keepQueues(queues: readonly ListenQueueRow[]): void {
    this.#backend.retireListenQueues(queues.map(({ key }) => key));
    for (const row of queues) this.#kept.addQueue({ ...row, isClosed: true, queuedCount: 0 });
  }

  /**
   * Nobody looks at sockets any more: takes everything over. What is met after
   * another look began would otherwise be taken for what had its address before.
   */
  leave(): void {
    const { sockets, peers, errors, listenQueues } = this.#backend.readSockets();
    const named = sockets.filter(({ processId }) => processId !== 0); // the row that stands for many stays
    this.#backend.retireSockets(named.map(({ key }) => key));
    for (const socket of named) this.#kept.addTotals(totalsOfHandedOn(socket));
    const own = peers.filter(({ processId }) => processId !== 0);
    const told = errors.filter(({ processId }) => processId !== 0);
    this.#backend.retirePeers({ peers: own, errors: told });
    for (const row of own) this.#kept.addTotals(totalsOfPeer(row));
    for (const row of told) this.#kept.addError(row);
    this.#keepQueues(listenQueues);
    this.#seenOperations.clear();
  }

  /** Follows targets to other slots; what was counted for a slot that became `undefined` goes, its target is gone. */
  moveSlots(moves: SlotMoves): void {
    const reading = this.#backend.readSockets();
    this.#kept.moveSlots(moves);
    const follow = <Row extends SocketKey>(rows: readonly Row[], keep: (row: Row) => void) => {
      for (const row of rows) {
        const targetSlot = moves.get(row.targetSlot);
        if (targetSlot !== undefined) keep({ ...row, targetSlot });
      }
    };
    follow(totalsOf(reading, totalsOfHandedOn), (row) => this.#kept.addTotals(row));
    follow(reading.errors, (row) => this.#kept.addError(row));
    this.#closed = this.#closed.flatMap((record) => {
      if (!moves.has(record.targetSlot)) return record;
      const targetSlot = moves.get(record.targetSlot);
      return targetSlot === undefined ? [] : { ...record, targetSlot };
    });
    this.#backend.retireSocketSlots([...moves.keys()]);
  }

  /** Reads everything once. */
  read(): SocketClosing {
    const reading = this.#backend.readSockets();
    const totals = new Map<string, PeerTotals>();
    for (const row of this.#kept.totals()) addTotals(totals, row);
    for (const row of totalsOf(reading, totalsOfSocket)) addTotals(totals, row);
    const errors = new Map<string, SocketErrorRow>();
    for (const row of [...this.#kept.errors(), ...reading.errors]) {
      // Errors found room where their peer did not: they are told where its other figures are.
      addError(errors, totals.has(toSocketKeyText(row)) ? row : { ...row, ...NOBODY });
    }
    const queues = new Map<string, ListenQueueRow>();
    for (const row of [...this.#kept.queues(), ...reading.listenQueues]) addQueue(queues, row);
    return {
      totals: [...totals.values()].filter((row) => !isEmptyTotals(row) && !isUnspoken(row)),
      errors: [...errors.values()].filter(({ count }) => count > 0),
      sockets: reading.sockets,
      closed: [...this.#closed],
      listenQueues: [...queues.values()],
    };
  }
}

/** Yields one route's share of what was read. */
export function toSocketMeasurements(closing: SocketClosing, share: SocketShare): SocketMeasurements {
  const errors = new Map<string, SocketErrorRow[]>();
  for (const row of closing.errors) {
    const text = toSocketKeyText(row);
    const group = errors.get(text);
    if (group === undefined) errors.set(text, [row]);
    else group.push(row);
  }
  const targetOf = targetLookup(share);
  const peers: PeerMeasurement[] = [];
  for (const totals of closing.totals) {
    const targetId = targetOf(totals.targetSlot);
    if (targetId === undefined) continue;
    peers.push(toPeerMeasurement(totals, { targetId, share, errors: errors.get(toSocketKeyText(totals)) ?? [] }));
  }
  const connections = toConnections(closing, share, targetOf);
  const connectionCount = peers.reduce((total, peer) => total + peer.openCount + peer.closeCount, 0);
  return {
    peers: peers.sort((left, right) => byteCount(right) - byteCount(left)),
    connections,
    omittedConnectionCount: Math.max(0, connectionCount - connections.length),
    listenQueues: toListenQueues(closing, share),
  };
}

/** The rows of slot 0 are not told apart by target: every route gets them, under its first one. */
function targetLookup({ targetIds, targetOf }: SocketShare): (slot: number) => TargetId | undefined {
  const [firstTargetId] = targetIds;
  return (slot) => {
    const targetId = slot === 0 ? firstTargetId : targetOf(slot);
    return targetId !== undefined && targetIds.has(targetId) ? targetId : undefined;
  };
}

function totalsOf(reading: SocketReading, ofSocket: (socket: SocketRow) => PeerTotals): readonly PeerTotals[] {
  return [...reading.peers.map(totalsOfPeer), ...reading.sockets.map(ofSocket)];
}

function toPeerMeasurement(
  totals: PeerTotals,
  context: { targetId: TargetId; share: SocketShare; errors: readonly SocketErrorRow[] },
): PeerMeasurement {
  const { counts } = totals;
  const { targetId, share } = context;
  const errorsOf = (operation: number) => errorsByName(context.errors, operation);
  return {
    targetId,
    processId: totals.processId,
    role: SERVER_KINDS.has(totals.object.kind) ? "server" : "client",
    endpoint: toSocketEndpoint(share.objectOf(totals.object)),
    sends: toTransferFigures(counts.sent, errorsOf(SOCKET_OPERATIONS.send)),
    receives: toTransferFigures(counts.received, errorsOf(SOCKET_OPERATIONS.receive)),
    responses: toLatencyFigures(counts.responses, share),
    unmeasuredResponseCount: counts.unmeasuredCount,
    connects: {
      attemptCount: totals.connectCount + totals.pendingCount,
      establishedCount: totals.connectCount - totals.connectFailureCount,
      failedCount: totals.connectFailureCount,
      pendingCount: totals.pendingCount,
      failures: errorsOf(SOCKET_OPERATIONS.connect),
      handshakes: toLatencyFigures(totals.handshakes, share),
    },
    acceptCount: totals.acceptCount,
    closeCount: totals.closeCount,
    openCount: totals.openCount,
    retransmitCount: counts.retransmitCount,
    segmentCount: isTcp(totals.object) ? counts.segmentCount : undefined,
    resetReceivedCount: counts.resetReceivedCount,
    resetSentCount: counts.resetSentCount,
    roundTrip: counts.roundTrip,
  };
}

function errorsByName(rows: readonly SocketErrorRow[], operation: number): Record<string, number> {
  const errors: Record<string, number> = {};
  for (const row of rows) {
    if (row.operation !== operation) continue;
    const name = toSocketErrorName(row.error);
    errors[name] = (errors[name] ?? 0) + row.count;
  }
  return errors;
}

function toTransferFigures(row: TransferRow, errors: Readonly<Record<string, number>>): TransferFigures {
  return { ...row, errors };
}

function toLatencyFigures(row: LatencyRow, { wallOffsetMs }: SocketShare): LatencyFigures {
  const count = row.buckets.reduce((total, bucket) => total + bucket, 0);
  const { totalMs, maxMs, buckets } = row;
  return { count, totalMs, maxMs, maxEndWallMs: count > 0 ? row.maxEndMs + wallOffsetMs : 0, buckets };
}

function toConnections(
  closing: SocketClosing,
  share: SocketShare,
  targetOf: (slot: number) => TargetId | undefined,
): readonly ConnectionMeasurement[] {
  const live = closing.sockets.filter((socket) => socket.wasOpen && socket.processId !== 0).map(toConnectionRow);
  const connections: ConnectionMeasurement[] = [];
  for (const row of largestOf([...live, ...closing.closed.map(toClosedRow)])) {
    const targetId = targetOf(row.targetSlot);
    const endpoint = toSocketEndpoint(share.objectOf(row.object));
    if (targetId === undefined || endpoint === undefined) continue;
    connections.push({
      targetId,
      processId: row.processId,
      role: SERVER_KINDS.has(row.object.kind) ? "server" : "client",
      endpoint,
      local: toAddress(row.object, { address: row.local, port: row.localPort }),
      remote: row.remotePort === 0 ? undefined : toAddress(row.object, { address: row.remote, port: row.remotePort }),
      openedWallMs: row.openedMs === 0 ? undefined : row.openedMs + share.wallOffsetMs,
      closedWallMs: row.closedMs === 0 ? undefined : row.closedMs + share.wallOffsetMs,
      sent: { operationCount: row.sent.operationCount, byteCount: row.sent.byteCount },
      received: { operationCount: row.received.operationCount, byteCount: row.received.byteCount },
      responses: row.responses,
      retransmitCount: row.retransmitCount,
      roundTrip: row.roundTrip,
    });
  }
  return connections;
}

type ConnectionRow = Omit<CloseRecord, "kind">;

function toClosedRow({ kind: _kind, ...row }: CloseRecord): ConnectionRow {
  return row;
}

function toConnectionRow({ counts, ...socket }: SocketRow): ConnectionRow {
  const { totalMs, maxMs, buckets } = counts.responses;
  return {
    ...socket,
    sent: counts.sent,
    received: counts.received,
    responses: { count: buckets.reduce((total, bucket) => total + bucket, 0), totalMs, maxMs },
    retransmitCount: counts.retransmitCount,
    roundTrip: counts.roundTrip,
  };
}

function largestOf<Row extends Pick<ConnectionRow, "sent" | "received">>(rows: readonly Row[]): Row[] {
  const bytesOf = ({ sent, received }: Row) => sent.byteCount + received.byteCount;
  return rows.toSorted((left, right) => bytesOf(right) - bytesOf(left)).slice(0, CONNECTIONS_MAX);
}

function toAddress(
  object: ObjectKey,
  { address, port }: { address: AddressKey; port: number },
): SocketAddress | undefined {
  if (UNIX_KINDS.has(object.kind)) return undefined;
  return { address: toAddressText(address), port };
}

function toListenQueues(closing: SocketClosing, share: SocketShare): readonly ListenQueueMeasurement[] {
  const queues: ListenQueueMeasurement[] = [];
  for (const row of closing.listenQueues) {
    const targetId = share.targetOf(row.targetSlot);
    const endpoint = toSocketEndpoint(share.objectOf(row.object));
    if (targetId === undefined || !share.targetIds.has(targetId) || endpoint === undefined) continue;
    const isUnix = row.object.kind === OBJECT_KINDS.unixServer;
    queues.push({
      targetId,
      processId: row.processId,
      endpoint,
      address: isUnix ? undefined : toAddressText(row.local),
      backlogMax: row.backlogMax,
      queuedCount: row.queuedCount,
      droppedCount: isUnix ? undefined : row.droppedCount,
    });
  }
  return queues;
}

/** A UDP socket through which nothing went: nobody is known at its other end, nor whether it asks. */
function isUnspoken({ object, counts: { sent, received } }: PeerTotals): boolean {
  return object.kind === OBJECT_KINDS.udpQuiet && sent.operationCount + received.operationCount === 0;
}

function byteCount(peer: PeerMeasurement): number {
  return peer.sends.byteCount + peer.receives.byteCount;
}

function isTcp({ kind }: ObjectKey): boolean {
  return kind === OBJECT_KINDS.tcpPeer || kind === OBJECT_KINDS.tcpServer;
}

function operationCount({ counts: { sent, received } }: SocketRow): number {
  return [sent, received].reduce(
    (total, row) => total + row.operationCount + row.wouldBlockCount + row.failedCount,
    0,
  );
}
