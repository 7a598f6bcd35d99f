/**
 * Loads the object, attaches its hooks, maps its rings.
 *
 * @module
 */

import { EngineError } from "../api/errors.ts";
import type { BpfObject } from "../ffi/bpf_object.ts";
import { type Libbpf, openLibbpf } from "../ffi/libbpf.ts";
import { openLibc } from "../ffi/libc.ts";
import { WaitSet } from "../ffi/wait_set.ts";
import type { HostView } from "../host/container_resolution.ts";
import { readEmbeddedLibraries } from "./build_files.ts";
import { HOOKS, type HookUse, TASK_ITERATOR_HOOK, toHookPlans } from "./hooks.ts";
import { checkLayout } from "./layout_check.ts";
import { LibbpfAccess } from "./libbpf_access.ts";
import { LibbpfBackend } from "./libbpf_backend.ts";
import { attachBpfObject, type AttachedBpfObject } from "./object_loader.ts";
import type { RecordingTape } from "../recording/recording_tape.ts";
import { RecordingAccess } from "./recording_access.ts";
import { openRing } from "./ring_reader.ts";
import { addRunTotals, RunTimeSampler, type RunTotals, toRunTotals } from "./run_time_sampler.ts";

/** What a backend is opened with. */
export interface LibbpfBackendOptions {
  /** The host whose processes and maps it looks at. */
  readonly host: HostView;
  /** The BPF object for this machine's architecture. */
  readonly objectBytes: Uint8Array<ArrayBuffer>;
  /** As the host's pid namespace knows us: our own threads are never a target. */
  readonly ownProcessId: number;
  /** Only what a snapshot needs: no hook in the scheduler. */
  readonly isSnapshotOnly?: boolean;
  /** Entries per map, bytes per ring, where they are not to be as declared. */
  readonly mapSizes?: Readonly<Record<string, number>>;
  /** Takes down everything the kernel says. */
  readonly tape?: RecordingTape;
}

/**
 * Yields a backend with every hook of the time plane attached that this kernel
 * allows, those of other planes loaded, and no target yet.
 *
 * @throws {EngineError} `library_missing`, `layout_mismatch`, `capability_missing`, `object_rejected`
 */
export async function openLibbpfBackend(options: LibbpfBackendOptions): Promise<LibbpfBackend> {
  checkLayout(options.objectBytes);
  await using owners = new AsyncDisposableStack();
  const libc = owners.use(openLibc());
  const library = owners.use(openLibbpf(libc, { embedded: await readEmbeddedLibraries() }));
  const hooks = options.isSnapshotOnly === true ? [TASK_ITERATOR_HOOK] : HOOKS;
  const attached = owners.use(attachBpfObject(library, options.objectBytes, {
    name: "podtrace",
    hooks: toHookPlans(hooks),
    configure: (object) => {
      for (const [map, size] of Object.entries(options.mapSizes ?? {})) object.setMapMaxEntries(map, size);
    },
  }));
  refuseWithoutEssentials(hooks, attached);
  const lifecycleRing = owners.use(openRing(libc, attached.object.map("lifecycle_ring")));
  const dataRing = owners.use(openRing(libc, attached.object.map("data_ring")));
  const waitSet = owners.use(new WaitSet(libc));
  waitSet.add(attached.object.map("lifecycle_ring").fd);
  waitSet.add(attached.object.map("data_ring").fd);
  const sampler = owners.use(new RunTimeSampler(runTimeSource(library, { hooks, attached })));
  const parts = {
    libc,
    library,
    attached,
    hooks,
    lifecycleRing,
    dataRing,
    waitSet,
    sampler,
    host: options.host,
    owners: new AsyncDisposableStack(),
  };
  const access = new LibbpfAccess(parts);
  const taken = options.tape === undefined ? access : new RecordingAccess(access, options.tape);
  const backend = new LibbpfBackend(taken, {
    ownProcessId: options.ownProcessId,
    pageBytes: libc.pageBytes(),
    paths: { holdPath: (path, place) => libc.holdPath(path, place), monotonicMs: () => access.monotonicMs() },
  });
  parts.owners.use(owners.move()); // last: whatever throws before is cleaned up here
  return backend;
}

function refuseWithoutEssentials(hooks: readonly HookUse[], attached: AttachedBpfObject): void {
  for (const { hook, isEssential } of hooks) {
    if (!isEssential || attached.providers.has(hook)) continue;
    const reasons = attached.rejected.filter((rejection) => rejection.hook === hook).map(({ summary }) => summary);
    throw new EngineError("object_rejected", `Cannot trace: found no way to observe ${hook} (${reasons.join("; ")})`);
  }
}

function runTimeSource(
  library: Libbpf,
  programs: {
    readonly hooks: readonly HookUse[];
    readonly attached: { readonly object: BpfObject } & Pick<AttachedBpfObject, "programs">;
  },
): { enable(): Disposable; read(): ReadonlyMap<string, RunTotals> } {
  const { attached } = programs;
  return {
    enable: () => library.enableRunTimeStats(),
    read: () => {
      const totals = new Map<string, RunTotals>();
      for (const [hook, names] of attached.programs) {
        totals.set(hook, addRunTotals(names.map((name) => toRunTotals(attached.object.program(name).info()))));
      }
      return totals;
    },
  };
}
