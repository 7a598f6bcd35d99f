/**
 * The hooks of the time plane: what each is for, which programs can serve it,
 * best first, and what is not seen without it.
 *
 * @module
 */

import { PT_HOOK } from "../../bpf/generated/layout.ts";
import type { HookStatus, ProgramCost } from "../api/measurements.ts";
import type { AttachedProgram } from "./kernel_access.ts";
import type { Rejection } from "./object_loader.ts";

export interface HookUse {
  readonly hook: string;
  readonly providers: readonly string[];
  /** Index of its call counter in the kernel's books. */
  readonly row: number;
  readonly blindFor: string;
  /** Without it there is nothing to report. */
  readonly isEssential: boolean;
}

export const TASK_ITERATOR_HOOK: HookUse = {
  hook: "task_iterator",
  providers: ["task_iterator"],
  row: PT_HOOK.TASK_ITERATOR,
  blindFor: "threads that existed before the look began",
  isEssential: true,
};

/** In load order: the first refusal is found by the first program without a log. */
export const TIME_PLANE_HOOKS: readonly HookUse[] = [
  {
    hook: "sched_switch",
    // The second for kernels before 5.18, whose tracepoint does not carry the previous state.
    providers: ["sched_switch", "sched_switch_by_task_state"],
    row: PT_HOOK.SCHED_SWITCH,
    blindFor: "all time of all threads",
    isEssential: true,
  },
  {
    hook: "sched_waking",
    providers: ["sched_waking"],
    row: PT_HOOK.SCHED_WAKING,
    blindFor: "who woke whom, and the holders of locks",
    isEssential: false,
  },
  {
    hook: "sched_wakeup",
    providers: ["sched_wakeup"],
    row: PT_HOOK.SCHED_WAKEUP,
    blindFor: "waiting for a CPU after a wait: it counts as part of the wait",
    isEssential: false,
  },
  {
    hook: "process_fork",
    providers: ["sched_process_fork"],
    row: PT_HOOK.PROCESS_FORK,
    blindFor: "children and threads that start during the look",
    isEssential: false,
  },
  {
    hook: "process_exec",
    providers: ["sched_process_exec"],
    row: PT_HOOK.PROCESS_EXEC,
    blindFor: "programs started during the look",
    isEssential: false,
  },
  {
    hook: "socket_state",
    providers: ["inet_sock_set_state"],
    row: PT_HOOK.SOCKET_STATE,
    blindFor: "ports that start listening during the look: their idle waits show as waits for the client",
    isEssential: false,
  },
  {
    hook: "page_fault",
    // The second for kernels before 6.12: it does not see a page that somebody else is reading already.
    providers: ["mm_filemap_fault", "mm_filemap_add_to_page_cache"],
    row: PT_HOOK.PAGE_FAULT,
    blindFor: "which file a page fault reads from",
    isEssential: false,
  },
  TASK_ITERATOR_HOOK,
];

/** Yields what became of each hook, with one line per provider that was refused. */
export function toHookStatuses(
  hooks: readonly HookUse[],
  attached: { readonly providers: ReadonlyMap<string, string>; readonly rejected: readonly Rejection[] },
): readonly HookStatus[] {
  return hooks.map(({ hook, blindFor }) => {
    const provider = attached.providers.get(hook);
    const refused = attached.rejected
      .filter((rejection) => rejection.hook === hook)
      .map(({ program, stage, errnoName, summary }) => `${program}: ${stage} refused (${errnoName}): ${summary}`);
    return { hook, provider, refused, blindFor: provider === undefined ? blindFor : "" };
  });
}

/**
 * Yields whether this kernel shows what system call a thread is in: no hook of
 * its own, but what is seen depends on it like on one.
 */
export function toSystemCallStatus(isKnown: boolean): HookStatus {
  return {
    hook: "system_calls",
    provider: isKnown ? "registers" : undefined,
    refused: isKnown ? [] : ["registers: this kernel shows those of the current task only, wanted Linux 5.15 or newer"],
    blindFor: isKnown ? "" : "what threads wait for: their waits count without system call and object",
  };
}

/** Yields calls per program as the kernel's books counted them, with run time where it was sampled. */
export function toProgramCosts(
  programs: readonly AttachedProgram[],
  found: { readonly calls: readonly number[]; readonly runTimesNs: ReadonlyMap<string, number> },
): readonly ProgramCost[] {
  return programs.map(({ hook, row, name, section }) => ({
    name,
    provider: section,
    callCount: found.calls[row] ?? 0,
    runTimeNs: found.runTimesNs.get(hook),
  }));
}
