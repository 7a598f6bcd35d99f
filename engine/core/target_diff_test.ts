import { assert } from "../../tests/support/assert.ts";
import { property } from "../../tests/support/property.ts";
import { toEventKindMask } from "../api/events.ts";
import { SLOW_WAIT_MS_MIN } from "../api/limits.ts";
import { DEFAULT_PLANES, PLANES } from "../api/plane.ts";
import type { Route, Target, TargetSet } from "../api/target.ts";
import { toCgroupId, toExporterKey, toProcessId, toRouteId, toTargetId } from "../api/units.ts";
import { checkRoutes, diffTargets, EMPTY_TARGET_SET } from "./target_diff.ts";
import { aTarget, targetMap } from "./test_host.ts";

const KEY = toExporterKey("bundle@1");

function aRoute(id: string, overrides: Partial<Route> = {}): Route {
  return {
    id: toRouteId(id),
    targetIds: new Set([toTargetId("a")]),
    kinds: toEventKindMask(["wait", "exit"]),
    exporterKey: KEY,
    slowWaitMs: 10,
    slowFileMs: 10,
    hasUserStacks: false,
    planes: DEFAULT_PLANES,
    ...overrides,
  };
}

function aSet(overrides: Partial<TargetSet> = {}): TargetSet {
  return {
    revision: 1,
    targets: targetMap([aTarget("a"), aTarget("b")]),
    routes: [aRoute("r")],
    exporters: new Map([[KEY, { type: "diagnosis" }]]),
    ...overrides,
  };
}

/** Prototypes differ in no target set that is made by code. */
const PLAIN = { noNullPrototype: true } as const;

const targets = property.uniqueArray(
  property.record({
    id: property.constantFrom("a", "b", "c", "d").map(toTargetId),
    label: property.constantFrom("x", "y"),
    cgroups: property.array(
      property.record({
        id: property.constantFrom(1n, 2n).map(toCgroupId),
        level: property.constant(1),
        path: property.constantFrom("/x", "/y"),
      }, PLAIN),
      { maxLength: 2 },
    ),
    processIds: property.array(property.constantFrom(1, 2).map(toProcessId), { maxLength: 2 }),
    isSystemWide: property.boolean(),
  }, PLAIN),
  { selector: (target) => target.id },
);

const routes = property.uniqueArray(
  property.record({
    id: property.constantFrom("r", "s", "t").map(toRouteId),
    targetIds: property.subarray(["a", "b"]).map((ids) => new Set(ids.map(toTargetId))),
    kinds: property.constantFrom(toEventKindMask(["wait"]), toEventKindMask(["exit"])),
    exporterKey: property.constantFrom("k@1", "k@2").map(toExporterKey),
    slowWaitMs: property.constantFrom(0, 5, 20),
    slowFileMs: property.constantFrom(0, 10),
    hasUserStacks: property.boolean(),
    planes: property.subarray([...PLANES]).map((planes) => new Set(planes)),
  }, PLAIN),
  { selector: (route) => route.id },
);

const sets = property.tuple(targets, routes).map(([targetList, routeList]): TargetSet => ({
  revision: 1,
  targets: targetMap(targetList),
  routes: routeList,
  exporters: new Map(),
}));

function members(target: Target): Omit<Target, "label"> {
  const { id, cgroups, processIds, isSystemWide } = target;
  return { id, cgroups, processIds, isSystemWide };
}

Deno.test("diffTargets() turns one set's targets into the other's", () => {
  property.assert(property.property(sets, sets, (previous, next) => {
    const diff = diffTargets(previous, next);
    const applied = new Map(previous.targets);
    for (const id of diff.kernel.removed) assert.ok(applied.delete(id), "only what is there is removed");
    for (const target of diff.kernel.added) {
      assert.ok(!applied.has(target.id), "only what is not there is added");
      applied.set(target.id, target);
    }
    const byId = (left: { id: string }, right: { id: string }) => left.id.localeCompare(right.id);
    assert.deepEqual(
      [...applied.values()].map(members).sort(byId),
      [...next.targets.values()].map(members).sort(byId),
    );
  }));
});

Deno.test("diffTargets() turns one set's routes into the other's, and touches none that stays as it is", () => {
  property.assert(property.property(sets, sets, (previous, next) => {
    const diff = diffTargets(previous, next);
    const applied = new Map(previous.routes.map((route) => [route.id, route]));
    for (const id of diff.stoppedRouteIds) assert.ok(applied.delete(id));
    for (const route of diff.startedRoutes) {
      assert.ok(!applied.has(route.id));
      applied.set(route.id, route);
    }
    for (const route of diff.changedRoutes) {
      assert.notDeepEqual(applied.get(route.id), route);
      applied.set(route.id, route);
    }
    assert.deepEqual(applied, new Map([...applied.keys()].map((id) => [id, next.routes.find((r) => r.id === id)])));
    assert.equal(applied.size, next.routes.length);
  }));
});

Deno.test("diffTargets() yields nothing to do between a set and a copy of it under a later revision", () => {
  property.assert(property.property(sets, (set) => {
    const diff = diffTargets(set, { ...structuredClone(set), revision: set.revision + 1 });
    assert.equal(diff.isKernelChanged, false);
    assert.deepEqual([diff.kernel.added, diff.kernel.removed], [[], []]);
    assert.deepEqual([diff.startedRoutes, diff.changedRoutes, diff.stoppedRouteIds], [[], [], []]);
  }));
});

Deno.test("diffTargets() removes and adds a target whose members changed, and leaves one with a new label alone", () => {
  const previous = aSet();
  const grown = aTarget("a", { processIds: [toProcessId(7)] });
  const renamed = aTarget("b", { label: "another name" });

  const diff = diffTargets(previous, aSet({ targets: targetMap([grown, renamed]) }));

  assert.deepEqual(diff.kernel.removed, [toTargetId("a")]);
  assert.deepEqual(diff.kernel.added, [grown]);
});

const THRESHOLDS: readonly [routes: readonly Partial<Route>[], slowWaitMs: number | undefined][] = [
  [[], undefined],
  [[{ slowWaitMs: 10 }], 10],
  [[{ slowWaitMs: 10 }, { slowWaitMs: 3 }], 3],
  [[{ slowWaitMs: 10 }, { slowWaitMs: 3, kinds: toEventKindMask(["exit"]) }], 10],
  [[{ slowWaitMs: 0 }], SLOW_WAIT_MS_MIN],
  [[{ slowWaitMs: SLOW_WAIT_MS_MIN }], SLOW_WAIT_MS_MIN],
  [[{ kinds: toEventKindMask(["fork"]) }], undefined],
];

for (const [overrides, slowWaitMs] of THRESHOLDS) {
  Deno.test(`diffTargets() asks the kernel for waits from ${slowWaitMs} ms for ${JSON.stringify(overrides)}`, () => {
    const next = aSet({ routes: overrides.map((override, index) => aRoute(`r${index}`, override)) });
    assert.equal(diffTargets(EMPTY_TARGET_SET, next).kernel.slowWaitMs, slowWaitMs);
  });
}

Deno.test("diffTargets() asks for user stacks while one route wants them", () => {
  const plain = aSet();
  const stacks = aSet({ routes: [aRoute("r"), aRoute("s", { hasUserStacks: true })] });

  assert.equal(diffTargets(plain, stacks).kernel.hasUserStacks, true);
  assert.equal(diffTargets(plain, stacks).isKernelChanged, true);
  assert.equal(diffTargets(stacks, plain).kernel.hasUserStacks, false);
});

Deno.test("diffTargets() asks for the planes of all routes together, and for file thresholds only where files are", () => {
  const plain = aSet({ routes: [aRoute("r", { planes: new Set(["time", "sockets"]) })] });
  const files = { planes: new Set(["time", "files"] as const), kinds: toEventKindMask(["file"]) };
  const both = aSet({ routes: [...plain.routes, aRoute("s", { ...files, slowFileMs: 5 })] });

  const asked = diffTargets(plain, both);
  assert.deepEqual(asked.kernel.planes, new Set(["time", "sockets", "files"]));
  assert.equal(asked.kernel.slowFileMs, 5);
  assert.equal(asked.isKernelChanged, true);
  const given = diffTargets(both, plain);
  assert.deepEqual(given.kernel.planes, new Set(["time", "sockets"]));
  assert.equal(given.kernel.slowFileMs, undefined);
  assert.equal(given.isKernelChanged, true);
  assert.equal(diffTargets(both, aSet({ routes: [...both.routes].reverse() })).isKernelChanged, false);
});

const FAULTS: readonly [what: string, route: Route, message: RegExp][] = [
  ["an unknown target", aRoute("s", { targetIds: new Set([toTargetId("z")]) }), /route s: target z is unknown/],
  ["an unknown exporter", aRoute("s", { exporterKey: toExporterKey("none@1") }), /exporter none@1 is unknown/],
  ["an id used before", aRoute("r"), /its id is used twice/],
  ["a negative threshold", aRoute("s", { slowWaitMs: -1 }), /threshold is -1 ms/],
  ["no threshold", aRoute("s", { slowWaitMs: NaN }), /threshold is NaN ms/],
];

for (const [what, route, message] of FAULTS) {
  Deno.test(`checkRoutes() keeps the good route and names the one with ${what}`, () => {
    const good = aRoute("r");
    const checked = checkRoutes(aSet({ routes: [good, route] }));

    assert.deepEqual(checked.routes, [good]);
    assert.deepEqual(checked.problems.map((problem) => problem.routeId), [route.id]);
    assert.match(checked.problems[0]?.cause.message ?? "", message);
  });
}

Deno.test("diffTargets() asks the kernel for the smallest threshold of any class, and notices when one changes", () => {
  const of = (slowWaitMsByClass: Route["slowWaitMsByClass"]) =>
    aSet({ routes: [aRoute("r", { slowWaitMs: 10, ...(slowWaitMsByClass && { slowWaitMsByClass }) })] });
  const diff = diffTargets(EMPTY_TARGET_SET, of({ network: 100, diskRead: 5 }));
  assert.equal(diff.kernel.slowWaitMs, 5);
  assert.equal(diffTargets(of({ network: 100 }), of({ network: 100 })).changedRoutes.length, 0);
  assert.equal(diffTargets(of({ network: 100 }), of(undefined)).changedRoutes.length, 1);
  const bad = checkRoutes(of({ lock: -1 }));
  assert.match(bad.problems[0]?.cause.message ?? "", /slow wait threshold is -1 ms/);
});
