/**
 * What a kernel test may require, and what follows when it is missing (pure).
 *
 * @module
 */

export type KernelRequirement =
  | "bpf_capability"
  | "btf"
  | "cgroup_v2"
  | "chromium"
  | "clang"
  | "compiled_program"
  | "go"
  | "io_controller"
  | "network_namespace"
  | "nginx"
  | "node"
  | "postgres"
  | "python3"
  | "redis"
  | "ring_buffer"
  | "root"
  | "tracefs";

/** What the machine offers, as its files say. */
export interface KernelFacts {
  /** Contents of /proc/self/status. */
  readonly status: string;
  /** Contents of /proc/filesystems. */
  readonly filesystems: string;
  /** Contents of /proc/self/mountinfo. */
  readonly mountInfo: string;
  /** For example `6.1.0-18-amd64`. */
  readonly release: string;
  readonly hasVmlinuxBtf: boolean;
  readonly hasChromium: boolean;
  readonly hasClang: boolean;
  /** What `deno task compile` makes, which takes a runtime that not every machine can have. */
  readonly hasCompiledProgram: boolean;
  /** Its compiler. */
  readonly hasGo: boolean;
  /** Limits of block I/O can be set on cgroups here. */
  readonly hasIoController: boolean;
  /** `unshare`, `nsenter`, `ip` and `tc`. */
  readonly hasNetworkTools: boolean;
  readonly hasNginx: boolean;
  readonly hasNode: boolean;
  readonly hasPython: boolean;
  /** The server, what makes its files, and its clients. */
  readonly hasPostgres: boolean;
  /** The server and its benchmark. */
  readonly hasRedis: boolean;
}

/**
 * Why a test did not run.
 *
 * - `kernel_feature_absent`: this kernel cannot do it; nobody can change that here.
 * - `program_absent`: a program that set-up does not install, as nothing else needs it.
 * - `rights_missing`, `setup_missing`: somebody could, so in CI it is a failure.
 */
export interface SkipReason {
  readonly kind: "kernel_feature_absent" | "program_absent" | "rights_missing" | "setup_missing";
  readonly requirement: KernelRequirement;
  /** What was found instead. */
  readonly found: string;
}

/** One line of the file that collects the skips of a run. */
export interface SkipRecord {
  readonly testName: string;
  readonly reason: SkipReason;
}

/** Yields the name under which a skipped test stands in the test report. */
export function skippedName({ testName, reason }: SkipRecord): string {
  return `${testName} (skipped, ${reason.kind}: ${reason.found})`;
}

/** Yields the name a test was given, whether it stands as skipped or not. */
export function withoutSkip(testName: string): string {
  return testName.replace(/ \(skipped, [a-z_]+: .*\)$/, "");
}

/** Names the file to which each skip is appended as one line of JSON. */
export const SKIP_FILE_VARIABLE = "PODTRACE_TEST_SKIPS";

/** The ring buffer's first kernel (kernel/bpf/ringbuf.c, commit 457f44363a88). */
const RING_BUFFER_RELEASE = { major: 5, minor: 8 };

/** Bits of CapEff (include/uapi/linux/capability.h). */
const CAP_SYS_ADMIN = 21n;
const CAP_PERFMON = 38n;
const CAP_BPF = 39n;

/** Yields the first of `requirements` that `facts` do not meet, or `undefined` if all are met. */
export function skipReason(requirements: readonly KernelRequirement[], facts: KernelFacts): SkipReason | undefined {
  for (const requirement of requirements) {
    const missing = CHECKS[requirement](facts);
    if (missing !== undefined) return { requirement, ...missing };
  }
  return undefined;
}

/** Yields what to do with a test whose requirements ended in `reason`. */
export function verdictOf(reason: SkipReason | undefined, options: { isCi: boolean }): "run" | "skip" | "fail" {
  if (reason === undefined) return "run";
  const isRepairable = reason.kind === "rights_missing" || reason.kind === "setup_missing";
  return options.isCi && isRepairable ? "fail" : "skip";
}

type Missing = Omit<SkipReason, "requirement">;

const CHECKS: Readonly<Record<KernelRequirement, (facts: KernelFacts) => Missing | undefined>> = {
  bpf_capability: (facts) =>
    mayTrace(facts.status)
      ? undefined
      : { kind: "rights_missing", found: "neither CAP_BPF with CAP_PERFMON nor CAP_SYS_ADMIN" },
  btf: (facts) =>
    facts.hasVmlinuxBtf ? undefined : { kind: "kernel_feature_absent", found: "no /sys/kernel/btf/vmlinux" },
  cgroup_v2: (facts) => missingFilesystem("cgroup2", facts),
  chromium: (facts) => facts.hasChromium ? undefined : { kind: "program_absent", found: "no chromium in PATH" },
  clang: (facts) => facts.hasClang ? undefined : { kind: "setup_missing", found: "no clang in PATH" },
  compiled_program: (facts) =>
    facts.hasCompiledProgram
      ? undefined
      : { kind: "program_absent", found: "no dist/podtrace, deno task compile says why" },
  go: (facts) => facts.hasGo ? undefined : { kind: "program_absent", found: "no go in PATH" },
  io_controller: (facts) =>
    facts.hasIoController
      ? undefined
      : { kind: "kernel_feature_absent", found: "no cgroup mount with an I/O controller" },
  network_namespace: (facts) =>
    facts.hasNetworkTools
      ? undefined
      : { kind: "program_absent", found: "not all of unshare, nsenter, ip and tc in PATH" },
  nginx: (facts) => facts.hasNginx ? undefined : { kind: "program_absent", found: "no nginx in PATH" },
  node: (facts) => facts.hasNode ? undefined : { kind: "program_absent", found: "no node in PATH" },
  python3: (facts) => facts.hasPython ? undefined : { kind: "program_absent", found: "no python3 in PATH" },
  postgres: (facts) =>
    facts.hasPostgres ? undefined : { kind: "program_absent", found: "no postgres with initdb, psql and pgbench" },
  redis: (facts) =>
    facts.hasRedis ? undefined : { kind: "program_absent", found: "no redis-server and redis-benchmark in PATH" },
  ring_buffer: (facts) =>
    hasRelease(facts.release, RING_BUFFER_RELEASE)
      ? undefined
      : { kind: "kernel_feature_absent", found: `kernel ${facts.release}, the ring buffer came with 5.8` },
  root: (facts) =>
    /^Uid:\s*\d+\s+0\s/m.test(facts.status) ? undefined : { kind: "rights_missing", found: "a user other than root" },
  tracefs: (facts) => missingFilesystem("tracefs", facts),
};

function mayTrace(status: string): boolean {
  const digits = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  const mask = BigInt(`0x${digits}`);
  const has = (bit: bigint) => (mask >> bit & 1n) === 1n;
  return has(CAP_SYS_ADMIN) || (has(CAP_BPF) && has(CAP_PERFMON));
}

function missingFilesystem(type: string, facts: KernelFacts): Missing | undefined {
  if (facts.mountInfo.split("\n").some((line) => line.split(" - ")[1]?.startsWith(`${type} `))) return undefined;
  const isKnown = facts.filesystems.split("\n").some((line) => line.split("\t").at(-1) === type);
  return isKnown
    ? { kind: "setup_missing", found: `${type} is not mounted` }
    : { kind: "kernel_feature_absent", found: `the kernel has no ${type}` };
}

function hasRelease(release: string, wanted: { major: number; minor: number }): boolean {
  const [major = 0, minor = 0] = release.split(".").map((part) => Number.parseInt(part, 10));
  return major > wanted.major || (major === wanted.major && minor >= wanted.minor);
}
