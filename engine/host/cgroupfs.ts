/**
 * A read-only view of the cgroup hierarchies of one host: pure v2, v1, or the
 * hybrid of both, where groups have their ids in v2 and their CPU limits in v1.
 * Nothing is cached.
 *
 * Two spellings of a path occur. A *group path* is relative to the top of the
 * v2 mount, without a leading slash, "" for the top. A *directory* is absolute
 * and can be opened.
 *
 * @module
 */

import { EngineError } from "../api/errors.ts";
import type { CgroupReading } from "../api/host_reader.ts";
import type { PressureMeasurement } from "../api/measurements.ts";
import type { TargetCgroup } from "../api/target.ts";
import { sanitizeText } from "../api/text.ts";
import { type ProcessId, toCgroupId, toProcessId } from "../api/units.ts";
import { joinBeneath, resolveDirectoryBeneath, splitBeneath } from "./beneath.ts";
import {
  type CgroupMounts,
  combinePressure,
  type CpuStatistics,
  parseCfsQuota,
  parseCgroupMounts,
  parseCpuAccountingMs,
  parseCpuMax,
  parseCpuStatistics,
  parsePressure,
  pathBelowMount,
  type PressureTotals,
} from "./cgroup_parsers.ts";
import { type GroupChain, readGroupIo, readGroupMemory, readGroupTasks } from "./cgroup_resources.ts";
import { listEntries, lstatEntry, readText } from "./host_files.ts";
import { orUndefinedWhenUnsupported, type ProcFs } from "./procfs.ts";
import { type CgroupLine, toCount } from "./procfs_parsers.ts";

/** Ids in one cgroup.procs: a line is at most 8 bytes. */
const PROCESS_LIST_BYTES_MAX = 4 * 1024 * 1024;

/** Groups visited below one; 110 pods of three levels are a few hundred. */
const GROUPS_VISITED_MAX = 65_536;

/** Depth below one group; node containers nest the whole catalogue once more. */
export const GROUP_DEPTH_MAX = 16;

/** v1 hierarchies whose figures are read, in the order in which one of them may name a process's group. */
const V1_ACCOUNTS: readonly string[] = ["cpu", "memory", "blkio"];

/** The id of the hierarchy's root: kernfs numbers its nodes from 1 (fs/kernfs/dir.c). */
const HIERARCHY_TOP_ID = 1n;

/** A group, and how it was found to lie below another. */
export interface VisitedGroup {
  /** Relative to the top. */
  readonly groupPath: string;
  /** Last component, "" for the top. */
  readonly name: string;
}

/** How a view differs from the running host's. */
export interface CgroupFsOptions {
  /** Id the top of the v2 mount must have to be the hierarchy's root; trees that are not kernfs have another. */
  readonly topId?: bigint;
}

/** The cgroup hierarchies of one host. */
export class CgroupFs {
  /** Where they are mounted. */
  readonly mounts: CgroupMounts;
  readonly #topId: bigint;

  constructor(mounts: CgroupMounts, options: CgroupFsOptions = {}) {
    this.mounts = mounts;
    this.#topId = options.topId ?? HIERARCHY_TOP_ID;
  }

  /**
   * Yields id, level and directory of a group; `undefined` when it is gone.
   *
   * @throws {EngineError} `target_refused` for a path that leads out of the hierarchy or is no group,
   *   or when the mount shows only a part of the hierarchy
   */
  locate(groupPath: string): TargetCgroup | undefined {
    const top = this.#v2Directory();
    const directory = resolveDirectoryBeneath(top, groupPath);
    const entry = directory === undefined ? undefined : lstatEntry(directory);
    if (directory === undefined || entry === undefined) return undefined;
    if (lstatEntry(`${directory}/cgroup.procs`) === undefined) {
      throw new EngineError(
        "target_refused",
        `Cannot trace ${sanitizeText(directory)}: it has no cgroup.procs, wanted a cgroup v2 directory`,
      );
    }
    if (lstatEntry(top)?.inode !== this.#topId || entry.inode === undefined) {
      throw new EngineError(
        "target_refused",
        `Cannot trace cgroup ${sanitizeText(directory)}: ${sanitizeText(top)} shows a part of the hierarchy only ` +
          "(a cgroup namespace), wanted the host's cgroup2 mount",
      );
    }
    return { id: toCgroupId(entry.inode), level: splitBeneath(groupPath).length, path: directory };
  }

  /** The group path a process's `/proc/PID/cgroup` names; `undefined` when the v2 mount does not show it. */
  groupPathOf(lines: readonly CgroupLine[]): string | undefined {
    const line = lines.find((candidate) => candidate.hierarchyId === 0);
    return line === undefined || this.mounts.v2 === undefined ? undefined : pathBelowMount(this.mounts.v2, line.path);
  }

  /** Absolute directory of a group path, by spelling alone. */
  directoryOf(groupPath: string): string {
    return joinBeneath(this.#v2Directory(), groupPath);
  }

  /** The group path of an absolute directory in the v2 mount; `undefined` for one outside of it. */
  groupPathOfDirectory(directory: string): string | undefined {
    return this.mounts.v2 === undefined ? undefined : pathBelowDirectory(this.mounts.v2.path, directory);
  }

  /** Whether hierarchies are mounted below an absolute directory that is in none itself: /sys/fs/cgroup of many hosts. */
  isAboveMounts(directory: string): boolean {
    const mounts = [this.mounts.v2, ...this.mounts.controllers.values()].filter((mount) => mount !== undefined);
    const isWithin = mounts.some(({ path }) => pathBelowDirectory(path, directory) !== undefined);
    return !isWithin && mounts.some(({ path }) => path.startsWith(`${directory}/`));
  }

  /** Which v1 hierarchy an absolute directory lies in, and where; `undefined` for one outside of all. */
  controllerOfDirectory(directory: string): { readonly controller: string; readonly groupPath: string } | undefined {
    for (const [controller, mount] of this.mounts.controllers) {
      const groupPath = pathBelowDirectory(mount.path, directory);
      if (groupPath !== undefined) return { controller, groupPath };
    }
    return undefined;
  }

  /** Visits the groups below the top of the v2 mount, parents first, for as long as `visit` says "descend" or "skip". */
  visitGroups(
    visit: (group: VisitedGroup) => "descend" | "skip",
  ): { readonly visitedCount: number; readonly isComplete: boolean } {
    return visitDirectories(this.#v2Directory(), visit);
  }

  /** Processes in a group directory of either version and in all groups below it, ascending. */
  processIdsBelow(directory: string): readonly ProcessId[] {
    const ids = new Set<ProcessId>();
    const collect = (path: string) => processIdsIn(path).forEach((id) => ids.add(id));
    collect(directory);
    visitDirectories(directory, ({ groupPath }) => {
      collect(`${directory}/${groupPath}`);
      return "descend";
    });
    return [...ids].sort((left, right) => left - right);
  }

  /**
   * Where to read CPU figures and pressure of the group a process is in: its
   * v2 directory, except where a v1 hierarchy knows it by more. `undefined` for
   * the top of every hierarchy: its figures are the whole machine's.
   *
   * @param lines of the process's `/proc/PID/cgroup`
   */
  accountDirectoryOf(lines: readonly CgroupLine[]): string | undefined {
    const groupPath = this.groupPathOf(lines);
    const v2 = groupPath === undefined ? undefined : this.directoryOf(groupPath);
    return [v2, ...V1_ACCOUNTS.map((controller) => this.#v1Directory(controller, lines))]
      .find((path) => path !== undefined && !this.#isMachineWide(path));
  }

  /**
   * Totals of a group since it was made. The limit is the tightest from the
   * group to the root, and periods and throttled time are of the group that
   * sets it: throttling happens there. On a hybrid host they come from the v1
   * group of the same name, or else from the one a process of the group is in.
   *
   * @param directory as `TargetCgroup.path` or `accountDirectoryOf` spell it
   */
  read(
    directory: string,
    procFs: ProcFs,
    options: { readonly memberId?: number | undefined } = {},
  ): CgroupReading | undefined {
    const entry = lstatEntry(directory);
    if (entry?.kind !== "directory") return undefined;
    const groupPath = this.groupPathOfDirectory(directory);
    const linesOfMember = () => this.#linesOfMember(directory, procFs, options.memberId);
    const { limit, limitPath, statistics } = tightest(this.#cpuChain(directory, linesOfMember));
    return {
      cpuLimit: limit,
      cpuLimitPath: limitPath,
      periodCount: statistics?.periodCount,
      throttledPeriodCount: statistics?.throttledPeriodCount,
      throttledMs: statistics?.throttledMs,
      cpuUsageMs: this.#usageMs(directory),
      pressure: groupPath === undefined ? undefined : readGroupPressure(directory),
      memory: readGroupMemory(this.#chainIn("memory", directory, linesOfMember)),
      io: readGroupIo(this.#chainIn("blkio", directory, linesOfMember)),
      tasks: readGroupTasks(this.#chainIn("pids", directory, linesOfMember)),
    };
  }

  /** v2 counts time in every group, also where v1 has the controller; a v1 group's time is in `cpuacct`. */
  #usageMs(directory: string): number | undefined {
    const v1 = this.controllerOfDirectory(directory);
    if (v1 === undefined) return readParsed(`${directory}/cpu.stat`, parseCpuStatistics)?.usageMs;
    const accounting = this.#sameGroup("cpuacct", v1.groupPath);
    return accounting === undefined ? undefined : readParsed(`${accounting}/cpuacct.usage`, parseCpuAccountingMs);
  }

  /** The group and its parents in whichever hierarchy has the CPU controller, innermost first. */
  #cpuChain(directory: string, linesOfMember: () => readonly CgroupLine[]): readonly CpuGroup[] {
    const cpu = this.mounts.controllers.get("cpu");
    if (cpu === undefined) return chainOf(this.#v2Directory(), directory).map(readV2CpuGroup);
    const v1 = this.controllerOfDirectory(directory);
    if (v1 !== undefined) return chainOf(cpu.path, joinBeneath(cpu.path, v1.groupPath)).map(readV1CpuGroup);
    const group = this.#sameGroup("cpu", this.groupPathOfDirectory(directory) ?? "") ??
      this.#v1Directory("cpu", linesOfMember());
    return group === undefined ? [] : chainOf(cpu.path, group).map(readV1CpuGroup);
  }

  /**
   * The group and its parents in the hierarchy that has `controller`, innermost
   * first, without the top, which is the whole machine; empty: it is there, or nowhere.
   */
  #chainIn(controller: string, directory: string, linesOfMember: () => readonly CgroupLine[]): GroupChain {
    const mount = this.mounts.controllers.get(controller);
    if (mount === undefined) {
      if (this.mounts.v2 === undefined || this.groupPathOfDirectory(directory) === undefined) {
        return { version: 2, directories: [] };
      }
      return { version: 2, directories: chainOf(this.#v2Directory(), directory).slice(0, -1) };
    }
    const isHere = pathBelowDirectory(mount.path, directory) !== undefined;
    const group = isHere ? directory : this.#memberGroup(controller, directory, linesOfMember);
    return { version: 1, directories: group === undefined ? [] : chainOf(mount.path, group).slice(0, -1) };
  }

  #memberGroup(
    controller: string,
    directory: string,
    linesOfMember: () => readonly CgroupLine[],
  ): string | undefined {
    const groupPath = this.controllerOfDirectory(directory)?.groupPath ?? this.groupPathOfDirectory(directory) ?? "";
    const same = groupPath === "" ? undefined : this.#sameGroup(controller, groupPath);
    return same ?? this.#v1Directory(controller, linesOfMember());
  }

  /** A group of the same name in another hierarchy; container runtimes make them so. */
  #sameGroup(controller: string, groupPath: string): string | undefined {
    const mount = this.mounts.controllers.get(controller);
    return mount === undefined ? undefined : resolveDirectoryBeneath(mount.path, groupPath);
  }

  /** Of the process that is asked about; once it is gone nobody else stands in for it. */
  #linesOfMember(directory: string, procFs: ProcFs, memberId?: number): readonly CgroupLine[] {
    if (memberId !== undefined) return procFs.cgroupLines(memberId) ?? [];
    for (const id of this.processIdsBelow(directory)) {
      const lines = procFs.cgroupLines(id);
      if (lines !== undefined) return lines;
    }
    return [];
  }

  #v1Directory(controller: string, lines: readonly CgroupLine[]): string | undefined {
    const mount = this.mounts.controllers.get(controller);
    const line = lines.find((candidate) => candidate.controllers.includes(controller));
    if (mount === undefined || line === undefined) return undefined;
    const groupPath = pathBelowMount(mount, line.path);
    return groupPath === undefined ? undefined : joinBeneath(mount.path, groupPath);
  }

  /** The top of the v2 mount is not the machine's where a cgroup namespace shows a part of the hierarchy only. */
  #isMachineWide(directory: string): boolean {
    const isTop = V1_ACCOUNTS.some((controller) => directory === this.mounts.controllers.get(controller)?.path);
    return isTop || lstatEntry(directory)?.inode === this.#topId;
  }

  #v2Directory(): string {
    if (this.mounts.v2 !== undefined) return this.mounts.v2.path;
    throw new EngineError(
      "target_refused",
      "Cannot look up cgroups: no cgroup2 file system is mounted, wanted one (mount -t cgroup2 none /sys/fs/cgroup/unified)",
    );
  }
}

/**
 * Finds the hierarchies in our own mount table.
 *
 * @param options.rootPath put before every mount point, when the table is a host's whose root is mounted there
 */
export function openCgroupFs(procFs: ProcFs, options: CgroupFsOptions & { rootPath?: string } = {}): CgroupFs {
  const found = parseCgroupMounts(procFs.mountInfo() ?? "");
  const below = options.rootPath ?? "";
  const mounts: CgroupMounts = {
    v2: found.v2 === undefined ? undefined : { ...found.v2, path: below + found.v2.path },
    controllers: new Map(
      [...found.controllers].map(([name, mount]) => [name, { ...mount, path: below + mount.path }]),
    ),
  };
  return new CgroupFs(mounts, options);
}

/** Totals of the whole machine's pressure; `undefined` where the kernel keeps none. */
export function readHostPressure(procFs: ProcFs): PressureMeasurement | undefined {
  const totals = (text: string | undefined): PressureTotals => parsePressure(text ?? "");
  return combinePressure({
    cpu: totals(procFs.pressure("cpu")),
    io: totals(procFs.pressure("io")),
    memory: totals(procFs.pressure("memory")),
  });
}

/** A group's own limit (`Infinity`: none, `undefined`: not said) and counters. */
interface CpuGroup {
  readonly directory: string;
  readonly limit: number | undefined;
  readonly statistics: CpuStatistics;
}

/** The limit of the group that allows least, the inner one of equals, with its counters; else the group's own. */
function tightest(chain: readonly CpuGroup[]): {
  readonly limit: number | undefined;
  readonly limitPath: string | undefined;
  readonly statistics: CpuStatistics | undefined;
} {
  let found = chain[0];
  for (const group of chain) {
    if ((group.limit ?? Infinity) < (found?.limit ?? Infinity)) found = group;
  }
  const limit = found?.limit === Infinity ? undefined : found?.limit;
  const limitPath = limit === undefined || found === undefined ? undefined : sanitizeText(found.directory);
  return { limit, limitPath, statistics: found?.statistics };
}

function readV2CpuGroup(directory: string): CpuGroup {
  return {
    directory,
    limit: readParsed(`${directory}/cpu.max`, parseCpuMax),
    statistics: readParsed(`${directory}/cpu.stat`, parseCpuStatistics) ?? parseCpuStatistics(""),
  };
}

function readV1CpuGroup(directory: string): CpuGroup {
  const quota = readText(`${directory}/cpu.cfs_quota_us`);
  const period = readText(`${directory}/cpu.cfs_period_us`);
  const limit = quota === undefined || period === undefined ? undefined : parseCfsQuota(quota, period);
  const statistics = readParsed(`${directory}/cpu.stat`, parseCpuStatistics) ?? parseCpuStatistics("");
  return { directory, limit, statistics };
}

function readGroupPressure(directory: string): PressureMeasurement | undefined {
  const totals = (resource: string) =>
    parsePressure(orUndefinedWhenUnsupported(() => readText(`${directory}/${resource}.pressure`)) ?? "");
  return combinePressure({ cpu: totals("cpu"), io: totals("io"), memory: totals("memory") });
}

function readParsed<T>(path: string, parse: (text: string) => T): T | undefined {
  const text = readText(path);
  return text === undefined ? undefined : parse(text);
}

/** The directory and its parents up to `top`, innermost first. */
function chainOf(top: string, directory: string): readonly string[] {
  const components = splitBeneath(pathBelowDirectory(top, directory) ?? "");
  return Array.from(
    { length: components.length + 1 },
    (_, index) => joinBeneath(top, components.slice(0, components.length - index).join("/")),
  );
}

function pathBelowDirectory(top: string, directory: string): string | undefined {
  if (directory === top) return "";
  return directory.startsWith(`${top}/`) ? directory.slice(top.length + 1) : undefined;
}

function processIdsIn(directory: string): readonly ProcessId[] {
  // A threaded group refuses this file (EOPNOTSUPP); its processes are listed by the domain above it.
  const text = orUndefinedWhenUnsupported(() =>
    readText(`${directory}/cgroup.procs`, { bytesMax: PROCESS_LIST_BYTES_MAX })
  );
  return (text ?? "").split("\n")
    .map(toCount)
    .filter((id) => id !== undefined && id > 0) // 0: a process outside of our pid namespace
    .map((id) => toProcessId(id ?? 0));
}

/** Breadth first, links never followed. */
function visitDirectories(
  top: string,
  visit: (group: VisitedGroup) => "descend" | "skip",
): { readonly visitedCount: number; readonly isComplete: boolean } {
  let level = [""];
  let visitedCount = 0;
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === GROUP_DEPTH_MAX) return { visitedCount, isComplete: false };
    const next: string[] = [];
    for (const parent of level) {
      for (const entry of listEntries(parent === "" ? top : `${top}/${parent}`) ?? []) {
        if (!entry.isDirectory) continue;
        if (visitedCount === GROUPS_VISITED_MAX) return { visitedCount, isComplete: false };
        visitedCount++;
        const groupPath = parent === "" ? entry.name : `${parent}/${entry.name}`;
        if (visit({ groupPath, name: entry.name }) === "descend") next.push(groupPath);
      }
    }
    level = next;
  }
  return { visitedCount, isComplete: true };
}
