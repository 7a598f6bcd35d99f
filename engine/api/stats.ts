/**
 * The user-side books of a run.
 *
 * @module
 */

import type { RouteId } from "./units.ts";

export type DropReason = "queue_full" | "export_failed" | "shutdown";

/** matched = exported + waiting + sum(dropped), at every instant. */
export interface RouteStats {
  readonly matchedCount: number;
  readonly exportedCount: number;
  readonly waitingCount: number;
  readonly droppedCount: Readonly<Record<DropReason, number>>;
}

/** read = unmatched + internal + records matched by at least one route. */
export interface EngineStats {
  readonly ringFullCount: number; // lost in the kernel, before reading
  readonly readCount: number;
  readonly readBytes: number;
  readonly unmatchedCount: number;
  /** Records the engine itself consumes: names of objects, ledgers of ended threads. */
  readonly internalCount: number;
  readonly matchedCount: number;
  readonly routes: ReadonlyMap<RouteId, RouteStats>;
}
