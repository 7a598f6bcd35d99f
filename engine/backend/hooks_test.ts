import { assert } from "../../tests/support/assert.ts";
import { PT_HOOK } from "../../bpf/generated/layout.ts";
import { TASK_ITERATOR_HOOK, TIME_PLANE_HOOKS, toHookStatuses, toProgramCosts, toSystemCallStatus } from "./hooks.ts";
import type { Rejection } from "./object_loader.ts";

function aRejection(overrides: Partial<Rejection> = {}): Rejection {
  return {
    hook: "sched_switch",
    program: "sched_switch",
    stage: "load",
    errno: 13,
    errnoName: "EACCES",
    summary: "R1 invalid mem access 'scalar'",
    log: "",
    ...overrides,
  };
}

Deno.test("TIME_PLANE_HOOKS gives every hook the counter that the kernel's books have for it", () => {
  const names = new Map(Object.entries(PT_HOOK).map(([name, row]) => [row as number, name.toLowerCase()]));
  for (const { hook, row } of TIME_PLANE_HOOKS) assert.equal(names.get(row), hook);
  const rows = TIME_PLANE_HOOKS.map(({ row }) => row);
  assert.equal(new Set(rows).size, rows.length);
  assert.equal(rows.length, PT_HOOK.COUNT);
});

Deno.test("TIME_PLANE_HOOKS says of every hook what is not seen without it", () => {
  for (const { hook, providers, blindFor } of TIME_PLANE_HOOKS) {
    assert.ok(providers.length > 0 && blindFor !== "", hook);
  }
  assert.ok(TIME_PLANE_HOOKS.includes(TASK_ITERATOR_HOOK));
});

Deno.test("toHookStatuses() names what serves a hook, after what was refused", () => {
  const [status] = toHookStatuses(TIME_PLANE_HOOKS, {
    providers: new Map([["sched_switch", "sched_switch_by_task_state"]]),
    rejected: [aRejection(), aRejection({ hook: "process_fork" })],
  });
  assert.deepEqual(status, {
    hook: "sched_switch",
    provider: "sched_switch_by_task_state",
    refused: ["sched_switch: load refused (EACCES): R1 invalid mem access 'scalar'"],
    blindFor: "",
  });
});

Deno.test("toHookStatuses() says what is not seen when nothing serves a hook", () => {
  const statuses = toHookStatuses(TIME_PLANE_HOOKS, { providers: new Map(), rejected: [] });
  assert.deepEqual(
    statuses.map(({ hook, blindFor }) => [hook, blindFor]),
    TIME_PLANE_HOOKS.map(({ hook, blindFor }) => [
      hook,
      blindFor,
    ]),
  );
  assert.ok(statuses.every(({ provider }) => provider === undefined));
});

Deno.test("toSystemCallStatus() is blind where the kernel does not show the registers of others", () => {
  assert.deepEqual(toSystemCallStatus(true), {
    hook: "system_calls",
    provider: "registers",
    refused: [],
    blindFor: "",
  });
  const blind = toSystemCallStatus(false);
  assert.equal(blind.provider, undefined);
  assert.match(blind.blindFor, /without system call/);
  assert.match(blind.refused.join(), /wanted Linux 5\.15/);
});

Deno.test("toProgramCosts() has a row for each program in force, its calls and, where sampled, its run time", () => {
  const calls: number[] = [];
  calls[PT_HOOK.SCHED_SWITCH] = 1000;
  calls[PT_HOOK.PROCESS_FORK] = 3;
  const programs = [
    { hook: "sched_switch", row: PT_HOOK.SCHED_SWITCH, name: "sched_switch_by_task_state" },
    { hook: "process_fork", row: PT_HOOK.PROCESS_FORK, name: "sched_process_fork" },
    { hook: "process_exec", row: PT_HOOK.PROCESS_EXEC, name: "sched_process_exec" },
  ].map((program) => ({ ...program, section: `tp_btf/${program.name}` }));
  const costs = toProgramCosts(programs, { calls, runTimesNs: new Map([["sched_switch", 5000]]) });
  assert.deepEqual(costs.map(({ name, provider, callCount, runTimeNs }) => [name, provider, callCount, runTimeNs]), [
    ["sched_switch_by_task_state", "tp_btf/sched_switch_by_task_state", 1000, 5000],
    ["sched_process_fork", "tp_btf/sched_process_fork", 3, undefined],
    ["sched_process_exec", "tp_btf/sched_process_exec", 0, undefined],
  ]);
});
