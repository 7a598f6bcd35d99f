/**
 * The user-side books of a run.
 *
 * @module
 */

import type { RouteId } from "./units.ts";

/** Why an event of a route did not arrive. */
export type DropReason = "queue_full" | "export_failed" | "shutdown";

/** matched = exported + waiting + sum(dropped), at every instant. */
export interface RouteStats {
  /** Events made for the route. */
  readonly matchedCount: number;
  /** Events its exporter took. */
  readonly exportedCount: number;
  /** Events queued or on their way. */
  readonly waitingCount: number;
  /** Events lost, by reason. */
  readonly droppedCount: Readonly<Record<DropReason, number>>;
}

/** read = unmatched + internal + records matched by at least one route. */
export interface EngineStats {
  /** Lost in the kernel, before reading. */
  readonly ringFullCount: number;
  /** Records read. */
  readonly readCount: number;
  /** Their size in the rings. */
  readonly readBytes: number;
  /** Records no route wanted. */
  readonly unmatchedCount: number;
  /** Records the engine itself consumes: names of objects, ledgers of ended threads. */
  readonly internalCount: number;
  /** Records at least one route got. */
  readonly matchedCount: number;
  /** The routes in force. */
  readonly routes: ReadonlyMap<RouteId, RouteStats>;
}
