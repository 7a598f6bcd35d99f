/**
 * `file-errors`: operations on files that keep failing; only while operations
 * on files are looked at one by one.
 *
 * Wrong for programs that look for a file in many places (a loader, a search
 * path): files that do not exist count only as a storm, and so do probes that a
 * healthy program makes (a read-only mount, a pipe without a reader). Errors that
 * no program provokes on purpose (no space, a broken disk) count at once, those
 * for want of a right from the share of `--error-threshold` on.
 *
 * @module
 */

import type { FileMeasurement } from "../../api/file_measurements.ts";
import type { Severity } from "../../api/severity.ts";
import { groupBy, incompletenessNotes, isReliable, type TargetFacts, threadNameOf } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { formatCount, formatList, formatShare } from "../format.ts";
import { REPEATED_COUNT_MIN, WINDOW_MS_MIN } from "../severity.ts";
import { describeObject, isNamed } from "../wait_object.ts";

/** A disk or a file system that is broken or full. */
const BROKEN: ReadonlySet<string> = new Set(["EIO", "ENOSPC", "EDQUOT", "EUCLEAN", "ESTALE"]);

/** The program is not let. */
const DENIED: ReadonlySet<string> = new Set(["EACCES", "EPERM"]);

/** Nothing is there. */
const ABSENT: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR"]);

/** Told by a rule of their own, or part of how calls are made: a signal, a descriptor without data. */
const OTHERS: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "EAGAIN", "EINTR"]);

/** Failures of one kind a second that cost time and hide the one that matters. */
const STORM_PER_SECOND_MIN = 20;

/** Of the calls of that kind. */
const STORM_SHARE_MIN = 0.5;

const PATHS_NAMED_MAX = 3;

/** All failures of one operation of one process with one error. */
interface Failures {
  readonly processId: number;
  readonly operation: FileMeasurement["operation"];
  readonly error: string;
  readonly failedCount: number;
  readonly attemptCount: number;
  /** Most failures first. */
  readonly objects: readonly FileMeasurement["object"][];
}

export function fileErrors(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, ["files"]) || facts.windowMs < WINDOW_MS_MIN) return [];
  return failuresOf(facts.fileOperations).flatMap((failures) => {
    const severity = severityOfFailures(failures, facts);
    return severity === undefined ? [] : [toFinding(facts, { failures, severity })];
  });
}

function failuresOf(operations: readonly FileMeasurement[]): readonly Failures[] {
  const calls = groupBy(operations, ({ processId, operation }) => `${processId} ${operation}`);
  return Array.from(calls.values()).flatMap((group) => {
    const attemptCount = group.reduce((total, { count }) => total + count, 0);
    const failed = group.flatMap((entry) => entry.errors.map((error) => ({ entry, error })));
    return Array.from(groupBy(failed, ({ error }) => error.name).values()).flatMap((errors) => {
      const [first] = errors;
      if (first === undefined) return [];
      const byCount = [...errors].sort((left, right) => right.error.count - left.error.count);
      return [{
        processId: first.entry.processId,
        operation: first.entry.operation,
        error: first.error.name,
        failedCount: errors.reduce((total, { error }) => total + error.count, 0),
        attemptCount,
        objects: byCount.map(({ entry }) => entry.object),
      }];
    });
  });
}

function severityOfFailures(failures: Failures, { windowMs, thresholds }: TargetFacts): Severity | undefined {
  const { error, failedCount, attemptCount } = failures;
  if (OTHERS.has(error) || failedCount < REPEATED_COUNT_MIN) return undefined;
  if (BROKEN.has(error)) return "error";
  const isStorm = failedCount / windowMs * 1000 >= STORM_PER_SECOND_MIN &&
    failedCount >= STORM_SHARE_MIN * attemptCount;
  if (DENIED.has(error) && failedCount * 100 < thresholds.errorPercent * attemptCount) return undefined;
  if (DENIED.has(error)) return isStorm ? "error" : "warning";
  return isStorm ? "warning" : undefined;
}

function toFinding(facts: TargetFacts, { failures, severity }: { failures: Failures; severity: Severity }): Finding {
  const { processId, operation, error, failedCount, attemptCount } = failures;
  const name = `${threadNameOf(facts, { processId, threadId: processId }).command} (${processId})`;
  const named = failures.objects.filter(isNamed).map(describeObject);
  const paths = formatList(named, { itemsMax: PATHS_NAMED_MAX, total: failures.objects.length });
  return {
    id: "file-errors",
    targetId: facts.targetId,
    severity,
    title: `${operation} keeps failing with ${error} in ${name}: ${failedCount} of ${attemptCount}` +
      `${named.length > 0 ? `, on ${paths}` : ""}.`,
    evidence: {
      object: named[0] ?? operation,
      notes: [
        `${formatCount(failedCount, "failure")}, ${formatShare(attemptCount > 0 ? failedCount / attemptCount : 0)} ` +
        `of its ${operation} calls, ${Math.round(failedCount / facts.windowMs * 1000)} a second`,
        ...incompletenessNotes(facts, ["files"]),
      ],
    },
    consequences: [],
    nextStep: nextStepFor(error, named[0] ?? "the file"),
    explainedMs: 0,
    share: 0,
  };
}

function nextStepFor(error: string, path: string): string {
  if (BROKEN.has(error)) return `Check the file system under ${path}: df, df -i, mount options, and the kernel log.`;
  if (DENIED.has(error)) return `Check owner, mode and security policy of ${path} and of the directories above it.`;
  if (!ABSENT.has(error)) return `Find out why the program goes on trying with ${path}: it gets ${error} each time.`;
  return `Find out why ${path} is looked for: a search path with too many places, or a file that is missing.`;
}
