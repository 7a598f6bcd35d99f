/**
 * `slow-peer`: time spent waiting for the answer of a peer the target itself
 * turned to, whether a thread blocks in a receive or an event loop polls.
 *
 * Wrong when the peer is right to be silent: a subscription or a long poll. One
 * wait open over the whole window is therefore at most a warning on a main
 * thread and info elsewhere; a connect has no such excuse. Quick answers in great
 * number are info: the peer is not slow, the target merely talks to it a lot. An
 * event loop waits for one answer in several pieces, so the sockets' response times
 * say how slow it is, where they are known.
 *
 * @module
 */

import type { WaitMeasurement, WaitObject } from "../../api/measurements.ts";
import type { Severity } from "../../api/severity.ts";
import { type Cause, finishedCount, toCauses, totalMs, toWaitFigures } from "../causes.ts";
import { type DelegatedWait, delegatedWaits, describeAwaited, describeWaiter, isForTracedPair } from "../delegation.ts";
import {
  describeConsequences,
  evidenceOfCause,
  evidenceOfWaits,
  impactOf,
  judge,
  systemCallsOf,
  WAIT_CATEGORIES,
} from "../evidence.ts";
import { groupBy, isDormant, isReliable, type TargetFacts, type TimeSums } from "../facts.ts";
import type { Evidence, Finding } from "../finding.ts";
import { formatCount, formatMs, formatShare } from "../format.ts";
import { slowMsMin, sumBuckets } from "../histogram.ts";
import { capSeverity, REPEATED_COUNT_MIN, severityOf, WINDOW_MS_MIN } from "../severity.ts";
import { describeObject, isNamed, objectKey } from "../wait_object.ts";
import { latencyOfPeers, peerGroups } from "./peer_group.ts";

const SEND_CALLS = /^(send|write|sendmsg|sendto|writev|sendmmsg|sendfile)/;

export function slowPeer(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, WAIT_CATEGORIES) || facts.windowMs < WINDOW_MS_MIN) return [];
  return [
    ...Array.from(toCauses(facts).byKey.values()).flatMap((cause) =>
      cause.waitClass === "network" && !isDelegated(facts, cause) ? judgePeer(facts, cause) : []
    ),
    ...delegatedWaits(facts).flatMap((wait) => wait.kind === "pair" ? judgePair(facts, wait) : []),
  ];
}

/** What is at the other end is traced, and says itself what it did meanwhile. */
function isDelegated(facts: TargetFacts, { waits, locks }: Cause): boolean {
  return waits.length > 0 && locks.length === 0 && waits.every((wait) => isForTracedPair(facts, wait));
}

function judgePair(facts: TargetFacts, wait: DelegatedWait): readonly Finding[] {
  const impact = impactOf(facts, wait.totalMs, { hasDelegated: true });
  const severity = judge(impact);
  const evidence = evidenceOfWaits(facts, wait.waits);
  const object = wait.waits[0]?.object ?? { kind: "none" };
  const answers = answersOf(facts, { object, waits: wait.waits });
  const meanMs = answers?.meanMs ?? evidence.waits?.meanMs ?? 0;
  const cap = capForPair(facts, wait, { meanMs: answers?.attentiveMs ?? meanMs });
  const [other] = wait.awaited;
  if (severity === undefined || cap === undefined || other === undefined) return [];
  return [{
    id: "slow-peer",
    targetId: facts.targetId,
    severity: capSeverity(severity, cap),
    title: `${describeWaiter(wait)} waits for answers of ${other.command} (${other.threadId}), ` +
      `${formatShare(impact.share)} of the non-idle time, ${formatMs(meanMs)} each time.`,
    evidence: { ...evidence, object: describeAwaited(wait), waker: other },
    consequences: [],
    nextStep: `See what ${other.command} (${other.threadId}) does between a request and its answer.`,
    explainedMs: impact.explainedMs,
    share: impact.share,
  }];
}

/** The most such a wait can be worth, as with pipes; `undefined`: nothing is said. */
function capForPair(
  facts: TargetFacts,
  wait: DelegatedWait,
  { meanMs }: { readonly meanMs: number },
): Severity | undefined {
  const { kind } = wait.occupation;
  if (kind === "cause" || kind === "serving" || wait.isDormant) return undefined;
  const [other] = wait.awaited;
  const parentId = facts.processes.get(wait.waiter.processId)?.info.parentProcessId;
  // A child that waits for its parent waits for work; a thread and its like are one program.
  const isWork = other?.processId === parentId || other?.processId === wait.waiter.processId || kind === "busy";
  const isSlow = wait.finishedCount >= REPEATED_COUNT_MIN && meanMs >= facts.thresholds.slowPeerMs;
  return isWork || !isSlow ? "info" : "warning";
}

/** Whether `slow-peer` tells of this peer, above info: then its slowness is told. */
export function hasSlowPeer(facts: TargetFacts, endpoint: WaitObject): boolean {
  const name = describeObject(endpoint);
  return slowPeer(facts).some(({ severity, evidence }) => severity !== "info" && evidence.object === name);
}

function judgePeer(facts: TargetFacts, cause: Cause): readonly Finding[] {
  const dormant = cause.waits.filter((wait) => isDormant(facts, wait));
  const options = { hasDelegated: dormant.length > 0 };
  const impact = impactOf(facts, cause.explainedMs, options);
  if (judge(impact) === undefined) return [];

  const evidence = evidenceOfCause(facts, cause);
  const answers = answersOf(facts, cause);
  const slow = impactOf(facts, slowMsOf(cause, { slowPeerMs: facts.thresholds.slowPeerMs, answers }), options);
  const severity = capSeverity(severityOf(slow), capFor(cause, dormant));
  const peer = describeObject(cause.object);
  const meanMs = evidence.waits?.meanMs ?? 0;
  const isHanging = dormant.length > 0 && finishedCount(cause.waits) === 0;
  return [{
    id: "slow-peer",
    targetId: facts.targetId,
    severity,
    title: isHanging
      ? `${
        isConnect(cause.waits) ? `A connect to ${peer} hung` : `Nothing came from ${peer}`
      } during the whole window; waiting for it is ` +
        `${formatShare(impact.share)} of the non-idle time.`
      : `Waiting for ${peer} takes ${formatShare(impact.share)} of the non-idle time, ${
        answers === undefined ? `${formatMs(meanMs)} each time` : `its answers take ${formatMs(answers.meanMs)}`
      }.`,
    evidence: withNotes(evidence, [
      ...(dormant.length === 0 ? [] : [
        `${dormant.length} wait(s) open all the time: a hung request${isConnect(dormant) ? "" : ", or a subscription"}`,
      ]),
      ...(answers === undefined ? [] : [`${formatCount(answers.count, "answer")}, each waited for in several pieces`]),
    ]),
    consequences: describeConsequences(facts, cause),
    nextStep: nextStepFor(cause.waits, { peer, isSlow: severity !== "info", isHanging }),
    explainedMs: impact.explainedMs,
    share: impact.share,
  }];
}

function withNotes(evidence: Evidence, notes: readonly string[]): Evidence {
  return notes.length === 0 ? evidence : { ...evidence, notes: [...evidence.notes ?? [], ...notes] };
}

interface Answers {
  readonly count: number;
  /** From request to answer, as the sockets have it. */
  readonly meanMs: number;
  /** The least of it that is the peer's. */
  readonly attentiveMs: number;
}

/** An answer that takes so many times its waits is waited for in pieces. */
const PIECES_MIN = 1.5;

/**
 * Yields the peer's response times where they say more than the waits: each is
 * made of several. An answer that lies unread while its thread computes or sleeps
 * is not the peer's doing, so only the part of its time that the thread polls counts.
 */
function answersOf(
  facts: TargetFacts,
  { object, waits }: Pick<Cause, "object" | "waits">,
): Answers | undefined {
  const [systemCall = ""] = systemCallsOf(waits);
  if (systemCall === "connect" || SEND_CALLS.test(systemCall)) return undefined;
  const group = peerGroups(facts, "client").find(({ endpoint }) => objectKey(endpoint) === objectKey(object));
  if (group === undefined) return undefined;
  const { count, totalMs: answersMs } = latencyOfPeers(group, {
    of: (peer) => peer.responses,
    thresholdMs: facts.thresholds.slowPeerMs,
  });
  const meanMs = count === 0 ? 0 : answersMs / count;
  const attentiveMs = meanMs * attentiveShare(facts, waits);
  return attentiveMs > PIECES_MIN * toWaitFigures(waits).meanMs ? { count, meanMs, attentiveMs } : undefined;
}

/** Of the life of the threads that waited, what they spent waiting for anything to come; 0 to 1. */
function attentiveShare(facts: TargetFacts, waits: readonly WaitMeasurement[]): number {
  const threads = [...groupBy(waits, ({ processId, threadId }) => `${processId} ${threadId}`).values()]
    .flatMap(([wait]) =>
      wait === undefined ? [] : facts.processes.get(wait.processId)?.threadsById.get(wait.threadId) ?? []
    );
  const sum = (figure: (sums: TimeSums) => number) => threads.reduce((total, { sums }) => total + figure(sums), 0);
  const lifetimeMs = sum(({ lifetimeMs }) => lifetimeMs);
  const attentiveMs = sum(({ byClass }) => byClass.network + byClass.idle + byClass.parked);
  return lifetimeMs > 0 ? Math.min(1, attentiveMs / lifetimeMs) : 0;
}

/** Time lost to slow answers alone; all of it when the average answer is slow. */
function slowMsOf(cause: Cause, { slowPeerMs, answers }: { slowPeerMs: number; answers: Answers | undefined }): number {
  const count = cause.waits.reduce((sum, wait) => sum + wait.count, 0);
  if (totalMs(cause.waits) >= slowPeerMs * count || (answers?.attentiveMs ?? 0) >= slowPeerMs) return cause.explainedMs;
  const slowMs = slowMsMin(sumBuckets(cause.waits.map((wait) => wait.buckets)), slowPeerMs);
  return Math.min(cause.explainedMs, slowMs);
}

/** Connections are not subscribed to. */
function isConnect(waits: readonly WaitMeasurement[]): boolean {
  return systemCallsOf(waits)[0] === "connect";
}

function capFor(cause: Cause, dormant: readonly WaitMeasurement[]): Severity {
  if (!isNamed(cause.object)) return "info";
  if (dormant.length === 0 || dormant.length < cause.waits.length || cause.locks.length > 0) return "critical";
  if (isConnect(dormant)) return "critical";
  // One thread may listen for pushes; several waiting alike, or the main thread, look like requests that hang.
  const hasMainThread = dormant.some((wait) => wait.threadId === wait.processId);
  return hasMainThread || dormant.length > 1 ? "warning" : "info";
}

function nextStepFor(
  waits: readonly WaitMeasurement[],
  { peer, isSlow, isHanging }: { peer: string; isSlow: boolean; isHanging: boolean },
): string {
  const [systemCall = ""] = systemCallsOf(waits);
  if (isHanging && !isConnect(waits)) {
    return `Check whether a request to ${peer} hangs without a timeout, or whether silence is expected of it.`;
  }
  if (!isSlow) return `Answers of ${peer} are quick; fewer or batched calls would save the most.`;
  if (systemCall === "connect") return `Check the way to ${peer}: its listen queue, packet loss, firewalls.`;
  if (SEND_CALLS.test(systemCall)) {
    return `Look at why ${peer} reads slowly: its receive buffer is full.`;
  }
  return `Look at ${peer} at the time of the longest wait: its own load, its slow log, the network between.`;
}
