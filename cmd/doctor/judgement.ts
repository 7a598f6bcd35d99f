/**
 * From what was found to what it means: can a look begin, what would it be
 * blind for, what is missing and how to get it (pure).
 *
 * @module
 */

import { EngineError } from "../../engine/api/errors.ts";
import { type Plane, PLANES } from "../../engine/api/plane.ts";
import type { EnvironmentFacts, KernelFacts, ProbedHook, ProviderProbe, TracingProbe } from "../../engine/mod.ts";
import type { Examination } from "./examination.ts";

/** One thing that is not there, or in the way. */
export interface MissingThing {
  readonly what: string;
  /** What it costs not to have it. */
  readonly effect: string;
  /** How to get it. */
  readonly remedy: string;
}

/** One capability, held or not. */
export interface CapabilityRow {
  /** "CAP_BPF". */
  readonly name: string;
  readonly isEffective: boolean;
  /** What does not work without it. */
  readonly costWithout: string;
}

/** What one plane would show. */
export interface PlaneRow {
  readonly plane: Plane;
  readonly verdict: "complete" | "partial" | "blind" | "untried";
  /** What it would not see; "everything" when it is blind. */
  readonly blindFor: readonly string[];
}

/** What follows from an examination. */
export interface Judgement {
  readonly canDiagnose: boolean;
  /** Why not, one line; "" when it can. */
  readonly reason: string;
  readonly capabilities: readonly CapabilityRow[];
  readonly hooks: readonly ProbedHook[];
  readonly planes: readonly PlaneRow[];
  /** Most important first. */
  readonly missing: readonly MissingThing[];
}

interface CapabilityUse {
  readonly name: string;
  /** Any of these stands for it (include/linux/capability.h: bpf_capable, perfmon_capable, checkpoint_restore_ns_capable). */
  readonly or: readonly string[];
  readonly costWithout: string;
  readonly remedy: string;
}

const AS_ROOT = "run as root, or grant it";

/** What tracing uses, most important first. */
const CAPABILITY_USES: readonly CapabilityUse[] = [
  {
    name: "CAP_BPF",
    or: ["CAP_SYS_ADMIN"],
    costWithout: "no program can be loaded: nothing is traced",
    remedy: `${AS_ROOT} (docker run --cap-add BPF; capabilities.add: [BPF])`,
  },
  {
    name: "CAP_PERFMON",
    or: ["CAP_SYS_ADMIN"],
    costWithout: "no program may read kernel memory: nothing is traced",
    remedy: `${AS_ROOT} (docker run --cap-add PERFMON; capabilities.add: [PERFMON])`,
  },
  {
    name: "CAP_SYS_PTRACE",
    or: [],
    costWithout: "of processes with other rights: no function names, no listening ports, no earlier lock holders",
    remedy: `${AS_ROOT} (docker run --cap-add SYS_PTRACE; capabilities.add: [SYS_PTRACE])`,
  },
  {
    name: "CAP_CHECKPOINT_RESTORE",
    or: ["CAP_SYS_ADMIN"],
    costWithout: "no function names from files that were deleted while in use",
    remedy: AS_ROOT,
  },
  {
    name: "CAP_SYS_ADMIN",
    or: [],
    costWithout: "the receipt says how often programs ran, not for how long",
    remedy: `${AS_ROOT}; nothing else needs it`,
  },
];

/** The first kernel that accounts BPF memory to cgroups instead of RLIMIT_MEMLOCK (commit 5d2c1ffd2f5b, 5.11). */
const NO_MEMLOCK_RELEASE = { major: 5, minor: 11 };
/** What the maps take with room to spare. */
const LOCKED_MEMORY_BYTES_MIN = 128 * 1024 * 1024;

/** Yields what follows from `examination`. */
export function judge(examination: Examination): Judgement {
  const { kernel, environment, obstacle, probe } = examination;
  const hooks = isError(probe) ? [] : probe.hooks.map((hook) => withMissingRights(hook, kernel));
  const reason = obstacle?.message ?? (isError(probe) ? probe.message : essentialReason(hooks));
  const capabilities = CAPABILITY_USES.map((use) => toCapabilityRow(use, kernel));
  return {
    canDiagnose: reason === "",
    reason,
    capabilities,
    hooks,
    planes: PLANES.flatMap((plane) => toPlaneRow(plane, hooks)),
    missing: [
      ...obstacleRow({ obstacle, probe }),
      ...essentialRows(hooks),
      ...capabilityRows(capabilities),
      ...hookRows(hooks),
      ...environmentRows(environment, kernel),
    ],
  };
}

/** Yields whether nothing could be tried at all. */
export function isError(probe: TracingProbe | EngineError): probe is EngineError {
  return probe instanceof EngineError;
}

/** The kernel answers EPERM and says no more; which right it wants is known. */
function withMissingRights(hook: ProbedHook, kernel: KernelFacts): ProbedHook {
  const missing = CAPABILITY_USES.slice(0, 2).filter((use) => !isHeld(use, kernel)).map(({ name }) => name);
  if (missing.length === 0) return hook;
  const explain = (provider: ProviderProbe): ProviderProbe =>
    provider.verdict === "refused" && provider.reason.includes("EPERM")
      ? { ...provider, reason: `needs ${missing.join(" and ")} (EPERM)` }
      : provider;
  return { ...hook, providers: hook.providers.map(explain) };
}

function isHeld({ name, or }: CapabilityUse, { capabilities }: KernelFacts): boolean {
  return [name, ...or].some((candidate) => capabilities.has(candidate));
}

function toCapabilityRow(use: CapabilityUse, kernel: KernelFacts): CapabilityRow {
  return { name: use.name, isEffective: isHeld(use, kernel), costWithout: use.costWithout };
}

/** Yields the program that would serve a hook. */
export function usedProvider(hook: ProbedHook): ProviderProbe | undefined {
  return hook.providers.find(({ verdict }) => verdict === "used");
}

function isServed(hook: ProbedHook): boolean {
  return usedProvider(hook) !== undefined;
}

function isUntried(hook: ProbedHook): boolean {
  return !isServed(hook) && hook.providers.some(({ verdict }) => verdict === "untried");
}

function essentialReason(hooks: readonly ProbedHook[]): string {
  const hook = hooks.find((candidate) => candidate.isEssential && !isServed(candidate));
  return hook === undefined
    ? ""
    : `Cannot trace: found no way to observe ${hook.hook} (${reasonsOf(hook)}), wanted one of its programs`;
}

function reasonsOf({ providers }: ProbedHook): string {
  return providers.map(({ program, reason }) => `${program}: ${reason}`).join("; ");
}

/** A plane without hooks in this build is left out. */
function toPlaneRow(plane: Plane, hooks: readonly ProbedHook[]): readonly PlaneRow[] {
  const own = hooks.filter((hook) => hook.plane === plane);
  if (own.length === 0) return [];
  const unserved = own.filter((hook) => !isServed(hook));
  const blindFor = unserved.map((hook) => hook.blindFor);
  if (unserved.length === 0) return [{ plane, verdict: "complete", blindFor }];
  if (unserved.some(isUntried)) return [{ plane, verdict: "untried", blindFor }];
  const isBlind = unserved.length === own.length || unserved.some(({ isEssential }) => isEssential);
  return isBlind ? [{ plane, verdict: "blind", blindFor: ["everything"] }] : [{ plane, verdict: "partial", blindFor }];
}

function obstacleRow({ obstacle, probe }: Pick<Examination, "obstacle" | "probe">): readonly MissingThing[] {
  const error = obstacle ?? (isError(probe) ? probe : undefined);
  // Missing capabilities have rows of their own.
  if (error === undefined || error.code === "capability_missing") return [];
  const [what, wanted] = splitMessage(error.message);
  return [{ what, effect: "nothing is traced", remedy: wanted }];
}

/** "Cannot <do> <what>: <found>, <wanted>": the wanted part is the remedy. */
function splitMessage(message: string): readonly [what: string, wanted: string] {
  const at = message.lastIndexOf(", wanted ");
  return at < 0 ? [message, ""] : [message.slice(0, at), message.slice(at + ", wanted ".length)];
}

function essentialRows(hooks: readonly ProbedHook[]): readonly MissingThing[] {
  return hooks.filter((hook) => hook.isEssential && !isServed(hook) && !isUntried(hook))
    .filter((hook) => !isForLackOfRights(hook))
    .map((hook) => ({ what: `a program for ${hook.hook}`, effect: "nothing is traced", remedy: otherKernel(hook) }));
}

function capabilityRows(capabilities: readonly CapabilityRow[]): readonly MissingThing[] {
  return capabilities.filter(({ isEffective }) => !isEffective).map(({ name, costWithout }) => ({
    what: name,
    effect: costWithout,
    remedy: CAPABILITY_USES.find((use) => use.name === name)?.remedy ?? AS_ROOT,
  }));
}

/** A hook that only the rights keep away has its row under the capability. */
function hookRows(hooks: readonly ProbedHook[]): readonly MissingThing[] {
  return hooks
    .filter((hook) => !hook.isEssential && !isServed(hook) && !isUntried(hook) && !isForLackOfRights(hook))
    .map((hook) => ({
      what: `a program for ${hook.hook}`,
      effect: `blind for ${hook.blindFor}`,
      remedy: otherKernel(hook),
    }));
}

function isForLackOfRights(hook: ProbedHook): boolean {
  return hook.providers.every(({ reason }) => reason.startsWith("needs CAP_"));
}

function otherKernel(hook: ProbedHook): string {
  const programs = hook.providers.map(({ program }) => program).join(" or ");
  return `a kernel that takes ${programs}; the hooks say why this one does not`;
}

function environmentRows(environment: EnvironmentFacts, kernel: KernelFacts): readonly MissingThing[] {
  const { cgroupV2Path, tracefsPaths, settings, security } = environment;
  const rows: (MissingThing | undefined)[] = [
    cgroupV2Path !== undefined ? undefined : {
      what: "a mounted cgroup v2 hierarchy",
      effect: "containers and cgroups are found by their processes alone",
      remedy: "mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified",
    },
    tracefsPaths.length > 0 ? undefined : {
      what: "a mounted tracefs",
      effect: "programs for classic tracepoints cannot be attached",
      remedy: "mount -t tracefs tracefs /sys/kernel/tracing",
    },
    lockedMemoryRow(environment, kernel),
    settings.get("net.core.bpf_jit_enable") !== "0" ? undefined : {
      what: "the BPF compiler",
      effect: "programs are interpreted: each look costs several times as much",
      remedy: "sysctl net.core.bpf_jit_enable=1",
    },
    security.seLinux !== "enforcing" ? undefined : {
      what: "SELinux is enforcing",
      effect: "it may refuse BPF to this domain",
      remedy: "look for avc denials of class bpf or perf_event, and allow them",
    },
    security.appArmorProfile === undefined ? undefined : {
      what: `AppArmor profile ${security.appArmorProfile} is in force`,
      effect: "it may refuse BPF and the reading of /proc",
      remedy: "run unconfined (docker run --security-opt apparmor=unconfined)",
    },
  ];
  return rows.filter((row) => row !== undefined);
}

function lockedMemoryRow(environment: EnvironmentFacts, kernel: KernelFacts): MissingThing | undefined {
  const { release, capabilities } = kernel;
  const { lockedMemoryBytesMax: most } = environment;
  if (release === undefined || most === undefined || most >= LOCKED_MEMORY_BYTES_MIN) return undefined;
  const isAccounted = release.major < NO_MEMLOCK_RELEASE.major ||
    (release.major === NO_MEMLOCK_RELEASE.major && release.minor < NO_MEMLOCK_RELEASE.minor);
  if (!isAccounted || capabilities.has("CAP_SYS_RESOURCE")) return undefined;
  return {
    what: "locked memory",
    effect: `Linux before 5.11 counts the maps against RLIMIT_MEMLOCK, which is ${most / 1024} KiB`,
    remedy: "ulimit -l unlimited, or grant CAP_SYS_RESOURCE",
  };
}
