/**
 * A machine on which everything works, to be changed by tests.
 *
 * @module
 */

import type { KernelFacts, ProbedHook, ProviderProbe, TracingProbe } from "../../engine/mod.ts";
import type { Examination } from "./examination.ts";

/** Capabilities of root. */
export const ALL_CAPABILITIES: readonly string[] = [
  "CAP_BPF",
  "CAP_PERFMON",
  "CAP_SYS_PTRACE",
  "CAP_SYS_ADMIN",
  "CAP_CHECKPOINT_RESTORE",
];

/** What of an examination a test changes. */
export interface ExaminationChanges extends Partial<Omit<Examination, "kernel" | "environment">> {
  readonly kernel?: Partial<KernelFacts>;
  readonly environment?: Partial<Examination["environment"]>;
}

/** Yields a program of a hook, used by default. */
export function providerOf(program: string, overrides: Partial<ProviderProbe> = {}): ProviderProbe {
  return { program, attachPoint: `tp_btf/${program}`, verdict: "used", reason: "", ...overrides };
}

/** Yields a hook of the time plane that is served. */
export function hookOf(hook: string, overrides: Partial<ProbedHook> = {}): ProbedHook {
  return {
    hook,
    plane: "time",
    blindFor: `what ${hook} shows`,
    isEssential: false,
    providers: [providerOf(hook)],
    ...overrides,
  };
}

/** Yields a probe in which everything could be tried. */
export function probeOf(hooks: readonly ProbedHook[]): TracingProbe {
  return {
    libraryVersion: "v1.1",
    libraryPath: undefined,
    programs: hooks.flatMap(({ providers }) => providers.map(({ program }) => program)),
    maps: ["threads", "target_cgroups"],
    hooks,
    missingMaps: [],
  };
}

/** Yields an examination of a machine that lacks nothing but what `changes` take away. */
export function examinationOf(changes: ExaminationChanges = {}): Examination {
  const { kernel, environment, ...rest } = changes;
  return {
    atWallMs: Date.UTC(2026, 2, 1, 10),
    architecture: "x86_64",
    obstacle: undefined,
    object: { path: undefined, isEmbeddedAvailable: true, sizeBytes: 257_032 },
    probe: probeOf([hookOf("sched_switch", { isEssential: true }), hookOf("sched_waking")]),
    runtimeEndpoint: "",
    ...rest,
    kernel: {
      releaseText: "6.1.0-18-amd64",
      release: { text: "6.1.0-18-amd64", major: 6, minor: 1 },
      hasBtf: true,
      tracefsPath: "/sys/kernel/tracing",
      capabilities: new Set(ALL_CAPABILITIES),
      lockdown: "none",
      isInFirstPidNamespace: true,
      ...kernel,
    },
    environment: {
      btfPath: "/sys/kernel/btf/vmlinux",
      procPath: "/proc",
      cgroupLayout: "v2",
      cgroupV2Path: "/sys/fs/cgroup",
      cgroupV1Paths: new Map(),
      tracefsPaths: ["/sys/kernel/tracing"],
      runtimes: [{ runtime: "containerd", path: "/run/containerd/containerd.sock", isPresent: true }],
      security: { modules: ["lockdown", "capability"], seLinux: "absent", appArmorProfile: undefined },
      lockedMemoryBytesMax: undefined,
      settings: new Map([["net.core.bpf_jit_enable", "1"]]),
      ...environment,
    },
  };
}
