/**
 * The hooks of every plane: what each is for, which programs can serve it, best
 * first, and what is not seen without it.
 *
 * @module
 */

import { PT_HOOK } from "../../bpf/generated/layout.ts";
import type { HookStatus, ProgramCost } from "../api/measurements.ts";
import { NOT_ASKED_FOR, type Plane } from "../api/plane.ts";
import type { AttachedProgram } from "./kernel_access.ts";
import type { HookPlan, Rejection } from "./object_loader.ts";

export interface HookUse {
  readonly hook: string;
  /** Attached while a route asks for it; hooks of the time plane always are. */
  readonly plane: Plane;
  readonly providers: readonly string[];
  /** Provider to the programs that see the rest of what it alone does not. */
  readonly companions?: Readonly<Record<string, readonly string[]>>;
  /** Index of its call counter in the kernel's books. */
  readonly row: number;
  readonly blindFor: string;
  /** Without it there is nothing to report. */
  readonly isEssential: boolean;
}

export const TASK_ITERATOR_HOOK: HookUse = {
  hook: "task_iterator",
  plane: "time",
  providers: ["task_iterator"],
  row: PT_HOOK.TASK_ITERATOR,
  blindFor: "threads that existed before the look began",
  isEssential: true,
};

/** Reads what the kernel counts of sockets, and takes in those that are there before us. */
export const SOCKET_ITERATOR_HOOK: HookUse = {
  hook: "socket_iterator",
  plane: "sockets",
  providers: ["socket_iterator"],
  row: PT_HOOK.SOCKET_ITERATOR,
  blindFor: "when sockets that were there before the look were opened, and how full listen queues are",
  isEssential: false,
};

/** What sockets do; `socket_state` of the time plane tells of connections. */
const SOCKET_HOOKS: readonly HookUse[] = [
  {
    hook: "socket_send",
    plane: "sockets",
    // The tracepoint came with 6.3. Before it sock_sendmsg() is inlined into its callers: one program per protocol.
    providers: ["sock_send_length", "inet_sendmsg"],
    companions: {
      inet_sendmsg: [
        "inet6_sendmsg",
        "unix_stream_sendmsg",
        "unix_dgram_sendmsg",
        "inet_sendpage",
        "unix_stream_sendpage",
      ],
    },
    row: PT_HOOK.SOCKET_SEND,
    blindFor: "what is sent, and the answers to it",
    isEssential: false,
  },
  {
    hook: "socket_receive",
    plane: "sockets",
    providers: ["sock_recv_length", "inet_recvmsg"],
    companions: { inet_recvmsg: ["inet6_recvmsg", "unix_stream_recvmsg", "unix_dgram_recvmsg"] },
    row: PT_HOOK.SOCKET_RECEIVE,
    blindFor: "what is received, and how long answers take",
    isEssential: false,
  },
  {
    hook: "socket_destroy",
    plane: "sockets",
    providers: ["tcp_destroy_sock"],
    row: PT_HOOK.SOCKET_DESTROY,
    blindFor: "connections that end",
    isEssential: false,
  },
  {
    hook: "tcp_retransmit",
    plane: "sockets",
    providers: ["tcp_retransmit_skb"],
    row: PT_HOOK.TCP_RETRANSMIT,
    blindFor: "retransmits",
    isEssential: false,
  },
  {
    hook: "tcp_receive_reset",
    plane: "sockets",
    providers: ["tcp_receive_reset"],
    row: PT_HOOK.TCP_RECEIVE_RESET,
    blindFor: "connections that the other side resets",
    isEssential: false,
  },
  {
    hook: "tcp_send_reset",
    plane: "sockets",
    providers: ["tcp_send_reset"],
    row: PT_HOOK.TCP_SEND_RESET,
    blindFor: "connections that our side resets",
    isEssential: false,
  },
  SOCKET_ITERATOR_HOOK,
];

/** In load order: the first refusal is found by the first program without a log. */
export const HOOKS: readonly HookUse[] = [
  {
    hook: "sched_switch",
    plane: "time",
    // The second for kernels before 5.18, whose tracepoint does not carry the previous state.
    providers: ["sched_switch", "sched_switch_by_task_state"],
    row: PT_HOOK.SCHED_SWITCH,
    blindFor: "all time of all threads",
    isEssential: true,
  },
  {
    hook: "sched_waking",
    plane: "time",
    providers: ["sched_waking"],
    row: PT_HOOK.SCHED_WAKING,
    blindFor: "who woke whom, and the holders of locks",
    isEssential: false,
  },
  {
    hook: "sched_wakeup",
    plane: "time",
    providers: ["sched_wakeup"],
    row: PT_HOOK.SCHED_WAKEUP,
    blindFor: "waiting for a CPU after a wait: it counts as part of the wait",
    isEssential: false,
  },
  {
    hook: "process_fork",
    plane: "time",
    providers: ["sched_process_fork"],
    row: PT_HOOK.PROCESS_FORK,
    blindFor: "children and threads that start during the look",
    isEssential: false,
  },
  {
    hook: "process_exec",
    plane: "time",
    providers: ["sched_process_exec"],
    row: PT_HOOK.PROCESS_EXEC,
    blindFor: "programs started during the look",
    isEssential: false,
  },
  {
    hook: "socket_state",
    plane: "time",
    providers: ["inet_sock_set_state"],
    row: PT_HOOK.SOCKET_STATE,
    blindFor: "ports that start listening during the look: their idle waits show as waits for the client",
    isEssential: false,
  },
  {
    hook: "page_fault",
    plane: "time",
    // The second for kernels before 6.12: it does not see a page that somebody else is reading already.
    providers: ["mm_filemap_fault", "mm_filemap_add_to_page_cache"],
    row: PT_HOOK.PAGE_FAULT,
    blindFor: "which file a page fault reads from",
    isEssential: false,
  },
  {
    hook: "cpu_sample",
    plane: "profile",
    providers: ["cpu_sample"],
    row: PT_HOOK.CPU_SAMPLE,
    blindFor: "what threads compute",
    isEssential: false,
  },
  TASK_ITERATOR_HOOK,
  ...SOCKET_HOOKS,
  {
    hook: "oom_kill",
    plane: "memory",
    providers: ["mark_victim"],
    row: PT_HOOK.OOM_KILL,
    blindFor: "what a process held when it was killed for want of memory",
    isEssential: false,
  },
  {
    hook: "file_call_enter",
    plane: "files",
    providers: ["file_call_enter"],
    row: PT_HOOK.FILE_CALL_ENTER,
    blindFor:
      "operations on files, but for those that wait for a disk; connects refused before anything was sent, and " +
      "those of unix sockets",
    isEssential: false,
  },
  {
    hook: "file_call_exit",
    plane: "files",
    providers: ["file_call_exit"],
    row: PT_HOOK.FILE_CALL_EXIT,
    blindFor:
      "operations on files, but for those that wait for a disk; connects refused before anything was sent, and " +
      "those of unix sockets",
    isEssential: false,
  },
];

/** Yields how `hooks` come up: all are loaded, those of the time plane attached. */
export function toHookPlans(hooks: readonly HookUse[]): readonly HookPlan[] {
  return hooks.map(({ hook, providers, companions = {}, plane }) => ({
    hook,
    providers,
    companions,
    isAttached: plane === "time",
  }));
}

/** Yields the hooks to attach and to detach so that those of `planes` are in force, and no others. */
export function planHookChange(
  hooks: readonly HookUse[],
  change: { readonly planes: ReadonlySet<Plane>; readonly attached: ReadonlySet<string> },
): { readonly attach: readonly string[]; readonly detach: readonly string[] } {
  const onDemand = hooks.filter(({ plane }) => plane !== "time");
  const isWanted = ({ plane }: HookUse) => change.planes.has(plane);
  return {
    attach: onDemand.filter((use) => isWanted(use) && !change.attached.has(use.hook)).map(({ hook }) => hook),
    detach: onDemand.filter((use) => !isWanted(use) && change.attached.has(use.hook)).map(({ hook }) => hook),
  };
}

/** Yields what became of each hook, with one line per provider that was refused. */
export function toHookStatuses(
  hooks: readonly HookUse[],
  found: {
    readonly providers: ReadonlyMap<string, string>;
    readonly rejected: readonly Rejection[];
    /** Hooks that are attached, or were. */
    readonly everAttached: ReadonlySet<string>;
    /** What was asked for at any time. */
    readonly planes: ReadonlySet<Plane>;
    /** How long each hook of a plane that comes and goes was attached. */
    readonly attachedMs: ReadonlyMap<string, number>;
  },
): readonly HookStatus[] {
  return hooks.map(({ hook, blindFor, plane }) => {
    const isAskedFor = plane === "time" || found.planes.has(plane);
    const provider = found.everAttached.has(hook) ? found.providers.get(hook) : undefined;
    const refused = found.rejected
      .filter((rejection) => rejection.hook === hook)
      .map(({ program, stage, errnoName, summary }) => `${program}: ${stage} refused (${errnoName}): ${summary}`);
    const blind = isAskedFor ? blindFor : NOT_ASKED_FOR;
    const attachedMs = found.attachedMs.get(hook);
    const status = { hook, provider, refused, blindFor: provider === undefined ? blind : "", plane, isAskedFor };
    return attachedMs === undefined ? status : { ...status, attachedMs };
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
    plane: "time",
    isAskedFor: true,
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
