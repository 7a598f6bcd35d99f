/**
 * Everything that can be found out about tracing on this machine without
 * tracing anything: which library loads, which object, which programs.
 *
 * @module
 */

import type { Plane } from "../api/plane.ts";
import type { Timer } from "../api/timer.ts";
import type { BpfObject } from "../ffi/bpf_object.ts";
import { openLibbpf } from "../ffi/libbpf.ts";
import { openLibc } from "../ffi/libc.ts";
import { readEmbeddedLibraries } from "./build_files.ts";
import { type HookProbe, probeHooks } from "./hook_probe.ts";
import { HOOKS, type HookUse } from "./hooks.ts";
import { checkLayout } from "./layout_check.ts";
import { type MissingMap, openBpfObject } from "./object_loader.ts";

/** One hook with what it is for. */
export interface ProbedHook extends HookProbe {
  readonly plane: Plane;
  readonly blindFor: string;
  /** Without it there is nothing to report. */
  readonly isEssential: boolean;
}

/** What was found out. */
export interface TracingProbe {
  /** "v1.1" */
  readonly libraryVersion: string;
  /** Where the library came from: a path, or `undefined` for the one that this program carries. */
  readonly libraryPath: string | undefined;
  /** Names, in the object's order. */
  readonly programs: readonly string[];
  /** Names, in the object's order. */
  readonly maps: readonly string[];
  readonly hooks: readonly ProbedHook[];
  /** What this kernel cannot make. */
  readonly missingMaps: readonly MissingMap[];
}

/** How a probe is made. */
export interface TracingProbeOptions {
  /** The BPF object for this machine's architecture. */
  readonly objectBytes: Uint8Array<ArrayBuffer>;
  readonly timer: Timer;
  /** Ends it early; what is left then is `untried`. */
  readonly signal: AbortSignal;
}

/**
 * Loads and attaches each program by itself and takes it away again.
 *
 * @throws {EngineError} `library_missing`, `layout_mismatch`, `object_rejected` when nothing can be tried at all
 */
export async function probeTracing(options: TracingProbeOptions): Promise<TracingProbe> {
  const { objectBytes, timer, signal } = options;
  checkLayout(objectBytes);
  using libc = openLibc();
  using library = openLibbpf(libc, { embedded: await readEmbeddedLibraries() });

  const open = () => openBpfObject(library, objectBytes, { name: "podtrace" });
  const { programs, maps } = namesIn(open);
  const { hooks, missingMaps } = await probeHooks(HOOKS, { open, nextTurn: () => timer.nextTurn(), signal });
  return {
    libraryVersion: library.version,
    libraryPath: library.origin.kind === "system" ? library.origin.path : undefined,
    programs,
    maps,
    hooks: hooks.map((probe, index) => ({ ...probe, ...purposeOf(HOOKS[index]) })),
    missingMaps,
  };
}

function namesIn(open: () => BpfObject): { programs: readonly string[]; maps: readonly string[] } {
  using object = open();

  return { programs: object.programs.map(({ name }) => name), maps: object.mapNames() };
}

function purposeOf(use: HookUse | undefined): Omit<ProbedHook, keyof HookProbe> {
  return { plane: use?.plane ?? "time", blindFor: use?.blindFor ?? "", isEssential: use?.isEssential ?? false };
}
