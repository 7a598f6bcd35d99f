import { assert } from "../../tests/support/assert.ts";
import { CGROUP_LEVELS_MAX, TARGET_CGROUPS_MAX, TARGET_PROCESSES_MAX, TARGETS_MAX } from "../api/limits.ts";
import type { Target } from "../api/target.ts";
import { toCgroupId, toProcessId, toTargetId } from "../api/units.ts";
import { refuseImpossibleTargets } from "./target_claims.ts";

function aTarget(id: string, overrides: Partial<Target> = {}): Target {
  return { id: toTargetId(id), label: id, cgroups: [], processIds: [], isSystemWide: false, ...overrides };
}

function aCgroup(id: number, level = 1) {
  return { id: toCgroupId(BigInt(id)), level, path: `/group${id}` };
}

function refusalOf(targets: readonly Target[]): string | undefined {
  try {
    refuseImpossibleTargets(targets);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

Deno.test("targets that are nested, or have nothing in common, can be traced together", () => {
  assert.equal(
    refusalOf([
      aTarget("pod", { cgroups: [aCgroup(1), aCgroup(2, 2)] }),
      aTarget("container", { cgroups: [aCgroup(3, 3)] }),
      aTarget("process", { processIds: [toProcessId(7)] }),
      aTarget("system", { isSystemWide: true }),
    ]),
    undefined,
  );
});

Deno.test("two targets that claim the same are refused, each kind by name", () => {
  const rows: readonly (readonly [Partial<Target>, string])[] = [
    [{ cgroups: [aCgroup(9)] }, "cgroup /group9"],
    [{ processIds: [toProcessId(9)] }, "process 9"],
    [{ isSystemWide: true }, "the whole system"],
  ];
  for (const [claim, what] of rows) {
    assert.equal(
      refusalOf([aTarget("first", claim), aTarget("other"), aTarget("sec\x1bond", claim)]),
      `Cannot trace sec\\x1bond beside first: both are ${what}, wanted each thread in one target`,
    );
    assert.equal(refusalOf([aTarget("first", claim)]), undefined);
  }
  // One target that names a process twice is only clumsy.
  assert.equal(refusalOf([aTarget("twice", { processIds: [toProcessId(9), toProcessId(9)] })]), undefined);
});

Deno.test("each table takes its limit, and one line says what one more would be", () => {
  const targets = (count: number) => Array.from({ length: count }, (_, index) => aTarget(`t${index}`));
  assert.equal(refusalOf(targets(TARGETS_MAX)), undefined);
  assert.equal(
    refusalOf(targets(TARGETS_MAX + 1)),
    `Cannot trace ${TARGETS_MAX + 1} targets at a time: wanted at most ${TARGETS_MAX}`,
  );
  const cgroups = (count: number) => [
    aTarget("a", { cgroups: Array.from({ length: count }, (_, index) => aCgroup(index + 1)) }),
  ];
  assert.equal(refusalOf(cgroups(TARGET_CGROUPS_MAX)), undefined);
  assert.match(refusalOf(cgroups(TARGET_CGROUPS_MAX + 1)) ?? "", new RegExp(`wanted at most ${TARGET_CGROUPS_MAX}$`));
  const processes = (count: number) => [
    aTarget("a", { processIds: Array.from({ length: count }, (_, index) => toProcessId(index + 1)) }),
  ];
  assert.equal(refusalOf(processes(TARGET_PROCESSES_MAX)), undefined);
  assert.match(
    refusalOf(processes(TARGET_PROCESSES_MAX + 1)) ?? "",
    new RegExp(`wanted at most ${TARGET_PROCESSES_MAX}$`),
  );
});

Deno.test("a group deeper than a program walks is refused", () => {
  assert.equal(refusalOf([aTarget("a", { cgroups: [aCgroup(1, CGROUP_LEVELS_MAX - 1)] })]), undefined);
  assert.equal(
    refusalOf([aTarget("a", { cgroups: [aCgroup(1, CGROUP_LEVELS_MAX)] })]),
    "Cannot trace a: cgroup /group1 lies 32 levels deep, wanted fewer than 32",
  );
});
