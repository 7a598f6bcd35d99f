/**
 * The one boundary every mode drives.
 *
 * @module
 */

import type { EngineStats } from "./stats.ts";
import type { TargetSet } from "./target.ts";
import type { RouteId } from "./units.ts";

/** Why a route does not run, or lost events. */
export interface RouteProblem {
  /** The route. */
  readonly routeId: RouteId;
  /** As its exporter or factory threw it. */
  readonly cause: Error;
}

/** Traces what its target set says and hands it to exporters. Disposal closes every exporter, then the backend. */
export interface Engine extends AsyncDisposable {
  /** In force at the next drain. Returns the routes that could not start. */
  setTargets(next: TargetSet): readonly RouteProblem[];

  /**
   * Drains, routes and exports until `signal` aborts; then closes the window,
   * drains what is left and hands every route its final measurements.
   */
  run(options: { signal: AbortSignal }): Promise<void>;

  /** Yields the books as they stand. */
  stats(): EngineStats;
}
