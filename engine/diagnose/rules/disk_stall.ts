/**
 * `disk-stall`: time blocked in reads from, writes to, or fsync of a file.
 *
 * Wrong when quick reads merely add up: a program that reads much waits much,
 * so reads below the threshold for reads on average stay info. An fsync sleeps
 * several times per call, so for writes only the total counts. While the device
 * is at the I/O limit of the cgroup, that is the cause (`io-limit`).
 *
 * @module
 */

import { type Cause, toCauses, totalMs } from "../causes.ts";
import { describeConsequences, evidenceOfCause, impactOf, judge, systemCallsOf, WAIT_CATEGORIES } from "../evidence.ts";
import { isReliable, type TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { formatShare } from "../format.ts";
import { slowMsMin, sumBuckets } from "../histogram.ts";
import { severityOf, WINDOW_MS_MIN } from "../severity.ts";
import { describeObject, isNamed } from "../wait_object.ts";
import { isHeldBack } from "./io_limit.ts";

/** What makes it a consequence. */
const LIMITED = "its device is used as much as the I/O limit allows: see io-limit";

const SYNC_CALLS = /^(fsync|fdatasync|msync|sync|syncfs|sync_file_range)/;

export function diskStall(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, WAIT_CATEGORIES) || facts.windowMs < WINDOW_MS_MIN) return [];
  return Array.from(toCauses(facts).byKey.values()).flatMap((cause) =>
    cause.waitClass === "diskRead" || cause.waitClass === "diskWrite" ? judgeFile(facts, cause) : []
  );
}

function judgeFile(facts: TargetFacts, cause: Cause): readonly Finding[] {
  const impact = impactOf(facts, cause.explainedMs);
  if (judge(impact) === undefined) return [];
  const file = isNamed(cause.object) ? describeObject(cause.object) : `a file (${describeObject(cause.object)})`;
  const operation = operationOf(cause);
  const isLimited = isHeldBack(facts, cause.object);
  const evidence = evidenceOfCause(facts, cause);
  const withLocks = cause.locks.length > 0 ? ", with the threads waiting for locks held meanwhile," : "";
  return [{
    id: "disk-stall",
    targetId: facts.targetId,
    severity: isLimited ? "info" : severityOf(impactOf(facts, stallMsOf(cause, facts.thresholds.slowReadMs))),
    title: `${operation} of ${file}${withLocks} takes ${formatShare(impact.share)} of the non-idle time.`,
    evidence: isLimited ? { ...evidence, notes: [...evidence.notes ?? [], LIMITED] } : evidence,
    consequences: describeConsequences(facts, cause),
    nextStep: nextStepFor(operation, file, cause.locks.length > 0),
    explainedMs: impact.explainedMs,
    share: impact.share,
  }];
}

function operationOf(cause: Cause): string {
  const [systemCall] = systemCallsOf(cause.waits);
  const call = systemCall ?? cause.locks[0]?.root?.systemCall;
  if (call !== undefined) return call;
  return cause.waitClass === "diskRead" ? "read" : "write";
}

/** Time lost to slow reads alone; writes, and reads that are slow on average, count whole. */
function stallMsOf(cause: Cause, slowReadMs: number): number {
  const count = cause.waits.reduce((sum, wait) => sum + wait.count, 0);
  if (cause.waitClass === "diskWrite" || totalMs(cause.waits) >= slowReadMs * count) return cause.explainedMs;
  const slowMs = slowMsMin(sumBuckets(cause.waits.map((wait) => wait.buckets)), slowReadMs);
  return Math.min(cause.explainedMs, slowMs);
}

function nextStepFor(operation: string, file: string, hasLocks: boolean): string {
  if (SYNC_CALLS.test(operation)) {
    const first = hasLocks ? "Move the sync out of the lock" : "Sync less often, in batches or in the background";
    return `${first}; check the latency of the disk under ${file}.`;
  }
  return operation === "read" || operation.startsWith("pread")
    ? `Check the latency of the disk under ${file}, and whether it fits in the page cache.`
    : `Check the latency of the disk under ${file} and whether dirty pages pile up (PSI io, cgroup io limits).`;
}
