/**
 * The first lines of every report, in words: what was looked at, how it ended,
 * and the one sentence that is the answer.
 *
 * @module
 */

import type { Category } from "../api/measurements.ts";
import { redactCommandLine } from "../api/redact.ts";
import { isReliable } from "./facts.ts";
import type { Finding } from "./finding.ts";
import { formatCount, formatShare, formatWallTime } from "./format.ts";
import { incompleteCategories, type Report, worstSeverity } from "./report.ts";

/** What rules depend on. */
const JUDGED_CATEGORIES: readonly Category[] = ["scheduling", "waits", "lifecycle"];

/** What rules judge. */
const LOOKED_AT =
  "waits for peers, disks, locks, pipes, children, page faults and CPUs, throttling and failing children";

/** Of many targets, so many are named; the others are counted. */
const NAMED_TARGETS_MAX = 8;

/** Yields what the targets are called: "pid 7 (web), pid 8 (db)", of many the first of them. */
export function describeTargets({ targets }: { readonly targets: readonly { readonly label: string }[] }): string {
  if (targets.length === 0) return "no target";
  const named = targets.slice(0, NAMED_TARGETS_MAX).map((target) => target.label).join(", ");
  const moreCount = targets.length - NAMED_TARGETS_MAX;
  return moreCount > 0 ? `${named} and ${formatCount(moreCount, "more target")}` : named;
}

/** Yields "10.00 s from 2026-01-02T03:04:05.000Z, 1 process, 14 threads". */
export function describeWindow({ window, timeLedger: { processes } }: Report): string {
  const threadCount = processes.reduce((count, process) => count + process.threads.length, 0);
  return `${((window.endMs - window.beginMs) / 1000).toFixed(2)} s from ${formatWallTime(window.beginWallMs)}, ` +
    `${formatCount(processes.length, "process", "processes")}, ${formatCount(threadCount, "thread")}`;
}

/** Yields where the threads' time went, as shares of it. */
export function describeShares({ timeLedger: { sums } }: Report): string {
  const share = (ms: number) => formatShare(sums.lifetimeMs > 0 ? ms / sums.lifetimeMs : 0);
  const stoppedMs = sums.byClass.stopped;
  return [
    `on CPU ${share(sums.onCpuMs)}`,
    `held up ${share(Math.max(0, sums.nonIdleMs - sums.onCpuMs))}`,
    ...(sums.delegatedMs > 0 ? [`waiting for its own processes or for input ${share(sums.delegatedMs)}`] : []),
    ...(stoppedMs > 0 ? [`stopped ${share(stoppedMs)}`] : []),
    `idle ${share(sums.idleMs - stoppedMs)} of the threads' time`,
  ].join(", ");
}

/** Yields why the window closed early; `undefined` for a plain run to its end. */
export function describeEnd({ runEnd }: Report): string | undefined {
  const reasons = {
    duration: undefined,
    commandEnded: undefined,
    targetsEnded: "ended early: every process of the target is gone",
    interrupted: "ended early: interrupted",
  };
  return reasons[runEnd.endReason];
}

/** Yields what became of the command; `undefined`: none was started. */
export function describeCommand({ runEnd: { command } }: Report): string | undefined {
  if (command === undefined) return undefined;
  const name = redactCommandLine(command.argv).join(" ");
  const how = command.exitCode === undefined
    ? `was ended by ${command.signal ?? "a signal"}`
    : `exited with ${command.exitCode}`;
  const why = command.stoppedBy === undefined ? "" : `, after we sent ${command.stoppedBy} at the end of the window`;
  return `${name} ${how}${why}`;
}

/** Yields one honest sentence: how many findings, or that there are none and what was looked at. */
export function answerOf(report: Report): string {
  // That something was not seen is told below as what it is: a limit of the answer, no trouble of the target.
  const troubles = report.findings.filter(({ id, severity }) => severity !== "info" && id !== "event-loss");
  const graveCount = troubles.length;
  if (graveCount > 0) {
    const worst = (worstSeverity({ findings: troubles }) ?? "info").toUpperCase();
    return `${formatCount(graveCount, "finding")} above info, the worst ${worst}:`;
  }
  const lookedAt = report.categories === undefined ? LOOKED_AT : `${[...report.categories].join(", ")}, as asked`;
  const incomplete = incompleteCategories(report.books);
  if (incomplete.length === 0) return `Nothing above info was found. Looked at: ${lookedAt}.`;
  const names = incomplete.map(({ category, completeness }) => `${category} ${completeness.verdict.toUpperCase()}`);
  const unjudged = JUDGED_CATEGORIES.filter((category) => !isReliable(report.books, [category]));
  return `Nothing above info was found in what could be seen, which is not everything: ${names.join(", ")}. ` +
    (unjudged.length > 0
      ? `Too little was seen of ${unjudged.join(", ")} to judge them at all.`
      : `Looked at: ${lookedAt}.`);
}

/** Yields the finding's sentence, with its target in front where there are several. */
export function titleOf(report: Pick<Report, "targets">, finding: Finding): string {
  if (report.targets.length < 2) return finding.title;
  const label = report.targets.find((target) => target.id === finding.targetId)?.label ?? finding.targetId;
  return `${label}: ${finding.title}`;
}

/** Yields the answer where there is none. */
export function describeNothing(reason: string): string {
  return `No events were collected: ${reason}.`;
}
