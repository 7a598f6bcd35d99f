/**
 * From what a person names (a process, a cgroup, a container, everything) to
 * a `Target` of the seam, or one line that says why not.
 *
 * @module
 */

import { EngineError } from "../api/errors.ts";
import type { Target, TargetCgroup } from "../api/target.ts";
import { sanitizeText } from "../api/text.ts";
import { type ProcessId, toProcessId, toTargetId } from "../api/units.ts";
import { resolveDirectoryBeneath, splitBeneath } from "./beneath.ts";
import { toContainerId } from "./container_id.ts";
import { type HostView, resolveContainer } from "./container_resolution.ts";
import type { ProcFs } from "./procfs.ts";

/** A target, and what a person should know about how it was found: one sentence each. */
export interface ResolvedTarget {
  /** What to trace. */
  readonly target: Target;
  /** What the user should know about it, a sentence each. */
  readonly notes: readonly string[];
}

const PIDS_NOTE = "the processes found now and their descendants are traced; others that join later are not";
const EMPTY_NOTE = "no process is in it now";

/** Process targets, and what a person should know about how they were found. */
export interface ResolvedTargets {
  /** What to trace: as many as there were processes, or fewer by those that have ended. */
  readonly targets: readonly Target[];
  /** What the user should know about them, a sentence each. */
  readonly notes: readonly string[];
}

/** Ids a note names before it counts. */
const NAMED_IDS_MAX = 5;

/**
 * Processes that can be traced together, each with its present descendants;
 * later ones are followed by the kernel side. Where one is a descendant of
 * another, it and its descendants belong to it alone. Podtrace itself is left
 * out where it is among the descendants. Of several, those that have ended are
 * left out with a note. Who is whose child is read once, for all of them.
 *
 * @param processIds as a person gave them, one or more
 * @throws {EngineError} `target_gone` when none of them is there any more; `target_refused` for a thread, a kernel
 *   thread, podtrace itself and what cannot be a process id
 */
export function resolveProcesses(
  processIds: readonly number[],
  host: { readonly procFs: ProcFs },
): ResolvedTargets {
  const { procFs } = host;
  const goneIds: number[] = [];
  const ids = processIds.filter((processId) => {
    try {
      checkedProcessId(processId, procFs);
      return true;
    } catch (error) {
      const isGone = error instanceof EngineError && error.code === "target_gone";
      if (!isGone || goneIds.length === processIds.length - 1) throw error;
      goneIds.push(processId);
      return false;
    }
  });
  const tree = procFs.processTree();
  const ownId = procFs.ownProcessId();
  const targets = ids.map((processId): Target => {
    const id = toProcessId(processId);
    const descendantIds = tree.descendantIds(id).filter((descendantId) => descendantId !== ownId);
    return {
      id: toTargetId(`pid:${id}`),
      label: `pid ${id} (${commandForPeople(id, procFs)})`,
      cgroups: [],
      processIds: [id, ...descendantIds],
      isSystemWide: false,
    };
  });
  return { targets: withoutNestedTargets(targets), notes: goneIds.length === 0 ? [] : [describeGone(goneIds)] };
}

/** As `resolveProcesses`, of one. */
export function resolveProcess(processId: number, host: { readonly procFs: ProcFs }): ResolvedTarget {
  const { targets: [target], notes } = resolveProcesses([processId], host);
  if (target === undefined) throw new EngineError("target_gone", `Cannot trace pid ${processId}: it is not there`);
  return { target, notes };
}

function describeGone(goneIds: readonly number[]): string {
  const named = goneIds.slice(0, NAMED_IDS_MAX).join(", ");
  const moreCount = goneIds.length - NAMED_IDS_MAX;
  const more = moreCount > 0 ? ` and ${moreCount} more` : "";
  return goneIds.length === 1
    ? `pid ${named} is left out: there is no such process any more`
    : `${goneIds.length} pids are left out, there are no such processes any more: ${named}${more}`;
}

/**
 * Process targets that can be traced together: where one process is a
 * descendant of another, it and its descendants belong to it alone, so that
 * every thread is in the innermost target.
 *
 * @param targets with the process that names it first, then all its descendants
 */
export function withoutNestedTargets(targets: readonly Target[]): readonly Target[] {
  const ownerById = new Map<number, Target>();
  // Who is within another has fewer processes than it, so the innermost comes last.
  for (const target of targets.toSorted((left, right) => right.processIds.length - left.processIds.length)) {
    for (const id of target.processIds) ownerById.set(id, target);
  }
  return targets.map((target) => ({
    ...target,
    processIds: target.processIds.filter((id) => ownerById.get(id) === target),
  }));
}

/**
 * A cgroup, given as `/proc/PID/cgroup` shows it (with or without the leading
 * slash) or as a directory of the cgroup file system. A directory of a v1
 * hierarchy has no id that programs could test; its processes are taken.
 *
 * @throws {EngineError} `target_gone` when there is none; `target_refused` for the root without
 *   `isSystemWideAllowed`, for paths that leave the hierarchy, and for what is no cgroup
 */
export function resolveCgroup(
  path: string,
  host: HostView & { readonly isSystemWideAllowed: boolean },
): ResolvedTarget {
  const { cgroupFs } = host;
  if (path.split("/").includes("..")) {
    const found = `--cgroup "${sanitizeText(path)}": it contains ".."`;
    throw new EngineError("target_refused", `Cannot use ${found}, wanted a path as in /proc/PID/cgroup`);
  }
  const cleanPath = `${path.startsWith("/") ? "/" : ""}${splitBeneath(path.replace(/^\/+/, "")).join("/")}`;
  const v1 = cgroupFs.controllerOfDirectory(cleanPath);
  const groupPath = cgroupFs.groupPathOfDirectory(cleanPath) ?? cleanPath.replace(/^\//, "");
  // A group may have the name of such a directory: /sys, for one.
  const isAboveMounts = () => cgroupFs.isAboveMounts(cleanPath) && cgroupFs.locate(groupPath) === undefined;
  if ((v1?.groupPath ?? groupPath) === "" || isAboveMounts()) {
    if (host.isSystemWideAllowed) return { target: systemWideTarget(), notes: [] };
    throw new EngineError(
      "target_refused",
      "Cannot trace the root cgroup: it holds every process of the machine, wanted a group below it, or --system-wide",
    );
  }
  if (v1 !== undefined) return resolveV1Group(v1, host);
  const cgroup = cgroupFs.locate(groupPath);
  if (cgroup === undefined) {
    throw new EngineError(
      "target_gone",
      `Cannot find cgroup "${sanitizeText(path)}": ${sanitizeText(cgroupFs.directoryOf(groupPath))} does not exist, ` +
        "wanted a path as in /proc/PID/cgroup",
    );
  }
  const processIds = cgroupFs.processIdsBelow(cgroup.path);
  const target: Target = {
    id: toTargetId(`cgroup:/${groupPath}`),
    label: `cgroup /${sanitizeText(groupPath)}`,
    cgroups: [cgroup],
    processIds: [],
    isSystemWide: false,
  };
  return { target, notes: processIds.length === 0 ? [EMPTY_NOTE] : [] };
}

/**
 * A container by its id, or the beginning of it.
 *
 * @param containerId as a person gave it; `toContainerId` says what it may look like
 * @throws {EngineError} `target_gone` when it is unknown, `target_refused` when it is malformed or ambiguous
 */
export function resolveContainerTarget(containerId: string, host: HostView): ResolvedTarget {
  const location = resolveContainer(toContainerId(containerId), host);
  const cgroups = location.kind === "cgroups" ? locateAll(location.groupPaths, host) : [];
  const processIds = location.kind === "processes"
    ? location.processIds
    : cgroups.flatMap((cgroup) => host.cgroupFs.processIdsBelow(cgroup.path));
  if (location.kind === "cgroups" && cgroups.length === 0) {
    throw new EngineError("target_gone", `Cannot trace container ${location.id}: it ended, wanted one that runs`);
  }
  const firstId = processIds[0];
  const command = firstId === undefined ? "" : ` (${commandForPeople(firstId, host.procFs)})`;
  const target: Target = {
    id: toTargetId(location.id),
    label: `container ${location.id.slice(0, 12)}${command}`,
    cgroups,
    processIds: location.kind === "processes" ? location.processIds : [],
    isSystemWide: false,
  };
  if (location.kind === "processes") return { target, notes: [PIDS_NOTE] };
  return { target, notes: processIds.length === 0 ? [EMPTY_NOTE] : [] };
}

/** Every process but podtrace itself. */
export function systemWideTarget(): Target {
  return { id: toTargetId("system"), label: "the whole system", cgroups: [], processIds: [], isSystemWide: true };
}

function resolveV1Group(
  v1: { readonly controller: string; readonly groupPath: string },
  host: HostView,
): ResolvedTarget {
  const mountPath = host.cgroupFs.mounts.controllers.get(v1.controller)?.path ?? "";
  const directory = resolveDirectoryBeneath(mountPath, v1.groupPath);
  const name = sanitizeText(`${mountPath}/${v1.groupPath}`);
  if (directory === undefined) {
    throw new EngineError("target_gone", `Cannot find cgroup ${name}: it does not exist, wanted a cgroup directory`);
  }
  const processIds = host.cgroupFs.processIdsBelow(directory);
  if (processIds.length === 0) {
    throw new EngineError(
      "target_gone",
      `Cannot trace cgroup ${name}: no process is in it, wanted a v1 group with processes, or a v2 group`,
    );
  }
  const target: Target = {
    id: toTargetId(`cgroup:${v1.controller}:/${v1.groupPath}`),
    label: `cgroup ${name}`,
    cgroups: [],
    processIds,
    isSystemWide: false,
  };
  return { target, notes: [PIDS_NOTE] };
}

function locateAll(groupPaths: readonly string[], host: HostView): readonly TargetCgroup[] {
  return groupPaths.map((groupPath) => host.cgroupFs.locate(groupPath)).filter((cgroup) => cgroup !== undefined);
}

function checkedProcessId(raw: number, procFs: ProcFs): ProcessId {
  const refuse = (found: string, wanted: string) =>
    new EngineError("target_refused", `Cannot trace pid ${raw}: ${found}, wanted ${wanted}`);
  const id = orRefused(() => toProcessId(raw), () => refuse("it cannot be a process id", "1 to 4194304"));
  const status = procFs.status(id);
  const stat = procFs.stat(id);
  if (status === undefined || stat === undefined || stat.state === "X") {
    throw new EngineError("target_gone", `Cannot trace pid ${id}: there is no such process, wanted one that runs`);
  }
  if (status.processId !== id) {
    const owner = `process ${status.processId} (${commandForPeople(status.processId, procFs)})`;
    throw refuse(`it is a thread of ${owner}`, `the process: --pid ${status.processId}`);
  }
  if (!procFs.isAlive(id)) {
    throw new EngineError("target_gone", `Cannot trace pid ${id}: it has ended (a zombie), wanted one that runs`);
  }
  if (stat.isKernelThread) throw refuse(`${sanitizeText(stat.command)} is a kernel thread`, "a process");
  if (id === procFs.ownProcessId()) throw refuse("it is podtrace itself", "another process");
  return id;
}

function orRefused<T>(make: () => T, refusal: () => EngineError): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof RangeError) throw refusal();
    throw error;
  }
}

function commandForPeople(processId: number, procFs: ProcFs): string {
  return sanitizeText(procFs.command(processId) ?? "ended");
}
