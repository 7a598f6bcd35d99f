/**
 * A real ring of generated slow waits, and the engine that reads it into the
 * diagnosis as in a run.
 *
 * @module
 */

import type { Engine } from "../../../engine/api/engine.ts";
import { type EventKind, toEventKindMask } from "../../../engine/api/events.ts";
import type { Exporter } from "../../../engine/api/exporter.ts";
import { DEFAULT_PLANES } from "../../../engine/api/plane.ts";
import type { Target, TargetSet } from "../../../engine/api/target.ts";
import { toTargetId } from "../../../engine/api/units.ts";
import { openRing, type RingReader } from "../../../engine/backend/ring_reader.ts";
import { BpfObject, type BpfProgram } from "../../../engine/ffi/bpf_object.ts";
import { openLibbpf } from "../../../engine/ffi/libbpf.ts";
import { type Libc, openLibc } from "../../../engine/ffi/libc.ts";
import { createHostReader, openEngine, openHostView } from "../../../engine/mod.ts";
import { buildBpfFixture } from "../../../tests/support/bpf_fixtures.ts";
import { planTargetSet } from "../../diagnose/target_set.ts";
import { realTimer } from "../../process_context.ts";
import { ProduceArguments } from "./produce_arguments.ts";
import type { RingBackend } from "./ring_backend.ts";

export const BENCH_TARGET_COUNT = 8;

/** The generator, loaded, and its ring, mapped. */
export class WaitRing implements Disposable {
  readonly libc: Libc;
  readonly ring: RingReader;
  readonly produce: BpfProgram;
  readonly #owners: DisposableStack;

  private constructor(owners: DisposableStack, parts: { libc: Libc; ring: RingReader; produce: BpfProgram }) {
    this.#owners = owners;
    this.libc = parts.libc;
    this.ring = parts.ring;
    this.produce = parts.produce;
  }

  /** @throws {Error} If clang or libbpf's headers are missing */
  static async open(): Promise<WaitRing> {
    const bytes = await buildBpfFixture("wait_producer");
    using owners = new DisposableStack();
    const libc = owners.use(openLibc());
    const library = owners.use(openLibbpf(libc));
    const object = owners.use(BpfObject.open(library, bytes, { name: "wait_producer" }));
    object.load();
    const ring = owners.use(openRing(libc, object.map("waits_ring")));
    return new WaitRing(owners.move(), { libc, ring, produce: object.program("produce") });
  }

  /** Fills the ring, at most with `countMax` records; yields how many it took. */
  fill(countMax: number): number {
    const given = new ProduceArguments();
    given.ask({ count: countMax, slotCount: BENCH_TARGET_COUNT });
    this.produce.testRun({ context: given.context });
    return given.producedCount;
  }

  [Symbol.dispose](): void {
    this.#owners.dispose();
  }
}

/** Who gets what of the bench's targets. */
export interface BenchRoute {
  readonly kinds: readonly EventKind[] | "all";
  readonly exporter: Exporter;
}

/** Yields an engine that routes the bench's targets as `route` says; dispose it. */
export function openBenchEngine(backend: RingBackend, route: BenchRoute): Engine {
  const engine = openEngine({
    backend,
    factories: { diagnosis: () => route.exporter },
    clock: { monotonicMs: () => backend.monotonicMs(), wallMs: () => Date.now() },
    timer: realTimer,
    host: createHostReader(openHostView(), { architecture: Deno.build.arch }),
    reportProblem: ({ cause }) => {
      throw cause;
    },
  });
  engine.setTargets(benchTargetSet(route.kinds));
  return engine;
}

function benchTargetSet(kinds: readonly EventKind[] | "all"): TargetSet {
  const set = planTargetSet(targets(), {
    slowWaitMs: 10,
    slowFileMs: 10,
    hasUserStacks: false,
    planes: DEFAULT_PLANES,
  });
  if (kinds === "all") return set;
  return { ...set, routes: set.routes.map((route) => ({ ...route, kinds: toEventKindMask(kinds) })) };
}

function targets(): readonly Target[] {
  return Array.from({ length: BENCH_TARGET_COUNT }, (_, index) => ({
    id: toTargetId(`bench-${index}`),
    label: `bench ${index}`,
    cgroups: [],
    processIds: [],
    isSystemWide: false,
  }));
}
