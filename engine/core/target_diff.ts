/**
 * What must change when one target set replaces another. Pure.
 *
 * @module
 */

import type { RouteProblem } from "../api/engine.ts";
import { EVENT_KINDS, SOCKET_EVENT_KINDS, toEventKindMask } from "../api/events.ts";
import { SLOW_FILE_MS_MIN, SLOW_SOCKET_MS_DEFAULT, SLOW_SOCKET_MS_MIN, SLOW_WAIT_MS_MIN } from "../api/limits.ts";
import type { WaitClass } from "../api/measurements.ts";
import type { Plane } from "../api/plane.ts";
import type { Route, Target, TargetCgroup, TargetSet } from "../api/target.ts";
import type { TargetDiff } from "../api/tracer_backend.ts";
import type { EventKindMask, RouteId, TargetId } from "../api/units.ts";

/** What is in force before the first `setTargets`. */
export const EMPTY_TARGET_SET: TargetSet = { revision: 0, targets: new Map(), routes: [], exporters: new Map() };

export interface TargetSetDiff {
  /** A target whose members changed is in both lists: removed first, then added. */
  readonly kernel: TargetDiff;
  /** False: the kernel already does what the next set asks. */
  readonly isKernelChanged: boolean;
  readonly startedRoutes: readonly Route[];
  readonly changedRoutes: readonly Route[];
  readonly stoppedRouteIds: readonly RouteId[];
}

/** Yields what must change for `next` to be in force where `previous` was. */
export function diffTargets(previous: TargetSet, next: TargetSet): TargetSetDiff {
  const added: Target[] = [];
  const removed: TargetId[] = [];
  for (const [id, target] of previous.targets) {
    const successor = next.targets.get(id);
    if (successor === undefined || !hasSameMembers(target, successor)) removed.push(id);
  }
  for (const [id, target] of next.targets) {
    const predecessor = previous.targets.get(id);
    if (predecessor === undefined || !hasSameMembers(predecessor, target)) added.push(target);
  }

  const before = new Map(previous.routes.map((route) => [route.id, route]));
  const after = new Set(next.routes.map((route) => route.id));
  const startedRoutes = next.routes.filter((route) => !before.has(route.id));
  const changedRoutes = next.routes.filter((route) => {
    const predecessor = before.get(route.id);
    return predecessor !== undefined && !isSameRoute(predecessor, route);
  });
  const stoppedRouteIds = previous.routes.map((route) => route.id).filter((id) => !after.has(id));

  const asked = kernelDetail(next.routes);
  const had = kernelDetail(previous.routes);
  return {
    kernel: { added, removed, ...asked },
    isKernelChanged: added.length > 0 || removed.length > 0 || !isSameDetail(asked, had),
    startedRoutes,
    changedRoutes,
    stoppedRouteIds,
  };
}

export interface CheckedRoutes {
  readonly routes: readonly Route[];
  readonly problems: readonly RouteProblem[];
}

/** Yields the routes of `next` that can start as far as plain data tells, and what is wrong with the others. */
export function checkRoutes(next: TargetSet): CheckedRoutes {
  const routes: Route[] = [];
  const problems: RouteProblem[] = [];
  const seen = new Set<RouteId>();
  for (const route of next.routes) {
    const found = routeFault(route, next, seen);
    seen.add(route.id);
    if (found === undefined) routes.push(route);
    else problems.push({ routeId: route.id, cause: new RangeError(`Cannot start route ${route.id}: ${found}`) });
  }
  return { routes, problems };
}

/** What is wrong with `route`: found, then wanted. */
function routeFault(route: Route, next: TargetSet, seen: ReadonlySet<RouteId>): string | undefined {
  if (seen.has(route.id)) return "its id is used twice, ids must differ";
  for (const targetId of route.targetIds) {
    if (!next.targets.has(targetId)) return `target ${targetId} is unknown, want one of the ${next.targets.size} given`;
  }
  if (!next.exporters.has(route.exporterKey)) {
    return `exporter ${route.exporterKey} is unknown, want one of the ${next.exporters.size} given`;
  }
  for (const name of ["slowResponseMs", "slowConnectMs"] as const) {
    if (!((route[name] ?? 0) >= 0)) return `its ${name} is ${route[name]}, want 0 or more`;
  }
  const badMs = slowWaitsOf(route).find((valueMs) => !(valueMs >= 0));
  if (badMs !== undefined) return `its slow wait threshold is ${badMs} ms, want 0 or more`;
  if (!(route.slowFileMs >= 0)) return `its slow file threshold is ${route.slowFileMs} ms, want 0 or more`;
  return undefined;
}

const SOCKET_EVENT_MASK = toEventKindMask(SOCKET_EVENT_KINDS);

type KernelDetail = Omit<TargetDiff, "added" | "removed">;

/** What the kernel must do so that every route gets what it asks. */
function kernelDetail(routes: readonly Route[]): KernelDetail {
  const planes = new Set<Plane>();
  for (const route of routes) {
    for (const plane of route.planes) planes.add(plane);
  }
  const socketEvents = socketEventsAsked(routes);
  return {
    slowWaitMs: smallestAsked(routes, {
      isWanted: (route) => wants(route, EVENT_KINDS.wait),
      askedMs: (route) => Math.max(Math.min(...slowWaitsOf(route)), SLOW_WAIT_MS_MIN),
    }),
    slowFileMs: smallestAsked(routes, {
      isWanted: (route) => route.planes.has("files") && wants(route, EVENT_KINDS.file),
      askedMs: (route) => Math.max(route.slowFileMs, SLOW_FILE_MS_MIN),
    }),
    hasUserStacks: routes.some((route) => route.hasUserStacks),
    planes,
    ...(socketEvents === undefined ? {} : { socketEvents }),
  };
}

/** Yields what sockets tell one by one; `undefined`: no route wants any of it. */
function socketEventsAsked(routes: readonly Route[]): TargetDiff["socketEvents"] {
  const asking = routes.filter((route) => route.planes.has("sockets") && (route.kinds & SOCKET_EVENT_MASK) !== 0);
  if (asking.length === 0) return undefined;
  const kinds = asking.reduce((mask, route) => mask | (route.kinds & SOCKET_EVENT_MASK), 0);
  return {
    kinds: kinds as EventKindMask, // put together from masks
    slowResponseMs: Math.min(...asking.map(slowResponseMsOf)),
    slowConnectMs: Math.min(...asking.map(slowConnectMsOf)),
  };
}

/** Yields how long a response takes at least to become an event of `route`. */
export function slowResponseMsOf(route: Pick<Route, "slowResponseMs">): number {
  return Math.max(route.slowResponseMs ?? SLOW_SOCKET_MS_DEFAULT, SLOW_SOCKET_MS_MIN);
}

/** Yields how long a handshake takes at least to become an event of `route`. */
export function slowConnectMsOf(route: Pick<Route, "slowConnectMs">): number {
  return Math.max(route.slowConnectMs ?? SLOW_SOCKET_MS_DEFAULT, SLOW_SOCKET_MS_MIN);
}

/** Thresholds of a route for any class of waits. */
function slowWaitsOf(route: Route): readonly number[] {
  return [route.slowWaitMs, ...Object.values(route.slowWaitMsByClass ?? {})];
}

function wants(route: Route, kind: number): boolean {
  return (route.kinds & (1 << kind)) !== 0;
}

/** Yields the smallest threshold of the routes that want such events; `undefined`: none does. */
function smallestAsked(
  routes: readonly Route[],
  options: { readonly isWanted: (route: Route) => boolean; readonly askedMs: (route: Route) => number },
): number | undefined {
  const asked = routes.filter(options.isWanted).map(options.askedMs);
  return asked.length === 0 ? undefined : Math.min(...asked);
}

function isSameDetail(left: KernelDetail, right: KernelDetail): boolean {
  return left.slowWaitMs === right.slowWaitMs && left.slowFileMs === right.slowFileMs &&
    left.hasUserStacks === right.hasUserStacks && isSameSet(left.planes, right.planes) &&
    left.socketEvents?.kinds === right.socketEvents?.kinds &&
    left.socketEvents?.slowResponseMs === right.socketEvents?.slowResponseMs &&
    left.socketEvents?.slowConnectMs === right.socketEvents?.slowConnectMs;
}

function isSameSet<Item>(left: ReadonlySet<Item>, right: ReadonlySet<Item>): boolean {
  return left.size === right.size && left.isSubsetOf(right);
}

/** The label is for people: a new one changes nothing in the kernel. */
function hasSameMembers(left: Target, right: Target): boolean {
  return left.isSystemWide === right.isSystemWide &&
    isSameList(left.processIds, right.processIds, (a, b) => a === b) &&
    isSameList(left.cgroups, right.cgroups, isSameCgroup);
}

function isSameCgroup(left: TargetCgroup, right: TargetCgroup): boolean {
  return left.id === right.id && left.level === right.level && left.path === right.path;
}

function isSameRoute(left: Route, right: Route): boolean {
  return left.kinds === right.kinds && left.exporterKey === right.exporterKey && left.slowWaitMs === right.slowWaitMs &&
    left.slowFileMs === right.slowFileMs && slowResponseMsOf(left) === slowResponseMsOf(right) &&
    slowConnectMsOf(left) === slowConnectMsOf(right) && left.hasUserStacks === right.hasUserStacks &&
    isSameByClass(left.slowWaitMsByClass, right.slowWaitMsByClass) &&
    isSameSet(left.targetIds, right.targetIds) && isSameSet(left.planes, right.planes);
}

function isSameByClass(left: Route["slowWaitMsByClass"] = {}, right: Route["slowWaitMsByClass"] = {}): boolean {
  const classes = Object.keys({ ...left, ...right }) as WaitClass[]; // the keys of both
  return classes.every((waitClass) => left[waitClass] === right[waitClass]);
}

function isSameList<Item>(
  left: readonly Item[],
  right: readonly Item[],
  isSame: (left: Item, right: Item) => boolean,
): boolean {
  if (left.length !== right.length) return false;
  return left.every((item, index) => {
    const other = right[index];
    return other !== undefined && isSame(item, other);
  });
}
