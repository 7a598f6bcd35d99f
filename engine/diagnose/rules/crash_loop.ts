/**
 * `crash-loop`: children of one parent and one command that keep failing.
 *
 * Wrong for commands that answer with their exit code (`grep`, `test`) and for
 * children their parent ends on purpose (SIGTERM and the like): neither counts
 * as a failure. Silent below `REPEATED_COUNT_MIN` failures, when most
 * children of the group end well, and when lifecycle records were lost.
 *
 * @module
 */

import type { Severity } from "../../api/severity.ts";
import type { ChildGroup } from "../event_digest.ts";
import { incompletenessNotes, isReliable, type TargetFacts, threadNameOf, toWallMs } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { formatMs } from "../format.ts";
import { REPEATED_COUNT_MIN } from "../severity.ts";

/** Children that fail at least this often, of all that end, are a loop and not an accident. */
const FAILED_SHARE_MIN = 0.5;

/** This many failures without one success are as bad as it gets. */
const CRITICAL_FAILED_COUNT_MIN = 10;

/** Signals that only a fault, an abort or the OOM killer sends. */
const SIGNAL_NAMES: Readonly<Record<string, string>> = {
  "3": "SIGQUIT",
  "4": "SIGILL",
  "5": "SIGTRAP",
  "6": "SIGABRT",
  "7": "SIGBUS",
  "8": "SIGFPE",
  "9": "SIGKILL",
  "11": "SIGSEGV",
  "14": "SIGALRM",
  "24": "SIGXCPU",
  "25": "SIGXFSZ",
  "31": "SIGSYS",
};

export function crashLoop(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, ["lifecycle"])) return [];
  return facts.digest.childGroups.flatMap((group) =>
    group.targetId === facts.targetId && group.failedCount >= REPEATED_COUNT_MIN &&
      group.failedCount >= Math.max(FAILED_SHARE_MIN, facts.thresholds.errorPercent / 100) * group.exitCount
      ? [toFinding(facts, group)]
      : []
  );
}

function toFinding(facts: TargetFacts, group: ChildGroup): Finding {
  const parent = threadNameOf(facts, { processId: group.parentProcessId, threadId: group.parentProcessId });
  const spanMs = group.lastFailureMs - group.firstFailureMs;
  const notes = incompletenessNotes(facts, ["lifecycle"]);
  return {
    id: "crash-loop",
    targetId: facts.targetId,
    severity: severityOfGroup(group),
    title: `${group.command} keeps failing: ${group.failedCount} of ${group.exitCount} ended with ${
      describeEnds(group)
    }, started by ${parent.command} (${parent.processId}).`,
    evidence: {
      object: group.command,
      failures: {
        failedCount: group.failedCount,
        attemptCount: group.exitCount,
        exitCodes: group.exitCodes,
        signals: Object.fromEntries(
          Object.entries(group.signals).map(([number, count]) => [signalName(number), count]),
        ),
        firstWallMs: toWallMs(facts.window, group.firstFailureMs),
        lastWallMs: toWallMs(facts.window, group.lastFailureMs),
        parent: { processId: parent.processId, command: parent.command },
      },
      notes: [...notes, `one failure every ${formatMs(spanMs / Math.max(1, group.failedCount - 1))}`],
    },
    consequences: [],
    nextStep: nextStepFor(group),
    explainedMs: 0,
    share: 0,
  };
}

function severityOfGroup(group: ChildGroup): Severity {
  const hasNoSuccess = group.failedCount === group.exitCount;
  return hasNoSuccess && group.failedCount >= CRITICAL_FAILED_COUNT_MIN ? "critical" : "error";
}

/** Yields "exit code 7", "exit codes 1, 7", "SIGSEGV", "exit code 1 or SIGKILL". */
function describeEnds(group: ChildGroup): string {
  const codes = Object.keys(group.exitCodes);
  const signals = Object.keys(group.signals).map(signalName);
  const codeText = codes.length === 0 ? [] : [`exit code${codes.length === 1 ? "" : "s"} ${codes.join(", ")}`];
  return [...codeText, ...signals].join(" or ");
}

function signalName(number: string): string {
  return SIGNAL_NAMES[number] ?? `signal ${number}`;
}

function nextStepFor(group: ChildGroup): string {
  if ("9" in group.signals) {
    return `Check the kernel log for an out-of-memory kill of ${group.command}, and its memory limit.`;
  }
  if (Object.keys(group.signals).length > 0) return `Get a core dump of ${group.command} (coredumpctl, ulimit -c).`;
  return `Run ${group.command} by hand with its arguments, and read what it writes to stderr before it exits.`;
}
