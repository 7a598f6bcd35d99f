/**
 * What this kernel and these rights allow, read once before anything is
 * attached, and the one line that says what is missing.
 *
 * @module
 */

import { EngineError } from "../api/errors.ts";
import { sanitizeText } from "../api/text.ts";
import { parseMountPoints } from "./cgroup_parsers.ts";
import { lstatEntry, readText } from "./host_files.ts";
import { orUndefinedWhenDenied, type ProcFs } from "./procfs.ts";

/** A kernel's version. */
export interface KernelRelease {
  /** As uname -r prints it. */
  readonly text: string;
  /** The 6 of 6.1. */
  readonly major: number;
  /** The 1 of 6.1. */
  readonly minor: number;
}

/** How far the kernel is locked against its own root (kernel_lockdown(7)). */
export type Lockdown = "none" | "integrity" | "confidentiality";

/** What tracing depends on. */
export interface KernelFacts {
  /** As uname -r prints it. */
  readonly releaseText: string;
  /** `undefined`: the text begins with no version. */
  readonly release: KernelRelease | undefined;
  /** The kernel describes its types: /sys/kernel/btf/vmlinux. */
  readonly hasBtf: boolean;
  /** Where tracefs is mounted. */
  readonly tracefsPath: string | undefined;
  /** Names of the capabilities in effect. */
  readonly capabilities: ReadonlySet<string>;
  /** `undefined`: this kernel knows no lockdown, or securityfs is not mounted. */
  readonly lockdown: Lockdown | undefined;
  /** `false`: we are in a pid namespace of our own, and see no process as the kernel's programs do. */
  readonly isInFirstPidNamespace: boolean;
}

/** The ring buffer, and CAP_BPF and CAP_PERFMON as capabilities of their own, came with it. */
const OLDEST_RELEASE = { major: 5, minor: 8 };

/** The first pid namespace's inode on every machine (include/uapi/linux/nsfs.h and before it proc_ns.h, PROC_PID_INIT_INO). */
const FIRST_PID_NAMESPACE_INODE = 0xefff_fffc;

/** By number, include/uapi/linux/capability.h; without the prefix "CAP_". */
const CAPABILITY_NAMES = [
  "CHOWN",
  "DAC_OVERRIDE",
  "DAC_READ_SEARCH",
  "FOWNER",
  "FSETID",
  "KILL",
  "SETGID",
  "SETUID",
  "SETPCAP",
  "LINUX_IMMUTABLE",
  "NET_BIND_SERVICE",
  "NET_BROADCAST",
  "NET_ADMIN",
  "NET_RAW",
  "IPC_LOCK",
  "IPC_OWNER",
  "SYS_MODULE",
  "SYS_RAWIO",
  "SYS_CHROOT",
  "SYS_PTRACE",
  "SYS_PACCT",
  "SYS_ADMIN",
  "SYS_BOOT",
  "SYS_NICE",
  "SYS_RESOURCE",
  "SYS_TIME",
  "SYS_TTY_CONFIG",
  "MKNOD",
  "LEASE",
  "AUDIT_WRITE",
  "AUDIT_CONTROL",
  "SETFCAP",
  "MAC_OVERRIDE",
  "MAC_ADMIN",
  "SYSLOG",
  "WAKE_ALARM",
  "BLOCK_SUSPEND",
  "AUDIT_READ",
  "PERFMON",
  "BPF",
  "CHECKPOINT_RESTORE",
] as const;

/**
 * Reads what tracing depends on.
 *
 * @param options.sysPath where sysfs is mounted
 */
export function readKernelFacts(procFs: ProcFs, options: { sysPath?: string } = {}): KernelFacts {
  const sysPath = options.sysPath ?? "/sys";
  const releaseText = procFs.sysctl("kernel.osrelease") ?? "";
  const ownStatus = procFs.ownStatus();
  return {
    releaseText,
    release: parseKernelRelease(releaseText),
    hasBtf: lstatEntry(`${sysPath}/kernel/btf/vmlinux`) !== undefined,
    tracefsPath: parseMountPoints(procFs.mountInfo() ?? "", "tracefs")[0],
    capabilities: capabilityNames(ownStatus?.effectiveCapabilities ?? 0n),
    lockdown: parseLockdown(orUndefinedWhenDenied(() => readText(`${sysPath}/kernel/security/lockdown`)) ?? ""),
    isInFirstPidNamespace: (procFs.ownPidNamespaceInode() ?? FIRST_PID_NAMESPACE_INODE) === FIRST_PID_NAMESPACE_INODE,
  };
}

/** Parses "none [integrity] confidentiality"; the one in brackets holds. */
export function parseLockdown(text: string): Lockdown | undefined {
  const level = /\[(none|integrity|confidentiality)\]/.exec(text)?.[1];
  return level === "none" || level === "integrity" || level === "confidentiality" ? level : undefined;
}

/** Parses "6.1.0-18-cloud-amd64"; `undefined` when it begins with no version. */
export function parseKernelRelease(text: string): KernelRelease | undefined {
  const match = /^(\d{1,4})\.(\d{1,4})(?![\d])/.exec(text);
  return match === null ? undefined : { text, major: Number(match[1]), minor: Number(match[2]) };
}

/** Yields whether `release` is `major.minor` or newer. */
export function isReleaseAtLeast(
  release: Pick<KernelRelease, "major" | "minor">,
  wanted: { readonly major: number; readonly minor: number },
): boolean {
  return release.major > wanted.major || (release.major === wanted.major && release.minor >= wanted.minor);
}

/** Yields "CAP_BPF" and so on for every bit of a mask such as CapEff; bits newer than us are "CAP_n". */
export function capabilityNames(mask: bigint): ReadonlySet<string> {
  const names = new Set<string>();
  for (let bit = 0; bit < 64; bit++) {
    if ((mask >> BigInt(bit) & 1n) === 1n) names.add(`CAP_${CAPABILITY_NAMES[bit] ?? bit}`);
  }
  return names;
}

/**
 * Yields why tracing cannot begin, the first of what a person would have to
 * fix, or `undefined` when nothing stands in the way.
 */
export function missingForTracing(facts: KernelFacts): EngineError | undefined {
  const { release, hasBtf, capabilities, lockdown } = facts;
  const releaseText = sanitizeText(facts.releaseText, { bytesMax: 64 });
  if (release === undefined || !isReleaseAtLeast(release, OLDEST_RELEASE)) {
    return new EngineError(
      "kernel_unsupported",
      `Cannot trace on this kernel: found Linux ${releaseText || "of unknown version"}, wanted 5.8 or newer`,
    );
  }
  if (!hasBtf) {
    return new EngineError(
      "kernel_unsupported",
      `Cannot trace on this kernel: Linux ${releaseText} has no type information (/sys/kernel/btf/vmlinux), ` +
        "wanted one built with CONFIG_DEBUG_INFO_BTF=y",
    );
  }
  // security/security.c: BPF_READ_KERNEL, KPROBES, PERF and TRACEFS are refused from confidentiality on.
  if (lockdown === "confidentiality") {
    return new EngineError(
      "kernel_unsupported",
      "Cannot trace on this kernel: it is locked down (confidentiality), which forbids BPF programs to read kernel " +
        "memory, wanted lockdown none or integrity (a boot parameter)",
    );
  }
  if (!facts.isInFirstPidNamespace) {
    return new EngineError(
      "host_not_visible",
      "Cannot trace from inside a pid namespace: its process ids are not the kernel's, " +
        "wanted the host's (docker run --pid=host; hostPID: true)",
    );
  }
  if (capabilities.has("CAP_SYS_ADMIN")) return undefined; // stands for both (include/linux/capability.h, bpf_capable)
  const missing = ["CAP_BPF", "CAP_PERFMON"].filter((name) => !capabilities.has(name));
  if (missing.length === 0) return undefined;
  return new EngineError(
    "capability_missing",
    `Cannot load BPF programs: ${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} not in effect, ` +
      "wanted both CAP_BPF and CAP_PERFMON: run as root, or grant them",
  );
}
