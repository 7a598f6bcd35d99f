/**
 * The loss ledger of one route, and the verdicts that follow from it. Pure.
 *
 * @module
 */

import {
  CATEGORIES,
  type Category,
  type CategoryLedger,
  type Completeness,
  type HookStatus,
  type LossSpan,
} from "../api/measurements.ts";
import type { RouteStats } from "../api/stats.ts";
import type { BackendCounters } from "../api/tracer_backend.ts";

/** Categories whose hits leave the kernel as records, so that user space counts them too. */
export type RecordCategory = "slowWaits" | "names" | "lifecycle" | "socketEvents" | "memory" | "slowFiles";

/** What happened to the records of one category on this side of the ring. */
export interface ReadCounts {
  /** All that were read, whoever they were for. */
  readonly readCount: number;
  /** Of those, how many this route did not ask for and nobody else here uses. */
  readonly filteredCount: number;
  /** Lost between reading and the route's exporter, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
}

/** Categories whose rows user space keeps when the kernel cannot, and may have to make nameless. */
export type NamelessCategory = "waits" | "chains" | "files" | "samples" | "connections" | "listeners";

export interface LossInput {
  readonly kernel: BackendCounters["ledger"];
  readonly read: Readonly<Record<RecordCategory, ReadCounts>>;
  /** What had to give up in user space what it was about. */
  readonly nameless: Readonly<Record<NamelessCategory, number>>;
}

export const NOTHING_DROPPED: RouteStats["droppedCount"] = { queue_full: 0, export_failed: 0, shutdown: 0 };

/**
 * Yields seen = filtered + aggregated + delivered + Σ dropped + residual for
 * every category, kernel and user side together: `seen` is the kernel's, and a
 * record it submitted that was never read is residual.
 */
export function toCategoryLedgers(input: LossInput): Record<Category, CategoryLedger> {
  const { kernel, read } = input;
  return {
    scheduling: balance(kernel.scheduling),
    waits: balance(nameless(kernel.waits, input.nameless.waits)),
    chains: balance(nameless(kernel.chains, input.nameless.chains)),
    slowWaits: balance(delivered(kernel.slowWaits, read.slowWaits)),
    names: balance(delivered(kernel.names, read.names)),
    lifecycle: balance(delivered(kernel.lifecycle, read.lifecycle)),
    listeners: balance(nameless(kernel.listeners, input.nameless.listeners)),
    connections: balance(nameless(kernel.connections, input.nameless.connections)),
    transfers: balance(kernel.transfers),
    socketEvents: balance(delivered(kernel.socketEvents, read.socketEvents)),
    memory: balance(delivered(kernel.memory, read.memory)),
    files: balance(nameless(kernel.files, input.nameless.files)),
    slowFiles: balance(delivered(kernel.slowFiles, read.slowFiles)),
    samples: balance(nameless(kernel.samples, input.nameless.samples)),
    connectCalls: balance(kernel.connectCalls),
  };
}

/** Hits one CPU may be in the middle of booking: a program, and those that interrupts put on top of it. */
const UNBOOKED_PER_CPU_MAX = 4;

/**
 * As `toCategoryLedgers`, of books that are still being written. Records on
 * their way to us count as delivered, and a hit counts as seen once it has its
 * outcome; only what neither explains is residual.
 *
 * @param input `read` taken before `kernel` was
 */
export function toRunningLedgers(
  input: LossInput,
  options: { readonly cpuCount: number },
): Record<Category, CategoryLedger> {
  const { kernel, read } = input;
  const arrived = Object.entries(read).map(([category, counts]) => {
    // Object.entries widens the keys; `read` has only those of RecordCategory.
    const submittedCount = kernel[category as RecordCategory].delivered;
    return [category, { ...counts, readCount: Math.max(counts.readCount, submittedCount) }];
  });
  const ledgers = toCategoryLedgers({ ...input, read: Object.fromEntries(arrived) as LossInput["read"] });
  for (const category of CATEGORIES) {
    const ledger = ledgers[category];
    if (Math.abs(ledger.residual) > UNBOOKED_PER_CPU_MAX * options.cpuCount) continue;
    ledgers[category] = { ...ledger, seen: ledger.seen - ledger.residual, residual: 0 };
  }
  return ledgers;
}

type Unbalanced = Omit<CategoryLedger, "residual">;

/** What was read, not what was submitted, is what was delivered. */
function delivered(kernel: Unbalanced, read: ReadCounts): Unbalanced {
  return {
    ...kernel,
    filtered: kernel.filtered + read.filteredCount,
    delivered: read.readCount - read.filteredCount - sumCounts(read.dropped),
    dropped: addCounts(kernel.dropped, read.dropped),
  };
}

/** What these counted was kept under their class: the outcome the kernel calls key overflow. */
function nameless(kernel: Unbalanced, namelessCount: number): Unbalanced {
  return {
    ...kernel,
    aggregated: kernel.aggregated - namelessCount,
    dropped: addCounts(kernel.dropped, { key_overflow: namelessCount }),
  };
}

function balance(ledger: Unbalanced): CategoryLedger {
  const explained = ledger.filtered + ledger.aggregated + ledger.delivered + sumCounts(ledger.dropped);
  return { ...ledger, dropped: addCounts(ledger.dropped, {}), residual: ledger.seen - explained };
}

/** Yields both sets of counts as one, without those that are 0. */
function addCounts(
  left: Readonly<Record<string, number>>,
  right: Readonly<Record<string, number>>,
): Record<string, number> {
  const total: Record<string, number> = {};
  for (const [reason, count] of [...Object.entries(left), ...Object.entries(right)]) {
    if (count !== 0) total[reason] = (total[reason] ?? 0) + count;
  }
  return total;
}

/** Yields the sum over all reasons. */
export function sumCounts(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

/** What nobody sees when a hook found no provider; names as in `pt_hook`. */
const CATEGORIES_OF_HOOK: ReadonlyMap<string, readonly Category[]> = new Map<string, readonly Category[]>([
  ["sched_switch", ["scheduling", "waits", "chains", "slowWaits", "names", "lifecycle"]],
  ["system_calls", ["waits", "chains", "slowWaits", "names"]],
  ["sched_waking", ["scheduling", "chains"]],
  ["sched_wakeup", ["scheduling"]],
  ["process_fork", ["lifecycle"]],
  ["process_exec", ["lifecycle"]],
  ["socket_state", ["listeners", "connections"]],
  ["socket_destroy", ["connections"]],
  ["socket_send", ["transfers", "socketEvents"]],
  ["socket_receive", ["transfers", "socketEvents"]],
  ["tcp_retransmit", ["connections"]],
  ["tcp_receive_reset", ["connections"]],
  ["tcp_send_reset", ["connections"]],
  ["socket_iterator", ["connections"]],
  ["task_iterator", ["scheduling"]],
  ["oom_kill", ["memory"]],
  ["file_call_enter", ["files", "slowFiles", "connectCalls"]],
  ["file_call_exit", ["files", "slowFiles", "connectCalls"]],
  ["cpu_sample", ["samples"]],
]);

/** What a verdict depends on beside the ledger. */
export interface CompletenessInput {
  readonly hooks: readonly HookStatus[];
  /** How long the look has lasted. */
  readonly windowMs: number;
  /** When losses of the category fell; `undefined`: not known. */
  readonly spanOf: (category: Category) => LossSpan | undefined;
  /** Processes and OOM kills that have rows of their own, and those that have none for lack of room. */
  readonly memoryRows?: { readonly keptCount: number; readonly processCount: number; readonly oomKillCount: number };
  /** How much of the look there is, and why not all of it. */
  readonly endedEarly?: BackendCounters["endedEarly"] | undefined;
}

/** Yields how complete each category is: blind before partial before complete; what ended early is at best partial. */
export function toCompleteness(
  ledgers: Readonly<Record<Category, CategoryLedger>>,
  input: CompletenessInput,
): Record<Category, Completeness> {
  const { endedEarly } = input;
  const verdicts = CATEGORIES.map((category) => {
    const ofHooks = toVerdict(category, ledgers[category], input);
    const verdict = category === "memory" ? withMissingRows(ofHooks, input.memoryRows) : ofHooks;
    if (endedEarly === undefined || verdict.verdict === "blind") return [category, verdict];
    return [category, { verdict: "partial", ...endedEarly }];
  });
  // Object.fromEntries widens the keys; CATEGORIES has every one.
  return Object.fromEntries(verdicts) as Record<Category, Completeness>;
}

/** What has no row of its own is missing, though its record was read. */
function withMissingRows(verdict: Completeness, rows: CompletenessInput["memoryRows"]): Completeness {
  if (rows === undefined || verdict.verdict === "blind") return verdict;
  const { keptCount, processCount, oomKillCount } = rows;
  const missingCount = processCount + oomKillCount;
  if (missingCount === 0) return verdict;
  const parts = [[processCount, "processes"], [oomKillCount, "OOM kills"]] as const;
  const missing = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`).join(", ");
  const reason = `no room for rows of ${missing}`;
  const percent = toPercentBelow(keptCount, keptCount + missingCount);
  if (verdict.verdict === "complete") return { verdict: "partial", percent, reason };
  return { ...verdict, percent: Math.min(percent, verdict.percent), reason: `${verdict.reason}; ${reason}` };
}

function toVerdict(category: Category, ledger: CategoryLedger, input: CompletenessInput): Completeness {
  const reasons = input.hooks
    .filter((hook) => hook.provider === undefined && hook.blindFor !== "")
    .filter((hook) => CATEGORIES_OF_HOOK.get(hook.hook)?.includes(category) === true)
    .map((hook) => hook.blindFor);
  if (reasons.length > 0) return { verdict: "blind", reason: [...new Set(reasons)].join("; ") };

  const lost = toLosses(ledger);
  if (lost.length === 0) return toAttachedVerdict(category, input);
  const lostCount = lost.reduce((total, loss) => total + loss.count, 0);
  const wantedCount = Math.max(ledger.seen - ledger.filtered, lostCount);
  const reason = lost.map((loss) => `${loss.count} ${loss.reason}`).join(", ");
  const span = input.spanOf(category);
  return {
    verdict: "partial",
    percent: toPercentBelow(wantedCount - lostCount, wantedCount),
    reason: `lost ${lostCount} of ${wantedCount}: ${reason}`,
    ...(span === undefined ? {} : { span }),
  };
}

/** The window's end and the hooks' are read one after the other. */
const ATTACHED_SLACK_MS = 1;

/** Nothing was lost while its hooks were attached; that may have been a part of the window. */
function toAttachedVerdict(category: Category, { hooks, windowMs }: CompletenessInput): Completeness {
  const attachedMs = hooks
    .filter((hook) => CATEGORIES_OF_HOOK.get(hook.hook)?.includes(category) === true)
    .reduce((least, hook) => Math.min(least, hook.attachedMs ?? windowMs), windowMs);
  if (attachedMs >= windowMs - ATTACHED_SLACK_MS) return { verdict: "complete" };
  return {
    verdict: "partial",
    percent: toPercentBelow(attachedMs, windowMs),
    reason: `asked for during ${(attachedMs / 1000).toFixed(1)} of ${(windowMs / 1000).toFixed(1)} s`,
  };
}

/** The drops by reason, most first, and the residual, which is a loss whichever way it points. */
function toLosses(ledger: CategoryLedger): { reason: string; count: number }[] {
  const losses = Object.entries(ledger.dropped).map(([reason, count]) => ({ reason, count }));
  if (ledger.residual !== 0) losses.push({ reason: "unaccounted", count: Math.abs(ledger.residual) });
  return losses.sort((left, right) => right.count - left.count || left.reason.localeCompare(right.reason));
}

/** Two decimals, cut rather than rounded: what is partial never reads as 100. */
function toPercentBelow(part: number, whole: number): number {
  return Math.floor((part / whole) * 10_000) / 100;
}
