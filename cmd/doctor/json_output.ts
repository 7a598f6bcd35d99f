/**
 * The doctor's findings for programs: docs/doctor.schema.json publishes the
 * shape. The first fields bear the names of the contract's `diagnose-env`.
 *
 * @module
 */

import { isSelfContained } from "../../engine/mod.ts";
import { VERSION } from "../version.ts";
import type { Examination } from "./examination.ts";
import { isError, type Judgement } from "./judgement.ts";

/** Raised when a field changes its meaning or goes. */
export const DOCTOR_SCHEMA_VERSION = 1;

/** Go's names, which the contract's field wants. */
const GO_ARCHITECTURES = { x86_64: "amd64", aarch64: "arm64" } as const;

/** The map that holds the cgroups of targets. */
const TARGET_CGROUP_MAP = "target_cgroups";

/** Yields the findings as JSON text of several lines. */
export function renderJson(examination: Examination, judgement: Judgement): string {
  const document = {
    ...contractFields(examination, judgement),
    schemaVersion: DOCTOR_SCHEMA_VERSION,
    podtraceVersion: VERSION,
    isSelfContained: isSelfContained(),
    canDiagnose: judgement.canDiagnose,
    reason: judgement.reason,
    ...environmentFields(examination),
    capabilities: judgement.capabilities,
    libbpf: libraryFields(examination),
    hooks: judgement.hooks,
    planes: judgement.planes,
    missing: judgement.missing,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function contractFields(examination: Examination, judgement: Judgement): Record<string, unknown> {
  const { environment, kernel, object, probe, architecture } = examination;
  const [programs, maps] = isError(probe) ? [[], []] : [probe.programs, probe.maps];
  return {
    time: new Date(examination.atWallMs).toISOString(),
    goos: "linux",
    goarch: GO_ARCHITECTURES[architecture],
    kernelRelease: kernel.releaseText,
    cgroupBase: environment.cgroupV2Path ?? "",
    procBase: environment.procPath,
    cgroupV2: environment.cgroupLayout === "v2",
    btfVmlinuxPresent: kernel.hasBtf,
    btfFile: environment.btfPath ?? "",
    criEndpointEnv: examination.runtimeEndpoint,
    criCandidates: environment.runtimes.map(({ path }) => path),
    criDetected: environment.runtimes.find(({ isPresent }) => isPresent)?.path ?? "",
    bpfObjectPath: object.path ?? "",
    bpfEmbeddedAvailable: object.isEmbeddedAvailable,
    bpfPrograms: programs,
    bpfMaps: maps,
    hasTargetCgroupIdMap: maps.includes(TARGET_CGROUP_MAP),
    warnings: judgement.missing.map(({ what, effect }) => `${what}: ${effect}`),
  };
}

function environmentFields({ environment, kernel }: Examination): Record<string, unknown> {
  const { security } = environment;
  return {
    isInFirstPidNamespace: kernel.isInFirstPidNamespace,
    lockdown: kernel.lockdown ?? "unknown",
    cgroups: {
      layout: environment.cgroupLayout,
      v2: environment.cgroupV2Path ?? "",
      v1: Object.fromEntries(environment.cgroupV1Paths),
    },
    runtimes: environment.runtimes.filter(({ isPresent }) => isPresent).map(({ runtime, path }) => ({ runtime, path })),
    tracefs: environment.tracefsPaths,
    security: {
      modules: security.modules ?? [],
      seLinux: security.seLinux,
      appArmorProfile: security.appArmorProfile ?? "",
    },
    lockedMemoryBytesMax: environment.lockedMemoryBytesMax ?? null,
    settings: Object.fromEntries(environment.settings),
  };
}

function libraryFields({ probe }: Examination): Record<string, unknown> {
  if (isError(probe)) return { version: "", origin: "none", path: "" };
  const { libraryVersion, libraryPath } = probe;
  return {
    version: libraryVersion,
    origin: libraryPath === undefined ? "embedded" : "system",
    path: libraryPath ?? "",
  };
}
