/**
 * What processes have and use, from the first look to the last.
 *
 * @module
 */

import { PROCESSES_MAX } from "../api/limits.ts";
import type { ProcessResourceMeasurement } from "../api/resource_measurements.ts";
import type { ForkRecord, ProcessResources, ThreadAccount } from "../api/tracer_backend.ts";
import type { TargetId } from "../api/units.ts";
import { eachInSteps, type Steps } from "./steps.ts";

/** What one process did while it belonged to one target. */
interface Entry {
  readonly processId: number;
  readonly targetId: TargetId;
  begin: ProcessResources | undefined;
  /** `undefined` while it lives there. */
  end: ProcessResources | undefined;
  threadsStartedCount: number;
  minorFaultCount: number;
  majorFaultCount: number;
}

/** What was read of all that live, at one instant. */
export interface LivingResources {
  readonly processes: readonly ProcessResources[];
  readonly accounts: readonly ThreadAccount[];
  targetOf(slot: number): TargetId | undefined;
}

/**
 * A bounded book. When it is full, the process that ended first loses its row;
 * where none has ended, the new one gets none. What they did is in a row that
 * stands for all such processes of their target.
 */
export class ResourceBook {
  /** By process and target. */
  readonly #entries = new Map<string, Entry>();
  /** Where each process is now. */
  readonly #current = new Map<number, Entry>();
  /** Of processes that ended or went to another target, in that order: their keys in `#entries`. */
  readonly #past = new Set<string>();
  readonly #folded = new Map<TargetId, Entry>();
  readonly #processesMax: number;
  #foldedCount = 0;
  #lifeCount = 0;

  constructor(options: { processesMax?: number } = {}) {
    this.#processesMax = options.processesMax ?? PROCESSES_MAX;
  }

  /** A process that was there when its target was taken in; one that another target had leaves that one here. */
  begin(resources: ProcessResources, targetId: TargetId): void {
    const { processId } = resources;
    const current = this.#current.get(processId);
    if (current !== undefined && current.targetId !== targetId) this.#leave(current, resources);
    const entry = this.#settle(processId, targetId);
    entry.begin ??= resources;
  }

  /** A new process begins with nothing, whatever had its id before; a new thread counts for its process. */
  fork(record: ForkRecord, targetId: TargetId): void {
    const { parentProcessId, childProcessId } = record;
    if (childProcessId === parentProcessId) {
      this.#entryOf(parentProcessId, targetId).threadsStartedCount++;
      return;
    }
    this.#closeLife(childProcessId, targetId);
    this.#settle(childProcessId, targetId);
  }

  /** Adds what a thread that ended, or left its target, faulted. */
  thread(account: ThreadAccount, targetId: TargetId): void {
    addFaults(this.#entryOf(account.processId, targetId), account);
  }

  /** Its last thread ended. */
  end(processId: number, targetId: TargetId): void {
    const key = toKey(processId, targetId);
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    if (this.#current.get(processId) === entry) this.#current.delete(processId);
    this.#past.add(key);
  }

  forgetTarget(targetId: TargetId): void {
    this.#folded.delete(targetId);
    for (const [key, entry] of this.#entries) {
      if (entry.targetId !== targetId) continue;
      this.#entries.delete(key);
      this.#past.delete(key);
      if (this.#current.get(entry.processId) === entry) this.#current.delete(entry.processId);
    }
  }

  /** Processes that have no row of their own. */
  get foldedCount(): number {
    return this.#foldedCount;
  }

  /** Processes that have one. */
  get rowCount(): number {
    return this.#entries.size;
  }

  /**
   * Yields one row per process and target, in order of first appearance, then
   * one per target for those without their own; in steps. The book stays as it is.
   */
  *measurements(living: LivingResources): Steps<ProcessResourceMeasurement[]> {
    const rows = new Map<string, Entry>();
    const folded = new Map<TargetId, Entry>();
    yield* eachInSteps(this.#entries, ([key, entry]) => rows.set(key, { ...entry }));
    for (const [targetId, entry] of this.#folded) folded.set(targetId, { ...entry });
    const rowOf = (processId: number, targetId: TargetId): Entry => {
      const key = toKey(processId, targetId);
      const row = rows.get(key) ?? (rows.size < this.#processesMax ? undefined : foldedEntry(folded, targetId));
      if (row !== undefined) return row;
      const entry = newEntry(processId, targetId);
      rows.set(key, entry);
      return entry;
    };
    yield* eachInSteps(living.processes, (resources) => {
      const targetId = living.targetOf(resources.targetSlot);
      if (targetId === undefined) return;
      const row = rowOf(resources.processId, targetId);
      if (row.processId !== 0) row.end = resources;
    });
    yield* eachInSteps(living.accounts, (account) => {
      const targetId = living.targetOf(account.targetSlot);
      if (targetId !== undefined) addFaults(rowOf(account.processId, targetId), account);
    });
    return [...rows.values(), ...folded.values()].map(toMeasurement);
  }

  /** `resources`: what it has as it goes to another target. */
  #leave(entry: Entry, resources: ProcessResources): void {
    entry.end = resources;
    this.#past.add(toKey(entry.processId, entry.targetId));
    this.#current.delete(entry.processId);
  }

  /** The process is in this target from here on. */
  #settle(processId: number, targetId: TargetId): Entry {
    const isNew = !this.#entries.has(toKey(processId, targetId));
    const entry = this.#entryOf(processId, targetId);
    if (entry.processId === 0) {
      this.#foldedCount += Number(isNew);
      return entry;
    }
    entry.end = undefined;
    this.#past.delete(toKey(processId, targetId));
    this.#current.set(processId, entry);
    return entry;
  }

  /** What had this id before is another process: it keeps its row under another key. */
  #closeLife(processId: number, targetId: TargetId): void {
    const current = this.#current.get(processId);
    if (current !== undefined) this.#past.add(toKey(processId, current.targetId));
    this.#current.delete(processId);
    const key = toKey(processId, targetId);
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#past.delete(key);
    const pastKey = `${key}/${++this.#lifeCount}`;
    this.#entries.set(pastKey, entry);
    this.#past.add(pastKey);
  }

  /** Yields its own entry, else, where there is no room, the one of its target's others. */
  #entryOf(processId: number, targetId: TargetId): Entry {
    const key = toKey(processId, targetId);
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    if (this.#entries.size >= this.#processesMax && !this.#evict()) return foldedEntry(this.#folded, targetId);
    const entry = newEntry(processId, targetId);
    this.#entries.set(key, entry);
    return entry;
  }

  /** Folds the one that ended first into its target's others; yields whether there was one. */
  #evict(): boolean {
    for (const key of this.#past) {
      const entry = this.#entries.get(key);
      this.#past.delete(key);
      this.#entries.delete(key);
      if (entry === undefined) continue;
      const others = foldedEntry(this.#folded, entry.targetId);
      others.threadsStartedCount += entry.threadsStartedCount;
      others.minorFaultCount += entry.minorFaultCount;
      others.majorFaultCount += entry.majorFaultCount;
      this.#foldedCount++;
      return true;
    }
    return false;
  }
}

function toKey(processId: number, targetId: TargetId): string {
  return `${processId}/${targetId}`;
}

function newEntry(processId: number, targetId: TargetId): Entry {
  return {
    processId,
    targetId,
    begin: undefined,
    end: undefined,
    threadsStartedCount: 0,
    minorFaultCount: 0,
    majorFaultCount: 0,
  };
}

function foldedEntry(folded: Map<TargetId, Entry>, targetId: TargetId): Entry {
  const present = folded.get(targetId);
  if (present !== undefined) return present;
  const entry = newEntry(0, targetId);
  folded.set(targetId, entry);
  return entry;
}

function addFaults(entry: Entry, account: ThreadAccount): void {
  entry.minorFaultCount += account.minorFaultCount ?? 0;
  entry.majorFaultCount += account.majorFaultCount ?? 0;
}

function toMeasurement(entry: Entry): ProcessResourceMeasurement {
  const { begin, end } = entry.processId === 0 ? NOTHING : entry;
  return {
    targetId: entry.targetId,
    processId: entry.processId,
    fdCountBegin: begin?.fdCount,
    fdCountEnd: end?.fdCount,
    fdLimit: (end ?? begin)?.fdLimit,
    threadCountBegin: begin?.threadCount,
    threadCountEnd: end?.threadCount,
    threadsStartedCount: entry.threadsStartedCount,
    minorFaultCount: entry.minorFaultCount,
    majorFaultCount: entry.majorFaultCount,
    residentBytesBegin: begin?.residentBytes,
    residentBytesEnd: end?.residentBytes,
  };
}

const NOTHING: Pick<Entry, "begin" | "end"> = { begin: undefined, end: undefined };
