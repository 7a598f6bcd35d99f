/**
 * What a rule says: one sentence that is the answer, and the figures behind it.
 *
 * @module
 */

import type { TargetId } from "../api/units.ts";
import type { Severity } from "./severity.ts";

export const RULE_IDS = [
  "slow-peer",
  "disk-stall",
  "lock-contention",
  "cpu-wait",
  "cpu-throttling",
  "pipe-wait",
  "child-wait",
  "page-fault",
  "stopped",
  "crash-loop",
] as const;

export type RuleId = (typeof RULE_IDS)[number];

export interface Finding {
  readonly id: RuleId;
  readonly targetId: TargetId;
  readonly severity: Severity;
  readonly title: string;
  readonly evidence: Evidence;
  /** Other waits that this cause explains, one sentence each. */
  readonly consequences: readonly string[];
  readonly nextStep: string;
  /** Of the target's non-idle time, consequences included; 0 for failures. */
  readonly explainedMs: number;
  /** `explainedMs` of the target's non-idle time, 0 to 1. */
  readonly share: number;
}

/** Only what the rule knows; the rest is `undefined` and left out of JSON. */
export interface Evidence {
  readonly object?: string;
  readonly systemCalls?: readonly string[];
  readonly waits?: WaitFigures;
  /** Most time first, at most `EVIDENCE_THREADS_MAX`. */
  readonly threads?: readonly ThreadShare[];
  readonly threadCount?: number;
  readonly holder?: HolderEvidence;
  readonly waker?: ThreadName;
  readonly cpu?: CpuEvidence;
  readonly failures?: FailureEvidence;
  /** Waits that were long enough to be recorded one by one. */
  readonly slowWaits?: { readonly count: number; readonly firstEndWallMs: number; readonly lastEndWallMs: number };
  /** What qualifies the figures. */
  readonly notes?: readonly string[];
}

export interface ThreadName {
  readonly processId: number;
  readonly threadId: number;
  readonly command: string;
}

export interface WaitFigures {
  readonly totalMs: number;
  readonly count: number;
  readonly meanMs: number;
  /** Upper bound, from a log2 histogram. */
  readonly p99MsMax: number | undefined;
  readonly longestMs: number;
  readonly longestEndWallMs: number | undefined;
  /** The part of the total still going on when the window closed. */
  readonly openMs: number;
}

export interface ThreadShare extends ThreadName {
  readonly totalMs: number;
  readonly count: number;
}

export interface HolderEvidence extends ThreadName {
  /** "in fsync of data.bin", "running or waiting for a CPU". */
  readonly activity: string;
  /** Of the waiting time, that this holder and activity account for; 0 to 1. */
  readonly share: number;
}

export interface CpuEvidence {
  readonly onCpuMs: number;
  readonly runnableMs: number;
  readonly throttledMs: number;
  readonly cpuCount: number;
  readonly cpuLimit?: number;
  readonly periodCount?: number;
  readonly throttledPeriodCount?: number;
  readonly cgroupThrottledMs?: number;
  readonly cpuPressureMs?: number;
}

export interface FailureEvidence {
  readonly failedCount: number;
  readonly attemptCount: number;
  readonly exitCodes: Readonly<Record<string, number>>;
  readonly signals: Readonly<Record<string, number>>;
  readonly firstWallMs: number;
  readonly lastWallMs: number;
  readonly parent: { readonly processId: number; readonly command: string };
}

/** Threads named in one finding. */
export const EVIDENCE_THREADS_MAX = 8;
