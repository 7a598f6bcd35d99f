/**
 * `slow-files`: operations on a file that take long, whatever they wait for:
 * the disk, another writer's lock, a network file system; only while operations
 * on files are looked at one by one.
 *
 * Silent where the disk itself explains it: then `disk-stall` tells the same
 * with its threads.
 *
 * @module
 */

import type { FileMeasurement } from "../../api/file_measurements.ts";
import { impactOf, judge } from "../evidence.ts";
import { groupBy, incompletenessNotes, isReliable, type TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { formatBytes, formatCount, formatMs, formatShare, formatTimeOfDay } from "../format.ts";
import { slowMsMin, sumBuckets } from "../histogram.ts";
import { WINDOW_MS_MIN } from "../severity.ts";
import { describeObject, isNamed, objectKey } from "../wait_object.ts";

/** Of the slow time, that waits for the disk account for, above which it is the disk's. */
const DISK_SHARE_MAX = 0.5;

export function slowFiles(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, ["files"]) || facts.windowMs < WINDOW_MS_MIN) return [];
  const groups = groupBy(
    facts.fileOperations.filter(({ object }) => isNamed(object)),
    ({ operation, object }) => `${operation} ${objectKey(object)}`,
  );
  return Array.from(groups.values()).flatMap((group) => judgeFile(facts, group));
}

function judgeFile(facts: TargetFacts, group: readonly FileMeasurement[]): readonly Finding[] {
  const [first] = group;
  if (first === undefined) return [];
  const { fsMs } = facts.thresholds;
  const slowMs = slowMsMin(sumBuckets(group.map(({ buckets }) => buckets)), fsMs);
  const impact = impactOf(facts, slowMs);
  const severity = judge(impact);
  if (severity === undefined || diskMsOf(facts, first) > DISK_SHARE_MAX * slowMs) return [];
  const longest = group.reduce((best, entry) => entry.maxMs > best.maxMs ? entry : best);
  const count = group.reduce((total, entry) => total + entry.count, 0);
  const totalMs = group.reduce((total, entry) => total + entry.totalMs, 0);
  const byteCount = group.reduce((total, entry) => total + entry.byteCount, 0);
  const path = describeObject(first.object);
  return [{
    id: "slow-files",
    targetId: facts.targetId,
    severity,
    title: `${first.operation} of ${path} takes ${formatShare(impact.share)} of the non-idle time in calls of ` +
      `${formatMs(fsMs)} or more.`,
    evidence: {
      object: path,
      notes: [
        `${formatCount(count, "call")}, ${formatMs(totalMs)} in all, mean ${formatMs(totalMs / Math.max(1, count))}, ` +
        `longest ${formatMs(longest.maxMs)} at ${formatTimeOfDay(longest.maxEndWallMs)}`,
        ...(byteCount > 0 ? [`${formatBytes(byteCount)} moved`] : []),
        ...incompletenessNotes(facts, ["files"]),
      ],
    },
    consequences: [],
    nextStep: `Check what ${path} is on (a network file system, FUSE), and who else writes to it.`,
    explainedMs: impact.explainedMs,
    share: impact.share,
  }];
}

/** What its threads waited for the disk under this very file. */
function diskMsOf(facts: TargetFacts, { object }: FileMeasurement): number {
  const key = objectKey(object);
  return facts.waits
    .filter(({ waitClass, object }) =>
      (waitClass === "diskRead" || waitClass === "diskWrite") && objectKey(object) === key
    )
    .reduce((total, wait) => total + wait.totalMs, 0);
}
