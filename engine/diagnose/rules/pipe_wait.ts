/**
 * `pipe-wait`: writing to a pipe whose reader does not keep up, or reading
 * again and again from one whose writer takes its time.
 *
 * Reading a pipe is mostly waiting for work, so a read is info at most when the
 * writer is the parent, is not traced, or is busy; silent when the wait lasted
 * all the window or the writer itself waits for work; a warning at most
 * otherwise. A reader that is busy makes waiting to write info. A writer or reader that waits for a peer or a disk makes this a
 * consequence of that finding.
 *
 * @module
 */

import type { Severity } from "../../api/severity.ts";
import { type DelegatedWait, delegatedWaits, describeAwaited, describeWaiter } from "../delegation.ts";
import { evidenceOfWaits, impactOf, judge, WAIT_CATEGORIES } from "../evidence.ts";
import { isReliable, type TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { formatShare } from "../format.ts";
import { capSeverity, REPEATED_COUNT_MIN, SLOW_HELPER_MS_MIN, WINDOW_MS_MIN } from "../severity.ts";

export function pipeWait(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, WAIT_CATEGORIES) || facts.windowMs < WINDOW_MS_MIN) return [];
  return delegatedWaits(facts).flatMap((wait) =>
    wait.kind === "child" || wait.kind === "pair" ? [] : judgeWait(facts, wait)
  );
}

function judgeWait(facts: TargetFacts, wait: DelegatedWait): readonly Finding[] {
  const impact = impactOf(facts, wait.totalMs, { hasDelegated: true });
  const severity = judge(impact);
  const cap = capFor(facts, wait);
  if (severity === undefined || cap === undefined) return [];
  const isRead = wait.kind === "pipeRead";
  const [other] = wait.awaited;
  const evidence = evidenceOfWaits(facts, wait.waits);
  return [{
    id: "pipe-wait",
    targetId: facts.targetId,
    severity: capSeverity(severity, cap),
    title: `${describeWaiter(wait)} waits to ${isRead ? "read from" : "write to"} ${describeAwaited(wait)}, ` +
      `${formatShare(impact.share)} of the non-idle time.`,
    evidence: { object: describeAwaited(wait), ...evidence, ...(other === undefined ? {} : { waker: other }) },
    consequences: [],
    nextStep: other === undefined
      ? `Find the other end of the pipe (ls -l /proc/*/fd) and see why it ${isRead ? "writes" : "reads"} slowly.`
      : `See what ${other.command} (${other.threadId}) does between two ${isRead ? "writes" : "reads"}.`,
    explainedMs: impact.explainedMs,
    share: impact.share,
  }];
}

/** The most the wait can be worth; `undefined`: nothing is said. */
function capFor(facts: TargetFacts, wait: DelegatedWait): Severity | undefined {
  if (wait.occupation.kind === "cause") return undefined;
  // A reader that computes all the while cannot read faster; how busy it is stands in the ledger.
  if (wait.kind === "pipeWrite") return wait.occupation.kind === "busy" ? "info" : "critical";
  if (wait.isDormant || wait.occupation.kind === "serving") return undefined;
  const [writer] = wait.awaited;
  const parentId = facts.processes.get(wait.waiter.processId)?.info.parentProcessId;
  const isRepeated = wait.finishedCount >= REPEATED_COUNT_MIN &&
    wait.totalMs >= SLOW_HELPER_MS_MIN * wait.finishedCount;
  const isWork = wait.occupation.kind === "unknown" || wait.occupation.kind === "busy" ||
    writer?.processId === parentId;
  return isWork || !isRepeated ? "info" : "warning";
}
