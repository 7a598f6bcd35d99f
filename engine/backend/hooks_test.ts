import { assert } from "../../tests/support/assert.ts";
import type { HookUse } from "./hooks.ts";
import { toHookStatuses, toSystemCallStatus } from "./hooks.ts";

const SWITCH: HookUse = {
  hook: "sched_switch",
  providers: ["sched_switch", "sched_switch_by_task_state"],
  row: 0,
  blindFor: "all time",
  isEssential: true,
};

const REFUSAL = {
  hook: "sched_switch",
  program: "sched_switch",
  stage: "load",
  errno: 13,
  errnoName: "EACCES",
  summary: "invalid bpf_context access off=24 size=8",
  log: "",
} as const;

Deno.test("toHookStatuses() tells the provider that was taken and why the one before it was not", () => {
  const providers = new Map([["sched_switch", "sched_switch_by_task_state"]]);
  assert.deepEqual(toHookStatuses([SWITCH], { providers, rejected: [REFUSAL] }), [{
    hook: "sched_switch",
    provider: "sched_switch_by_task_state",
    refused: ["sched_switch: load refused (EACCES): invalid bpf_context access off=24 size=8"],
    blindFor: "",
  }]);
});

Deno.test("toHookStatuses() tells what is not seen when every provider was refused", () => {
  const [status] = toHookStatuses([SWITCH], { providers: new Map(), rejected: [REFUSAL] });
  assert.deepEqual([status?.provider, status?.blindFor], [undefined, "all time"]);
});

Deno.test("toSystemCallStatus() is blind exactly when the kernel keeps the registers to itself", () => {
  assert.deepEqual([toSystemCallStatus(true).provider, toSystemCallStatus(true).blindFor], ["registers", ""]);
  assert.equal(toSystemCallStatus(false).provider, undefined);
  assert.match(toSystemCallStatus(false).blindFor, /what threads wait for/);
});
