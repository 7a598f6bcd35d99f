/**
 * `io-limit`: a cgroup that moves as much to or from a device as its limit lets
 * it, while its threads wait for disks.
 *
 * A group at its limit that waits for nothing is only well used: the severity
 * is that of the time its threads wait for files on that device. These files'
 * `disk-stall` is its consequence.
 *
 * @module
 */

import type { CgroupDeviceIo, CgroupIoLimit, CgroupResourceMeasurement } from "../../api/resource_measurements.ts";
import type { WaitObject } from "../../api/measurements.ts";
import { type Cause, toCauses } from "../causes.ts";
import { describeConsequences, impactOf, judge, WAIT_CATEGORIES } from "../evidence.ts";
import { isReliable, type TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { formatBytes, formatShare } from "../format.ts";
import { WINDOW_MS_MIN } from "../severity.ts";
import { describeObject, isNamed } from "../wait_object.ts";

/** Of the limit, over the whole window. */
const USED_SHARE_MIN = 0.80;

/** One way of using a device, how much of it is allowed, and which group says so. */
export interface Use {
  /** "Reads" or "Writes". */
  readonly what: string;
  readonly perSecond: number;
  readonly limit: number;
  readonly isBytes: boolean;
  readonly path: string;
}

/** A device that may be used no more than it is. */
interface LimitedDevice {
  readonly device: string;
  readonly use: Use;
  /** Devices the group used in the window, this one included. */
  readonly usedDevices: readonly string[];
}

export function ioLimit(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, WAIT_CATEGORIES) || facts.windowMs < WINDOW_MS_MIN) return [];
  return limitedDevices(facts).flatMap((limited) => judgeDevice(facts, limited));
}

/** Whether waits for `object` are waits for a device that is at its limit. */
export function isHeldBack(facts: TargetFacts, object: WaitObject): boolean {
  return limitedDevices(facts).some((limited) => isOn(limited, object));
}

function judgeDevice(facts: TargetFacts, limited: LimitedDevice): readonly Finding[] {
  const { device, use } = limited;
  const causes = Array.from(toCauses(facts).byKey.values())
    .filter(({ waitClass }) => waitClass === "diskRead" || waitClass === "diskWrite")
    .filter(({ object }) => isOn(limited, object))
    .sort((first, second) => second.explainedMs - first.explainedMs);
  const impact = impactOf(facts, causes.reduce((sum, { explainedMs }) => sum + explainedMs, 0));
  const severity = judge(impact);
  if (severity === undefined) return [];
  return [{
    id: "io-limit",
    targetId: facts.targetId,
    severity,
    title: `${use.what} of device ${device} are at ${formatShare(use.perSecond / use.limit)} of the limit of ` +
      `${describeRate(use.limit, use)}.`,
    evidence: { object: use.path, notes: [`${describeRate(use.perSecond, use)} over the window`] },
    consequences: [
      `Waiting for disks takes ${formatShare(impact.share)} of the non-idle time${mostlyFor(causes)}.`,
      ...causes.flatMap((cause) => describeConsequences(facts, cause)),
    ],
    nextStep: `Raise the I/O limit of ${use.path} for device ${device}, or read and write less.`,
    explainedMs: impact.explainedMs,
    share: impact.share,
  }];
}

function mostlyFor([first]: readonly Cause[]): string {
  return first === undefined || !isNamed(first.object) ? "" : `, most of it for ${describeObject(first.object)}`;
}

/**
 * A file knows its file system's device, which may be a partition; the
 * accounts know disks only. Where the group used one disk alone, it was that one.
 */
function isOn({ device, usedDevices }: LimitedDevice, object: WaitObject): boolean {
  if (object.kind === "file" && object.id.startsWith(`${device}:`)) return true;
  const isElsewhere = object.kind === "file" && usedDevices.some((used) => object.id.startsWith(`${used}:`));
  return usedDevices.length === 1 && !isElsewhere;
}

function limitedDevices({ cgroupResources, windowMs }: TargetFacts): readonly LimitedDevice[] {
  return cgroupResources.flatMap((group) => {
    const usedDevices = (group.io?.devices ?? []).map(({ device }) => device);
    return deviceUses(group, windowMs)
      .filter(({ use }) => use.perSecond >= USED_SHARE_MIN * use.limit)
      .map((limited) => ({ ...limited, usedDevices }));
  });
}

/** Yields for every device that is used and limited the use that is nearest to its limit. */
export function deviceUses(
  { path, io }: CgroupResourceMeasurement,
  windowMs: number,
): readonly { readonly device: string; readonly use: Use }[] {
  return (io?.devices ?? []).flatMap((moved) => {
    const limits = (io?.limits ?? []).filter(({ device }) => device === moved.device)
      .map((limit) => ({ ...limit, path: limit.path ?? path }));
    const use = tightestUse(moved, limits, windowMs);
    return use === undefined ? [] : [{ device: moved.device, use }];
  });
}

function tightestUse(
  io: CgroupDeviceIo,
  limits: readonly (CgroupIoLimit & { readonly path: string })[],
  windowMs: number,
): Use | undefined {
  const perSecond = (amount: number) => amount / windowMs * 1000;
  const uses = limits.flatMap(({ path, ...limit }) => [
    { what: "Reads", perSecond: perSecond(io.readBytes), limit: limit.readBytesPerSecond, isBytes: true, path },
    { what: "Writes", perSecond: perSecond(io.writeBytes), limit: limit.writeBytesPerSecond, isBytes: true, path },
    {
      what: "Reads",
      perSecond: perSecond(io.readOperationCount),
      limit: limit.readOperationsPerSecond,
      isBytes: false,
      path,
    },
    {
      what: "Writes",
      perSecond: perSecond(io.writeOperationCount),
      limit: limit.writeOperationsPerSecond,
      isBytes: false,
      path,
    },
  ]).flatMap(({ limit, ...use }) => limit === undefined || limit === 0 ? [] : [{ ...use, limit }]);
  return uses.sort((left, right) => right.perSecond / right.limit - left.perSecond / left.limit)[0];
}

function describeRate(perSecond: number, { isBytes }: Use): string {
  return isBytes ? `${formatBytes(Math.round(perSecond))}/s` : `${Math.round(perSecond)} operations/s`;
}
