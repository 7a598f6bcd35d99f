/**
 * Waits grouped by what they were for, with the waits for a lock given to what
 * the holders of the lock were waiting for: a lock whose holder sits in fsync is
 * one cause, the fsync. A lock with several kinds of holder is divided among
 * them by the time each kept it; what no other cause explains stays the lock's.
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
import { describeObject, objectKey } from "./wait_object.ts";

/** A holder that spent this much of its time with the lock on one wait did the rest in between. */
const MAIN_SHARE_MIN = 0.5;

/** Less of a lock's time than this is what rounding left. */
const REST_SHARE_MIN = 0.001;

/** Below this share of the lock's waiting time the holder was looked at too rarely to judge. */
const CHAIN_COVERAGE_MIN = 0.2;

/** Locks held by threads that wait for locks: further than this is a cycle or not worth a sentence. */
const CHAIN_DEPTH_MAX = 8;

/** One lock as its waiters saw it, or the part of it that one cause explains. */
export interface ContendedLock {
  /** Of the waiters; of the first of them where a file lock has waiters in several processes. */
  readonly processId: number;
  /** A futex, or the file that is locked. */
  readonly object: WaitObject;
  /** "lock 0x7f…", "the lock on /srv/state". */
  readonly name: string;
  /** Of those who waited, in a part without the one who held it. */
  readonly waits: readonly WaitMeasurement[];
  /** The part's share of the waiting. */
  readonly totalMs: number;
  /** Waiting for this lock that other causes explain. */
  readonly elsewhereMs: number;
  /** What held it up, most of the part's time; `undefined` when nothing is known of a holder. */
  readonly root: LockRoot | undefined;
  /** Whether the time belongs to what the holder waited for rather than to the lock. */
  readonly isFolded: boolean;
}

/** What held a lock up. */
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
    locks.filter(({ isFolded }) => isFolded),
    ({ root }) => root?.waitClass === undefined ? "" : causeKey({ ...root, waitClass: root.waitClass }),
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
  return { byKey, locks: locks.filter(({ isFolded }) => !isFolded) };
}

/** Every lock that was waited for, in as many parts as its time has explanations. */
function contendedLocks(facts: TargetFacts): readonly ContendedLock[] {
  const chains = groupBy(facts.lockChains, (chain) => chainKey(chain.processId, chain.lockAddress));
  const waits = facts.waits.filter((wait) => wait.waitClass === "lock");
  return Array.from(groupBy(waits, lockKey).values(), (lockWaits) => partsOfLock(lockWaits, chains)).flat();
}

/** A futex is a process's own; a file is locked against all of them. */
function lockKey(wait: WaitMeasurement): string {
  return wait.object.kind === "file" ? objectKey(wait.object) : `${wait.processId} ${objectKey(wait.object)}`;
}

/** Yields "lock 0x7f…", "the lock on /srv/state". */
function lockName(object: WaitObject): string {
  if (object.kind === "lock") return describeObject(object);
  return object.kind === "none" ? "a lock that is not named" : `the lock on ${describeObject(object)}`;
}

function chainKey(processId: number, address: string): string {
  return `${processId} ${address}`;
}

/** What the kernel side calls the lock in its chains: a file's by its inode. */
function chainAddress(object: WaitObject): string {
  if (object.kind === "lock") return object.address;
  return object.kind === "file" ? `0x${BigInt(object.id.split(":").at(-1) ?? "0").toString(16)}` : "?";
}

type Chains = ReadonlyMap<string, readonly LockChainMeasurement[]>;
type Step = Omit<LockRoot, "share">;

/** What some of a lock's waiting led to, as far as the chains saw it. */
interface ChainEnd {
  readonly step: Step;
  readonly totalMs: number;
}

function partsOfLock(waits: readonly WaitMeasurement[], chains: Chains): readonly ContendedLock[] {
  const object = waits[0]?.object ?? { kind: "none" };
  const lock = { processId: waits[0]?.processId ?? 0, object, name: lockName(object) };
  const total = totalMs(waits);
  const ends = endsOfLock(waits, chains);
  const knownMs = sumOfEnds(ends);
  const explained = knownMs > 0 && knownMs >= CHAIN_COVERAGE_MIN * total
    ? Array.from(groupBy(ends.filter(({ step }) => isExplained(step)), endKey).values())
    : [];
  const own = explained.length === 0 ? ends : ends.filter(({ step }) => !isExplained(step));
  const parts = explained.map((group) => {
    const waiting = explained.length > 1 || own.length > 0 ? withoutHolder(waits, group) : waits;
    const partMs = Math.min(total * sumOfEnds(group) / knownMs, totalMs(waiting));
    const root = rootOf(group, knownMs);
    return { ...lock, waits: waiting, totalMs: partMs, elsewhereMs: total - partMs, root, isFolded: true };
  }).filter((part) => part.totalMs > 0);

  const elsewhereMs = parts.reduce((sum, part) => sum + part.totalMs, 0);
  const restMs = total - elsewhereMs;
  if (restMs <= REST_SHARE_MIN * total) return parts;
  const waiting = parts.length > 0 ? withoutHolder(waits, own) : waits;
  return [...parts, {
    ...lock,
    waits: totalMs(waiting) < restMs ? waits : waiting,
    totalMs: restMs,
    elsewhereMs,
    root: rootOf(own, knownMs),
    isFolded: false,
  }];
}

/** Leaves out the one who held the lock: it waited for others that held it. */
function withoutHolder(waits: readonly WaitMeasurement[], ends: readonly ChainEnd[]): readonly WaitMeasurement[] {
  const holderIds = new Set(ends.map(({ step }) => step.holders[0]?.threadId));
  return holderIds.size === 1 ? waits.filter((wait) => !holderIds.has(wait.threadId)) : waits;
}

/** Follows every holder of the lock to its end. */
function endsOfLock(waits: readonly WaitMeasurement[], chains: Chains): readonly ChainEnd[] {
  const address = chainAddress(waits[0]?.object ?? { kind: "none" });
  const keys = [...new Set(waits.map((wait) => chainKey(wait.processId, address)))];
  const ends = keys.flatMap((key) =>
    (chains.get(key) ?? []).filter((chain) => !isQueueing(chain, key)).map((chain) => ({
      totalMs: chain.totalMs,
      step: followChain(chain, { chains, visited: [key] }),
    }))
  );
  return Array.from(groupBy(ends, ({ step }) => step.holders.at(-1)?.threadId).values(), withoutPauses).flat();
}

/** What runs between the waits of an fsync is part of the fsync: a holder's running time goes to its main wait. */
function withoutPauses(ends: readonly ChainEnd[]): readonly ChainEnd[] {
  const main = largestGroup(ends.filter(({ step }) => isExplained(step)));
  const [first] = main;
  if (first === undefined || sumOfEnds(main) < MAIN_SHARE_MIN * sumOfEnds(ends)) return ends;
  return ends.map((end) => end.step.kind === "running" ? { ...end, step: first.step } : end);
}

function endKey({ step }: ChainEnd): string {
  return `${step.kind} ${step.waitClass} ${objectKey(step.object)}`;
}

function sumOfEnds(ends: readonly ChainEnd[]): number {
  return ends.reduce((sum, end) => sum + end.totalMs, 0);
}

function largestGroup(ends: readonly ChainEnd[]): readonly ChainEnd[] {
  return Array.from(groupBy(ends, endKey).values())
    .sort((first, second) => sumOfEnds(second) - sumOfEnds(first))[0] ?? [];
}

/** Yields what most of `ends` led to; `knownMs`: of all the lock's waiting that chains saw. */
function rootOf(ends: readonly ChainEnd[], knownMs: number): LockRoot | undefined {
  const main = largestGroup(ends);
  const [longest] = [...main].sort((first, second) => second.totalMs - first.totalMs);
  if (longest === undefined || knownMs <= 0) return undefined;
  return { ...longest.step, share: sumOfEnds(main) / knownMs };
}

/** Classes whose rules tell of the locks held meanwhile. Sleeping with a lock held is the lock user's doing, not the timer's. */
const EXPLAINING_CLASSES: ReadonlySet<WaitClass> = new Set<WaitClass>(["network", "diskRead", "diskWrite"]);

/** Whether the lock's time belongs to what its holder waited for rather than to the lock. */
function isExplained(step: Step | undefined): boolean {
  return step?.kind === "wait" && step.waitClass !== undefined && EXPLAINING_CLASSES.has(step.waitClass);
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

  const nextKey = chainKey(chain.processId, chainAddress(chain.holderObject));
  if (chain.holderObject.kind === "lock" && visited.includes(nextKey)) return { ...step, kind: "cycle" };
  const [next] = (visited.includes(nextKey) ? [] : chains.get(nextKey) ?? [])
    .filter((following) => !isQueueing(following, nextKey))
    .sort((first, second) => second.totalMs - first.totalMs);
  if (next === undefined || visited.length >= CHAIN_DEPTH_MAX) return { ...step, kind: "wait" };
  const end = followChain(next, { chains, visited: [...visited, nextKey] });
  return { ...end, holders: [chain.holder, ...end.holders] };
}

/** Who released a file's lock may have queued for it all the while: that says nothing of who held it. */
function isQueueing(chain: LockChainMeasurement, key: string): boolean {
  return chain.holderWaitClass === "lock" && chain.holderObject.kind === "file" &&
    chainKey(chain.processId, chainAddress(chain.holderObject)) === key;
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
