/**
 * Events: what a record of the ring becomes after its one decode. Plain data;
 * no kernel memory is referenced.
 *
 * @module
 */

import type { WaitClass, WaitObject } from "./measurements.ts";
import type { EventKindMask, TargetId } from "./units.ts";

/** Kinds that cross the seam; the numbers are `pt_kind` of bpf/include/pt_events.h. */
export const EVENT_KINDS = { wait: 1, fork: 3, exec: 4, exit: 5 } as const;

export type EventKind = keyof typeof EVENT_KINDS;

/** Yields the mask with one bit for each of `kinds`. */
export function toEventKindMask(kinds: readonly EventKind[]): EventKindMask {
  let mask = 0;
  for (const kind of kinds) mask |= 1 << EVENT_KINDS[kind];
  return mask as EventKindMask;
}

/** One wait that lasted at least the route's threshold. */
export interface WaitEvent {
  readonly kind: "wait";
  readonly targetId: TargetId;
  readonly endMs: number; // monotonic
  readonly durationMs: number;
  readonly processId: number;
  readonly threadId: number;
  readonly waitClass: WaitClass;
  readonly systemCall: string | undefined;
  readonly object: WaitObject;
  /** 0: woken by an interrupt, or by a thread that is not known. */
  readonly wakerThreadId: number;
}

export interface ForkEvent {
  readonly kind: "fork";
  readonly targetId: TargetId;
  readonly atMs: number; // monotonic
  readonly parentProcessId: number;
  readonly parentThreadId: number;
  readonly childProcessId: number; // equals parentProcessId for a new thread
  readonly childThreadId: number;
  readonly command: string;
}

export interface ExecEvent {
  readonly kind: "exec";
  readonly targetId: TargetId;
  readonly atMs: number; // monotonic
  readonly processId: number;
  readonly command: string;
  readonly path: string; // as given to exec
}

/** A thread ended. */
export interface ExitEvent {
  readonly kind: "exit";
  readonly targetId: TargetId;
  readonly atMs: number; // monotonic
  readonly processId: number;
  readonly threadId: number;
  readonly parentProcessId: number;
  readonly command: string;
  readonly exitCode: number; // 0 when a signal ended it
  readonly signal: number; // 0 when it exited by itself
  /** No thread of the process was left when this one ended. */
  readonly processEnded: boolean;
}

export type TraceEvent = WaitEvent | ForkEvent | ExecEvent | ExitEvent;
