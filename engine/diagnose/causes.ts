/**
 * Waits grouped by what they were for, with every lock wait given to what the
 * holder of the lock was waiting for: a lock whose holder sits in fsync is one
 * cause, the fsync.
 *
 * @module
 */

import {
  IDLE_WAIT_CLASSES,
  type LockChainMeasurement,
  type WaitClass,
  type WaitMeasurement,
  type WaitObject,
  type Waker,
} from "../api/measurements.ts";
import { causeKey } from "./event_digest.ts";
import { groupBy, type TargetFacts } from "./facts.ts";
import type { WaitFigures } from "./finding.ts";
import { percentileMsMax, sumBuckets } from "./histogram.ts";
import { describeObject } from "./wait_object.ts";

/** A lock is given to one cause when its holder spent this much of the waiters' time on it. */
const FOLD_SHARE_MIN = 0.5;

/** Below this share of the lock's waiting time the holder was looked at too rarely to judge. */
const CHAIN_COVERAGE_MIN = 0.2;

/** Locks held by threads that wait for locks: further than this is a cycle or not worth a sentence. */
const CHAIN_DEPTH_MAX = 8;

/** One lock as its waiters saw it, and what its holder was doing. */
export interface ContendedLock {
  readonly processId: number;
  readonly address: string;
  readonly waits: readonly WaitMeasurement[];
  readonly totalMs: number;
  /** What held it up, most of the time; `undefined` when nothing is known of a holder. */
  readonly root: LockRoot | undefined;
}

export interface LockRoot {
  /**
   * `wait`: the last holder of the chain was blocked on `object`. `running`: it
   * was running or waiting for a CPU. `cycle`: the chain leads back to itself.
   */
  readonly kind: "wait" | "running" | "cycle";
  readonly waitClass: WaitClass | undefined;
  readonly systemCall: string | undefined;
  readonly object: WaitObject;
  /** Holders from this lock's own to the last of the chain. */
  readonly holders: readonly Waker[];
  /** Of the lock's waiting time seen by the chains, 0 to 1. */
  readonly share: number;
  /** Whether the lock's time belongs to that wait rather than to the lock. */
  readonly isFolded: boolean;
}

/** Everything one object made the target wait for, by class. */
export interface Cause {
  readonly key: string;
  readonly waitClass: WaitClass;
  readonly object: WaitObject;
  readonly waits: readonly WaitMeasurement[];
  /** Locks whose holder was waiting for this. */
  readonly locks: readonly ContendedLock[];
  /** Own waits and those of the locks. */
  readonly explainedMs: number;
}

export interface Causes {
  readonly byKey: ReadonlyMap<string, Cause>;
  /** Locks that stand for themselves. */
  readonly locks: readonly ContendedLock[];
}

/** Yields the causes of every non-idle wait but locks, children and pipes, folded. */
export function toCauses(facts: TargetFacts): Causes {
  return facts.derived.of(facts, findCauses);
}

function findCauses(facts: TargetFacts): Causes {
  const locks = contendedLocks(facts);
  const folded = groupBy(
    locks.filter((lock) => lock.root?.isFolded),
    (lock) => lock.root?.waitClass === undefined ? "" : causeKey({ ...lock.root, waitClass: lock.root.waitClass }),
  );
  const own = groupBy(
    facts.waits.filter((wait) => wait.waitClass !== "lock" && !IDLE_WAIT_CLASSES.has(wait.waitClass)),
    causeKey,
  );
  const byKey = new Map<string, Cause>();
  for (const key of new Set([...own.keys(), ...folded.keys()])) {
    const waits = own.get(key) ?? [];
    const causedLocks = folded.get(key) ?? [];
    const first = waits[0] ?? causedLocks[0]?.root;
    if (first?.waitClass === undefined) continue;
    byKey.set(key, {
      key,
      waitClass: first.waitClass,
      object: first.object,
      waits,
      locks: causedLocks,
      explainedMs: totalMs(waits) + causedLocks.reduce((sum, lock) => sum + lock.totalMs, 0),
    });
  }
  return { byKey, locks: locks.filter((lock) => !lock.root?.isFolded) };
}

function contendedLocks(facts: TargetFacts): readonly ContendedLock[] {
  const chains = groupBy(facts.lockChains, (chain) => lockKey(chain.processId, chain.lockAddress));
  const waits = facts.waits.filter((wait) => wait.waitClass === "lock");
  return Array.from(groupBy(waits, (wait) => lockKey(wait.processId, lockAddress(wait.object))), ([key, lockWaits]) => {
    const processId = lockWaits[0]?.processId ?? 0;
    const address = lockAddress(lockWaits[0]?.object ?? { kind: "none" });
    const total = totalMs(lockWaits);
    return { processId, address, waits: lockWaits, totalMs: total, root: rootOf(key, { chains, totalMs: total }) };
  });
}

function lockAddress(object: WaitObject): string {
  return object.kind === "lock" ? object.address : "?";
}

function lockKey(processId: number, address: string): string {
  return `${processId} ${address}`;
}

type Chains = ReadonlyMap<string, readonly LockChainMeasurement[]>;
type Step = Omit<LockRoot, "share" | "isFolded">;

/** Follows every holder of the lock to its end and yields the end most of the time led to. */
function rootOf(key: string, { chains, totalMs }: { chains: Chains; totalMs: number }): LockRoot | undefined {
  const ends = (chains.get(key) ?? []).map((chain) => ({
    totalMs: chain.totalMs,
    step: followChain(chain, { chains, visited: [key] }),
  }));
  const knownMs = ends.reduce((sum, end) => sum + end.totalMs, 0);
  if (knownMs <= 0) return undefined;
  const [dominant] = Array.from(
    groupBy(ends, ({ step }) => `${step.kind} ${step.waitClass} ${describeObject(step.object)}`).values(),
    (group) => ({
      totalMs: group.reduce((sum, end) => sum + end.totalMs, 0),
      step: group.reduce((first, second) => second.totalMs > first.totalMs ? second : first).step,
    }),
  ).sort((first, second) => second.totalMs - first.totalMs);
  if (dominant === undefined) return undefined;
  const share = dominant.totalMs / knownMs;
  return {
    ...dominant.step,
    share,
    isFolded: isFoldable(dominant.step) && share >= FOLD_SHARE_MIN && knownMs >= CHAIN_COVERAGE_MIN * totalMs,
  };
}

/** Classes a lock's time may be given to. Sleeping or idling with a lock held is the lock user's doing, not the timer's. */
const FOLDABLE_CLASSES: ReadonlySet<WaitClass> = new Set<WaitClass>([
  "network",
  "diskRead",
  "diskWrite",
  "pipe",
  "child",
  "pageFault",
]);

function isFoldable(step: Step): boolean {
  return step.kind === "wait" && step.waitClass !== undefined && FOLDABLE_CLASSES.has(step.waitClass);
}

function followChain(
  chain: LockChainMeasurement,
  { chains, visited }: { chains: Chains; visited: readonly string[] },
): Step {
  const step = {
    waitClass: chain.holderWaitClass,
    systemCall: chain.holderSystemCall,
    object: chain.holderObject,
    holders: [chain.holder],
  };
  if (chain.holderWaitClass === undefined) return { ...step, kind: "running" };
  if (chain.holderWaitClass !== "lock") return { ...step, kind: "wait" };

  const nextKey = lockKey(chain.processId, lockAddress(chain.holderObject));
  if (visited.includes(nextKey)) return { ...step, kind: "cycle" };
  const [next] = [...chains.get(nextKey) ?? []].sort((first, second) => second.totalMs - first.totalMs);
  if (next === undefined || visited.length >= CHAIN_DEPTH_MAX) return { ...step, kind: "wait" };
  const end = followChain(next, { chains, visited: [...visited, nextKey] });
  return { ...end, holders: [chain.holder, ...end.holders] };
}

/** Yields "`flusher` (4713), itself in fsync of /data.bin". */
export function describeHolders(root: LockRoot): string {
  const names = root.holders.map((holder) => `${holder.command} (${holder.threadId})`);
  const chain = names.join(", who waits for a lock held by ");
  return `${chain}, itself ${describeActivity(root)}`;
}

/** Yields what the last holder was doing: "in fsync of /data.bin". */
export function describeActivity(root: LockRoot): string {
  if (root.kind === "cycle") return "waiting for a lock that leads back to this one (a deadlock)";
  if (root.kind === "running") return "running or waiting for a CPU";
  const call = root.systemCall ?? (root.waitClass === "pageFault" ? "a page fault" : "a wait");
  if (root.waitClass === "sleep") return `asleep in ${call}`;
  return root.object.kind === "none" ? `in ${call}` : `in ${call} of ${describeObject(root.object)}`;
}

export function totalMs(waits: readonly WaitMeasurement[]): number {
  return waits.reduce((sum, wait) => sum + wait.totalMs, 0);
}

/** Yields how many of the waits ended in the window; a row with open time counts its open wait as one. */
export function finishedCount(waits: readonly WaitMeasurement[]): number {
  return waits.reduce((sum, wait) => sum + Math.max(0, wait.count - (wait.openMs > 0 ? 1 : 0)), 0);
}

/** Yields the figures of several rows together. */
export function toWaitFigures(waits: readonly WaitMeasurement[]): WaitFigures {
  const total = totalMs(waits);
  const count = waits.reduce((sum, wait) => sum + wait.count, 0);
  const longest = waits.reduce<WaitMeasurement | undefined>(
    (best, wait) => best === undefined || wait.maxMs > best.maxMs ? wait : best,
    undefined,
  );
  const longestMs = longest?.maxMs ?? 0;
  return {
    totalMs: total,
    count,
    meanMs: count === 0 ? 0 : total / count,
    p99MsMax: percentileMsMax(sumBuckets(waits.map((wait) => wait.buckets)), 99, { longestMs }),
    longestMs,
    longestEndWallMs: longest !== undefined && longest.maxEndWallMs > 0 ? longest.maxEndWallMs : undefined,
    openMs: waits.reduce((sum, wait) => sum + wait.openMs, 0),
  };
}
