import { assert } from "../../tests/support/assert.ts";
import { EVENT_KINDS } from "../../engine/api/events.ts";
import type { Target } from "../../engine/api/target.ts";
import { toTargetId } from "../../engine/api/units.ts";
import { DIAGNOSE_ROUTE_ID, planTargetSet } from "./target_set.ts";

function target(id: string): Target {
  return { id: toTargetId(id), label: id, cgroups: [], processIds: [], isSystemWide: false };
}

Deno.test("planTargetSet() sends every kind of event of every target down one route to a spec that exists", () => {
  const targets = [target("pid:1"), target("pid:2")];
  const set = planTargetSet(targets, {
    slowWaitMs: 5,
    slowFileMs: 7,
    slowSocketMs: 9,
    slowWaitMsByClass: { network: 250 },
    hasUserStacks: true,
    planes: new Set(["time", "files"]),
  });
  assert.deepEqual([...set.targets.values()], targets);
  assert.equal(set.routes.length, 1);
  const [route] = set.routes;
  assert.equal(route?.id, DIAGNOSE_ROUTE_ID);
  assert.deepEqual([...route?.targetIds ?? []], ["pid:1", "pid:2"]);
  assert.equal(route?.slowWaitMs, 5);
  assert.equal(route?.hasUserStacks, true);
  assert.equal(route?.slowFileMs, 7);
  assert.deepEqual([route?.slowResponseMs, route?.slowConnectMs], [9, 9]);
  assert.deepEqual(route?.slowWaitMsByClass, { network: 250 });
  assert.deepEqual(route?.planes, new Set(["time", "files"]));
  for (const [kind, bit] of Object.entries(EVENT_KINDS)) {
    assert.ok(((route?.kinds ?? 0) & (1 << bit)) !== 0, kind);
  }
  assert.deepEqual([...set.exporters].map(([key]) => key), [route?.exporterKey]);
});
