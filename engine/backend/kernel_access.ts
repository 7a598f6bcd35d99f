/**
 * What the backend reads of the kernel and tells it: the line at which a run is
 * recorded and replayed. Everything here is raw; decoding lies above it.
 *
 * @module
 */

import type { TakenRows } from "../api/tracer_backend.ts";
import type { HookStatus } from "../api/measurements.ts";
import type { Plane } from "../api/plane.ts";
import type { BpfMap } from "../ffi/bpf_map.ts";
import type { RingReader } from "./ring_reader.ts";
import type { RunTotals } from "./run_time_sampler.ts";

/** One table of the kernel. */
export type KernelTable = Pick<
  BpfMap,
  | "keyBytes"
  | "valueBytes"
  | "entryValueBytes"
  | "lookup"
  | "lookupBatch"
  | "lookupSteps"
  | "update"
  | "delete"
  | "deleteBatch"
>;

/** One ring; its view may be kept, what is in it is valid while a record is visited. */
export type RecordRing = Pick<RingReader, "view" | "drain">;

/** A program in force. */
export interface AttachedProgram {
  readonly hook: string;
  /** Index of its call counter in the kernel's books. */
  readonly row: number;
  readonly name: string;
  /** "tp_btf/sched_switch" */
  readonly section: string;
}

/** What is attached, what was refused, and what running it took; as of now. */
export interface Attachment {
  readonly hooks: readonly HookStatus[];
  readonly programs: readonly AttachedProgram[];
  /** Per hook: totals of its samples. */
  readonly runTotals: ReadonlyMap<string, RunTotals>;
  readonly runTimeNote: string;
  readonly mapMemoryBytes: number;
  /** Ports `learnListeners` found no room for. */
  readonly unlearnedPortCount: number;
  /** What a recording lacks; `undefined`: this is no recording, or it lacks nothing. */
  readonly gaps?: RecordingGaps;
}

/** What a recording does not hold of the run that it is of. */
export interface RecordingGaps {
  /** `pt_kind` to how many records of it were not recorded for want of room. */
  readonly missing: ReadonlyMap<number, number>;
  /** The recording is cut: how much of the look it holds, and why not all. */
  readonly endedEarly: { readonly percent: number; readonly reason: string } | undefined;
}

/** The kernel, or a recording of it. Disposal detaches and releases everything. */
export interface KernelAccess extends AsyncDisposable {
  readonly lifecycleRing: RecordRing;
  readonly dataRing: RecordRing;
  /** Milliseconds of CLOCK_MONOTONIC. */
  monotonicMs(): number;
  /** Yields the same table for the same name, always. */
  table(name: string): KernelTable;
  /** Runs the task iterator, in the mode that the control words say; yields `pt_task_record`s, one after the other. */
  readTasks(): Uint8Array<ArrayBuffer>;
  /** Runs the socket iterator, in the mode that the control words say: it reports nothing, it fills tables. */
  visitSockets(): void;
  /** Tells the kernel's programs which TCP ports are served in the network namespaces of `processIds`. */
  learnListeners(processIds: readonly number[]): void;
  /** Yields the four bytes at `address` of a process, little endian; `undefined` when it is gone or denied. */
  readWord(processId: number, address: bigint): number | undefined;
  /** As `TracerBackend.mayTakeOut`. */
  mayTakeOut(what: TakenRows, options: { isDue: boolean }): boolean;
  /** As `TracerBackend.wait`. */
  wait(options: { timeoutMs: number; signal: AbortSignal }): Promise<void>;
  /** Both rings are drained between these two; `hasTime` says whether the turn may go on. */
  beginTurn(turnMsMax: number): void;
  endTurn(): void;
  readonly hasTime: () => boolean;
  /**
   * Attaches the hooks of `planes` and detaches those of others, but for the
   * time plane's, which stay. Hooks that need no change are not touched.
   */
  setPlanes(planes: ReadonlySet<Plane>): void;
  /** The window is about to close. */
  beginClose(): void;
  /** Takes every hook away; what the kernel holds stays readable. */
  detach(endMs: number): void;
  attachment(): Attachment;
}
