/**
 * What the holders of locks did while others waited for them. Pure.
 *
 * @module
 */

import type { ChainRow, ObjectKey, ThreadAccount } from "../api/tracer_backend.ts";
import { toOpenMs } from "./wait_rows.ts";
import { NO_SYSTEM_CALL, OBJECT_KINDS, toObjectText } from "./wait_objects.ts";

const NO_OBJECT: ObjectKey = { kind: 0, port: 0, highLow: 0, highHigh: 0, lowLow: 0, lowHigh: 0 };

/**
 * Yields `rows` with the time in which a "holder" itself waited for the very
 * lock given to those who held it meanwhile, in proportion to what is known of
 * them: a waiter is woken by whoever unlocks, and that one may have queued for the
 * lock itself most of the time. Where nobody else is known the rows stay.
 */
export function withoutQueueing(rows: readonly ChainRow[]): ChainRow[] {
  const locks = new Map<string, ChainRow[]>();
  for (const row of rows) {
    const text = `${row.targetSlot}/${row.processId}/${row.lockAddressHigh}/${row.lockAddressLow}`;
    const present = locks.get(text);
    if (present === undefined) locks.set(text, [row]);
    else present.push(row);
  }
  return [...locks.values()].flatMap((rowsOfLock) => {
    const holding = rowsOfLock.filter((row) => !isQueueing(row));
    const heldMs = holding.reduce((sum, row) => sum + row.totalMs, 0);
    if (holding.length === rowsOfLock.length || heldMs === 0) return rowsOfLock;
    const totalMs = rowsOfLock.reduce((sum, row) => sum + row.totalMs, 0);
    return holding.map((row) => ({ ...row, totalMs: row.totalMs * totalMs / heldMs }));
  });
}

/** The holder was blocked on the lock it is said to have held. */
function isQueueing(row: ChainRow): boolean {
  return row.object.kind === OBJECT_KINDS.lock && row.object.lowLow === row.lockAddressLow &&
    row.object.lowHigh === row.lockAddressHigh;
}

/**
 * Yields `rows` together with the lock waits that were still going on when the
 * window closed: those are in no row yet, and in a deadlock there are no others.
 *
 * @param accounts every live thread at the window's end
 */
export function withOpenChains(rows: readonly ChainRow[], accounts: readonly ThreadAccount[]): ChainRow[] {
  const chains = new Map<string, ChainRow>();
  for (const row of rows) addChain(chains, row);
  const waiters = accounts.filter((account) => (account.openWait?.lockOwnerThreadId ?? 0) !== 0);
  if (waiters.length === 0) return [...chains.values()];
  const threads = new Map<string, ThreadAccount>();
  for (const account of accounts) threads.set(toThreadText(account.processId, account.namespaceThreadId), account);
  for (const account of waiters) {
    const ownerThreadId = account.openWait?.lockOwnerThreadId ?? 0;
    const holder = threads.get(toThreadText(account.processId, ownerThreadId));
    const chain = holder === undefined ? undefined : toOpenChain(account, holder);
    if (chain !== undefined) addChain(chains, chain);
  }
  return [...chains.values()];
}

/** The lock word names its owner by the id its own namespace knows; a lock shared between processes stays unnamed. */
function toThreadText(processId: number, namespaceThreadId: number): string {
  return `${processId}/${namespaceThreadId}`;
}

/** The waiter's open wait, as far as the holder's own open wait explains it. */
function toOpenChain(waiter: ThreadAccount, holder: ThreadAccount): ChainRow | undefined {
  const lock = waiter.openWait?.key.object;
  if (lock?.kind !== OBJECT_KINDS.lock) return undefined;
  const waitMs = toOpenMs(waiter);
  const held = holder.openWait;
  return {
    processId: waiter.processId,
    targetSlot: waiter.targetSlot,
    holderThreadId: holder.threadId,
    holderProcessId: holder.processId,
    holderCommand: holder.command,
    waitClass: held?.key.waitClass ?? 0,
    systemCall: held?.key.systemCall ?? NO_SYSTEM_CALL,
    lockAddressLow: lock.lowLow,
    lockAddressHigh: lock.lowHigh,
    object: held?.key.object ?? NO_OBJECT,
    count: 1,
    totalMs: held === undefined ? waitMs : Math.min(waitMs, toOpenMs(holder)),
  };
}

/** Yields a map key of `row`. */
export function toChainText(row: ChainRow): string {
  return `${row.targetSlot}/${row.processId}/${row.holderThreadId}/${row.waitClass}/${row.systemCall}/` +
    `${row.lockAddressHigh}/${row.lockAddressLow}/${toObjectText(row.object)}`;
}

function addChain(chains: Map<string, ChainRow>, row: ChainRow): void {
  const text = toChainText(row);
  const present = chains.get(text);
  if (present === undefined) chains.set(text, row);
  else chains.set(text, { ...present, count: present.count + row.count, totalMs: present.totalMs + row.totalMs });
}
