/**
 * Where each thread's time went between two looks, as `--top` shows it. Pure.
 *
 * @module
 */

import type { Measurements, ThreadLedger, WaitClass } from "../api/measurements.ts";
import { describeObject, objectKey } from "./wait_object.ts";

/** What blocked time is told apart by on the screen. */
export const BLOCKED_GROUPS = ["net", "disk", "lock", "other", "idle"] as const;

/** One of them. */
export type BlockedGroup = (typeof BLOCKED_GROUPS)[number];

const GROUP_OF_CLASS: Readonly<Record<WaitClass, BlockedGroup>> = {
  network: "net",
  diskRead: "disk",
  diskWrite: "disk",
  pageFault: "disk",
  lock: "lock",
  pipe: "other",
  child: "other",
  other: "other",
  idle: "idle",
  sleep: "idle",
  parked: "idle",
  stopped: "idle",
};

/** One living thread; shares are of the time between the two looks, or of its life if that is shorter. */
export interface TopRow {
  /** As the host's pid namespace knows it. */
  readonly processId: number;
  /** As the host's pid namespace knows it. */
  readonly threadId: number;
  /** `comm`, sanitised. */
  readonly command: string;
  /** On a CPU, 0 to 1. */
  readonly onCpuShare: number;
  /** Waiting for a CPU or held back by a limit, 0 to 1. */
  readonly runnableShare: number;
  /** Blocked, by what, 0 to 1 each. */
  readonly blockedShares: Readonly<Record<BlockedGroup, number>>;
  /** What it waited for most, work or absence of it; `undefined`: nothing that has a name. */
  readonly topObject: string | undefined;
}

/** Totals of one thread's waits for one object so far. */
export interface ObjectTotal {
  /** What kind of wait. */
  readonly group: BlockedGroup;
  /** What it waited for. */
  readonly text: string;
  /** So far. */
  totalMs: number;
}

/** Totals of one thread so far. */
export interface ThreadTotals {
  /** Its account. */
  readonly ledger: ThreadLedger;
  /** Blocked time. */
  readonly byGroup: Record<BlockedGroup, number>;
  /** By class of wait and object. */
  readonly objects: Map<string, ObjectTotal>;
}

/** What one look leaves behind for the next one to be compared with. */
export interface TopTotals {
  /** Until when they count, monotonic. */
  readonly endMs: number;
  /** By thread and birth: ids are used again. */
  readonly threads: ReadonlyMap<string, ThreadTotals>;
}

/** Yields the totals of every living thread. */
export function toTopTotals(measurements: Pick<Measurements, "threads" | "waits" | "window">): TopTotals {
  const threads = new Map<string, ThreadTotals>();
  const byThreadId = new Map<number, ThreadTotals>();
  for (const ledger of measurements.threads) {
    if (ledger.exited) continue;
    const totals: ThreadTotals = { ledger, byGroup: noShares(), objects: new Map() };
    threads.set(`${ledger.threadId} ${ledger.beginMs}`, totals);
    byThreadId.set(ledger.threadId, totals);
  }
  for (const { threadId, waitClass, object, totalMs } of measurements.waits) {
    const totals = byThreadId.get(threadId);
    if (totals === undefined) continue;
    const group = GROUP_OF_CLASS[waitClass];
    totals.byGroup[group] += totalMs;
    if (object.kind === "none") continue;
    const key = `${waitClass} ${objectKey(object)}`;
    const known = totals.objects.get(key);
    if (known === undefined) totals.objects.set(key, { group, text: describeObject(object), totalMs });
    else known.totalMs += totalMs;
  }
  return { endMs: measurements.window.endMs, threads };
}

/**
 * Yields one row per thread that lives at `now`, in no order.
 *
 * @param before the look before; `undefined`: there was none, so the whole window counts
 */
export function toTopRows(now: TopTotals, before: TopTotals | undefined): readonly TopRow[] {
  return Array.from(
    now.threads,
    ([life, totals]) => toRow(totals, { before: before?.threads.get(life), now, last: before }),
  );
}

function toRow(
  totals: ThreadTotals,
  { before, now, last }: { before: ThreadTotals | undefined; now: TopTotals; last: TopTotals | undefined },
): TopRow {
  const { ledger } = totals;
  const beginMs = Math.max(ledger.beginMs, last?.endMs ?? ledger.beginMs);
  const spanMs = now.endMs - beginMs;
  // Totals read a little earlier than the instant they speak for may fall back by as much.
  const share = (nowMs: number, beforeMs = 0) => spanMs > 0 ? Math.min(1, Math.max(0, nowMs - beforeMs) / spanMs) : 0;
  const blockedShares = noShares();
  for (const group of BLOCKED_GROUPS) blockedShares[group] = share(totals.byGroup[group], before?.byGroup[group]);
  const namedShare = BLOCKED_GROUPS.reduce((sum, group) => sum + blockedShares[group], 0);
  blockedShares.other += Math.max(0, share(ledger.blockedMs, before?.ledger.blockedMs) - namedShare);
  return {
    processId: ledger.processId,
    threadId: ledger.threadId,
    command: ledger.command,
    onCpuShare: share(ledger.onCpuMs, before?.ledger.onCpuMs),
    runnableShare: share(
      ledger.runnableMs + ledger.throttledMs,
      (before?.ledger.runnableMs ?? 0) + (before?.ledger.throttledMs ?? 0),
    ),
    blockedShares,
    topObject: topObjectOf(totals, before),
  };
}

/** The object with most of the new time; what a thread waits for in the absence of work only if there is nothing else. */
function topObjectOf(totals: ThreadTotals, before: ThreadTotals | undefined): string | undefined {
  let top: { text: string; isIdle: boolean; newMs: number } | undefined;
  for (const [key, { group, text, totalMs }] of totals.objects) {
    const newMs = totalMs - (before?.objects.get(key)?.totalMs ?? 0);
    if (newMs <= 0) continue;
    const isIdle = group === "idle";
    const isMore = top === undefined || (top.isIdle === isIdle ? newMs > top.newMs : top.isIdle);
    if (isMore) top = { text, isIdle, newMs };
  }
  return top?.text;
}

function noShares(): Record<BlockedGroup, number> {
  return { net: 0, disk: 0, lock: 0, other: 0, idle: 0 };
}

/** Running, wanting to, or held up by something: waits for a child or the other end of a pipe are its time, not ours. */
function busyShareOf({ onCpuShare, runnableShare, blockedShares }: TopRow): number {
  return onCpuShare + runnableShare + blockedShares.net + blockedShares.disk + blockedShares.lock;
}

/** Orders of the screen, and the key that asks for each. */
export const TOP_ORDERS = {
  busy: { key: "a", figure: busyShareOf },
  cpu: { key: "c", figure: (row: TopRow) => row.onCpuShare },
  run: { key: "r", figure: (row: TopRow) => row.runnableShare },
  net: { key: "n", figure: (row: TopRow) => row.blockedShares.net },
  disk: { key: "d", figure: (row: TopRow) => row.blockedShares.disk },
  lock: { key: "l", figure: (row: TopRow) => row.blockedShares.lock },
  other: { key: "o", figure: (row: TopRow) => row.blockedShares.other },
  idle: { key: "i", figure: (row: TopRow) => row.blockedShares.idle },
  pid: { key: "p", figure: (row: TopRow) => -row.processId },
} as const;

/** One of them. */
export type TopOrder = keyof typeof TOP_ORDERS;

/** Yields the rows, largest figure first, then by process and thread. */
export function sortTopRows(rows: readonly TopRow[], order: TopOrder): readonly TopRow[] {
  const { figure } = TOP_ORDERS[order];
  return [...rows].sort((first, second) =>
    figure(second) - figure(first) || first.processId - second.processId || first.threadId - second.threadId
  );
}
