/**
 * Where each thread's time went, for threads that live and those that ended.
 *
 * @module
 */

import { EXITED_THREADS_MAX } from "../api/limits.ts";
import type { DepartedThreads, ThreadLedger } from "../api/measurements.ts";
import { sanitizeText } from "../api/text.ts";
import type { BackendCounters, ThreadAccount } from "../api/tracer_backend.ts";
import type { TargetId } from "../api/units.ts";

/** Yields the ledger of `account`; what its parts do not explain of its span is the residual. */
export function toThreadLedger(account: ThreadAccount, targetId: TargetId): ThreadLedger {
  const explainedMs = account.onCpuMs + account.runnableMs + account.throttledMs + account.blockedMs;
  return {
    targetId,
    processId: account.processId,
    threadId: account.threadId,
    command: sanitizeText(account.command),
    beginMs: account.beginMs,
    endMs: account.endMs,
    onCpuMs: account.onCpuMs,
    runnableMs: account.runnableMs,
    throttledMs: account.throttledMs,
    blockedMs: account.blockedMs,
    residualMs: account.endMs - account.beginMs - explainedMs,
    kernelOnCpuMs: account.kernelOnCpuMs,
    kernelRunDelayMs: account.kernelRunDelayMs,
    exited: account.exited,
  };
}

export const NO_DEPARTED: DepartedThreads = {
  threadCount: 0,
  lifetimeMs: 0,
  onCpuMs: 0,
  runnableMs: 0,
  throttledMs: 0,
  blockedMs: 0,
  residualMs: 0,
};

export function addDeparted(left: DepartedThreads, right: DepartedThreads): DepartedThreads {
  return {
    threadCount: left.threadCount + right.threadCount,
    lifetimeMs: left.lifetimeMs + right.lifetimeMs,
    onCpuMs: left.onCpuMs + right.onCpuMs,
    runnableMs: left.runnableMs + right.runnableMs,
    throttledMs: left.throttledMs + right.throttledMs,
    blockedMs: left.blockedMs + right.blockedMs,
    residualMs: left.residualMs + right.residualMs,
  };
}

/** Yields the kernel's totals of threads whose exit record found no room, with their residual. */
export function toDeparted(totals: BackendCounters["departed"]): DepartedThreads {
  const explainedMs = totals.onCpuMs + totals.runnableMs + totals.throttledMs + totals.blockedMs;
  return { ...totals, residualMs: totals.lifetimeMs - explainedMs };
}

/** Ledgers of ended threads, the oldest beyond `threadsMax` folded into one total per target. */
export class ExitedThreads {
  readonly #threadsMax: number;
  readonly #ledgers = new Map<number, ThreadLedger>();
  readonly #folded = new Map<TargetId, DepartedThreads>();
  #nextNumber = 0;

  constructor(options: { threadsMax?: number } = {}) {
    this.#threadsMax = options.threadsMax ?? EXITED_THREADS_MAX;
  }

  add(ledger: ThreadLedger): void {
    this.#ledgers.set(this.#nextNumber++, ledger);
    if (this.#ledgers.size <= this.#threadsMax) return;
    for (const [number, oldest] of this.#ledgers) {
      this.#ledgers.delete(number);
      const folded = this.#folded.get(oldest.targetId) ?? NO_DEPARTED;
      this.#folded.set(oldest.targetId, addDeparted(folded, ledgerTotals(oldest)));
      break;
    }
  }

  forgetTarget(targetId: TargetId): void {
    this.#folded.delete(targetId);
    for (const [number, ledger] of this.#ledgers) if (ledger.targetId === targetId) this.#ledgers.delete(number);
  }

  ledgers(): Iterable<ThreadLedger> {
    return this.#ledgers.values();
  }

  foldedOf(targetId: TargetId): DepartedThreads {
    return this.#folded.get(targetId) ?? NO_DEPARTED;
  }
}

function ledgerTotals(ledger: ThreadLedger): DepartedThreads {
  return {
    threadCount: 1,
    lifetimeMs: ledger.endMs - ledger.beginMs,
    onCpuMs: ledger.onCpuMs,
    runnableMs: ledger.runnableMs,
    throttledMs: ledger.throttledMs,
    blockedMs: ledger.blockedMs,
    residualMs: ledger.residualMs,
  };
}

/** Names one life of a thread: ids are used again. */
export function toLifeText(life: { readonly threadId: number; readonly beginMs: number }): string {
  return `${life.threadId}/${life.beginMs}`;
}

/** Yields the CPU time of all threads of a route's targets. */
export function targetCpuMs(threads: readonly ThreadLedger[], departed: DepartedThreads): number {
  return threads.reduce((total, ledger) => total + ledger.onCpuMs, departed.onCpuMs);
}
