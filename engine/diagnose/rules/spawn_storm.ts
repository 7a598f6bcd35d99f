/**
 * `spawn-storm`: threads or processes begun at a rate at which beginning them
 * is the work, and threads that only become more.
 *
 * Wrong for build servers and shells, whose work is to start programs: processes
 * count only when they live for moments. Silent when lifecycle records were lost.
 *
 * @module
 */

import { incompletenessNotes, isReliable, type ProcessFacts, type TargetFacts, threadNameOf } from "../facts.ts";
import type { ProcessResourceMeasurement } from "../../api/resource_measurements.ts";
import type { Finding } from "../finding.ts";
import { formatCount, formatLifetime } from "../format.ts";
import { WINDOW_MS_MIN } from "../severity.ts";

/** A thread takes some 30 us to make and to end: at this rate 0.3 % of a CPU, and every cache is cold. */
const THREADS_PER_SECOND_MIN = 100;

/** A process takes some 1 ms to make: at this rate 5 % of a CPU. */
const PROCESSES_PER_SECOND_MIN = 50;

/** Processes that live longer on average do something else than being started. */
const SHORT_LIFE_MS_MAX = 100;

/** More threads at the end than at the beginning, by this much and by half. */
const GROWTH_MIN = 200;
const GROWTH_FACTOR_MIN = 1.5;

export function spawnStorm(facts: TargetFacts): readonly Finding[] {
  if (!isReliable(facts, ["lifecycle"]) || facts.windowMs < WINDOW_MS_MIN) return [];
  return [...facts.processResources.flatMap((resources) => judgeThreads(facts, resources)), ...judgeProcesses(facts)];
}

function judgeThreads(facts: TargetFacts, resources: ProcessResourceMeasurement): readonly Finding[] {
  const { processId, threadsStartedCount, threadCountBegin, threadCountEnd } = resources;
  const perSecond = threadsStartedCount / facts.windowMs * 1000;
  const isGrown = threadCountBegin !== undefined && threadCountEnd !== undefined &&
    threadCountEnd - threadCountBegin >= GROWTH_MIN && threadCountEnd >= GROWTH_FACTOR_MIN * threadCountBegin;
  if (!isGrown && perSecond < THREADS_PER_SECOND_MIN) return [];
  const name = `${threadNameOf(facts, { processId, threadId: processId }).command} (${processId})`;
  return [toFinding(facts, {
    object: name,
    title: isGrown
      ? `${name} has ${threadCountEnd} threads, ${threadCountEnd - threadCountBegin} more than when the look began.`
      : `${name} starts ${Math.round(perSecond)} threads a second.`,
    notes: [
      `${formatCount(threadsStartedCount, "thread")} started`,
      ...(threadCountEnd === undefined ? [] : [`${threadCountEnd} live at the end`]),
    ],
    nextStep: isGrown
      ? `Look for threads that never end, or for a pool without a bound.`
      : "Use a pool: a thread per task costs more than most tasks.",
  })];
}

function judgeProcesses(facts: TargetFacts): readonly Finding[] {
  const started = Array.from(facts.processes.values()).filter(isBornWithin(facts));
  const perSecond = started.length / facts.windowMs * 1000;
  const ended = started.filter(({ info }) => info.exited);
  const meanMs = ended.reduce((total, { sums, threads }) => total + sums.lifetimeMs / Math.max(1, threads.length), 0) /
    Math.max(1, ended.length);
  if (perSecond < PROCESSES_PER_SECOND_MIN || ended.length < started.length / 2 || meanMs > SHORT_LIFE_MS_MAX) {
    return [];
  }
  const parentId = mostFrequent(started.map(({ info }) => info.parentProcessId));
  const parent = `${threadNameOf(facts, { processId: parentId, threadId: parentId }).command} (${parentId})`;
  return [toFinding(facts, {
    object: parent,
    title:
      `${Math.round(perSecond)} processes a second are started and live for ${formatLifetime(meanMs)} on average, ` +
      `most of them by ${parent}.`,
    notes: [`${formatCount(started.length, "process", "processes")} started, ${ended.length} of them ended`],
    nextStep: `Make ${parent} keep its helpers running, or do their work itself.`,
  })];
}

/** Its first thread began after the window did. */
function isBornWithin({ window }: TargetFacts): (process: ProcessFacts) => boolean {
  return ({ info, threads }) =>
    info.parentProcessId !== 0 && threads.length > 0 &&
    threads.every(({ ledger }) => ledger.beginMs > window.beginMs);
}

function mostFrequent(ids: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return [...counts].reduce((best, entry) => entry[1] > best[1] ? entry : best, [0, 0] as [number, number])[0];
}

function toFinding(
  facts: TargetFacts,
  found: { object: string; title: string; notes: readonly string[]; nextStep: string },
): Finding {
  return {
    id: "spawn-storm",
    targetId: facts.targetId,
    severity: "warning",
    title: found.title,
    evidence: { object: found.object, notes: [...found.notes, ...incompletenessNotes(facts, ["lifecycle"])] },
    consequences: [],
    nextStep: found.nextStep,
    explainedMs: 0,
    share: 0,
  };
}
