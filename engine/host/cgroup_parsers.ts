/**
 * The text forms of cgroupfs, one pure parser each, and the arithmetic on what
 * they say. What is malformed is `undefined`, never zero.
 *
 * @module
 */

import type { PressureMeasurement } from "../api/measurements.ts";
import { toCount } from "./procfs_parsers.ts";

/** One mounted hierarchy. */
export interface CgroupMount {
  /** Where it is mounted, absolute. */
  readonly path: string;
  /** Which group of the hierarchy is mounted there; "/" is all of it. */
  readonly root: string;
}

/** The hierarchies of a host; `v2` without controllers is a pure v2 host, both is a hybrid one. */
export interface CgroupMounts {
  /** `undefined`: not mounted. */
  readonly v2: CgroupMount | undefined;
  /** v1 hierarchies by controller: "cpu", "cpuacct", "memory". */
  readonly controllers: ReadonlyMap<string, CgroupMount>;
}

/** `cpu.stat`, v2 or v1; times in milliseconds. */
export interface CpuStatistics {
  readonly usageMs: number | undefined;
  readonly periodCount: number | undefined;
  readonly throttledPeriodCount: number | undefined;
  readonly throttledMs: number | undefined;
}

/** One pressure file: totals since the group was made, in milliseconds. */
export interface PressureTotals {
  readonly someMs: number | undefined;
  readonly fullMs: number | undefined;
}

/** Options of a cgroup mount that are no controllers' names (kernel/cgroup/cgroup-v1.c, cgroup1_show_options). */
const MOUNT_OPTIONS: ReadonlySet<string> = new Set([
  "rw",
  "ro",
  "noprefix",
  "xattr",
  "clone_children",
  "cpuset_v2_mode",
]);

/**
 * Finds the hierarchies in the text of `/proc/self/mountinfo`. Where one is
 * mounted several times, the mount that shows most of it is taken, and the
 * first of those.
 */
export function parseCgroupMounts(mountInfo: string): CgroupMounts {
  let v2: CgroupMount | undefined;
  const controllers = new Map<string, CgroupMount>();
  for (const line of mountInfo.split("\n")) {
    const parsed = parseMountLine(line);
    if (parsed === undefined) continue;
    const { mount, type, superOptions } = parsed;
    if (type === "cgroup2") v2 = wider(v2, mount);
    if (type !== "cgroup") continue;
    for (const option of superOptions.split(",")) {
      if (option.includes("=") || MOUNT_OPTIONS.has(option)) continue;
      controllers.set(option, wider(controllers.get(option), mount));
    }
  }
  return { v2, controllers };
}

/** Yields the mount points of file systems of `type`, in mount order. */
export function parseMountPoints(mountInfo: string, type: string): readonly string[] {
  return mountInfo.split("\n")
    .map(parseMountLine)
    .filter((parsed) => parsed !== undefined && parsed.type === type)
    .map((parsed) => parsed?.mount.path ?? "");
}

/**
 * Yields where below a mount the group `cgroupPath` of `/proc/PID/cgroup` lies,
 * "" for its top; `undefined` when the mount does not show that group.
 */
export function pathBelowMount(mount: CgroupMount, cgroupPath: string): string | undefined {
  const root = mount.root === "/" ? "" : mount.root;
  if (cgroupPath !== root && !cgroupPath.startsWith(`${root}/`)) return undefined;
  const below = cgroupPath.slice(root.length).split("/").filter((component) => component !== "");
  return below.includes("..") ? undefined : below.join("/");
}

/** Parses v2 `cpu.max` ("200000 100000", "max 100000") into CPUs; `Infinity`: no limit. */
export function parseCpuMax(text: string): number | undefined {
  const match = /^(max|\d+) (\d+)$/.exec(text.trim());
  return match === null ? undefined : quotaInCpus(match[1] === "max" ? Infinity : Number(match[1]), Number(match[2]));
}

/** Parses v1 `cpu.cfs_quota_us` (-1: no limit) and `cpu.cfs_period_us` into CPUs; `Infinity`: no limit. */
export function parseCfsQuota(quotaText: string, periodText: string): number | undefined {
  const quota = quotaText.trim();
  const period = toCount(periodText.trim());
  const quotaUs = quota === "-1" ? Infinity : toCount(quota);
  return quotaUs === undefined || period === undefined ? undefined : quotaInCpus(quotaUs, period);
}

/** Parses `cpu.stat` of either version: v2 counts microseconds, v1 nanoseconds and no usage. */
export function parseCpuStatistics(text: string): CpuStatistics {
  const figures = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [name, value, ...rest] = line.trim().split(/\s+/);
    const count = toCount(value);
    if (name !== undefined && count !== undefined && rest.length === 0) figures.set(name, count);
  }
  const throttledUs = figures.get("throttled_usec");
  const throttledNs = figures.get("throttled_time");
  const usageUs = figures.get("usage_usec");
  return {
    usageMs: usageUs === undefined ? undefined : usageUs / 1e3,
    periodCount: figures.get("nr_periods"),
    throttledPeriodCount: figures.get("nr_throttled"),
    throttledMs: throttledUs !== undefined
      ? throttledUs / 1e3
      : throttledNs === undefined
      ? undefined
      : throttledNs / 1e6,
  };
}

/** Parses v1 `cpuacct.usage`, nanoseconds. */
export function parseCpuAccountingMs(text: string): number | undefined {
  const usageNs = toCount(text.trim());
  return usageNs === undefined ? undefined : usageNs / 1e6;
}

/** Parses a pressure file: "some avg10=0.00 avg60=0.00 avg300=0.00 total=123", in microseconds. */
export function parsePressure(text: string): PressureTotals {
  const total = (kind: "some" | "full") => {
    const match = new RegExp(`^${kind} (?:avg\\d+=[0-9.]+ )+total=(\\d+)$`, "m").exec(text);
    const totalUs = toCount(match?.[1]);
    return totalUs === undefined ? undefined : totalUs / 1e3;
  };
  return { someMs: total("some"), fullMs: total("full") };
}

/** Puts three files together; `undefined` when none of them says anything. */
export function combinePressure(
  totals: { readonly cpu: PressureTotals; readonly io: PressureTotals; readonly memory: PressureTotals },
): PressureMeasurement | undefined {
  const pressure: PressureMeasurement = {
    cpuSomeMs: totals.cpu.someMs,
    ioSomeMs: totals.io.someMs,
    ioFullMs: totals.io.fullMs,
    memorySomeMs: totals.memory.someMs,
    memoryFullMs: totals.memory.fullMs,
  };
  return Object.values(pressure).every((figure) => figure === undefined) ? undefined : pressure;
}

/**
 * Yields what was added from `before` to `after`, figure by figure; a figure
 * that is missing on one side, or ran backwards (another group by the same
 * name), is `undefined`.
 */
export function diffPressure(before: PressureMeasurement, after: PressureMeasurement): PressureMeasurement {
  return {
    cpuSomeMs: increase(before.cpuSomeMs, after.cpuSomeMs),
    ioSomeMs: increase(before.ioSomeMs, after.ioSomeMs),
    ioFullMs: increase(before.ioFullMs, after.ioFullMs),
    memorySomeMs: increase(before.memorySomeMs, after.memorySomeMs),
    memoryFullMs: increase(before.memoryFullMs, after.memoryFullMs),
  };
}

/** As `diffPressure`, for the figures of `cpu.stat`. */
export function diffCpuStatistics(before: CpuStatistics, after: CpuStatistics): CpuStatistics {
  return {
    usageMs: increase(before.usageMs, after.usageMs),
    periodCount: increase(before.periodCount, after.periodCount),
    throttledPeriodCount: increase(before.throttledPeriodCount, after.throttledPeriodCount),
    throttledMs: increase(before.throttledMs, after.throttledMs),
  };
}

function increase(before: number | undefined, after: number | undefined): number | undefined {
  if (before === undefined || after === undefined || after < before) return undefined;
  return after - before;
}

function quotaInCpus(quotaUs: number, periodUs: number): number | undefined {
  return quotaUs > 0 && periodUs > 0 ? quotaUs / periodUs : undefined;
}

/** A wider mount shows the whole hierarchy, or a group nearer to its root. */
function wider(known: CgroupMount | undefined, found: CgroupMount): CgroupMount {
  if (known === undefined) return found;
  const depth = (mount: CgroupMount) => mount.root === "/" ? 0 : mount.root.split("/").length;
  return depth(found) < depth(known) ? found : known;
}

/** "36 35 98:0 /root /mount/point rw,noatime master:1 - type source super,options" (proc(5)). */
function parseMountLine(line: string): { mount: CgroupMount; type: string; superOptions: string } | undefined {
  const [before, after] = line.split(" - ");
  const [, , , root, path] = (before ?? "").split(" ");
  const [type, , superOptions] = (after ?? "").split(" ");
  if (root === undefined || path === undefined || type === undefined || superOptions === undefined) return undefined;
  return { mount: { path: unescapeMount(path), root: unescapeMount(root) }, type, superOptions };
}

/** Space, tab, newline and backslash are written as three octal digits (fs/proc_namespace.c, mangle). */
function unescapeMount(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
