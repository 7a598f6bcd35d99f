/**
 * The one boundary every mode drives.
 *
 * @module
 */

import type { EngineStats } from "./stats.ts";
import type { TargetSet } from "./target.ts";
import type { RouteId } from "./units.ts";

export interface RouteProblem {
  readonly routeId: RouteId;
  readonly cause: Error;
}

export interface Engine extends AsyncDisposable {
  /** In force at the next drain. Returns the routes that could not start. */
  setTargets(next: TargetSet): readonly RouteProblem[];

  /**
   * Drains, routes and exports until `signal` aborts; then closes the window,
   * drains what is left and hands every route its final measurements.
   */
  run(options: { signal: AbortSignal }): Promise<void>;

  stats(): EngineStats;
}
