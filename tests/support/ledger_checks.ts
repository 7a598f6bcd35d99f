/**
 * What has to hold of every run's books, whatever was traced.
 *
 * @module
 */

import { NOT_ASKED_FOR } from "../../engine/api/plane.ts";
import { CATEGORIES, type Category, type Measurements, type ThreadLedger } from "../../engine/api/measurements.ts";
import { assert } from "./assert.ts";

/** Figures travel as nanoseconds and are added up as fractional milliseconds. */
const ROUNDING_MS = 1e-6;

/** Sums of thousands of them. */
const SUM_ROUNDING_MS = 1e-3;

/** The scheduler and its tracepoints read two clocks, some instructions apart, once per wakeup. */
const CLOCK_SKEW_MS = 0.25e-3;

/** Of a thread's first and last switch, which only count for those that live for some microseconds. */
const BIRTH_MS = 1e-3;

/** What is off at the ends of the span: the first switch and the last. */
const READING_MS = 0.25;

/**
 * What the scheduler's account may be ahead by on each CPU: it is brought up to
 * date at ticks (100 a second at the least) and switches, so that of a thread
 * found running or waiting for a CPU it later adds time from before the window.
 */
const UNBOOKED_MS = 10;

/** USER_HZ is 100 on every architecture we run on. */
const STAT_TICK_MS = 10;

/** Threads the scheduler gave less are compared together only. */
const COMPARED_MS_MIN = 20;

export function sumOf<Item>(items: Iterable<Item>, figure: (item: Item) => number): number {
  let total = 0;
  for (const item of items) total += figure(item);
  return total;
}

/** Every thread's time is its span, inside the window; what is blocked is in waits, each of them once. */
export function assertTimeAddsUp(measurements: Measurements): void {
  const { window, threads, departed, waits } = measurements;
  for (const thread of threads) {
    const what = JSON.stringify(thread);
    assert.ok(Math.abs(thread.residualMs) <= ROUNDING_MS, `residual in ${what}`);
    assert.ok(thread.beginMs >= window.beginMs, `begins before the window (${window.beginMs}): ${what}`);
    assert.ok(thread.endMs >= thread.beginMs, `ends before it begins: ${what}`);
    for (const part of [thread.onCpuMs, thread.runnableMs, thread.throttledMs, thread.blockedMs]) {
      assert.ok(part >= 0, `a negative part in ${what}`);
    }
  }
  assert.ok(Math.abs(departed?.residualMs ?? 0) <= SUM_ROUNDING_MS, `residual in ${JSON.stringify(departed)}`);
  const blockedMs = sumOf(threads, (thread) => thread.blockedMs) + (departed?.blockedMs ?? 0);
  const waitedMs = sumOf(waits, (wait) => wait.totalMs);
  assert.ok(Math.abs(blockedMs - waitedMs) <= SUM_ROUNDING_MS, `${blockedMs} ms blocked, ${waitedMs} ms in waits`);
}

/**
 * On-CPU within 2 % of what the scheduler itself counted, for threads that
 * ended (5 % for each alone): at their last switch both are read at once.
 *
 * @param options.stealMs what the hypervisor took meanwhile: the scheduler leaves it out, the clock does not
 */
export function assertOnCpuAgrees(measurements: Measurements, options: { readonly stealMs: number }): void {
  const ended = endedThreads(measurements);
  const slackMs = slackOf(measurements, options);
  const total = pairOf(ended, (thread) => [thread.onCpuMs, thread.kernelOnCpuMs ?? 0]);
  assertClose(total, { share: 0.02, slackMs, what: "on CPU" });
  for (const thread of ended.filter((one) => (one.kernelOnCpuMs ?? 0) >= COMPARED_MS_MIN)) {
    const pair = [thread.onCpuMs, thread.kernelOnCpuMs ?? 0] as const;
    assertClose(pair, { share: 0.05, slackMs, what: `on CPU of ${thread.command}` });
  }
}

/** Waiting for a CPU within 5 %, likewise. */
export function assertRunnableAgrees(measurements: Measurements, options: { readonly stealMs: number }): void {
  const slackMs = slackOf(measurements, options);
  const total = pairOf(endedThreads(measurements), (thread) => [thread.runnableMs, thread.kernelRunDelayMs ?? 0]);
  assertClose(total, { share: 0.05, slackMs, what: "waiting for a CPU" });
}

/** Yields the time the hypervisor has taken from all CPUs since boot, as /proc/stat counts it. */
export function readStealMs(): number {
  const fields = Deno.readTextFileSync("/proc/stat").split("\n")[0]?.trim().split(/\s+/) ?? [];
  return Number(fields[8] ?? 0) * STAT_TICK_MS;
}

/**
 * Yields how far the scheduler's clocks of two CPUs are apart at most: each
 * stands still while the hypervisor has its CPU (`rq_clock_task`), since boot.
 */
export function readClockSkewMs(): number {
  const stolenMs = Deno.readTextFileSync("/proc/stat").split("\n").filter((line) => /^cpu\d/.test(line))
    .map((line) => Number(line.split(/\s+/)[8] ?? 0) * STAT_TICK_MS);
  return Math.max(...stolenMs) - Math.min(...stolenMs) + STAT_TICK_MS;
}

/**
 * A machine with too much else to do makes the two accounts drift apart: where
 * a switch is not told, the scheduler may charge the next thread for as much as
 * 60 ms of somebody else's (measured, in half of the looks at a load of ten). A
 * mistake of ours makes them differ every time.
 */
const LOOKS_MAX = 10;

/**
 * Runs `look` until it holds, at most `looksMax` times (default ten).
 *
 * @throws {unknown} What the last look threw
 */
export async function holdsOnce(
  look: () => Promise<void>,
  { looksMax = LOOKS_MAX }: { readonly looksMax?: number } = {},
): Promise<void> {
  for (let count = 1; count < looksMax; count++) {
    try {
      return await look();
    } catch (error) {
      if (!(error instanceof assert.AssertionError)) throw error;
    }
  }
  await look();
}

/** Every hit has exactly one outcome, in every category. */
export function assertBooksBalance(measurements: Measurements): void {
  for (const category of CATEGORIES) {
    const ledger = measurements.books.ledger[category];
    const lostCount = sumOf(Object.values(ledger.dropped), (count) => count);
    assert.equal(ledger.residual, 0, `${category}: ${JSON.stringify(ledger)}`);
    assert.equal(ledger.seen, ledger.filtered + ledger.aggregated + ledger.delivered + lostCount, category);
  }
}

/** All but `exceptions` are complete, or were not asked for. */
export function assertComplete(measurements: Measurements, options: { except?: readonly Category[] } = {}): void {
  for (const category of CATEGORIES) {
    if (options.except?.includes(category) === true) continue;
    const found = measurements.books.completeness[category];
    if (found.verdict === "blind" && found.reason === NOT_ASKED_FOR) continue;
    assert.deepEqual(found, { verdict: "complete" }, category);
  }
}

function endedThreads({ threads }: Measurements): readonly ThreadLedger[] {
  const ended = threads.filter((thread) => thread.exited);
  assert.ok(ended.length > 0, "no thread ended, so there is nothing to compare");
  return ended;
}

function slackOf({ waits, threads }: Measurements, { stealMs }: { readonly stealMs: number }): number {
  return READING_MS + stealMs + CLOCK_SKEW_MS * sumOf(waits, (wait) => wait.count) + BIRTH_MS * threads.length;
}

type Pair = readonly [oursMs: number, kernelsMs: number];

function pairOf(threads: readonly ThreadLedger[], figures: (thread: ThreadLedger) => Pair): Pair {
  return [sumOf(threads, (thread) => figures(thread)[0]), sumOf(threads, (thread) => figures(thread)[1])];
}

function assertClose(pair: Pair, allowed: { share: number; slackMs: number; what: string }): void {
  const [oursMs, kernelsMs] = pair;
  const { share, what } = allowed;
  const unbookedMs = kernelsMs > oursMs ? UNBOOKED_MS * navigator.hardwareConcurrency : 0;
  const slackMs = allowed.slackMs + unbookedMs;
  assert.ok(
    Math.abs(oursMs - kernelsMs) <= share * kernelsMs + slackMs,
    `${what}: ${oursMs} ms, the scheduler says ${kernelsMs} ms, allowed ${share * 100} % and ${slackMs} ms`,
  );
}
