/**
 * An engine over a backend in memory, for tests: time passes and exporters
 * answer when the test says so.
 *
 * @module
 */

import type { Engine, RouteProblem } from "../api/engine.ts";
import { toEventKindMask } from "../api/events.ts";
import { EXPORT_TIMEOUT_MS } from "../api/limits.ts";
import type { Measurements } from "../api/measurements.ts";
import { DEFAULT_PLANES } from "../api/plane.ts";
import type { Route, TargetSet } from "../api/target.ts";
import { toExporterKey, toRouteId, toTargetId } from "../api/units.ts";
import { openEngine } from "./engine.ts";
import { invariant } from "./invariant.ts";
import { TestBackend } from "./test_backend.ts";
import { aTarget, settle, targetMap, TestExporter, TestHost, TestTime } from "./test_host.ts";

export const KEY = toExporterKey("bundle@1");
export const OTHER_KEY = toExporterKey("bundle@2");
export const A = toTargetId("a");
export const R = toRouteId("r");

export function aRoute(overrides: Partial<Route> = {}): Route {
  return {
    id: R,
    targetIds: new Set([A]),
    kinds: toEventKindMask(["wait", "exit"]),
    exporterKey: KEY,
    slowWaitMs: 10,
    slowFileMs: 10,
    hasUserStacks: false,
    planes: DEFAULT_PLANES,
    ...overrides,
  };
}

export function aSet(revision: number, overrides: Partial<TargetSet> = {}): TargetSet {
  return {
    revision,
    targets: targetMap([aTarget("a")]),
    routes: [aRoute()],
    exporters: new Map([[KEY, { type: "diagnosis" }], [OTHER_KEY, { type: "diagnosis" }]]),
    ...overrides,
  };
}

/** An engine over a backend in memory. Disposal closes it while time passes as it must. */
export class Bench implements AsyncDisposable {
  readonly time = new TestTime();
  readonly backend = new TestBackend(this.time);
  readonly host = new TestHost();
  readonly exporters: TestExporter[] = [];
  readonly problems: RouteProblem[] = [];
  readonly engine: Engine;
  factoryError: Error | undefined;
  readonly #stop = new AbortController();
  #run: Promise<void> | undefined;

  constructor(prepare: (bench: Bench) => void = () => {}) {
    prepare(this);
    this.engine = openEngine({
      backend: this.backend,
      clock: this.time,
      timer: this.time,
      host: this.host,
      reportProblem: (problem) => this.problems.push(problem),
      factories: {
        diagnosis: () => {
          if (this.factoryError !== undefined) throw this.factoryError;
          const exporter = new TestExporter();
          this.exporters.push(exporter);
          return exporter;
        },
      },
    });
  }

  start(): void {
    this.#run = this.engine.run({ signal: this.#stop.signal });
  }

  /** Lets `afterMs` pass and the loop look at what the backend holds. */
  async turn(afterMs = 0): Promise<void> {
    await settle(); // no call that is about to be answered runs out of time
    this.time.advance(afterMs);
    this.backend.wake();
    await settle();
  }

  /** Ends the run. */
  async finish(): Promise<void> {
    this.#stop.abort();
    const run = this.#run;
    invariant(run !== undefined, "Expected the run to be started");
    await this.#pass(run);
  }

  /** Ends the run; yields what the first exporter was given last. */
  async stop(): Promise<Measurements> {
    await this.finish();
    const measurements = this.exporters[0]?.measurements.at(-1);
    invariant(measurements !== undefined, "Expected the first exporter to get measurements");
    return measurements;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    if (this.#run !== undefined) await this.#pass(this.#run.catch(() => {}));
    await this.#pass(Promise.resolve(this.engine[Symbol.asyncDispose]()));
  }

  async #pass(work: Promise<void>): Promise<void> {
    let isDone = false;
    const done = work.finally(() => isDone = true);
    for (let round = 0; round < 12 && !isDone; round++) {
      await settle();
      if (!isDone) this.time.advance(EXPORT_TIMEOUT_MS);
    }
    await done;
  }
}
