/**
 * Events: what a record of the ring becomes after its one decode. Plain data;
 * no kernel memory is referenced.
 *
 * @module
 */

import type { FileOperation } from "./file_measurements.ts";
import type { WaitClass, WaitObject } from "./measurements.ts";
import type { OomVictimMemory } from "./resource_measurements.ts";
import type { SocketEvent } from "./socket_events.ts";
import type { EventKindMask, TargetId } from "./units.ts";

/** Kinds that cross the seam; the numbers are `pt_kind` of bpf/include/pt_events.h. */
export const EVENT_KINDS = {
  wait: 1,
  fork: 3,
  exec: 4,
  exit: 5,
  oomKill: 7,
  file: 8,
  connect: 16,
  accept: 17,
  close: 18,
  transferFailure: 19,
  response: 20,
  retransmit: 21,
} as const;

/** One of them by name. */
export type EventKind = keyof typeof EVENT_KINDS;

/** Those that sockets tell. */
export const SOCKET_EVENT_KINDS = [
  "connect",
  "accept",
  "close",
  "transferFailure",
  "response",
  "retransmit",
] as const satisfies readonly EventKind[];

/** Yields the mask with one bit for each of `kinds`. */
export function toEventKindMask(kinds: readonly EventKind[]): EventKindMask {
  let mask = 0;
  for (const kind of kinds) mask |= 1 << EVENT_KINDS[kind];
  return mask as EventKindMask;
}

/** One wait that lasted at least the route's threshold. */
export interface WaitEvent {
  /** Tells the events apart. */
  readonly kind: "wait";
  /** Whose event it is. */
  readonly targetId: TargetId;
  /** When the thread was woken, monotonic. */
  readonly endMs: number;
  /** From going to sleep to being woken. */
  readonly durationMs: number;
  /** Who waited. */
  readonly processId: number;
  /** Who waited. */
  readonly threadId: number;
  /** What kind of wait. */
  readonly waitClass: WaitClass;
  /** Through which call; `undefined`: none, or not known. */
  readonly systemCall: string | undefined;
  /** For what. */
  readonly object: WaitObject;
  /** 0: woken by an interrupt, or by a thread that is not known. */
  readonly wakerThreadId: number;
}

/** A thread or process was made. */
export interface ForkEvent {
  /** Tells the events apart. */
  readonly kind: "fork";
  /** Whose event it is. */
  readonly targetId: TargetId;
  /** Monotonic. */
  readonly atMs: number;
  /** Of the thread that forked. */
  readonly parentProcessId: number;
  /** The thread that forked. */
  readonly parentThreadId: number;
  /** Equals `parentProcessId` for a new thread. */
  readonly childProcessId: number;
  /** The new thread. */
  readonly childThreadId: number;
  /** `comm` of the child, sanitised. */
  readonly command: string;
}

/** A process became another program. */
export interface ExecEvent {
  /** Tells the events apart. */
  readonly kind: "exec";
  /** Whose event it is. */
  readonly targetId: TargetId;
  /** Monotonic. */
  readonly atMs: number;
  /** The process. */
  readonly processId: number;
  /** `comm` from here on, sanitised. */
  readonly command: string;
  /** As given to exec, sanitised. */
  readonly path: string;
  /** Sanitised, and what looks like a secret replaced by "***"; empty when it could not be read. */
  readonly argumentList: readonly string[];
  /** There were more arguments, or longer ones, than were kept. */
  readonly isArgumentListCut: boolean;
}

/** A thread ended. */
export interface ExitEvent {
  /** Tells the events apart. */
  readonly kind: "exit";
  /** Whose event it is. */
  readonly targetId: TargetId;
  /** Monotonic. */
  readonly atMs: number;
  /** Of the thread. */
  readonly processId: number;
  /** The thread. */
  readonly threadId: number;
  /** Of the process; 0: unknown. */
  readonly parentProcessId: number;
  /** `comm`, sanitised. */
  readonly command: string;
  /** 0 when a signal ended it. */
  readonly exitCode: number;
  /** 0 when it exited by itself. */
  readonly signal: number;
  /** No thread of the process was left when this one ended. */
  readonly processEnded: boolean;
  /** The kernel had chosen it to be killed for want of memory. */
  readonly isOomVictim: boolean;
}

/** The kernel killed a process for want of memory; its exit follows. */
export interface OomKillEvent {
  /** Tells the events apart. */
  readonly kind: "oomKill";
  /** Whose event it is. */
  readonly targetId: TargetId;
  /** Monotonic. */
  readonly atMs: number;
  /** The victim. */
  readonly processId: number;
  /** `comm` of the victim, sanitised. */
  readonly command: string;
  /** What it held. */
  readonly memory: OomVictimMemory;
}

/** One operation on a file that failed, or took at least the route's threshold. */
export interface FileEvent {
  /** Tells the events apart. */
  readonly kind: "file";
  /** Whose event it is. */
  readonly targetId: TargetId;
  /** When the call returned, monotonic. */
  readonly endMs: number;
  /** From call to return. */
  readonly durationMs: number;
  /** Who did it. */
  readonly processId: number;
  /** Who did it. */
  readonly threadId: number;
  /** What was done. */
  readonly operation: FileOperation;
  /** Through which call. */
  readonly systemCall: string | undefined;
  /** To what. */
  readonly object: WaitObject;
  /** As errno(3) numbers it; 0: it succeeded. */
  readonly errno: number;
  /** Read or written. */
  readonly byteCount: number;
}

/** What an exporter is given. */
export type TraceEvent = WaitEvent | ForkEvent | ExecEvent | ExitEvent | OomKillEvent | FileEvent | SocketEvent;
