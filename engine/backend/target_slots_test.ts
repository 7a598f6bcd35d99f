import { assert } from "../../tests/support/assert.ts";
import { TARGETS_MAX } from "../api/limits.ts";
import type { Target } from "../api/target.ts";
import { toCgroupId, toTargetId } from "../api/units.ts";
import { TargetSlots } from "./target_slots.ts";

function aTarget(id: string, overrides: Partial<Target> = {}): Target {
  return { id: toTargetId(id), label: id, cgroups: [], processIds: [], isSystemWide: false, ...overrides };
}

function atLevels(...levels: readonly number[]): Pick<Target, "cgroups"> {
  return { cgroups: levels.map((level) => ({ id: toCgroupId(BigInt(level + 1)), level, path: `/${level}` })) };
}

Deno.test("take() gives every target a slot of its own, never 0", () => {
  const slots = new TargetSlots();
  assert.deepEqual([slots.take(aTarget("a")), slots.take(aTarget("b"))], [1, 2]);
  assert.deepEqual([slots.slotOf(toTargetId("b")), slots.slotOf(toTargetId("c")), slots.count], [2, undefined, 2]);
});

Deno.test("take() gives a released slot out again last, when all others had their turn", () => {
  const slots = new TargetSlots();
  slots.take(aTarget("a"));
  assert.equal(slots.release(toTargetId("a"))?.slot, 1);
  const given: number[] = [];
  for (let turn = 0; turn < TARGETS_MAX; turn++) {
    given.push(slots.take(aTarget(`b${turn}`)));
    slots.release(toTargetId(`b${turn}`));
  }
  assert.deepEqual([given[0], given.at(-2), given.at(-1)], [2, TARGETS_MAX, 1]);
});

Deno.test("take() holds 4096 targets and refuses one more", () => {
  const slots = new TargetSlots();
  const given = new Set<number>();
  for (let index = 1; index <= TARGETS_MAX; index++) given.add(slots.take(aTarget(`t${index}`)));
  assert.deepEqual([given.size, Math.min(...given), Math.max(...given)], [4096, 1, 4096]);
  assert.throws(() => slots.take(aTarget("one more")), /found all 4096 in use/);
  slots.release(toTargetId("t7"));
  assert.equal(slots.take(aTarget("one more")), 7);
});

Deno.test("release() yields what was there, once", () => {
  const slots = new TargetSlots();
  const target = aTarget("a");
  slots.take(target);
  assert.deepEqual(slots.release(target.id), { slot: 1, target });
  assert.equal(slots.release(target.id), undefined);
  assert.equal(slots.count, 0);
});

Deno.test("restore() undoes a release: the same slot, and not given out meanwhile", () => {
  const slots = new TargetSlots();
  const target = aTarget("a", atLevels(4));
  slots.take(target);
  const entry = slots.release(target.id);
  assert.ok(entry !== undefined);
  slots.restore(entry);
  assert.deepEqual([slots.slotOf(target.id), slots.cgroupLevels, slots.targets()], [1, 0b10000, [target]]);
  assert.equal(slots.take(aTarget("b")), 2);
});

Deno.test("cgroupLevels has a bit for each depth at which a target lies, the deepest included", () => {
  const slots = new TargetSlots();
  assert.equal(slots.cgroupLevels, 0);
  slots.take(aTarget("a", atLevels(1, 3)));
  slots.take(aTarget("b", atLevels(3, 31)));
  assert.equal(slots.cgroupLevels, 0x8000_000a);
  slots.release(toTargetId("b"));
  assert.equal(slots.cgroupLevels, 0b1010);
});

Deno.test("systemWideSlot is the slot of the target that is the whole system, 0 when there is none", () => {
  const slots = new TargetSlots();
  slots.take(aTarget("a"));
  assert.equal(slots.systemWideSlot, 0);
  slots.take(aTarget("all", { isSystemWide: true }));
  assert.equal(slots.systemWideSlot, 2);
  slots.release(toTargetId("all"));
  assert.equal(slots.systemWideSlot, 0);
});
