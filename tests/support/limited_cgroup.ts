/**
 * Cgroups with a limit of CPU time, memory, I/O or tasks, on either cgroup version.
 *
 * @module
 */

import { until } from "./until.ts";

const PERIOD_US = 100_000;

/** Where a controller's limits can be set on this host. */
export interface Controller {
  readonly version: 1 | 2;
  readonly mountPoint: string;
}

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
  const { controller, path } = await makeCgroup("cpu");
  const quotaUs = Math.round(options.cpus * PERIOD_US);
  if (controller.version === 1) {
    await Deno.writeTextFile(`${path}/cpu.cfs_period_us`, String(PERIOD_US));
    await Deno.writeTextFile(`${path}/cpu.cfs_quota_us`, String(quotaUs));
  } else {
    await Deno.writeTextFile(`${path}/cpu.max`, `${quotaUs} ${PERIOD_US}`);
  }
  return limitedCgroup(path);
}

/**
 * Makes a cgroup whose processes together get `limitBytes` of memory and no
 * swap; the kernel kills one of them for more. Disposal removes it.
 *
 * @throws {Error} If the host offers no memory controller
 */
export async function makeMemoryLimitedCgroup(options: { limitBytes: number }): Promise<LimitedCgroup> {
  const { controller, path } = await makeCgroup("memory");
  const limit = String(options.limitBytes);
  if (controller.version === 1) {
    await Deno.writeTextFile(`${path}/memory.limit_in_bytes`, limit);
    await Deno.writeTextFile(`${path}/memory.swappiness`, "0");
  } else {
    await Deno.writeTextFile(`${path}/memory.max`, limit);
    await Deno.writeTextFile(`${path}/memory.swap.max`, "0").catch(() => {}); // a kernel without swap has no such file
  }
  return limitedCgroup(path);
}

/**
 * Makes a cgroup whose processes together may write `writeBytesPerSecond` to
 * the disk `device` ("major:minor"). Disposal removes it.
 *
 * @throws {Error} If the host offers no I/O controller
 */
export async function makeIoLimitedCgroup(
  options: { device: string; writeBytesPerSecond: number },
): Promise<LimitedCgroup> {
  const { device, writeBytesPerSecond } = options;
  const name = findIoController(await Deno.readTextFile("/proc/self/mountinfo"))?.version === 2 ? "io" : "blkio";
  const { controller, path } = await makeCgroup(name);
  if (controller.version === 1) {
    await Deno.writeTextFile(`${path}/blkio.throttle.write_bps_device`, `${device} ${writeBytesPerSecond}`);
  } else {
    await Deno.writeTextFile(`${path}/io.max`, `${device} wbps=${writeBytesPerSecond}`);
  }
  return limitedCgroup(path);
}

/**
 * Makes a cgroup that may have `limitCount` tasks, threads included. Disposal
 * removes it.
 *
 * @throws {Error} If the host offers no pids controller
 */
export async function makeTaskLimitedCgroup(options: { limitCount: number }): Promise<LimitedCgroup> {
  const { path } = await makeCgroup("pids");
  await Deno.writeTextFile(`${path}/pids.max`, String(options.limitCount));
  return limitedCgroup(path);
}

/** Yields where I/O can be limited, from the text of /proc/PID/mountinfo. */
export function findIoController(mountinfo: string): Controller | undefined {
  return findController(mountinfo, { name: "blkio", readControllers }) ??
    findController(mountinfo, { name: "io", readControllers });
}

function limitedCgroup(path: string): LimitedCgroup {
  return {
    path,
    async add(processId: number): Promise<void> {
      await Deno.writeTextFile(`${path}/cgroup.procs`, String(processId));
    },
    async [Symbol.asyncDispose](): Promise<void> {
      // A process that was killed leaves its group a moment after it ended.
      await until(() => Deno.remove(path).then(() => true, () => false), { what: `${path} is empty` });
    },
  };
}

async function makeCgroup(name: string): Promise<{ controller: Controller; path: string }> {
  const controller = findController(await Deno.readTextFile("/proc/self/mountinfo"), { name, readControllers });
  if (controller === undefined) {
    throw new Error(`Cannot limit a cgroup: found no ${name} controller in any cgroup mount, wanted one`);
  }
  if (controller.version === 2) {
    await Deno.writeTextFile(`${controller.mountPoint}/cgroup.subtree_control`, `+${name}`);
  }
  return { controller, path: await Deno.makeTempDir({ dir: controller.mountPoint, prefix: "podtrace-test-" }) };
}

/**
 * Yields where the controller `options.name` is, from the text of /proc/PID/mountinfo.
 *
 * @param options.readControllers yields cgroup.controllers of a v2 mount
 */
export function findController(
  mountinfo: string,
  options: { readonly name: string; readonly readControllers: (mountPoint: string) => string },
): Controller | undefined {
  const { name, readControllers } = options;
  for (const line of mountinfo.split("\n")) {
    const [before, after] = line.split(" - ");
    const mountPoint = before?.split(" ")[4];
    const [type, , superOptions] = after?.split(" ") ?? [];
    if (mountPoint === undefined) continue;
    if (type === "cgroup" && superOptions?.split(",").includes(name)) return { version: 1, mountPoint };
    if (type === "cgroup2" && readControllers(mountPoint).trim().split(" ").includes(name)) {
      return { version: 2, mountPoint };
    }
  }
  return undefined;
}

function readControllers(mountPoint: string): string {
  return Deno.readTextFileSync(`${mountPoint}/cgroup.controllers`);
}
