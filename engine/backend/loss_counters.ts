/**
 * The kernel's books: one copy per CPU, summed here.
 *
 * @module
 */

import { PT_BOOKS, PT_DEPARTED, PT_DROP_REASON, PT_HOOK, PT_KIND, PT_LEDGER } from "../../bpf/generated/layout.ts";
import { CATEGORIES, type Category, type KernelDropReason } from "../api/measurements.ts";
import type { BackendCounters } from "../api/tracer_backend.ts";
import { HOOKS } from "./hooks.ts";

const REASONS: readonly (readonly [KernelDropReason, number])[] = [
  ["ring_full", PT_DROP_REASON.RING_FULL],
  ["map_full", PT_DROP_REASON.MAP_FULL],
  ["key_overflow", PT_DROP_REASON.KEY_OVERFLOW],
];

/** Subjects a program looks at per call: those a missed call did not see. */
const SUBJECTS_PER_CALL: readonly { readonly hook: string; readonly category: Category; readonly count: number }[] = [
  { hook: "sched_switch", category: "scheduling", count: 2 },
  { hook: "sched_waking", category: "scheduling", count: 1 },
  { hook: "sched_wakeup", category: "scheduling", count: 1 },
  { hook: "process_fork", category: "lifecycle", count: 1 },
  { hook: "process_exec", category: "lifecycle", count: 1 },
  { hook: "socket_state", category: "listeners", count: 1 },
  { hook: "socket_state", category: "connections", count: 1 },
  { hook: "socket_destroy", category: "connections", count: 1 },
  { hook: "tcp_retransmit", category: "connections", count: 1 },
  { hook: "tcp_receive_reset", category: "connections", count: 1 },
  { hook: "tcp_send_reset", category: "connections", count: 1 },
  { hook: "socket_send", category: "transfers", count: 1 },
  { hook: "socket_receive", category: "transfers", count: 1 },
  { hook: "oom_kill", category: "memory", count: 1 },
  { hook: "file_call_exit", category: "files", count: 1 },
  { hook: "cpu_sample", category: "samples", count: 1 },
];

export interface SummedBooks {
  readonly ledger: BackendCounters["ledger"];
  /** By `pt_hook`. */
  readonly calls: readonly number[];
  readonly departed: BackendCounters["departed"];
}

/**
 * Sums `books`, the per-CPU copies one after the other.
 *
 * @param options.recursionMisses per hook: calls the kernel left out because the program was running already
 */
export function sumBooks(
  books: Uint8Array<ArrayBuffer> | undefined,
  options: { readonly recursionMisses: ReadonlyMap<string, number> },
): SummedBooks {
  const read = sumWords(books ?? new Uint8Array(PT_BOOKS.sizeBytes));
  const rowOf = new Map(HOOKS.map(({ hook, row }) => [hook, row]));
  const bystanders = (hook: string): number => read(PT_BOOKS.offsets.bystanders + (rowOf.get(hook) ?? 0) * 8);
  const ledger = CATEGORIES.map((category, row) => {
    const base = PT_BOOKS.offsets.ledger + row * PT_LEDGER.sizeBytes;
    const missed = subjectsOf(category, (hook) => options.recursionMisses.get(hook) ?? 0);
    // Calls that ended at the first look: counted once, they are both.
    const passed = subjectsOf(category, bystanders);
    const dropped: Record<string, number> = {};
    for (const [reason, index] of REASONS) {
      const count = read(base + PT_LEDGER.offsets.dropped + index * 8);
      if (count > 0) dropped[reason] = count;
    }
    if (missed > 0) dropped["recursion"] = missed;
    return [category, {
      seen: read(base + PT_LEDGER.offsets.seen) + missed + passed,
      filtered: read(base + PT_LEDGER.offsets.filtered) + passed,
      aggregated: read(base + PT_LEDGER.offsets.aggregated),
      delivered: read(base + PT_LEDGER.offsets.delivered),
      dropped,
    }] as const;
  });
  return {
    // Object.fromEntries widens the keys; CATEGORIES has every one.
    ledger: Object.fromEntries(ledger) as BackendCounters["ledger"],
    calls: Array.from(
      { length: PT_HOOK.COUNT },
      (_, hook) => read(PT_BOOKS.offsets.calls + hook * 8) + read(PT_BOOKS.offsets.bystanders + hook * 8),
    ),
    departed: readDeparted((offset) => read(PT_BOOKS.offsets.departed + offset)),
  };
}

/** Where a kind of record is counted; all others are what sockets tell. */
const CATEGORY_OF_KIND: ReadonlyMap<number, Category> = new Map<number, Category>([
  [PT_KIND.WAIT, "slowWaits"],
  [PT_KIND.NAME, "names"],
  [PT_KIND.FORK, "lifecycle"],
  [PT_KIND.EXEC, "lifecycle"],
  [PT_KIND.EXIT, "lifecycle"],
  [PT_KIND.OOM_KILL, "memory"],
  [PT_KIND.FILE, "slowFiles"],
]);

/** Yields `ledger` with the records that a recording had no room for: they were read once, and cannot be read again. */
export function withMissing(
  ledger: BackendCounters["ledger"],
  missing: ReadonlyMap<number, number> = new Map(),
): BackendCounters["ledger"] {
  if (missing.size === 0) return ledger;
  const counts = new Map<Category, number>();
  for (const [kind, count] of missing) {
    const category = CATEGORY_OF_KIND.get(kind) ?? "socketEvents";
    counts.set(category, (counts.get(category) ?? 0) + count);
  }
  const entries = CATEGORIES.map((category) => {
    const { delivered, dropped, ...rest } = ledger[category];
    const count = counts.get(category) ?? 0;
    if (count === 0) return [category, ledger[category]] as const;
    return [category, { ...rest, delivered: delivered - count, dropped: { ...dropped, not_recorded: count } }] as const;
  });
  // Object.fromEntries widens the keys; CATEGORIES has every one.
  return Object.fromEntries(entries) as BackendCounters["ledger"];
}

/** Yields `ledger` with the listening ports that user space found no room for: each a hit that was dropped. */
export function withUnlearned(ledger: BackendCounters["ledger"], portCount: number): BackendCounters["ledger"] {
  if (portCount === 0) return ledger;
  const { seen, dropped, ...rest } = ledger.listeners;
  const mapFullCount = (dropped.map_full ?? 0) + portCount;
  return {
    ...ledger,
    listeners: { ...rest, seen: seen + portCount, dropped: { ...dropped, map_full: mapFullCount } },
  };
}

/** Yields how many of `category` the calls would have looked at. */
function subjectsOf(category: Category, callsOf: (hook: string) => number): number {
  let total = 0;
  for (const subject of SUBJECTS_PER_CALL) {
    if (subject.category === category) total += subject.count * callsOf(subject.hook);
  }
  return total;
}

function readDeparted(read: (offset: number) => number): BackendCounters["departed"] {
  const { offsets } = PT_DEPARTED;
  return {
    threadCount: read(offsets.threadCount),
    lifetimeMs: read(offsets.lifetimeNs) / 1e6,
    onCpuMs: read(offsets.onCpuNs) / 1e6,
    runnableMs: read(offsets.runnableNs) / 1e6,
    throttledMs: read(offsets.throttledNs) / 1e6,
    blockedMs: read(offsets.blockedNs) / 1e6,
  };
}

/** Counters stay below 2^53 for 285 years at a million a second: a number holds them. */
function sumWords(books: Uint8Array<ArrayBuffer>): (offsetBytes: number) => number {
  const view = new DataView(books.buffer, books.byteOffset, books.byteLength);
  return (offsetBytes) => {
    let sum = 0n;
    for (let base = 0; base + PT_BOOKS.sizeBytes <= books.byteLength; base += PT_BOOKS.sizeBytes) {
      sum += view.getBigUint64(base + offsetBytes, true);
    }
    return Number(sum);
  };
}
