/**
 * What of a host decides whether and how well it can be traced, beside the
 * kernel itself: cgroups, container runtimes, security modules, limits.
 *
 * Every file is read below given roots, so that tests bring their own host.
 *
 * @module
 */

import { parseMountPoints } from "./cgroup_parsers.ts";
import { lstatEntry, readText } from "./host_files.ts";
import type { HostView } from "./container_resolution.ts";
import { orUndefinedWhenDenied, type ProcFs } from "./procfs.ts";

/** Which hierarchies are mounted. */
export type CgroupLayout = "v1" | "v2" | "hybrid" | "none";

/** Where one container runtime listens. */
export interface RuntimeSocket {
  /** "containerd". */
  readonly runtime: string;
  readonly path: string;
  readonly isPresent: boolean;
}

/** What a security module that can refuse BPF is set to. */
export interface SecurityFacts {
  /** In the order in which they are asked; `undefined`: securityfs is not mounted. */
  readonly modules: readonly string[] | undefined;
  readonly seLinux: "absent" | "permissive" | "enforcing";
  /** Our own; `undefined`: AppArmor is off, or we are unconfined. */
  readonly appArmorProfile: string | undefined;
}

/** What of a host decides how well it can be traced. */
export interface EnvironmentFacts {
  /** `undefined`: the kernel does not describe its types. */
  readonly btfPath: string | undefined;
  readonly procPath: string;
  readonly cgroupLayout: CgroupLayout;
  /** Where the v2 hierarchy is mounted. */
  readonly cgroupV2Path: string | undefined;
  /** v1 hierarchies by controller. */
  readonly cgroupV1Paths: ReadonlyMap<string, string>;
  /** Where tracefs is mounted, each place. */
  readonly tracefsPaths: readonly string[];
  /** Every place that is known, used or not. */
  readonly runtimes: readonly RuntimeSocket[];
  readonly security: SecurityFacts;
  /** Soft limit; `undefined`: unlimited, or not to be read. */
  readonly lockedMemoryBytesMax: number | undefined;
  /** Kernel settings by name; those this kernel lacks are left out. */
  readonly settings: ReadonlyMap<string, string>;
}

/** Where runtimes listen, below /run. */
const RUNTIME_SOCKETS: readonly (readonly [runtime: string, path: string])[] = [
  ["containerd", "/run/containerd/containerd.sock"],
  ["CRI-O", "/run/crio/crio.sock"],
  ["k3s", "/run/k3s/containerd/containerd.sock"],
  ["k0s", "/run/k0s/containerd.sock"],
  ["microk8s", "/var/snap/microk8s/common/run/containerd.sock"],
  ["docker", "/run/docker.sock"],
  ["cri-dockerd", "/run/cri-dockerd.sock"],
  ["podman", "/run/podman/podman.sock"],
];

/** Settings that change what BPF and perf allow, or what they cost. */
const SETTINGS: readonly string[] = [
  "kernel.perf_event_paranoid",
  "kernel.unprivileged_bpf_disabled",
  "kernel.bpf_stats_enabled",
  "kernel.kptr_restrict",
  "net.core.bpf_jit_enable",
];

/**
 * Reads the host's side of what tracing depends on. What may not be read counts as absent.
 *
 * @param options.sysPath where sysfs is mounted
 * @param options.rootPath put before the sockets' paths
 */
export function readEnvironmentFacts(
  host: HostView,
  options: { sysPath?: string; rootPath?: string } = {},
): EnvironmentFacts {
  const { procFs, cgroupFs } = host;
  const { sysPath = "/sys", rootPath = "" } = options;
  const btfPath = `${sysPath}/kernel/btf/vmlinux`;
  const { v2, controllers } = cgroupFs.mounts;
  return {
    btfPath: lstatEntry(btfPath) === undefined ? undefined : btfPath,
    procPath: procFs.root,
    cgroupLayout: layoutOf({ hasV2: v2 !== undefined, controllerCount: controllers.size }),
    cgroupV2Path: v2?.path,
    cgroupV1Paths: new Map([...controllers].map(([name, { path }]) => [name, path])),
    tracefsPaths: parseMountPoints(procFs.mountInfo() ?? "", "tracefs"),
    runtimes: RUNTIME_SOCKETS.map(([runtime, path]) => ({ runtime, path, isPresent: isSocket(`${rootPath}${path}`) })),
    security: readSecurity(procFs, sysPath),
    lockedMemoryBytesMax: parseLockedMemory(
      orUndefinedWhenDenied(() => readText(`${procFs.root}/self/limits`)) ?? "",
    ),
    settings: readSettings(procFs),
  };
}

/** Yields the soft limit on locked memory in the text of /proc/PID/limits; `undefined` for "unlimited". */
export function parseLockedMemory(limits: string): number | undefined {
  const soft = /^Max locked memory\s+(\d+)\s/m.exec(limits)?.[1];
  return soft === undefined ? undefined : Number(soft);
}

function layoutOf(mounts: { hasV2: boolean; controllerCount: number }): CgroupLayout {
  if (mounts.hasV2) return mounts.controllerCount > 0 ? "hybrid" : "v2";
  return mounts.controllerCount > 0 ? "v1" : "none";
}

function isSocket(path: string): boolean {
  // Neither file, directory nor link: at these paths that is a socket.
  return orUndefinedWhenDenied(() => lstatEntry(path))?.kind === "other";
}

function readSecurity(procFs: ProcFs, sysPath: string): SecurityFacts {
  const read = (path: string) => orUndefinedWhenDenied(() => readText(path))?.trim().replace(/\0$/, "");
  const modules = read(`${sysPath}/kernel/security/lsm`);
  const enforce = read(`${sysPath}/fs/selinux/enforce`);
  const isAppArmorOn = read(`${sysPath}/module/apparmor/parameters/enabled`) === "Y";
  const profile = isAppArmorOn ? readProfile(procFs) : undefined;
  return {
    modules: modules?.split(",").filter((name) => name !== ""),
    seLinux: enforce === undefined ? "absent" : enforce === "1" ? "enforcing" : "permissive",
    appArmorProfile: profile === "unconfined" ? undefined : profile,
  };
}

/** "docker-default (enforce)"; older kernels keep it in the file that all modules share, where reading may be invalid. */
function readProfile(procFs: ProcFs): string | undefined {
  for (const file of ["apparmor/current", "current"]) {
    try {
      const text = orUndefinedWhenDenied(() => readText(`${procFs.root}/self/attr/${file}`))?.trim();
      if (text !== undefined && text !== "") return text;
    } catch (error) {
      if (!(error instanceof Error)) throw error; // EINVAL: no module answers here
    }
  }
  return undefined;
}

function readSettings(procFs: ProcFs): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  for (const name of SETTINGS) {
    const text = orUndefinedWhenDenied(() => procFs.sysctl(name));
    if (text !== undefined) settings.set(name, text);
  }
  return settings;
}
