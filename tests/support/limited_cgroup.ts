/**
 * A cgroup with a CPU quota, on either cgroup version.
 *
 * @module
 */

const PERIOD_US = 100_000;

/** Where a CPU quota can be set on this host. */
export type CpuController =
  | { readonly version: 1; readonly mountPoint: string }
  | { readonly version: 2; readonly mountPoint: string };

export interface LimitedCgroup extends AsyncDisposable {
  readonly path: string;
  /** Moves all threads of a process in. It has to be gone before disposal. */
  add(processId: number): Promise<void>;
}

/**
 * Makes a cgroup whose threads together get `cpus` CPUs; disposal removes it.
 *
 * @throws {Error} If the host offers no cpu controller
 */
export async function makeLimitedCgroup(options: { cpus: number }): Promise<LimitedCgroup> {
  const controller = findCpuController(await Deno.readTextFile("/proc/self/mountinfo"), readController);
  if (controller === undefined) {
    throw new Error("Cannot limit CPU time: found no cpu controller in any cgroup mount, wanted one");
  }
  const path = await Deno.makeTempDir({ dir: controller.mountPoint, prefix: "podtrace-test-" });
  const quotaUs = Math.round(options.cpus * PERIOD_US);
  if (controller.version === 1) {
    await Deno.writeTextFile(`${path}/cpu.cfs_period_us`, String(PERIOD_US));
    await Deno.writeTextFile(`${path}/cpu.cfs_quota_us`, String(quotaUs));
  } else {
    await Deno.writeTextFile(`${controller.mountPoint}/cgroup.subtree_control`, "+cpu");
    await Deno.writeTextFile(`${path}/cpu.max`, `${quotaUs} ${PERIOD_US}`);
  }
  return {
    path,
    async add(processId: number): Promise<void> {
      await Deno.writeTextFile(`${path}/cgroup.procs`, String(processId));
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await Deno.remove(path);
    },
  };
}

/**
 * Yields where the cpu controller is, from the text of /proc/PID/mountinfo.
 *
 * @param readControllers yields cgroup.controllers of a v2 mount
 */
export function findCpuController(
  mountinfo: string,
  readControllers: (mountPoint: string) => string,
): CpuController | undefined {
  for (const line of mountinfo.split("\n")) {
    const [before, after] = line.split(" - ");
    const mountPoint = before?.split(" ")[4];
    const [type, , superOptions] = after?.split(" ") ?? [];
    if (mountPoint === undefined) continue;
    if (type === "cgroup" && superOptions?.split(",").includes("cpu")) return { version: 1, mountPoint };
    if (type === "cgroup2" && readControllers(mountPoint).trim().split(" ").includes("cpu")) {
      return { version: 2, mountPoint };
    }
  }
  return undefined;
}

function readController(mountPoint: string): string {
  return Deno.readTextFileSync(`${mountPoint}/cgroup.controllers`);
}
