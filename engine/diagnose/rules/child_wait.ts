/**
 * `child-wait`: a process that again and again waits for children which take
 * their time without working.
 *
 * Silent or info where waiting is in order: one long-lived child (a shell and
 * its service); children that are busy on a CPU (a build); a shell whose child
 * is `sleep`, which is how shells write a timer. Children that wait for a peer
 * or a disk make this a consequence of that finding.
 *
 * @module
 */

import { type DelegatedWait, delegatedWaits, describeAwaited, describeWaiter } from "../delegation.ts";
import { evidenceOfWaits, impactOf, judge, WAIT_CATEGORIES } from "../evidence.ts";
import { isReliable, type TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { formatMs, formatShare } from "../format.ts";
import { capSeverity, REPEATED_COUNT_MIN, SLOW_HELPER_MS_MIN, WINDOW_MS_MIN } from "../severity.ts";

const SHELLS: ReadonlySet<string> = new Set(["ash", "bash", "busybox", "dash", "fish", "ksh", "sh", "zsh"]);

export function childWait(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, WAIT_CATEGORIES) || facts.windowMs < WINDOW_MS_MIN) return [];
  return delegatedWaits(facts).flatMap((wait) =>
    wait.kind === "child" && isRepeated(wait) && !isShellTimer(wait) ? judgeWait(facts, wait) : []
  );
}

function isRepeated(wait: DelegatedWait): boolean {
  return wait.finishedCount >= REPEATED_COUNT_MIN && wait.totalMs >= SLOW_HELPER_MS_MIN * wait.finishedCount;
}

function isShellTimer(wait: DelegatedWait): boolean {
  return SHELLS.has(wait.waiter.command) && wait.awaited[0]?.command === "sleep";
}

const OCCUPATION_WORDS = {
  busy: "they were busy on a CPU",
  serving: "they were waiting for work themselves",
  dawdling: "they mostly slept or were blocked without a cause of their own",
  unknown: "what they did was not traced",
} as const;

function judgeWait(facts: TargetFacts, wait: DelegatedWait): readonly Finding[] {
  if (wait.occupation.kind === "cause") return [];
  const impact = impactOf(facts, wait.totalMs, { hasDelegated: true });
  const severity = judge(impact);
  if (severity === undefined) return [];
  const isInOrder = wait.occupation.kind === "busy" || wait.occupation.kind === "serving";
  const evidence = evidenceOfWaits(facts, wait.waits);
  const meanMs = evidence.waits?.meanMs ?? 0;
  return [{
    id: "child-wait",
    targetId: facts.targetId,
    severity: isInOrder ? "info" : capSeverity(severity, "error"),
    title: `${describeWaiter(wait)} waits for ${describeAwaited(wait)}, ${formatShare(impact.share)} of the non-idle ` +
      `time, ${formatMs(meanMs)} each time.`,
    evidence: {
      object: describeAwaited(wait),
      ...evidence,
      notes: [...evidence.notes ?? [], OCCUPATION_WORDS[wait.occupation.kind]],
    },
    consequences: [],
    nextStep: isInOrder
      ? "Look at what the children compute, or keep them running instead of starting one per task."
      : "Look at what the children wait for; run them in the background or in parallel if their end is not needed at once.",
    explainedMs: impact.explainedMs,
    share: impact.share,
  }];
}
