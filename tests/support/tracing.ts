/**
 * The engine over this machine's kernel, traced through the seam: as `diagnose`
 * wires it, with an exporter that keeps everything.
 *
 * @module
 */

import { realTimer } from "../../cmd/process_context.ts";
import { type EventKind, SOCKET_EVENT_KINDS, toEventKindMask, type TraceEvent } from "../../engine/api/events.ts";
import type { Engine } from "../../engine/api/engine.ts";
import type { Exporter, ExportOutcome } from "../../engine/api/exporter.ts";
import type { Measurements } from "../../engine/api/measurements.ts";
import type { EngineStats } from "../../engine/api/stats.ts";
import { DEFAULT_PLANES, type Plane } from "../../engine/api/plane.ts";
import type { Target } from "../../engine/api/target.ts";
import type { BackendCounters } from "../../engine/api/tracer_backend.ts";
import { toExporterKey, toRouteId } from "../../engine/api/units.ts";
import type { LibbpfBackend } from "../../engine/backend/libbpf_backend.ts";
import {
  createHostReader,
  openEngine,
  openHostView,
  openLibbpfBackend,
  readBpfObjectFile,
  resolveProcess,
} from "../../engine/mod.ts";
import type { KernelRequirement } from "./kernel_requirements.ts";
import { until } from "./until.ts";

/** What every test that traces a fixture needs. */
export const TRACING_REQUIREMENTS: readonly KernelRequirement[] = ["bpf_capability", "btf", "ring_buffer", "clang"];

export interface TracingOptions {
  /** Single waits at least this long become events (default 10). */
  readonly slowWaitMs?: number;
  /** Ask for interim measurements. */
  readonly wantsInterim?: boolean;
  readonly slowFileMs?: number;
  readonly planes?: ReadonlySet<Plane>;
  /** Entries per map, bytes per ring, where they are to be smaller than declared. */
  readonly mapSizes?: Readonly<Record<string, number>>;
}

const ROUTE_ID = toRouteId("test");
const EXPORTER_KEY = toExporterKey("kept@1");
const KINDS: readonly EventKind[] = ["wait", "fork", "exec", "exit", "oomKill", "file", ...SOCKET_EVENT_KINDS];

/** Yields the target `--pid` makes of a process. */
export function processTarget(processId: number): Target {
  return resolveProcess(processId, openHostView()).target;
}

/** Opens the backend alone: hooks attached, nothing traced yet. */
export async function openBackend(options: TracingOptions = {}): Promise<LibbpfBackend> {
  const host = openHostView();
  return await openLibbpfBackend({
    host,
    objectBytes: await readBpfObjectFile(),
    ownProcessId: host.procFs.ownProcessId() ?? Deno.pid,
    ...(options.mapSizes === undefined ? {} : { mapSizes: options.mapSizes }),
  });
}

/** A run of the engine. Bind it with `await using`; nothing is attached after that. */
export class Tracing implements AsyncDisposable {
  /** Everything exported so far, in order. */
  readonly events: TraceEvent[] = [];
  /** Interim measurements so far. */
  readonly interims: Measurements[] = [];
  readonly #backend: LibbpfBackend;
  readonly #engine: Engine;
  readonly #slowWaitMs: number;
  readonly #wantsInterim: boolean;
  readonly #slowFileMs: number;
  #planes: ReadonlySet<Plane>;
  readonly #end = new AbortController();
  readonly #problems: string[] = [];
  #measurements: Measurements | undefined;
  #revision = 0;
  #run: Promise<void> = Promise.resolve();

  /** Traces `targets` until `finish`. */
  static async start(targets: readonly Target[], options: TracingOptions = {}): Promise<Tracing> {
    const backend = await openBackend(options);
    const tracing = new Tracing(backend, options);
    try {
      tracing.setTargets(targets);
    } catch (cause) {
      await tracing[Symbol.asyncDispose]();
      throw cause;
    }
    tracing.#run = tracing.#engine.run({ signal: tracing.#end.signal });
    return tracing;
  }

  private constructor(backend: LibbpfBackend, options: TracingOptions) {
    this.#backend = backend;
    this.#slowWaitMs = options.slowWaitMs ?? 10;
    this.#wantsInterim = options.wantsInterim ?? false;
    this.#slowFileMs = options.slowFileMs ?? 10;
    this.#planes = options.planes ?? DEFAULT_PLANES;
    this.#engine = openEngine({
      backend,
      factories: { diagnosis: () => this.#exporter() },
      clock: { monotonicMs: () => backend.monotonicMs(), wallMs: () => Date.now() },
      timer: realTimer,
      host: createHostReader(openHostView(), { architecture: Deno.build.arch, paths: backend.paths }),
      reportProblem: ({ cause }) => this.#problems.push(cause.message),
    });
  }

  /** The kernel's books as they stand. */
  counters(): BackendCounters {
    return this.#backend.counters();
  }

  stats(): EngineStats {
    return this.#engine.stats();
  }

  /** CLOCK_MONOTONIC, as records carry it. */
  nowMs(): number {
    return this.#backend.monotonicMs();
  }

  /** From now on exactly `targets` are traced, in `planes` when they are given; other hooks stay attached. */
  setTargets(targets: readonly Target[], planes: ReadonlySet<Plane> = this.#planes): void {
    this.#planes = planes;
    const problems = this.#engine.setTargets({
      revision: ++this.#revision,
      targets: new Map(targets.map((target) => [target.id, target])),
      routes: [{
        id: ROUTE_ID,
        targetIds: new Set(targets.map((target) => target.id)),
        kinds: toEventKindMask(KINDS),
        exporterKey: EXPORTER_KEY,
        slowWaitMs: this.#slowWaitMs,
        slowFileMs: this.#slowFileMs,
        hasUserStacks: false,
        planes: this.#planes,
      }],
      exporters: new Map([[EXPORTER_KEY, { type: "diagnosis" }]]),
    });
    for (const { cause } of problems) throw cause;
  }

  /** Resolves once the window is `windowMs` long: how long the kernel is given to do something worth counting. */
  async lasts(windowMs: number): Promise<void> {
    await until(() => this.nowMs() - this.#backend.windowBeginMs >= windowMs, {
      what: `the window is ${windowMs} ms long`,
    });
  }

  /** Closes the window and yields what was measured in it. */
  async finish(): Promise<Measurements> {
    this.#end.abort();
    await this.#run;
    if (this.#problems.length > 0) throw new Error(`Cannot measure: ${this.#problems.join("; ")}`);
    if (this.#measurements === undefined) throw new Error("Cannot measure: the run ended without measurements");
    return this.#measurements;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#run.catch(() => {}); // finish() is what reports it
    await this.#engine[Symbol.asyncDispose]();
  }

  #exporter(): Exporter {
    return {
      wantsInterim: this.#wantsInterim,
      export: (batch): Promise<ExportOutcome> => {
        this.events.push(...batch);
        return Promise.resolve({ exportedCount: batch.length, droppedCount: 0 });
      },
      exportMeasurements: (measurements) => {
        if (measurements.isFinal) this.#measurements = measurements;
        else this.interims.push(measurements);
        return Promise.resolve();
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
}
