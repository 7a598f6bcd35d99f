/**
 * The run loop: drain, route, export, and close the window with the books
 * balanced.
 *
 * @module
 */

import type { Clock } from "../api/clock.ts";
import type { Engine, RouteProblem } from "../api/engine.ts";
import { EVENT_KINDS, type EventKind } from "../api/events.ts";
import type { ExporterFactories } from "../api/exporter.ts";
import type { HostReader } from "../api/host_reader.ts";
import {
  AGGREGATE_INTERVAL_MS,
  DRAIN_INTERVAL_MS,
  DRAIN_RECORDS_MAX,
  DRAIN_TURN_MS_MAX,
  SOCKET_COLLECT_INTERVAL_MS,
} from "../api/limits.ts";
import { CATEGORIES, WAIT_CLASSES, type WaitClass } from "../api/measurements.ts";
import type { EngineStats, RouteStats } from "../api/stats.ts";
import type { Route, TargetSet } from "../api/target.ts";
import type { Timer } from "../api/timer.ts";
import type { TracerBackend } from "../api/tracer_backend.ts";
import type { RouteId, TargetId } from "../api/units.ts";
import { toError } from "./bounded_call.ts";
import { toSystemCallLookup } from "./event_mapper.ts";
import { type ExporterLease, ExporterPool } from "./exporter_pool.ts";
import { invariant } from "./invariant.ts";
import { MeasurementBook } from "./measurement_book.ts";
import type { RouteShare } from "./route_measurements.ts";
import { LossSpans } from "./loss_spans.ts";
import {
  CATEGORY_OF_EVENT,
  emptyRouteCounts,
  EVENT_CATEGORIES,
  type EventCategory,
  isEventCategory,
  type RouteCounts,
  RouteWorker,
  toDroppedCounts,
  toRouteStats,
  type Turn,
} from "./route_worker.ts";
import { RecurringWork, type Steps } from "./steps.ts";
import { type RoutedTarget, Router, type RouteSink, toRoutingTable } from "./router.ts";
import { measureWallOffsetMs } from "./wall_offset.ts";
import {
  checkRoutes,
  diffTargets,
  EMPTY_TARGET_SET,
  slowConnectMsOf,
  slowResponseMsOf,
  type TargetSetDiff,
} from "./target_diff.ts";

/** What an engine works with; all effects come in here. */
export interface EngineOptions {
  /** The engine's from here on: disposed with it, after the last exporter. */
  readonly backend: TracerBackend;
  /** Makes the exporters a target set names, one per key. */
  readonly factories: ExporterFactories;
  /** Ties the kernel's clock to the wall's, and tells how old events are. */
  readonly clock: Clock;
  /** Bounds calls to exporters; gives other work its turn while there is more to drain. */
  readonly timer: Timer;
  /** Processes, cgroups, names: what the tracer itself does not see. */
  readonly host: HostReader;
  /** Told when an exporter starts to fail; the run goes on without it. */
  readonly reportProblem: (problem: RouteProblem) => void;
}

/** Opens an engine with nothing to trace; `setTargets` tells it what, `run` starts it. */
export function openEngine(options: EngineOptions): Engine {
  return new RunningEngine(options);
}

/** A route in force. */
interface ActiveRoute {
  route: Route;
  readonly counts: RouteCounts;
  worker: RouteWorker;
  readonly lossSpans: LossSpans<EventCategory>;
  /** Workers of exporters it had before, until they are closed. */
  readonly leaving: Set<RouteWorker>;
}

interface AcquiredExporters {
  readonly leases: ReadonlyMap<RouteId, ExporterLease>;
  readonly problems: readonly RouteProblem[];
}

/** Turns in which a full ring is drained at once, several times over: 4 MiB are at most 87 000 records. */
const DRAIN_ALL_TURNS_MAX = 64;

/** The engine itself uses every record of these, so none is left out however little a route asks. */
const CONSUMED_CATEGORIES: ReadonlySet<EventCategory> = new Set<EventCategory>(["lifecycle", "memory"]);

type Phase = "idle" | "running" | "closing" | "closed";

class RunningEngine implements Engine {
  readonly #options: EngineOptions;
  readonly #book: MeasurementBook;
  readonly #router: Router;
  readonly #pool: ExporterPool;
  readonly #turn: Turn;
  readonly #routes = new Map<RouteId, ActiveRoute>();
  /** Work of routes that left, awaited before the engine is done. */
  readonly #leaving = new Set<Promise<void>>();
  readonly #failures: Error[] = [];
  #inForce: TargetSet = EMPTY_TARGET_SET;
  #routed: readonly RoutedTarget[] = [];
  #revision = 0;
  #phase: Phase = "idle";
  #ringFullCount: number | undefined;
  #collectedMs: number;
  #offsetMeasuredMs: number;
  readonly #interim: RecurringWork;
  #socketsCollectedMs: number;

  constructor(options: EngineOptions) {
    const { backend, host, clock } = options;
    const systemCallOf = toSystemCallLookup((systemCall) => host.systemCallName(systemCall));
    this.#options = options;
    this.#book = new MeasurementBook({ backend, host, clock, systemCallOf });
    this.#router = new Router(this.#book, this.#book);
    this.#pool = new ExporterPool(options.factories);
    this.#turn = { nowMs: clock.monotonicMs(), wallOffsetMs: measureWallOffsetMs(clock) };
    this.#collectedMs = this.#turn.nowMs;
    this.#offsetMeasuredMs = this.#turn.nowMs;
    this.#interim = new RecurringWork(() => clock.monotonicMs());
    this.#socketsCollectedMs = this.#turn.nowMs;
  }

  setTargets(next: TargetSet): readonly RouteProblem[] {
    invariant(this.#phase !== "closed", "Expected targets before the run ended, got them after");
    invariant(
      next.revision > this.#revision,
      `Expected a target set later than revision ${this.#revision}, got revision ${next.revision}`,
    );
    const checked = checkRoutes(next);
    const acquired = this.#acquireExporters(checked.routes, next);
    const unable = new Set(acquired.problems.map((problem) => problem.routeId));
    const wanted: TargetSet = { ...next, routes: checked.routes.filter((route) => !unable.has(route.id)) };
    const diff = diffTargets(this.#inForce, wanted);
    this.#interim.abandon(); // what it has read goes by the slots of before
    if (diff.isKernelChanged) this.#applyToKernel(diff, acquired.leases.values());

    this.#revision = next.revision;
    this.#inForce = wanted;
    for (const routeId of diff.stoppedRouteIds) this.#stopRoute(routeId);
    for (const route of [...diff.startedRoutes, ...diff.changedRoutes]) {
      this.#startRoute(route, acquired.leases.get(route.id));
    }
    this.#routed = this.#routedTargets();
    this.#router.use(toRoutingTable(this.#routed));
    return [...checked.problems, ...acquired.problems];
  }

  async run(options: { signal: AbortSignal }): Promise<void> {
    invariant(this.#phase === "idle", `Expected one run of an open engine, got one that is ${this.#phase}`);
    this.#phase = "running";
    await using ended = new AsyncDisposableStack();
    ended.defer(() => this.#closeRoutes());

    const { backend } = this.#options;
    while (!options.signal.aborted) {
      await waitForRecords(backend, options.signal);
      await this.#drainTurns(options.signal);
    }
    await this.#closeWindow();
  }

  stats(): EngineStats {
    const counts = this.#router.counts();
    const routes = new Map<RouteId, RouteStats>();
    for (const [routeId, active] of this.#routes) {
      routes.set(routeId, toRouteStats(active.counts, [active.worker, ...active.leaving]));
    }
    return {
      ringFullCount: this.#ringFullCount ?? this.#countRingFull(),
      readCount: counts.readCount,
      readBytes: counts.readBytes,
      unmatchedCount: counts.unmatchedCount,
      internalCount: counts.internalCount,
      matchedCount: counts.matchedCount,
      routes,
    };
  }

  /** Closes every exporter, then the backend; idempotent. Final measurements are given by `run` alone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ringFullCount ??= this.#countRingFull();
    await using owned = new AsyncDisposableStack();
    owned.use(this.#options.backend);

    await this.#closeRoutes();
  }

  async #closeRoutes(): Promise<void> {
    if (this.#phase !== "closed") {
      this.#phase = "closed";
      for (const active of this.#routes.values()) this.#leave(active.worker.close());
    }
    await this.#allLeft();
  }

  /** Bounded turns, one after the other while there is more. */
  async #drainTurns(signal: AbortSignal): Promise<void> {
    while (this.#drainTurn() && !signal.aborted) await this.#options.timer.nextTurn();
  }

  /** Yields whether there is more. */
  #drainTurn(): boolean {
    this.#turn.nowMs = this.#options.clock.monotonicMs();
    const more = this.#drain();
    this.#book.readProcesses();
    if (this.#turn.nowMs - this.#offsetMeasuredMs >= AGGREGATE_INTERVAL_MS) {
      this.#offsetMeasuredMs = this.#turn.nowMs;
      this.#turn.wallOffsetMs = measureWallOffsetMs(this.#options.clock);
    }
    const { backend } = this.#options;
    // Rows that move while they are read would be told twice, or not at all.
    const isDue = this.#turn.nowMs - this.#collectedMs >= AGGREGATE_INTERVAL_MS && !this.#interim.isRunning;
    if (backend.mayTakeOut("waits", { isDue })) {
      this.#collectedMs = this.#turn.nowMs;
      this.#book.collectEnded();
      this.#lookAtLosses();
      const areSocketsDue = this.#turn.nowMs - this.#socketsCollectedMs >= SOCKET_COLLECT_INTERVAL_MS;
      if (backend.mayTakeOut("sockets", { isDue: areSocketsDue })) {
        this.#socketsCollectedMs = this.#turn.nowMs;
        this.#book.collectSockets();
      }
      if (this.#inForce.routes.some((route) => route.hasUserStacks)) this.#book.describeStacks();
    }
    if (this.#phase === "running") this.#measureMeanwhile();
    for (const active of this.#routes.values()) active.worker.tick();
    return more;
  }

  #lookAtLosses(): void {
    this.#book.lookAtLosses(this.#turn.nowMs);
    for (const active of this.#routes.values()) active.lossSpans.look(this.#turn.nowMs, toDroppedCounts(active.counts));
  }

  /** One turn's worth of interim measurements, for routes whose exporters want them. */
  #measureMeanwhile(): void {
    if (this.#interim.isDue(this.#turn.nowMs)) {
      const wanting = [...this.#routes.values()].filter(({ worker }) => worker.wantsInterim);
      if (wanting.length > 0) this.#interim.begin(this.#interimSteps(wanting));
    }
    this.#interim.advance();
  }

  *#interimSteps(wanting: readonly ActiveRoute[]): Steps<void> {
    const reading = yield* this.#book.readRunning();
    const shares = wanting.map((active) => this.#shareOf(active));
    const made = yield* this.#book.interimMeasurements(reading, { router: this.#router.counts(), shares });
    for (const [index, { worker }] of wanting.entries()) {
      const measurements = made[index];
      if (measurements !== undefined) worker.offerInterim(measurements);
    }
  }

  #drain(): boolean {
    const { more } = this.#options.backend.drain(this.#router.visit, {
      recordsMax: DRAIN_RECORDS_MAX,
      turnMsMax: DRAIN_TURN_MS_MAX,
    });
    return more;
  }

  /** Everything at once: the ring's size bounds it (50 000 records, about 10 ms), less what is added meanwhile. */
  #drainAll(): void {
    this.#turn.nowMs = this.#options.clock.monotonicMs();
    for (let turn = 0; turn < DRAIN_ALL_TURNS_MAX; turn++) {
      if (!this.#drain()) return;
    }
  }

  async #closeWindow(): Promise<void> {
    const { backend, timer } = this.#options;
    this.#interim.abandon();
    const endMs = backend.closeWindow();
    this.#phase = "closing";
    while (this.#drainTurn()) await timer.nextTurn();
    this.#ringFullCount = this.#countRingFull();
    this.#book.close({ endMs, router: this.#router.counts() });
    this.#phase = "closed";
    for (const active of this.#routes.values()) {
      this.#leave(active.worker.close(() => this.#book.measurementsFor(this.#shareOf(active))));
    }
    await this.#allLeft();
  }

  /** A share in its exporter for every route that has none of that key yet. */
  #acquireExporters(routes: readonly Route[], next: TargetSet): AcquiredExporters {
    const leases = new Map<RouteId, ExporterLease>();
    const problems: RouteProblem[] = [];
    for (const route of routes) {
      const spec = next.exporters.get(route.exporterKey);
      if (spec === undefined || this.#routes.get(route.id)?.route.exporterKey === route.exporterKey) continue;
      try {
        leases.set(route.id, this.#pool.acquire(route.exporterKey, spec));
      } catch (thrown) {
        problems.push({ routeId: route.id, cause: toError(thrown) });
      }
    }
    return { leases, problems };
  }

  /** Targets first in the kernel, then in the book; when the kernel refuses, nothing has changed. */
  #applyToKernel(diff: TargetSetDiff, leases: Iterable<ExporterLease>): void {
    const { backend } = this.#options;
    const { added, removed } = diff.kernel;
    const wereSocketsLookedAt = this.#inForce.routes.some(({ planes }) => planes.has("sockets"));
    try {
      // What the rings still hold was recorded for the targets in force until now.
      if (removed.length > 0) this.#drainAll();
      backend.applyTargets(diff.kernel);
    } catch (thrown) {
      for (const lease of leases) this.#leave(lease.release());
      throw thrown;
    }
    if (wereSocketsLookedAt && !diff.kernel.planes.has("sockets")) this.#book.leaveSockets();
    const placed = added.map((target) => ({ target, slot: this.#slotOf(target.id) }));
    if (removed.length > 0) {
      // Letting threads go makes records of their own, which still carry the slot they had.
      const arriving = placed.map(({ target, slot }) => ({ targetId: target.id, slot, sinks: [] }));
      this.#router.use(toRoutingTable([...arriving, ...this.#routed]));
      this.#drainAll();
    }
    this.#book.changeTargets({ removed, added: placed });
    if (added.length > 0) this.#book.seed(backend.snapshot());
  }

  /** Starts a route, or changes one that runs; without a lease it keeps its exporter. */
  #startRoute(route: Route, lease: ExporterLease | undefined): void {
    const active = this.#routes.get(route.id);
    if (lease === undefined) {
      invariant(active !== undefined, `Expected an exporter for route ${route.id}, got none`);
      active.route = route;
      return;
    }
    const counts = active?.counts ?? emptyRouteCounts();
    const worker = new RouteWorker({
      lease,
      counts,
      turn: this.#turn,
      timer: this.#options.timer,
      report: (cause) => this.#options.reportProblem({ routeId: route.id, cause }),
    });
    if (active === undefined) {
      const lossSpans = new LossSpans<EventCategory>(this.#turn.nowMs);
      this.#routes.set(route.id, { route, counts, worker, lossSpans, leaving: new Set() });
      return;
    }
    const predecessor = active.worker;
    active.leaving.add(predecessor);
    this.#leave(
      predecessor.close().then(() => {
        active.leaving.delete(predecessor);
      }),
    );
    active.worker = worker;
    active.route = route;
  }

  #stopRoute(routeId: RouteId): void {
    const active = this.#routes.get(routeId);
    if (active === undefined) return;
    this.#routes.delete(routeId);
    this.#leave(active.worker.close());
  }

  /** Remembers work that ends by itself, so that it is awaited before the engine is done. */
  #leave(work: Promise<void>): void {
    const left = work.catch((thrown) => {
      this.#failures.push(toError(thrown));
    }).finally(() => this.#leaving.delete(left));
    this.#leaving.add(left);
  }

  async #allLeft(): Promise<void> {
    while (this.#leaving.size > 0) await Promise.all(this.#leaving);
    const [failure] = this.#failures.splice(0);
    if (failure !== undefined) throw failure;
  }

  #slotOf(targetId: TargetId): number {
    const slot = this.#options.backend.slotOf(targetId);
    invariant(slot !== undefined, `Expected a slot for target ${targetId} once it is traced, got none`);
    return slot;
  }

  #routedTargets(): RoutedTarget[] {
    return [...this.#inForce.targets.keys()].map((targetId) => {
      const sinks: RouteSink[] = [];
      for (const { route, worker } of this.#routes.values()) {
        if (!route.targetIds.has(targetId)) continue;
        const { kinds, slowWaitMs, slowFileMs } = route;
        const slowWaitMsOfClass = toClassThresholds(route);
        const slowResponseMs = slowResponseMsOf(route);
        const slowConnectMs = slowConnectMsOf(route);
        const thresholds = { slowWaitMs, slowWaitMsOfClass, slowFileMs, slowResponseMs, slowConnectMs };
        sinks.push({ kinds, ...thresholds, receiver: worker });
      }
      return { slot: this.#slotOf(targetId), targetId, sinks };
    });
  }

  #shareOf(active: ActiveRoute): RouteShare {
    const { readByKind } = this.#router.counts();
    const { targetIds, planes } = active.route;
    active.lossSpans.look(this.#options.clock.monotonicMs(), toDroppedCounts(active.counts));
    const losses = EVENT_CATEGORIES.map((category) => {
      const { matchedCount, droppedCount } = active.counts.byCategory[category];
      const readCount = kindsOf(category).reduce((total, kind) => total + (readByKind[EVENT_KINDS[kind]] ?? 0), 0);
      const filteredCount = CONSUMED_CATEGORIES.has(category) ? 0 : readCount - matchedCount;
      return [category, { readCount, filteredCount, dropped: droppedCount }];
    });
    // Object.fromEntries widens the keys; EVENT_CATEGORIES has every one.
    return {
      targetIds,
      planes,
      losses: Object.fromEntries(losses) as RouteShare["losses"],
      lossSpanOf: (category) => isEventCategory(category) ? active.lossSpans.spanOf(category) : undefined,
    };
  }

  #countRingFull(): number {
    const { ledger } = this.#options.backend.counters();
    return CATEGORIES.reduce((total, category) => total + (ledger[category].dropped.ring_full ?? 0), 0);
  }
}

/** Yields the thresholds by number of class. */
function toClassThresholds({ slowWaitMsByClass = {} }: Route): readonly (number | undefined)[] {
  const thresholds: (number | undefined)[] = [];
  const classes = Object.keys(slowWaitMsByClass) as WaitClass[]; // keys of the type
  for (const waitClass of classes) thresholds[WAIT_CLASSES[waitClass]] = slowWaitMsByClass[waitClass];
  return thresholds;
}

/** Aborting ends the wait, however the backend says so. */
async function waitForRecords(backend: TracerBackend, signal: AbortSignal): Promise<void> {
  try {
    await backend.wait({ timeoutMs: DRAIN_INTERVAL_MS, signal });
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  }
}

function kindsOf(category: EventCategory): readonly EventKind[] {
  // Object.keys widens the keys of a constant table to string.
  return (Object.keys(CATEGORY_OF_EVENT) as EventKind[]).filter((kind) => CATEGORY_OF_EVENT[kind] === category);
}
