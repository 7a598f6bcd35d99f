/**
 * Routing, the hot path: kind and target slot decide in place, and only a
 * record somebody wants is decoded, once.
 *
 * @module
 */

import { EVENT_KINDS, type FileEvent, SOCKET_EVENT_KINDS, type TraceEvent, type WaitEvent } from "../api/events.ts";
import { TARGETS_MAX } from "../api/limits.ts";
import type {
  BackendRecord,
  CloseRecord,
  ExecRecord,
  ExitRecord,
  FileRecord,
  ForkRecord,
  NameRecord,
  OomKillRecord,
  RecordView,
  SocketRecord,
  WaitRecord,
} from "../api/tracer_backend.ts";
import type { TargetId } from "../api/units.ts";
import {
  type EventNames,
  toExecEvent,
  toExitEvent,
  toFileEvent,
  toForkEvent,
  toOomKillEvent,
  toSocketEvent,
  toWaitEvent,
} from "./event_mapper.ts";
import { invariant } from "./invariant.ts";

/** `PT_KIND_NAME` of bpf/include/pt_events.h; names never become events. */
export const NAME_KIND = 2;

/** Kinds fit one mask of 32 bits. */
const KINDS_MAX = 32;

/** Slots the kernel may hand out, and one more so that 1-based ones fit too. */
const SLOTS_MAX = TARGETS_MAX + 1;

/** What the engine itself keeps, of targets that are traced: lives of processes and threads. */
const LIFECYCLE_MASK = (1 << EVENT_KINDS.fork) | (1 << EVENT_KINDS.exec) | (1 << EVENT_KINDS.exit) |
  (1 << EVENT_KINDS.oomKill);

const SOCKET_KINDS: ReadonlySet<string> = new Set(SOCKET_EVENT_KINDS);

const WAIT_MASK = 1 << EVENT_KINDS.wait;

const FILE_MASK = 1 << EVENT_KINDS.file;

/** One route as the router sees it. */
export interface RouteSink {
  readonly kinds: number; // EventKindMask
  readonly slowWaitMs: number;
  /** By `pt_wait_class`, where a class has a threshold of its own. */
  readonly slowWaitMsOfClass?: readonly (number | undefined)[];
  readonly slowFileMs: number;
  readonly slowResponseMs: number;
  readonly slowConnectMs: number;
  readonly receiver: EventReceiver;
}

export interface EventReceiver {
  accept(event: TraceEvent): void;
}

/** The engine's own interest in records; called before any route. */
export interface RecordConsumer {
  onName(record: NameRecord): void;
  onFork(record: ForkRecord, targetId: TargetId): void;
  onExec(record: ExecRecord, targetId: TargetId): void;
  onClose(record: CloseRecord): void;
  /** Yields whether its process ended with it: exactly once per process. */
  onExit(record: ExitRecord, targetId: TargetId): boolean;
  onOomKill(record: OomKillRecord, targetId: TargetId): void;
}

/** Who wants what, by target slot; replaced as a whole. */
export interface RoutingTable {
  /** Kinds to decode. */
  readonly masks: Uint32Array;
  readonly targetIds: readonly (TargetId | undefined)[];
  readonly sinks: readonly (readonly RouteSink[])[];
}

export interface RoutedTarget {
  readonly slot: number;
  readonly targetId: TargetId;
  readonly sinks: readonly RouteSink[];
}

/** Yields the table for `targets`. A slot that none of them has wants names and nothing else. */
export function toRoutingTable(targets: readonly RoutedTarget[]): RoutingTable {
  const masks = new Uint32Array(SLOTS_MAX).fill(1 << NAME_KIND);
  const targetIds = new Array<TargetId | undefined>(SLOTS_MAX).fill(undefined);
  const sinks = new Array<readonly RouteSink[]>(SLOTS_MAX).fill([]);
  for (const target of targets) {
    invariant(target.slot >= 0 && target.slot < SLOTS_MAX, `Expected a slot below ${SLOTS_MAX}, got ${target.slot}`);
    let mask = (1 << NAME_KIND) | LIFECYCLE_MASK | (1 << EVENT_KINDS.close);
    for (const sink of target.sinks) mask |= sink.kinds;
    masks[target.slot] = mask;
    targetIds[target.slot] = target.targetId;
    sinks[target.slot] = target.sinks;
  }
  return { masks, targetIds, sinks };
}

/** Counts of the router: read = unmatched + internal + matched, after every record. */
export interface RouterCounts {
  readonly readCount: number;
  readonly readBytes: number;
  readonly unmatchedCount: number;
  readonly internalCount: number;
  readonly matchedCount: number;
  /** Records read, by kind; the place 0 takes kinds that are not known. */
  readonly readByKind: readonly number[];
}

/** Routes one record at a time; `visit` is what `TracerBackend.drain` calls. */
export class Router {
  readonly #consumer: RecordConsumer;
  readonly #names: EventNames;
  #table: RoutingTable = toRoutingTable([]);
  #readCount = 0;
  #readBytes = 0;
  #unmatchedCount = 0;
  #internalCount = 0;
  #matchedCount = 0;
  readonly #readByKind: number[] = new Array<number>(KINDS_MAX).fill(0);

  constructor(consumer: RecordConsumer, names: EventNames) {
    this.#consumer = consumer;
    this.#names = names;
  }

  use(table: RoutingTable): void {
    this.#table = table;
  }

  /** Bound once: the same function for every drain. */
  readonly visit = (record: RecordView): void => {
    const kind = record.kind;
    const slot = record.targetSlot;
    const isKnownKind = kind < KINDS_MAX;
    this.#readCount++;
    this.#readBytes += record.sizeBytes;
    const counted = isKnownKind ? kind : 0;
    this.#readByKind[counted] = (this.#readByKind[counted] ?? 0) + 1;
    const mask = isKnownKind && slot < SLOTS_MAX ? this.#table.masks[slot] ?? 0 : 0;
    if ((mask & (1 << kind)) === 0) {
      this.#unmatchedCount++;
      return;
    }
    this.#route(record.decode(), slot);
  };

  counts(): RouterCounts {
    return {
      readCount: this.#readCount,
      readBytes: this.#readBytes,
      unmatchedCount: this.#unmatchedCount,
      internalCount: this.#internalCount,
      matchedCount: this.#matchedCount,
      readByKind: [...this.#readByKind],
    };
  }

  #route(record: BackendRecord, slot: number): void {
    if (record.kind === "name") {
      this.#consumer.onName(record);
      this.#internalCount++;
      return;
    }
    const targetId = this.#table.targetIds[slot];
    const sinks = this.#table.sinks[slot];
    if (targetId === undefined || sinks === undefined) {
      this.#unmatchedCount++;
      return;
    }
    if (record.kind === "wait") {
      this.#routeWait(record, targetId, sinks);
      return;
    }
    if (record.kind === "file") {
      this.#routeFile(record, targetId, sinks);
      return;
    }
    if (isSocketRecord(record)) {
      this.#routeSocket(record, targetId, sinks);
      return;
    }
    const event = this.#consume(record, targetId);
    if (event !== undefined && offer(sinks, EVENT_KINDS[record.kind], event)) this.#matchedCount++;
    else this.#internalCount++;
  }

  #routeWait(record: WaitRecord, targetId: TargetId, sinks: readonly RouteSink[]): void {
    const durationMs = record.durationMs;
    let event: WaitEvent | undefined;
    for (let index = 0; index < sinks.length; index++) {
      const sink = sinks[index];
      if (sink === undefined || (sink.kinds & WAIT_MASK) === 0) continue;
      if (durationMs < (sink.slowWaitMsOfClass?.[record.key.waitClass] ?? sink.slowWaitMs)) continue;
      event ??= toWaitEvent(record, targetId, this.#names);
      sink.receiver.accept(event);
    }
    if (event === undefined) this.#unmatchedCount++;
    else this.#matchedCount++;
  }

  #routeFile(record: FileRecord, targetId: TargetId, sinks: readonly RouteSink[]): void {
    let event: FileEvent | undefined;
    for (const sink of sinks) {
      if ((sink.kinds & FILE_MASK) === 0) continue;
      if (record.key.errno === 0 && record.durationMs < sink.slowFileMs) continue;
      event ??= toFileEvent(record, targetId, this.#names);
      sink.receiver.accept(event);
    }
    if (event === undefined) this.#unmatchedCount++;
    else this.#matchedCount++;
  }

  /** A record that is of no use to any route but to the book is the engine's own. */
  #routeSocket(record: SocketRecord | CloseRecord, targetId: TargetId, sinks: readonly RouteSink[]): void {
    if (record.kind === "close") this.#consumer.onClose(record);
    const mask = 1 << EVENT_KINDS[record.kind];
    const wanting = sinks.filter((sink) => (sink.kinds & mask) !== 0 && isSlowEnough(record, sink));
    const event = wanting.length === 0 ? undefined : toSocketEvent(record, targetId, this.#names);
    if (event === undefined) {
      if (record.kind === "close") this.#internalCount++;
      else this.#unmatchedCount++;
      return;
    }
    for (const sink of wanting) sink.receiver.accept(event);
    this.#matchedCount++;
  }

  /** The engine's own share first; then the event, for whoever wants it. A thread that only left has not ended. */
  #consume(
    record: ForkRecord | ExecRecord | ExitRecord | OomKillRecord,
    targetId: TargetId,
  ): TraceEvent | undefined {
    switch (record.kind) {
      case "fork":
        this.#consumer.onFork(record, targetId);
        return toForkEvent(record, targetId);
      case "exec":
        this.#consumer.onExec(record, targetId);
        return toExecEvent(record, targetId);
      case "oomKill":
        this.#consumer.onOomKill(record, targetId);
        return toOomKillEvent(record, targetId);
      case "exit":
        return this.#consumeExit(record, targetId);
    }
  }

  /** Threads that end together all find none of their process left: the first one ended it. */
  #consumeExit(record: ExitRecord, targetId: TargetId): TraceEvent | undefined {
    const processEnded = this.#consumer.onExit(record, targetId);
    return record.leftTarget ? undefined : toExitEvent({ ...record, processEnded }, targetId);
  }
}

function isSocketRecord(record: BackendRecord): record is SocketRecord | CloseRecord {
  return SOCKET_KINDS.has(record.kind);
}

/** The kernel keeps to the smallest threshold of all routes. */
function isSlowEnough(record: SocketRecord | CloseRecord, sink: RouteSink): boolean {
  if (record.kind === "response") return record.durationMs >= sink.slowResponseMs;
  return record.kind !== "connect" || record.error !== 0 || record.durationMs >= sink.slowConnectMs;
}

/** Yields whether anybody took `event`. */
function offer(sinks: readonly RouteSink[], kind: number, event: TraceEvent): boolean {
  let isTaken = false;
  for (const sink of sinks) {
    if ((sink.kinds & (1 << kind)) === 0) continue;
    sink.receiver.accept(event);
    isTaken = true;
  }
  return isTaken;
}
