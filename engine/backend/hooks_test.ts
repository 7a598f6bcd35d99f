import { assert } from "../../tests/support/assert.ts";
import { PT_HOOK } from "../../bpf/generated/layout.ts";
import { DEFAULT_PLANES, NOT_ASKED_FOR, type Plane, PLANES } from "../api/plane.ts";
import {
  HOOKS,
  type HookUse,
  planHookChange,
  TASK_ITERATOR_HOOK,
  toHookPlans,
  toHookStatuses,
  toProgramCosts,
  toSystemCallStatus,
} from "./hooks.ts";
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

Deno.test("HOOKS gives every hook the counter that the kernel's books have for it", () => {
  const names = new Map(Object.entries(PT_HOOK).map(([name, row]) => [row as number, name.toLowerCase()]));
  for (const { hook, row } of HOOKS) assert.equal(names.get(row), hook);
  const rows = HOOKS.map(({ row }) => row);
  assert.equal(new Set(rows).size, rows.length);
  assert.equal(rows.length, PT_HOOK.COUNT);
});

Deno.test("HOOKS says of every hook what is not seen without it", () => {
  for (const { hook, providers, blindFor } of HOOKS) {
    assert.ok(providers.length > 0 && blindFor !== "", hook);
  }
  assert.ok(HOOKS.includes(TASK_ITERATOR_HOOK));
});

Deno.test("toHookStatuses() names what serves a hook, after what was refused", () => {
  const [status] = toHookStatuses(HOOKS, {
    providers: new Map([["sched_switch", "sched_switch_by_task_state"]]),
    rejected: [aRejection(), aRejection({ hook: "process_fork" })],
    everAttached: new Set(["sched_switch"]),
    attachedMs: new Map(),
    planes: DEFAULT_PLANES,
  });
  assert.deepEqual(status, {
    hook: "sched_switch",
    provider: "sched_switch_by_task_state",
    refused: ["sched_switch: load refused (EACCES): R1 invalid mem access 'scalar'"],
    blindFor: "",
    plane: "time",
    isAskedFor: true,
  });
});

Deno.test("toHookStatuses() says what is not seen when nothing serves a hook", () => {
  const statuses = toHookStatuses(HOOKS, {
    providers: new Map(),
    rejected: [],
    everAttached: new Set(),
    attachedMs: new Map(),
    planes: new Set<Plane>(PLANES),
  });
  assert.deepEqual(
    statuses.map(({ hook, blindFor }) => [hook, blindFor]),
    HOOKS.map(({ hook, blindFor }) => [
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
    plane: "time",
    isAskedFor: true,
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

function aHook(hook: string, plane: Plane): HookUse {
  return { hook, plane, providers: [hook], row: 0, blindFor: `what ${hook} sees`, isEssential: false };
}

const USES = [aHook("switch", "time"), aHook("send", "sockets"), aHook("enter", "files"), aHook("leave", "files")];

Deno.test("toHookPlans() attaches the time plane at once, and only loads the others", () => {
  assert.deepEqual(toHookPlans(USES).map(({ hook, isAttached }) => [hook, isAttached]), [
    ["switch", true],
    ["send", false],
    ["enter", false],
    ["leave", false],
  ]);
});

const CHANGES: readonly [planes: readonly Plane[], attached: readonly string[], attach: string[], detach: string[]][] =
  [
    [["time", "files"], ["switch"], ["enter", "leave"], []],
    [["time", "files"], ["switch", "enter", "leave"], [], []],
    [["time", "sockets"], ["switch", "enter", "leave"], ["send"], ["enter", "leave"]],
    [[], ["switch", "send"], [], ["send"]],
  ];

for (const [planes, attached, attach, detach] of CHANGES) {
  Deno.test(`planHookChange() for planes [${planes}] with [${attached}] attached touches nothing else`, () => {
    const change = planHookChange(USES, { planes: new Set(planes), attached: new Set(attached) });
    assert.deepEqual(change, { attach, detach });
  });
}

Deno.test("toHookStatuses() says which hooks nobody asked for, and keeps those that were in force for a while", () => {
  const found = {
    providers: new Map(USES.map(({ hook }) => [hook, hook])),
    rejected: [],
    everAttached: new Set(["switch", "send"]),
    attachedMs: new Map(),
  };
  const statuses = toHookStatuses(USES, { ...found, planes: new Set<Plane>(["time", "sockets"]) });
  assert.deepEqual(statuses.map(({ provider, blindFor, isAskedFor }) => [provider, blindFor, isAskedFor]), [
    ["switch", "", true],
    ["send", "", true],
    [undefined, NOT_ASKED_FOR, false],
    [undefined, NOT_ASKED_FOR, false],
  ]);
});
