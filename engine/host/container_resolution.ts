/**
 * From a container id to the cgroup directories or processes that are the
 * container. Identity comes from cgroup paths alone, which the kernel keeps;
 * what a process says about itself is not asked.
 *
 * @module
 */

import { EngineError } from "../api/errors.ts";
import { sanitizeText } from "../api/text.ts";
import type { ProcessId } from "../api/units.ts";
import type { CgroupFs } from "./cgroupfs.ts";
import { type ContainerId, containerIdOfDirectory, containerIdsInPath } from "./container_id.ts";
import { lstatEntry } from "./host_files.ts";
import type { ProcFs } from "./procfs.ts";

/** Candidates named when a prefix fits several containers. */
const CANDIDATES_SHOWN_MAX = 5;

/** Where a container was found. */
export type ContainerLocation =
  | { readonly kind: "cgroups"; readonly id: ContainerId; readonly groupPaths: readonly string[] }
  /** No v2 group is the container's own; these processes are in a v1 group that is. */
  | { readonly kind: "processes"; readonly id: ContainerId; readonly processIds: readonly ProcessId[] };

/** A host as seen for target resolution. */
export interface HostView {
  /** The host's /proc. */
  readonly procFs: ProcFs;
  /** The host's cgroup hierarchies. */
  readonly cgroupFs: CgroupFs;
}

/**
 * Searches the v2 tree, then the cgroup lines of every process.
 *
 * @throws {EngineError} `target_gone` when nothing matches, `target_refused` when several containers do
 */
export function resolveContainer(wanted: ContainerId, host: HostView): ContainerLocation {
  const tree = searchTree(wanted, host.cgroupFs);
  const treeId = chooseOne(wanted, tree.groupPathsById);
  if (treeId !== undefined) {
    const groupPaths = outermost(tree.groupPathsById.get(treeId) ?? [])
      .map((groupPath) => preferPayload(groupPath, host.cgroupFs));
    return { kind: "cgroups", id: treeId, groupPaths };
  }
  const processIdsById = searchProcesses(wanted, host.procFs);
  const processesId = chooseOne(wanted, processIdsById);
  if (processesId !== undefined) {
    return { kind: "processes", id: processesId, processIds: processIdsById.get(processesId) ?? [] };
  }
  throw new EngineError("target_gone", `Cannot find container ${wanted}: ${tree.lookedIn}, wanted one that runs`);
}

/** Yields the id that `wanted` stands for: itself, or the only one that begins with it. */
function chooseOne(wanted: ContainerId, found: ReadonlyMap<ContainerId, unknown>): ContainerId | undefined {
  if (found.has(wanted)) return wanted;
  const candidates = [...found.keys()].sort();
  if (candidates.length <= 1) return candidates[0];
  const shown = candidates.slice(0, CANDIDATES_SHOWN_MAX).join(", ");
  const hiddenCount = candidates.length - CANDIDATES_SHOWN_MAX;
  throw new EngineError(
    "target_refused",
    `Cannot tell which container ${wanted} is: ${candidates.length} begin with it ` +
      `(${shown}${hiddenCount > 0 ? `, and ${hiddenCount} more` : ""}), wanted more digits`,
  );
}

function searchTree(
  wanted: ContainerId,
  cgroupFs: CgroupFs,
): { readonly groupPathsById: ReadonlyMap<ContainerId, readonly string[]>; readonly lookedIn: string } {
  const groupPathsById = new Map<ContainerId, string[]>();
  const top = cgroupFs.mounts.v2?.path;
  if (top === undefined) {
    return { groupPathsById, lookedIn: "no cgroup2 file system is mounted, looked in the cgroups of all processes" };
  }
  const { visitedCount, isComplete } = cgroupFs.visitGroups(({ groupPath, name }) => {
    const id = containerIdOfDirectory(name);
    if (id?.startsWith(wanted)) append(groupPathsById, id, groupPath);
    return "descend";
  });
  const extent = isComplete ? `${visitedCount} groups` : `the first ${visitedCount} groups, then gave up,`;
  return {
    groupPathsById,
    lookedIn: `looked in ${extent} below ${sanitizeText(top)} and in the cgroups of all processes`,
  };
}

function searchProcesses(wanted: ContainerId, procFs: ProcFs): ReadonlyMap<ContainerId, readonly ProcessId[]> {
  const processIdsById = new Map<ContainerId, ProcessId[]>();
  for (const processId of procFs.processIds()) {
    const ids = (procFs.cgroupLines(processId) ?? []).flatMap((line) => containerIdsInPath(line.path));
    for (const id of new Set(ids)) {
      if (id.startsWith(wanted)) append(processIdsById, id, processId);
    }
  }
  return processIdsById;
}

function append<Key, Item>(lists: Map<Key, Item[]>, key: Key, item: Item): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}

/** Leaves out what lies below another path of the list: ancestors count for their descendants. */
function outermost(groupPaths: readonly string[]): readonly string[] {
  return groupPaths.filter((path) => !groupPaths.some((other) => path.startsWith(`${other}/`)));
}

/** CRI-O and podman put the payload into a child group `container`, their own helpers beside it. */
function preferPayload(groupPath: string, cgroupFs: CgroupFs): string {
  const child = `${groupPath}/container`;
  return lstatEntry(`${cgroupFs.directoryOf(child)}/cgroup.procs`) === undefined ? groupPath : child;
}
