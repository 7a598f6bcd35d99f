/**
 * Figures of sockets whose rows were taken out of the kernel's tables, so that
 * those hold the living. Bounded: what is too much loses whose it was, never
 * what it counted, and is counted itself.
 *
 * @module
 */

import { KEPT_LISTEN_QUEUES_MAX, KEPT_PEERS_MAX, KEPT_SOCKET_ERRORS_MAX } from "../api/limits.ts";
import type { ListenQueueRow, ObjectKey, SocketErrorRow, SocketKey } from "../api/tracer_backend.ts";
import { addError, addTotals, type PeerTotals, toErrorText, toSocketKeyText } from "./socket_rows.ts";
import { ERROR_OTHER } from "./file_rows.ts";
import type { SlotMoves } from "./traced_targets.ts";
import { toObjectText } from "./wait_objects.ts";

/** How much is kept; the limits, unless a test says otherwise. */
export interface KeptSocketsLimits {
  readonly peersMax?: number;
  readonly errorsMax?: number;
  readonly queuesMax?: number;
}

const NO_OBJECT: ObjectKey = { kind: 0, port: 0, highLow: 0, highHigh: 0, lowLow: 0, lowHigh: 0 };

/** Rows by what they are of. */
export class KeptSockets {
  readonly #peersMax: number;
  readonly #errorsMax: number;
  readonly #queuesMax: number;
  readonly #totals = new Map<string, PeerTotals>();
  readonly #errors = new Map<string, SocketErrorRow>();
  /** As many as there are slots, at most. */
  readonly #otherTotals = new Map<string, PeerTotals>();
  /** As many as there are slots and operations, at most. */
  readonly #otherErrors = new Map<string, SocketErrorRow>();
  readonly #queues = new Map<string, ListenQueueRow>();
  #namelessPeerCount = 0;
  #lostQueueCount = 0;

  constructor(limits: KeptSocketsLimits = {}) {
    this.#peersMax = limits.peersMax ?? KEPT_PEERS_MAX;
    this.#errorsMax = limits.errorsMax ?? KEPT_SOCKET_ERRORS_MAX;
    this.#queuesMax = limits.queuesMax ?? KEPT_LISTEN_QUEUES_MAX;
  }

  /** Rows that gave up whose they were, by what they are counted in. */
  get namelessCounts(): Record<"connections" | "listeners", number> {
    return { connections: this.#namelessPeerCount, listeners: this.#lostQueueCount };
  }

  totals(): Iterable<PeerTotals> {
    return [...this.#totals.values(), ...this.#otherTotals.values()];
  }

  errors(): Iterable<SocketErrorRow> {
    return [...this.#errors.values(), ...this.#otherErrors.values()];
  }

  /** Ports nobody listens on any more. */
  queues(): Iterable<ListenQueueRow> {
    return this.#queues.values();
  }

  addTotals(row: PeerTotals): void {
    addTotals(row.processId === 0 ? this.#otherTotals : this.#totals, row);
    const [oldest] = this.#totals.size > this.#peersMax ? this.#totals.values() : [];
    if (oldest === undefined) return;
    this.#totals.delete(toSocketKeyText(oldest));
    this.#namelessPeerCount++;
    addTotals(this.#otherTotals, { ...oldest, processId: 0, object: NO_OBJECT });
  }

  addError(row: SocketErrorRow): void {
    addError(row.processId === 0 ? this.#otherErrors : this.#errors, row);
    const [oldest] = this.#errors.size > this.#errorsMax ? this.#errors.values() : [];
    if (oldest === undefined) return;
    this.#errors.delete(toErrorText(oldest));
    this.#namelessPeerCount++;
    addError(this.#otherErrors, { ...oldest, processId: 0, object: NO_OBJECT, error: ERROR_OTHER });
  }

  /** Of the same port of the same process only one is kept. */
  addQueue(row: ListenQueueRow): void {
    addQueue(this.#queues, row);
    const [oldest] = this.#queues.size > this.#queuesMax ? this.#queues.keys() : [];
    if (oldest === undefined) return;
    this.#queues.delete(oldest);
    this.#lostQueueCount++;
  }

  /** Gives rows another slot; those whose slot became `undefined` go. */
  moveSlots(moves: SlotMoves): void {
    for (const rows of [this.#totals, this.#otherTotals]) for (const row of moved(rows, moves)) this.addTotals(row);
    for (const rows of [this.#errors, this.#otherErrors]) for (const row of moved(rows, moves)) this.addError(row);
    for (const row of moved(this.#queues, moves)) this.addQueue(row);
  }
}

/** Adds `row` to what is there under its process and port: the latest state, the sum of what was dropped. */
export function addQueue(queues: Map<string, ListenQueueRow>, row: ListenQueueRow): void {
  const text = toQueueText(row);
  const present = queues.get(text);
  const droppedCount = (present?.droppedCount ?? 0) + row.droppedCount;
  queues.set(text, { ...(present?.isClosed === false ? present : row), droppedCount });
}

/** Yields a map key of what listens where. */
function toQueueText(row: ListenQueueRow): string {
  return `${toSocketKeyText(row)}/${toObjectText({ ...row.object, ...row.local })}`;
}

/** Takes the rows of slots that move out of `rows`; yields those that have a place to go to. */
function moved<Row extends SocketKey>(rows: Map<string, Row>, moves: SlotMoves): readonly Row[] {
  const leaving: Row[] = [];
  for (const [text, row] of rows) {
    if (!moves.has(row.targetSlot)) continue;
    rows.delete(text);
    const targetSlot = moves.get(row.targetSlot);
    if (targetSlot !== undefined) leaving.push({ ...row, targetSlot });
  }
  return leaving;
}
