/**
 * What the events of a run come to, in bounded memory: counts, who ended how,
 * and the longest single waits.
 *
 * @module
 */

import { EVENT_KINDS, type EventKind, type ExitEvent, type TraceEvent, type WaitEvent } from "../api/events.ts";
import type { WaitObject } from "../api/measurements.ts";
import { type EventCounts, EventTimes } from "./event_times.ts";
import { objectKey } from "./wait_object.ts";

/** Single waits kept whole, longest first. */
export const LONGEST_WAITS_MAX = 32;

/** Groups of ended children told apart by parent and command. */
export const CHILD_GROUPS_MAX = 1024;

/** Exit codes told apart within one group; a process has 256 of them, a report has a line. */
export const EXIT_CODES_MAX = 16;

/** Causes whose first and last slow wait are kept. */
export const SLOW_CAUSES_MAX = 1024;

/** Processes whose name and number of events are kept. */
export const DIGEST_PROCESSES_MAX = 4096;

/** Ended children of one parent with one command. */
export interface ChildGroup {
  /** Whose children they are. */
  readonly targetId: string;
  /** Who started them. */
  readonly parentProcessId: number;
  /** What they ran as when they ended. */
  readonly command: string;
  /** Children that ended, well or not. */
  readonly exitCount: number;
  /** Children that ended in a way nobody wanted. */
  readonly failedCount: number;
  /** Monotonic; Infinity while there is none. */
  readonly firstFailureMs: number;
  /** Monotonic; -Infinity while there is none. */
  readonly lastFailureMs: number;
  /** Failures by exit code; "other" beyond `EXIT_CODES_MAX`. */
  readonly exitCodes: Readonly<Record<string, number>>;
  /** Failures by number of the signal; "other" beyond `EXIT_CODES_MAX`. */
  readonly signals: Readonly<Record<string, number>>;
}

/** Slow single waits for one thing. */
export interface SlowCause {
  /** How many there were. */
  readonly count: number;
  /** When the first ended, monotonic. */
  readonly firstEndMs: number;
  /** When the last ended, monotonic. */
  readonly lastEndMs: number;
}

/** What a digest holds at one moment. */
export interface DigestSummary {
  /** Events by kind. */
  readonly counts: Readonly<Record<EventKind, number>>;
  /** At most `CHILD_GROUPS_MAX`, in order of first appearance. */
  readonly childGroups: readonly ChildGroup[];
  /** Events that found no room in one of the tables above; the counts hold them. */
  readonly ungroupedCount: number;
  /** At most `LONGEST_WAITS_MAX`, longest first. */
  readonly longestWaits: readonly WaitEvent[];
  /** By {@linkcode causeKey}. */
  readonly slowCauses: ReadonlyMap<string, SlowCause>;
  /** Lifecycle events per process. */
  readonly processEventCounts: ReadonlyMap<number, number>;
  /** When events happened. */
  readonly eventTimes: EventCounts;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Yields the key under which equal causes of one target meet. */
export function causeKey(wait: Pick<WaitEvent, "waitClass" | "object">): string {
  return `${wait.waitClass} ${objectKey(wait.object)}`;
}

/** Takes events in any number and keeps a bounded digest of them. */
export class EventDigest {
  readonly #counts = noCounts();
  readonly #childGroups = new Map<string, Mutable<ChildGroup>>();
  readonly #slowCauses = new Map<string, Mutable<SlowCause>>();
  readonly #knownCauses = new KnownCauses();
  readonly #commands = new Map<number, string>(); // of living processes; threads may be called otherwise
  readonly #eventCounts = new Map<number, number>();
  readonly #times = new EventTimes();
  #longestWaits: WaitEvent[] = [];
  #ungroupedCount = 0;

  /** Takes one event; it is not kept unless it is among the longest waits. */
  add(event: TraceEvent): void {
    this.#counts[event.kind]++;
    this.#times.add("endMs" in event ? event.endMs : event.atMs);
    switch (event.kind) {
      case "wait":
        return this.#addWait(event);
      case "exit":
        this.#increment(this.#eventCounts, event.processId);
        return this.#addExit(event);
      case "fork":
        this.#increment(this.#eventCounts, event.parentProcessId);
        if (event.childProcessId !== event.parentProcessId) this.#setCommand(event.childProcessId, event.command);
        return;
      case "exec":
        this.#increment(this.#eventCounts, event.processId);
        return this.#setCommand(event.processId, event.command);
      case "oomKill":
      case "file":
        this.#increment(this.#eventCounts, event.processId);
    }
  }

  /** Yields a copy that later events do not change. */
  summary(): DigestSummary {
    return {
      counts: { ...this.#counts },
      childGroups: Array.from(this.#childGroups.values(), (group) => ({
        ...group,
        exitCodes: { ...group.exitCodes },
        signals: { ...group.signals },
      })),
      ungroupedCount: this.#ungroupedCount,
      longestWaits: [...this.#longestWaits],
      slowCauses: new Map(this.#slowCauses),
      processEventCounts: new Map(this.#eventCounts),
      eventTimes: this.#times.summary(),
    };
  }

  #addWait(event: WaitEvent): void {
    const shortest = this.#longestWaits.at(-1);
    if (
      this.#longestWaits.length < LONGEST_WAITS_MAX || (shortest && event.durationMs > shortest.durationMs)
    ) {
      const place = this.#longestWaits.findIndex((wait) => wait.durationMs < event.durationMs);
      this.#longestWaits.splice(place < 0 ? this.#longestWaits.length : place, 0, event);
      this.#longestWaits = this.#longestWaits.slice(0, LONGEST_WAITS_MAX);
    }
    const cause = this.#knownCauses.find(event) ?? this.#slowCause(event);
    if (cause === undefined) {
      this.#ungroupedCount++;
      return;
    }
    cause.count++;
    if (event.endMs < cause.firstEndMs) cause.firstEndMs = event.endMs;
    if (event.endMs > cause.lastEndMs) cause.lastEndMs = event.endMs;
  }

  /** Yields the cause, made when there is room for it. */
  #slowCause(event: WaitEvent): Mutable<SlowCause> | undefined {
    const key = `${event.targetId} ${causeKey(event)}`;
    let cause = this.#slowCauses.get(key);
    if (cause === undefined) {
      if (this.#slowCauses.size >= SLOW_CAUSES_MAX) return undefined;
      cause = { count: 0, firstEndMs: event.endMs, lastEndMs: event.endMs };
      this.#slowCauses.set(key, cause);
    }
    this.#knownCauses.learn(event, cause);
    return cause;
  }

  #addExit(event: ExitEvent): void {
    if (!event.processEnded) return;
    const command = event.threadId === event.processId
      ? event.command
      : this.#commands.get(event.processId) ?? event.command;
    this.#commands.delete(event.processId);
    const group = this.#childGroup({ ...event, command });
    if (group === undefined) {
      this.#ungroupedCount++;
      return;
    }
    group.exitCount++;
    if (!isFailure({ ...event, command })) return;
    group.failedCount++;
    group.firstFailureMs = Math.min(group.firstFailureMs, event.atMs);
    group.lastFailureMs = Math.max(group.lastFailureMs, event.atMs);
    const [table, name] = event.signal !== 0
      ? [group.signals as Record<string, number>, String(event.signal)]
      : [group.exitCodes as Record<string, number>, String(event.exitCode)];
    const key = name in table || Object.keys(table).length < EXIT_CODES_MAX ? name : "other";
    table[key] = (table[key] ?? 0) + 1;
  }

  #childGroup(event: ExitEvent): Mutable<ChildGroup> | undefined {
    const key = `${event.targetId} ${event.parentProcessId} ${event.command}`;
    const known = this.#childGroups.get(key);
    if (known !== undefined || this.#childGroups.size >= CHILD_GROUPS_MAX) return known;
    const group = {
      targetId: event.targetId,
      parentProcessId: event.parentProcessId,
      command: event.command,
      exitCount: 0,
      failedCount: 0,
      firstFailureMs: Infinity,
      lastFailureMs: -Infinity,
      exitCodes: {},
      signals: {},
    };
    this.#childGroups.set(key, group);
    return group;
  }

  #setCommand(processId: number, command: string): void {
    if (this.#commands.has(processId) || this.#commands.size < DIGEST_PROCESSES_MAX) {
      this.#commands.set(processId, command);
    }
  }

  #increment(table: Map<number, number>, processId: number): void {
    const count = table.get(processId);
    if (count === undefined && table.size >= DIGEST_PROCESSES_MAX) {
      this.#ungroupedCount++;
      return;
    }
    table.set(processId, (count ?? 0) + 1);
  }
}

function noCounts(): Record<EventKind, number> {
  // Object.fromEntries widens the keys; EVENT_KINDS has every one.
  return Object.fromEntries(Object.keys(EVENT_KINDS).map((kind) => [kind, 0])) as Record<EventKind, number>;
}

/** Objects whose causes are found without a string; an event on another one pays for its key. */
export const KNOWN_OBJECTS_MAX = 4096;

interface KnownCause {
  readonly targetId: string;
  readonly waitClass: string;
  readonly cause: Mutable<SlowCause>;
  readonly next: KnownCause | undefined;
}

/**
 * Causes by the very object of the event: the engine hands out the same one
 * again, and making its key costs more than all else done with an event.
 */
class KnownCauses {
  readonly #byObject = new Map<WaitObject, KnownCause>();

  find(event: WaitEvent): Mutable<SlowCause> | undefined {
    let known = this.#byObject.get(event.object);
    while (known !== undefined) {
      if (known.targetId === event.targetId && known.waitClass === event.waitClass) return known.cause;
      known = known.next;
    }
    return undefined;
  }

  /** Begins anew when full: nothing is lost but time. */
  learn(event: WaitEvent, cause: Mutable<SlowCause>): void {
    if (this.#byObject.size >= KNOWN_OBJECTS_MAX) this.#byObject.clear();
    const next = this.#byObject.get(event.object);
    this.#byObject.set(event.object, { targetId: event.targetId, waitClass: event.waitClass, cause, next });
  }
}

/**
 * Signals and codes by which processes are ended on purpose: HUP, INT, PIPE
 * (a reader like `head` had enough), TERM; a shell reports them as 128 + n.
 */
const ORDERLY_SIGNALS: ReadonlySet<number> = new Set([1, 2, 13, 15]);

/** Commands whose exit code 1 is an answer ("no"), not a failure. */
const PREDICATES: ReadonlySet<string> = new Set([
  "[",
  "cmp",
  "diff",
  "egrep",
  "expr",
  "false",
  "fgrep",
  "grep",
  "pgrep",
  "pidof",
  "pkill",
  "test",
  "which",
]);

/** Whether a process ended in a way nobody wanted. */
export function isFailure(exit: Pick<ExitEvent, "exitCode" | "signal" | "command">): boolean {
  if (exit.signal !== 0) return !ORDERLY_SIGNALS.has(exit.signal);
  if (exit.exitCode === 0) return false;
  if (exit.exitCode === 1 && PREDICATES.has(exit.command)) return false;
  return !ORDERLY_SIGNALS.has(exit.exitCode - 128);
}
