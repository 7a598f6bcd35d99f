/**
 * `io-limit`: a cgroup that moves as much to or from a device as its limit lets
 * it, while its threads wait for disks.
 *
 * A group at its limit that waits for nothing is only well used: the severity
 * is that of the time its threads wait for disks.
 *
 * @module
 */

import type { CgroupDeviceIo, CgroupIoLimit } from "../../api/resource_measurements.ts";
import { impactOf, judge, WAIT_CATEGORIES } from "../evidence.ts";
import { isReliable, type TargetFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { formatBytes, formatShare } from "../format.ts";
import { WINDOW_MS_MIN } from "../severity.ts";

/** Of the limit, over the whole window. */
const USED_SHARE_MIN = 0.80;

/** One way of using a device, and how much of it is allowed. */
interface Use {
  readonly what: string;
  readonly perSecond: number;
  readonly limit: number;
  readonly isBytes: boolean;
}

export function ioLimit(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, WAIT_CATEGORIES) || facts.windowMs < WINDOW_MS_MIN) return [];
  const { diskRead, diskWrite } = facts.sums.byClass;
  const impact = impactOf(facts, diskRead + diskWrite);
  const severity = judge(impact);
  if (severity === undefined) return [];
  return facts.cgroupResources.flatMap(({ path, io }) =>
    (io?.limits ?? []).flatMap((limit) => {
      const moved = io?.devices.find(({ device }) => device === limit.device);
      const use = moved === undefined ? undefined : tightestUse(moved, limit, facts.windowMs);
      if (use === undefined || use.perSecond < USED_SHARE_MIN * use.limit) return [];
      return [{
        id: "io-limit" as const,
        targetId: facts.targetId,
        severity,
        title:
          `${use.what} of device ${limit.device} are at ${formatShare(use.perSecond / use.limit)} of the limit of ` +
          `${describeRate(use.limit, use)}.`,
        evidence: {
          object: path,
          notes: [`${describeRate(use.perSecond, use)} over the window`],
        },
        consequences: [`Waiting for disks takes ${formatShare(impact.share)} of the non-idle time.`],
        nextStep: `Raise the I/O limit of ${path} for device ${limit.device}, or write less.`,
        explainedMs: impact.explainedMs,
        share: impact.share,
      }];
    })
  );
}

function tightestUse(io: CgroupDeviceIo, limit: CgroupIoLimit, windowMs: number): Use | undefined {
  const perSecond = (amount: number) => amount / windowMs * 1000;
  const uses = [
    toUse("Reads", { perSecond: perSecond(io.readBytes), limit: limit.readBytesPerSecond, isBytes: true }),
    toUse("Writes", { perSecond: perSecond(io.writeBytes), limit: limit.writeBytesPerSecond, isBytes: true }),
    toUse("Reads", {
      perSecond: perSecond(io.readOperationCount),
      limit: limit.readOperationsPerSecond,
      isBytes: false,
    }),
    toUse("Writes", {
      perSecond: perSecond(io.writeOperationCount),
      limit: limit.writeOperationsPerSecond,
      isBytes: false,
    }),
  ].filter((use) => use !== undefined);
  return uses.sort((left, right) => right.perSecond / right.limit - left.perSecond / left.limit)[0];
}

function toUse(
  what: string,
  { perSecond, limit, isBytes }: { perSecond: number; limit: number | undefined; isBytes: boolean },
): Use | undefined {
  return limit === undefined || limit === 0 ? undefined : { what, perSecond, limit, isBytes };
}

function describeRate(perSecond: number, { isBytes }: Use): string {
  return isBytes ? `${formatBytes(Math.round(perSecond))}/s` : `${Math.round(perSecond)} operations/s`;
}
