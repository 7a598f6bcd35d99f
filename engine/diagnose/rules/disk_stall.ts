/**
 * `disk-stall`: time blocked in reads from, writes to, or fsync of a file.
 *
 * Wrong when quick reads merely add up: a program that reads much waits much,
 * so reads below the threshold for reads on average stay info. An fsync sleeps
 * several times per call, so for writes only the total counts. Files that are each
 * a small part of their folder are judged together, by folder, then by device. While the device
 * is at the I/O limit of the cgroup, that is the cause (`io-limit`).
 *
 * @module
 */

import { type Cause, toCauses, totalMs } from "../causes.ts";
import type { WaitObject } from "../../api/measurements.ts";
import type { Severity } from "../../api/severity.ts";
import {
  describeConsequences,
  evidenceOfCause,
  evidenceOfWaits,
  impactOf,
  judge,
  systemCallsOf,
  WAIT_CATEGORIES,
} from "../evidence.ts";
import { groupBy, isReliable, type TargetFacts } from "../facts.ts";
import type { Evidence, Finding } from "../finding.ts";
import { formatCount, formatList, formatShare } from "../format.ts";
import { slowMsMin, sumBuckets } from "../histogram.ts";
import { severityOf, WINDOW_MS_MIN } from "../severity.ts";
import { describeObject, isNamed } from "../wait_object.ts";
import { isHeldBack } from "./io_limit.ts";

/** What makes it a consequence. */
const LIMITED = "its device is used as much as the I/O limit allows: see io-limit";

/** Calls that name a file by its path: the kernel side does not say which. */
const UNNAMED = "files that are not named";

const SYNC_CALLS = /^(fsync|fdatasync|msync|sync|syncfs|sync_file_range)/;

/** Waits for one file, or for several that are judged together. */
interface Stall {
  readonly waitClass: Cause["waitClass"];
  readonly causes: readonly Cause[];
  /** Their paths, those with most time first. */
  readonly files: readonly string[];
  /** "/srv/data.bin", "319 files in /srv/spool". */
  readonly name: string;
}

/** Of its folder's time: a file with as much stands for itself. */
const DOMINANT_SHARE_MIN = 0.5;

/** Of several files judged together. */
const FILES_NAMED_MAX = 3;

export function diskStall(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, WAIT_CATEGORIES) || facts.windowMs < WINDOW_MS_MIN) return [];
  const causes = Array.from(toCauses(facts).byKey.values())
    .filter(({ waitClass }) => waitClass === "diskRead" || waitClass === "diskWrite");
  const isGrave = (stall: Stall) => severityOfStall(facts, stall) !== "info";
  const stalls = groupByPlace(causes, placeOfFolder).flatMap(stallsOfFolder);
  const small = stalls.filter((stall) => !isGrave(stall));
  const devices = groupByPlace(small.flatMap((stall) => stall.causes), placeOfDevice)
    .map((group) =>
      toStall(group, (files) => `${formatCount(files.length, "file")} on ${placeOfDevice(group[0]?.object)}`)
    )
    .filter((stall) => stall.files.length > 1 && isGrave(stall));
  const together = new Set(devices.flatMap((stall) => stall.causes));
  const apart = stalls.filter((stall) => !stall.causes.some((cause) => together.has(cause)));
  return [...apart, ...devices].flatMap((stall) => judgeStall(facts, stall));
}

/** Files that are most of their folder's time stand for themselves, the rest of the folder for the folder. */
function stallsOfFolder(causes: readonly Cause[]): readonly Stall[] {
  const files = groupByPlace(causes, placeOfFile);
  const folderMs = sumOf(causes);
  const rest = files.filter((file) => sumOf(file) < DOMINANT_SHARE_MIN * folderMs).flat();
  const dominant = files.filter((file) => sumOf(file) >= DOMINANT_SHARE_MIN * folderMs);
  return [...dominant, ...(rest.length > 0 ? [rest] : [])].map((group) =>
    toStall(group, (names) => `${formatCount(names.length, "file")} in ${placeOfFolder(group[0]?.object)}`)
  );
}

/** Yields the causes of one class and place, in order of first appearance. */
function groupByPlace(
  causes: readonly Cause[],
  placeOf: (object: WaitObject) => string,
): readonly (readonly Cause[])[] {
  return [...groupBy(causes, ({ waitClass, object }) => `${waitClass} ${placeOf(object)}`).values()];
}

function toStall(causes: readonly Cause[], nameOf: (files: readonly string[]) => string): Stall {
  const files = groupByPlace(causes, placeOfFile).toSorted((first, second) => sumOf(second) - sumOf(first))
    .map(([first]) => placeOfFile(first?.object ?? { kind: "none" }));
  const [only = ""] = files;
  return {
    waitClass: causes[0]?.waitClass ?? "diskRead",
    causes,
    files,
    name: files.length > 1 ? nameOf(files) : only,
  };
}

/** A file that was written anew under its old name is the same file to whoever looks. */
function placeOfFile(object: WaitObject): string {
  if (object.kind === "none") return UNNAMED;
  return isNamed(object) ? describeObject(object) : `a file (${describeObject(object)})`;
}

/** A file without a path is a place of its own. */
function placeOfFolder(object: WaitObject = { kind: "none" }): string {
  if (object.kind !== "file" || object.path === undefined) return placeOfFile(object);
  return object.path.slice(0, object.path.lastIndexOf("/")) || "/";
}

function placeOfDevice(object: WaitObject = { kind: "none" }): string {
  return object.kind === "file" ? `device ${object.id.slice(0, object.id.lastIndexOf(":"))}` : placeOfFile(object);
}

function sumOf(causes: readonly Cause[]): number {
  return causes.reduce((sum, cause) => sum + cause.explainedMs, 0);
}

function severityOfStall(facts: TargetFacts, stall: Stall): Severity {
  return severityOf(impactOf(facts, stallMsOf(stall, facts.thresholds.slowReadMs)));
}

function judgeStall(facts: TargetFacts, stall: Stall): readonly Finding[] {
  const { causes, name } = stall;
  const impact = impactOf(facts, sumOf(stall.causes));
  if (judge(impact) === undefined) return [];
  const operation = operationOf(stall);
  const isLimited = causes.some(({ object }) => isHeldBack(facts, object));
  const evidence = evidenceOfStall(facts, stall);
  const hasLocks = causes.some(({ locks }) => locks.length > 0);
  const withLocks = hasLocks ? ", with the threads waiting for locks held meanwhile," : "";
  return [{
    id: "disk-stall",
    targetId: facts.targetId,
    severity: isLimited ? "info" : severityOfStall(facts, stall),
    title: `${operation} of ${name}${withLocks} takes ${formatShare(impact.share)} of the non-idle time.`,
    evidence: isLimited ? { ...evidence, notes: [...evidence.notes ?? [], LIMITED] } : evidence,
    consequences: causes.flatMap((cause) => describeConsequences(facts, cause)),
    nextStep: nextStepFor(operation, name, hasLocks),
    explainedMs: impact.explainedMs,
    share: impact.share,
  }];
}

/** Yields the figures of all its causes together, and which files they are about. */
function evidenceOfStall(facts: TargetFacts, { causes, files, name }: Stall): Evidence {
  const [only, ...others] = causes;
  if (only !== undefined && others.length === 0) return evidenceOfCause(facts, only);
  const base = evidenceOfWaits(facts, causes.flatMap(({ waits }) => waits));
  const slow = causes.flatMap((cause) => evidenceOfCause(facts, cause).slowWaits ?? []);
  return {
    ...base,
    object: name,
    ...(files.length > 1
      ? { notes: [...base.notes ?? [], `most of it: ${formatList(files, { itemsMax: FILES_NAMED_MAX })}`] }
      : {}),
    ...(slow.length === 0 ? {} : {
      slowWaits: {
        count: slow.reduce((sum, { count }) => sum + count, 0),
        firstEndWallMs: Math.min(...slow.map(({ firstEndWallMs }) => firstEndWallMs)),
        lastEndWallMs: Math.max(...slow.map(({ lastEndWallMs }) => lastEndWallMs)),
      },
    }),
  };
}

function operationOf({ causes, waitClass }: Stall): string {
  const [systemCall] = systemCallsOf(causes.flatMap(({ waits }) => waits));
  const call = systemCall ?? causes.flatMap(({ locks }) => locks)[0]?.root?.systemCall;
  if (call !== undefined) return call;
  return waitClass === "diskRead" ? "read" : "write";
}

/** Time lost to slow reads alone; writes, and reads that are slow on average, count whole. */
function stallMsOf(stall: Stall, slowReadMs: number): number {
  const explainedMs = sumOf(stall.causes);
  const waits = stall.causes.flatMap((cause) => cause.waits);
  const count = waits.reduce((sum, wait) => sum + wait.count, 0);
  if (stall.waitClass === "diskWrite" || totalMs(waits) >= slowReadMs * count) return explainedMs;
  return Math.min(explainedMs, slowMsMin(sumBuckets(waits.map((wait) => wait.buckets)), slowReadMs));
}

function nextStepFor(operation: string, file: string, hasLocks: boolean): string {
  if (file === UNNAMED) {
    return "Look at the operations on files for their paths (--filter fs), and at the latency of the disk.";
  }
  if (SYNC_CALLS.test(operation)) {
    const first = hasLocks ? "Move the sync out of the lock" : "Sync less often, in batches or in the background";
    return `${first}; check the latency of the disk under ${file}.`;
  }
  return operation === "read" || operation.startsWith("pread")
    ? `Check the latency of the disk under ${file}, and whether it fits in the page cache.`
    : `Check the latency of the disk under ${file} and whether dirty pages pile up (PSI io, cgroup io limits).`;
}
