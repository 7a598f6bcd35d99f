/**
 * What a rule says: one sentence that is the answer, and the figures behind it.
 *
 * @module
 */

import type { FilterCategory } from "../api/filter.ts";
import type { TargetId } from "../api/units.ts";
import type { Severity } from "../api/severity.ts";

/** Every rule's id, as reports and scripts know it. */
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
  "service-sleep",
  "blocked-loop",
  "busy-polling",
  "stuck-lock",
  "connection-churn",
  "rtt-spikes",
  "connection-failures",
  "port-exhaustion",
  "slow-handshake",
  "retransmits",
  "connection-resets",
  "slow-responses",
  "slow-service",
  "listen-overflow",
  "resource-limit",
  "event-loss",
  "oom-kill",
  "memory-limit",
  "fault-storm",
  "descriptor-limit",
  "spawn-storm",
  "io-limit",
  "file-errors",
  "slow-files",
] as const;

/** One of them. */
export type RuleId = (typeof RULE_IDS)[number];

/** What each rule is about: it is told where that category is looked at. */
export const CATEGORY_OF_RULE: Readonly<Record<RuleId, FilterCategory>> = {
  "slow-peer": "net",
  "disk-stall": "fs",
  "lock-contention": "lock",
  "cpu-wait": "cpu",
  "cpu-throttling": "cpu",
  "pipe-wait": "time",
  "child-wait": "proc",
  "page-fault": "mem",
  "stopped": "time",
  "crash-loop": "proc",
  "service-sleep": "time",
  "blocked-loop": "cpu",
  "busy-polling": "cpu",
  "stuck-lock": "lock",
  "connection-churn": "net",
  "rtt-spikes": "net",
  "connection-failures": "net",
  "port-exhaustion": "net",
  "slow-handshake": "net",
  "retransmits": "net",
  "connection-resets": "net",
  "slow-responses": "net",
  "slow-service": "net",
  "listen-overflow": "net",
  "resource-limit": "cpu",
  "event-loss": "time",
  "oom-kill": "mem",
  "memory-limit": "mem",
  "fault-storm": "mem",
  "descriptor-limit": "proc",
  "spawn-storm": "proc",
  "io-limit": "fs",
  "file-errors": "fs",
  "slow-files": "fs",
};

/** What one rule found. */
export interface Finding {
  /** The rule. */
  readonly id: RuleId;
  /** The target it speaks of. */
  readonly targetId: TargetId;
  /** How bad it is. */
  readonly severity: Severity;
  /** One sentence that is the answer. */
  readonly title: string;
  /** The figures behind it. */
  readonly evidence: Evidence;
  /** Other waits that this cause explains, one sentence each. */
  readonly consequences: readonly string[];
  /** One thing to do. */
  readonly nextStep: string;
  /** Of the target's non-idle time, consequences included; 0 for failures. */
  readonly explainedMs: number;
  /** `explainedMs` of the target's non-idle time, 0 to 1. */
  readonly share: number;
}

/** Only what the rule knows; the rest is `undefined` and left out of JSON. */
export interface Evidence {
  /** The peer, path, lock, cgroup or command it is about. */
  readonly object?: string;
  /** Most time first. */
  readonly systemCalls?: readonly string[];
  /** Figures of the waits. */
  readonly waits?: WaitFigures;
  /** Most time first, at most `EVIDENCE_THREADS_MAX`. */
  readonly threads?: readonly ThreadShare[];
  /** All threads, those not named included. */
  readonly threadCount?: number;
  /** Who held the lock. */
  readonly holder?: HolderEvidence;
  /** Who ended most of the waiting. */
  readonly waker?: ThreadName;
  /** Figures of running and wanting to. */
  readonly cpu?: CpuEvidence;
  /** Figures of children that failed. */
  readonly failures?: FailureEvidence;
  /** Waits that were long enough to be recorded one by one. */
  readonly slowWaits?: { readonly count: number; readonly firstEndWallMs: number; readonly lastEndWallMs: number };
  /** Where in the program the waits were begun, most time first; absent unless stacks were asked for. */
  readonly userStacks?: readonly StackShare[];
  /** What qualifies the figures. */
  readonly notes?: readonly string[];
}

/** A thread as a person finds it. */
export interface ThreadName {
  /** As the host's pid namespace knows it. */
  readonly processId: number;
  /** As the host's pid namespace knows it. */
  readonly threadId: number;
  /** Its `comm`. */
  readonly command: string;
}

/** Waits begun at one place of the program. */
export interface StackShare {
  /** Innermost first: "name+0x12", "module+0x1234" or "0x…". */
  readonly frames: readonly string[];
  /** Their part of the time. */
  readonly totalMs: number;
  /** Their number. */
  readonly count: number;
}

/** Figures of several waits together. */
export interface WaitFigures {
  /** All of it. */
  readonly totalMs: number;
  /** Waits, open ones included. */
  readonly count: number;
  /** `totalMs` per wait. */
  readonly meanMs: number;
  /** Upper bound, from a log2 histogram. */
  readonly p99MsMax: number | undefined;
  /** The longest single wait. */
  readonly longestMs: number;
  /** When that one ended, unix time; `undefined`: not known. */
  readonly longestEndWallMs: number | undefined;
  /** The part of the total still going on when the window closed. */
  readonly openMs: number;
}

/** A thread's part of a finding. */
export interface ThreadShare extends ThreadName {
  /** Its part of the time. */
  readonly totalMs: number;
  /** Its waits; 0 where the finding is of no waits. */
  readonly count: number;
}

/** Who held a lock, and what for. */
export interface HolderEvidence extends ThreadName {
  /** "in fsync of data.bin", "running or waiting for a CPU". */
  readonly activity: string;
  /** Of the waiting time, that this holder and activity account for; 0 to 1. */
  readonly share: number;
}

/** Time on a CPU, and time without one. */
export interface CpuEvidence {
  /** Running. */
  readonly onCpuMs: number;
  /** Waiting for a CPU; throttled time not included. */
  readonly runnableMs: number;
  /** Held back by a CPU limit. */
  readonly throttledMs: number;
  /** CPUs of the machine. */
  readonly cpuCount: number;
  /** CPUs the cgroup's quota allows. */
  readonly cpuLimit?: number;
  /** Periods of the quota in the window. */
  readonly periodCount?: number;
  /** Those in which the cgroup was throttled. */
  readonly throttledPeriodCount?: number;
  /** The cgroup's own account; counts every CPU's queue. */
  readonly cgroupThrottledMs?: number;
  /** Time in which some task waited for a CPU (PSI). */
  readonly cpuPressureMs?: number;
}

/** Children that failed, of all that ended. */
export interface FailureEvidence {
  /** Those that failed. */
  readonly failedCount: number;
  /** All that ended. */
  readonly attemptCount: number;
  /** Failures by exit code. */
  readonly exitCodes: Readonly<Record<string, number>>;
  /** Failures by name of the signal. */
  readonly signals: Readonly<Record<string, number>>;
  /** The first failure, unix time. */
  readonly firstWallMs: number;
  /** The last failure, unix time. */
  readonly lastWallMs: number;
  /** Who started them. */
  readonly parent: { readonly processId: number; readonly command: string };
}

/** Threads named in one finding. */
export const EVIDENCE_THREADS_MAX = 8;
