/**
 * What one run of the demo plants, from its seed.
 *
 * @module
 */

/** Everything that differs between two seeds. */
export interface DemoPlan {
  readonly seed: number;
  /** Tried in order: another program may have taken one. */
  readonly upstreamPorts: readonly number[];
  readonly upstreamDelayMs: number;
  /** Between two calls of the thread; the larger, the less the upstream dominates. */
  readonly threadPauseMs: number;
  readonly asyncPauseMs: number;
  /** The thread that holds the lock while it syncs the log. */
  readonly holderThread: string;
  readonly logDirectory: readonly string[];
  readonly logFile: string;
  readonly holdMs: number;
  readonly gapMs: number;
  readonly workerCount: number;
}

export const SEED_MAX = 0xffff_ffff;

const UPSTREAM_PORT_TRIES = 8;
const HOLDER_THREADS = ["flusher", "audit-writer", "log-syncer", "journal"];
const LOG_FILES = ["audit.log", "journal.log", "ledger.log", "events.log"];
const LOG_DIRECTORIES = [["srv", "orders", "state"], ["data", "billing"], ["var", "lib", "shop", "wal"]];

/** Yields the same plan for the same seed, always. */
export function planDemo(seed: number): DemoPlan {
  const random = seededRandom(seed);
  const between = (low: number, high: number): number => low + Math.floor(random() * (high - low + 1));
  const pick = <T>(choices: readonly T[], otherwise: T): T => choices[between(0, choices.length - 1)] ?? otherwise;
  return {
    seed,
    upstreamPorts: Array.from({ length: UPSTREAM_PORT_TRIES }, () => between(20_000, 29_999)),
    upstreamDelayMs: between(40, 300),
    threadPauseMs: between(0, 60),
    asyncPauseMs: between(0, 60),
    holderThread: pick(HOLDER_THREADS, "flusher"),
    logDirectory: pick(LOG_DIRECTORIES, ["srv"]),
    logFile: pick(LOG_FILES, "audit.log"),
    holdMs: between(20, 120),
    gapMs: between(2, 20),
    workerCount: between(2, 4),
  };
}

/** The plan in a few lines, for a person. */
export function describePlan(plan: DemoPlan, upstreamPort: number, logPath: string): string {
  return [
    `Planted with seed ${plan.seed} (--seed N moves the trouble around):`,
    `  1. a slow upstream: 127.0.0.1:${upstreamPort} takes ${plan.upstreamDelayMs} ms to answer;`,
    `     called by a thread and, in a second process, by an event loop`,
    `  2. an fsync-heavy log: ${logPath}`,
    `  3. a lock that ${plan.holderThread} holds for ${plan.holdMs} ms at a time, during that fsync;`,
    `     ${plan.workerCount} workers wait for it`,
  ].join("\n");
}

/** Numbers in [0, 1): a 32-bit linear congruential generator, its high bits mixed into the low ones. */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const mixed = Math.imul(state ^ (state >>> 15), 0x2c1b_3c6d) >>> 0;
    return ((mixed ^ (mixed >>> 13)) >>> 0) / (SEED_MAX + 1);
  };
}
