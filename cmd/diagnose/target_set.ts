/**
 * The target set of a `diagnose` run: one route that takes everything to the
 * diagnosis.
 *
 * @module
 */

import { EVENT_KINDS, type EventKind, toEventKindMask } from "../../engine/api/events.ts";
import type { Route, Target, TargetSet } from "../../engine/api/target.ts";
import { toExporterKey, toRouteId } from "../../engine/api/units.ts";

export const DIAGNOSE_ROUTE_ID = toRouteId("diagnose");

const DIAGNOSIS_KEY = toExporterKey("diagnosis@1");

/** Yields the one set a run traces from beginning to end. */
export function planTargetSet(
  targets: readonly Target[],
  options: Pick<Route, "slowWaitMs" | "slowWaitMsByClass" | "slowFileMs" | "hasUserStacks" | "planes"> & {
    readonly slowSocketMs?: number;
  },
): TargetSet {
  const { slowSocketMs } = options;
  return {
    revision: 1,
    targets: new Map(targets.map((target) => [target.id, target])),
    routes: [{
      id: DIAGNOSE_ROUTE_ID,
      targetIds: new Set(targets.map((target) => target.id)),
      kinds: toEventKindMask(Object.keys(EVENT_KINDS) as EventKind[]), // keys of a constant table
      exporterKey: DIAGNOSIS_KEY,
      slowWaitMs: options.slowWaitMs,
      ...(options.slowWaitMsByClass === undefined ? {} : { slowWaitMsByClass: options.slowWaitMsByClass }),
      slowFileMs: options.slowFileMs,
      ...(slowSocketMs === undefined ? {} : { slowResponseMs: slowSocketMs, slowConnectMs: slowSocketMs }),
      hasUserStacks: options.hasUserStacks,
      planes: options.planes,
    }],
    exporters: new Map([[DIAGNOSIS_KEY, { type: "diagnosis" }]]),
  };
}
