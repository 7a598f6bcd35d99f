/**
 * Rows of the wait table as plain data: read, merged, and kept after their
 * threads ended.
 *
 * @module
 */

import { RETIRED_ROWS_MAX } from "../api/limits.ts";
import { HISTOGRAM_BUCKET_COUNT } from "../api/measurements.ts";
import type { ObjectKey, ThreadAccount, WaitKey, WaitRowView } from "../api/tracer_backend.ts";
import { NO_SYSTEM_CALL, toObjectText } from "./wait_objects.ts";

export interface RowWaker {
  readonly threadId: number;
  readonly processId: number;
  readonly command: string; // not sanitised
}

/** All waits under one key; times on the monotonic clock. */
export interface WaitRow {
  readonly key: WaitKey;
  readonly count: number;
  readonly sleepCount: number;
  readonly totalMs: number;
  readonly maxMs: number;
  readonly maxEndMs: number;
  readonly waker: RowWaker | undefined;
  readonly buckets: readonly number[];
  readonly openMs: number;
}

const NO_OBJECT: ObjectKey = { kind: 0, port: 0, highLow: 0, highHigh: 0, lowLow: 0, lowHigh: 0 };

/** Copies a row out of its view. */
export function toWaitRow(view: WaitRowView): WaitRow {
  const buckets: number[] = [];
  for (let index = 0; index < HISTOGRAM_BUCKET_COUNT; index++) buckets.push(view.bucket(index));
  return {
    key: view.key(),
    count: view.count,
    sleepCount: view.sleepCount,
    totalMs: view.totalMs,
    maxMs: view.maxMs,
    maxEndMs: view.maxEndMs,
    waker: view.wakerThreadId === 0
      ? undefined
      : { threadId: view.wakerThreadId, processId: view.wakerProcessId, command: view.wakerCommand() },
    buckets,
    openMs: 0,
  };
}

/** Yields one row for two under the same key; the waker is that of the row with more time. */
export function mergeRows(left: WaitRow, right: WaitRow): WaitRow {
  const longer = right.maxMs > left.maxMs ? right : left;
  const heavier = right.totalMs > left.totalMs ? right : left;
  return {
    key: left.key,
    count: left.count + right.count,
    sleepCount: left.sleepCount + right.sleepCount,
    totalMs: left.totalMs + right.totalMs,
    maxMs: longer.maxMs,
    maxEndMs: longer.maxEndMs,
    waker: heavier.waker ?? left.waker ?? right.waker,
    buckets: left.buckets.map((count, index) => count + (right.buckets[index] ?? 0)),
    openMs: left.openMs + right.openMs,
  };
}

/**
 * Yields the row of the wait `account` was still in when the window closed, as
 * a wait that ended there; `undefined` when it was in none.
 */
function toOpenRow(account: ThreadAccount): WaitRow | undefined {
  const openWait = account.openWait;
  if (openWait === undefined) return undefined;
  const openMs = toOpenMs(account);
  const buckets = new Array<number>(HISTOGRAM_BUCKET_COUNT).fill(0);
  buckets[bucketOf(openMs)] = 1;
  return {
    key: openWait.key,
    count: 1,
    sleepCount: 1,
    totalMs: openMs,
    maxMs: openMs,
    maxEndMs: account.endMs,
    waker: undefined,
    buckets,
    openMs,
  };
}

/**
 * Adds the wait `account` was still in when the window closed. One that goes on
 * with a wait that is counted already makes that longer.
 */
export function addOpenRow(rows: Map<string, WaitRow>, account: ThreadAccount): void {
  const open = toOpenRow(account);
  if (open === undefined) return;
  const joinedMs = account.openWait?.joinedMs ?? 0;
  const counted = rows.get(toWaitKeyText(open.key))?.buckets[bucketOf(joinedMs)] ?? 0;
  if (joinedMs === 0 || counted === 0) return addRow(rows, open);
  const wholeMs = joinedMs + open.openMs;
  const buckets = new Array<number>(HISTOGRAM_BUCKET_COUNT).fill(0);
  buckets[bucketOf(joinedMs)] = -1;
  buckets[bucketOf(wholeMs)] = (buckets[bucketOf(wholeMs)] ?? 0) + 1;
  addRow(rows, { ...open, count: 0, maxMs: wholeMs, buckets });
}

/** The part of the open wait that lies in the account's own span. */
export function toOpenMs(account: ThreadAccount): number {
  if (account.openWait === undefined) return 0;
  return Math.max(0, account.endMs - Math.max(account.openWait.sinceMs, account.beginMs));
}

/** Bucket n holds [2^n, 2^(n+1)) microseconds; the first also shorter waits, the last also longer ones. */
export function bucketOf(durationMs: number): number {
  const microseconds = durationMs * 1000;
  if (!(microseconds >= 2)) return 0;
  return Math.min(Math.floor(Math.log2(microseconds)), HISTOGRAM_BUCKET_COUNT - 1);
}

/** Yields a map key of `key`. */
export function toWaitKeyText(key: WaitKey): string {
  return `${key.targetSlot}/${key.processId}/${key.threadId}/${key.waitClass}/${key.systemCall}/${key.stackId}/` +
    toObjectText(key.object);
}

/** Adds `row` to the row that is there under its key. */
export function addRow(rows: Map<string, WaitRow>, row: WaitRow): void {
  const text = toWaitKeyText(row.key);
  const present = rows.get(text);
  rows.set(text, present === undefined ? row : mergeRows(present, row));
}

/**
 * Rows of ended threads. When there are more than `rowsMax`, the oldest lose
 * their thread, then (as many again) their process, system call and object; the
 * time itself is never lost.
 */
export class RetiredRows {
  readonly #rowsMax: number;
  readonly #threads = new Map<string, WaitRow>();
  readonly #processes = new Map<string, WaitRow>();
  /** One per slot and class: bounded by what there is of those. */
  readonly #classes = new Map<string, WaitRow>();
  #namelessCount = 0;

  constructor(options: { rowsMax?: number } = {}) {
    this.#rowsMax = options.rowsMax ?? RETIRED_ROWS_MAX;
  }

  add(row: WaitRow): void {
    addRow(this.#threads, row);
    const folded = takeOldest(this.#threads, this.#rowsMax);
    if (folded === undefined) return;
    addRow(this.#processes, { ...folded, key: { ...folded.key, threadId: 0, stackId: -1 } });
    const nameless = takeOldest(this.#processes, this.#rowsMax);
    if (nameless === undefined) return;
    this.#namelessCount += nameless.count;
    addRow(this.#classes, { ...nameless, key: toNamelessKey(nameless.key) });
  }

  /** Gives rows another slot; those whose slot became `undefined` go, their target is gone. */
  moveSlots(moves: ReadonlyMap<number, number | undefined>): void {
    for (const rows of [this.#threads, this.#processes, this.#classes]) {
      const moved: WaitRow[] = [];
      for (const [text, row] of rows) {
        if (!moves.has(row.key.targetSlot)) continue;
        rows.delete(text);
        const targetSlot = moves.get(row.key.targetSlot);
        if (targetSlot !== undefined) moved.push({ ...row, key: { ...row.key, targetSlot } });
      }
      for (const row of moved) addRow(rows, row);
    }
  }

  *rows(): Generator<WaitRow> {
    yield* this.#threads.values();
    yield* this.#processes.values();
    yield* this.#classes.values();
  }

  /** Waits whose object and process are no longer known. */
  get namelessCount(): number {
    return this.#namelessCount;
  }
}

function toNamelessKey(key: WaitKey): WaitKey {
  return { ...key, processId: 0, systemCall: NO_SYSTEM_CALL, object: NO_OBJECT };
}

/** Takes out the row that has been there longest when there are more than `rowsMax`. */
function takeOldest(rows: Map<string, WaitRow>, rowsMax: number): WaitRow | undefined {
  if (rows.size <= rowsMax) return undefined;
  for (const [text, row] of rows) {
    rows.delete(text);
    return row;
  }
  return undefined;
}
