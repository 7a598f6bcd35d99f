/**
 * `page-fault`: time blocked in major faults, which read memory back from a
 * file or from swap.
 *
 * Wrong while a program is still loading: a start faults its own code in, so
 * the share has to be larger than for other waits before it is above info.
 *
 * @module
 */

import { totalMs } from "../causes.ts";
import { evidenceOfWaits, impactOf, judge, WAIT_CATEGORIES } from "../evidence.ts";
import { groupBy, isReliable, type TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { formatList, formatMs, formatShare } from "../format.ts";
import { PAGE_FAULT_SHARE_MIN, WINDOW_MS_MIN } from "../severity.ts";
import { describeObject, isNamed, objectKey } from "../wait_object.ts";

const FILES_NAMED_MAX = 3;

export function pageFault(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, WAIT_CATEGORIES) || facts.windowMs < WINDOW_MS_MIN) return [];
  const waits = facts.waits.filter((wait) => wait.waitClass === "pageFault");
  const impact = impactOf(facts, totalMs(waits));
  const severity = judge(impact);
  if (severity === undefined) return [];

  const files = Array.from(
    groupBy(waits.filter((wait) => isNamed(wait.object)), (wait) => objectKey(wait.object)).values(),
  )
    .sort((first, second) => totalMs(second) - totalMs(first))
    .flatMap(([first]) => first === undefined ? [] : [describeObject(first.object)]);
  const named = files.length > 0 ? formatList(files, { itemsMax: FILES_NAMED_MAX }) : undefined;
  const pressureMs = facts.cgroups.reduce((sum, cgroup) => sum + (cgroup.pressure?.memorySomeMs ?? 0), 0);
  const evidence = evidenceOfWaits(facts, waits);
  const pressureNotes = pressureMs > 0 ? [`the cgroup was short of memory for ${formatMs(pressureMs)} (PSI)`] : [];
  return [{
    id: "page-fault",
    targetId: facts.targetId,
    severity: impact.share < PAGE_FAULT_SHARE_MIN ? "info" : severity,
    title: `Major page faults take ${formatShare(impact.share)} of the non-idle time: memory is read back from ` +
      `${named ?? "disk"}.`,
    evidence: {
      ...(named === undefined ? {} : { object: named }),
      ...evidence,
      ...(evidence.notes !== undefined || pressureNotes.length > 0
        ? { notes: [...evidence.notes ?? [], ...pressureNotes] }
        : {}),
    },
    consequences: [],
    nextStep:
      "Check memory.current against the limit, swap, and whether the page cache is being reclaimed under the target.",
    explainedMs: impact.explainedMs,
    share: impact.share,
  }];
}
