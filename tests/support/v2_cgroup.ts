/**
 * Groups of the cgroup v2 tree, made for a test.
 *
 * @module
 */

import { openHostView, resolveCgroup } from "../../engine/mod.ts";
import type { Target } from "../../engine/api/target.ts";

/** A group and one below it; both have to be empty again before disposal. */
export interface NestedCgroups extends AsyncDisposable {
  readonly outer: string;
  readonly inner: string;
  /** The group at the top of the tree: where whatever was in the others may go. */
  readonly root: string;
}

/** @throws {Error} If no cgroup2 tree is mounted */
export async function makeNestedCgroups(): Promise<NestedCgroups> {
  const root = findCgroup2Mount(await Deno.readTextFile("/proc/self/mountinfo"));
  if (root === undefined) throw new Error("Cannot make a cgroup: found no cgroup2 mount, wanted one");
  const outer = await Deno.makeTempDir({ dir: root, prefix: "podtrace-test-" });
  const inner = `${outer}/child`;
  await Deno.mkdir(inner);
  return {
    outer,
    inner,
    root,
    async [Symbol.asyncDispose](): Promise<void> {
      await Deno.remove(inner);
      await Deno.remove(outer);
    },
  };
}

/** Moves all threads of a process. */
export async function moveProcess(processId: number, cgroup: string): Promise<void> {
  await Deno.writeTextFile(`${cgroup}/cgroup.procs`, String(processId));
}

/** Yields the target `--cgroup` makes of a directory. */
export function cgroupTarget(path: string): Target {
  return resolveCgroup(path, { ...openHostView(), isSystemWideAllowed: false }).target;
}

/** Yields where the v2 tree is, from the text of /proc/PID/mountinfo. */
export function findCgroup2Mount(mountinfo: string): string | undefined {
  for (const line of mountinfo.split("\n")) {
    const [before, after] = line.split(" - ");
    if (after?.startsWith("cgroup2 ") === true) return before?.split(" ")[4];
  }
  return undefined;
}
