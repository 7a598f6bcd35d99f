/**
 * How long our programs run, without paying for it all the time.
 *
 * The kernel's run-time statistics cost 3 to 12 % of a busy server (measured
 * with redis), so they are on for a fraction of the window only: the mean of a
 * call from those samples times all calls, which the programs count themselves.
 *
 * @module
 */

import { ForeignCallError } from "../ffi/errors.ts";
import { ERRNO } from "../ffi/errno.ts";

/** One sample per period. */
const SAMPLE_PERIOD_MS = 10_000;

/** On for 2 % of the time. */
const SAMPLE_MS = 200;

/** What the sampler asks of the kernel. */
export interface RunTimeSource {
  /** Statistics are on until it is disposed. @throws {ForeignCallError} `EPERM` without CAP_SYS_ADMIN */
  enable(): Disposable;
  /** Per hook: totals since it was loaded. */
  read(): ReadonlyMap<string, RunTotals>;
}

export interface RunTotals {
  readonly runTimeNs: number;
  readonly runCount: number;
  readonly recursionMissCount: number;
}

/**
 * Yields what the kernel says of one program, as numbers. It counts misses from
 * 5.12 on; earlier it kept no program of ours from running (`__bpf_trace_run()`,
 * kernel/trace/bpf_trace.c), so there are none.
 */
export function toRunTotals(info: {
  readonly runTimeNs: bigint;
  readonly runCount: bigint;
  readonly recursionMissCount: bigint | undefined;
}): RunTotals {
  return {
    runTimeNs: Number(info.runTimeNs),
    runCount: Number(info.runCount),
    recursionMissCount: Number(info.recursionMissCount ?? 0n),
  };
}

/** Yields what the programs of one hook took together. */
export function addRunTotals(totals: readonly RunTotals[]): RunTotals {
  return totals.reduce((sum, one) => ({
    runTimeNs: sum.runTimeNs + one.runTimeNs,
    runCount: sum.runCount + one.runCount,
    recursionMissCount: sum.recursionMissCount + one.recursionMissCount,
  }), { runTimeNs: 0, runCount: 0, recursionMissCount: 0 });
}

/** Times a program was kept from running because it was running already, per hook. */
export function toRecursionMisses(totals: ReadonlyMap<string, RunTotals>): ReadonlyMap<string, number> {
  return new Map([...totals].map(([hook, { recursionMissCount }]) => [hook, recursionMissCount]));
}

/** Per hook: nanoseconds over the whole window, estimated; without an entry when no call was sampled. */
export function toRunTimesNs(
  totals: ReadonlyMap<string, RunTotals>,
  found: {
    readonly programs: readonly { readonly hook: string; readonly row: number }[];
    /** By row. */
    readonly calls: readonly number[];
  },
): ReadonlyMap<string, number> {
  const runTimes = new Map<string, number>();
  for (const { hook, row } of found.programs) {
    const { runTimeNs = 0, runCount = 0 } = totals.get(hook) ?? {};
    if (runCount > 0) runTimes.set(hook, Math.round(runTimeNs / runCount * (found.calls[row] ?? 0)));
  }
  return runTimes;
}

export class RunTimeSampler implements Disposable {
  readonly #source: RunTimeSource;
  #enabled: Disposable | undefined;
  #refusal: string | undefined;
  #beginMs: number | undefined;
  #sampleBeginMs = 0;
  #sampledMs = 0;
  #windowMs = 0;
  #totals: ReadonlyMap<string, RunTotals> = new Map();

  constructor(source: RunTimeSource) {
    this.#source = source;
  }

  /** Switches the statistics on and off as time passes. */
  tick(nowMs: number): void {
    if (this.#refusal !== undefined) return;
    this.#beginMs ??= nowMs;
    const isSampleTime = (nowMs - this.#beginMs) % SAMPLE_PERIOD_MS < SAMPLE_MS;
    if (isSampleTime && this.#enabled === undefined) this.#switchOn(nowMs);
    if (!isSampleTime) this.#switchOff(nowMs);
  }

  /** Ends sampling; before the programs are unloaded. */
  finish(nowMs: number): void {
    this.#switchOff(nowMs);
    this.#windowMs = this.#beginMs === undefined ? 0 : nowMs - this.#beginMs;
    this.#totals = this.#source.read();
  }

  /** What was read when sampling ended. */
  totals(): ReadonlyMap<string, RunTotals> {
    return this.#totals;
  }

  /** Why run time is missing, or how it was measured. */
  note(): string {
    if (this.#refusal !== undefined) return this.#refusal;
    const sampled = (this.#sampledMs / 1000).toFixed(1);
    return `estimated: statistics were on for ${sampled} s of ${(this.#windowMs / 1000).toFixed(1)} s, scaled by calls`;
  }

  [Symbol.dispose](): void {
    this.#enabled?.[Symbol.dispose]();
    this.#enabled = undefined;
  }

  #switchOn(nowMs: number): void {
    try {
      this.#enabled = this.#source.enable();
      this.#sampleBeginMs = nowMs;
    } catch (error) {
      if (!(error instanceof ForeignCallError)) throw error;
      this.#refusal = error.errno === ERRNO.EPERM
        ? "not measured: run-time statistics need CAP_SYS_ADMIN"
        : `not measured: run-time statistics were refused (${error.errnoName})`;
    }
  }

  #switchOff(nowMs: number): void {
    if (this.#enabled === undefined) return;
    this.#sampledMs += nowMs - this.#sampleBeginMs;
    this[Symbol.dispose]();
  }
}
