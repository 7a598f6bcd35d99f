/**
 * What processes have and use, from the first look to the last.
 *
 * @module
 */

import { PROCESSES_MAX } from "../api/limits.ts";
import type { ProcessResourceMeasurement } from "../api/resource_measurements.ts";
import type { ForkRecord, ProcessResources, ThreadAccount } from "../api/tracer_backend.ts";
import type { TargetId } from "../api/units.ts";

/** What is counted while a process lives. */
interface Entry {
  targetId: TargetId;
  begin: ProcessResources | undefined;
  end: ProcessResources | undefined;
  threadsStartedCount: number;
  minorFaultCount: number;
  majorFaultCount: number;
}

/** A bounded book: processes beyond `PROCESSES_MAX` have no row, and are counted. */
export class ResourceBook {
  readonly #entries = new Map<number, Entry>();
  readonly #processesMax: number;
  #missedCount = 0;

  constructor(options: { processesMax?: number } = {}) {
    this.#processesMax = options.processesMax ?? PROCESSES_MAX;
  }

  /** A process that was there when its target was taken in. */
  begin(resources: ProcessResources, targetId: TargetId): void {
    const entry = this.#entryOf(resources.processId, targetId);
    if (entry !== undefined) entry.begin ??= resources;
  }

  /** A new process begins with nothing, whatever had its id before; a new thread counts for its process. */
  fork(record: ForkRecord, targetId: TargetId): void {
    const { parentProcessId, childProcessId } = record;
    if (childProcessId !== parentProcessId) {
      this.#entries.delete(childProcessId);
      this.#entryOf(childProcessId, targetId);
      return;
    }
    const entry = this.#entryOf(parentProcessId, targetId);
    if (entry !== undefined) entry.threadsStartedCount++;
  }

  /** Adds what a thread faulted, whether it ended or lives at the end of the window. */
  thread(account: ThreadAccount, targetId: TargetId): void {
    const entry = this.#entryOf(account.processId, targetId);
    if (entry === undefined) return;
    entry.minorFaultCount += account.minorFaultCount ?? 0;
    entry.majorFaultCount += account.majorFaultCount ?? 0;
  }

  /** A process that lives at the end of the window. */
  end(resources: ProcessResources, targetId: TargetId): void {
    const entry = this.#entryOf(resources.processId, targetId);
    if (entry !== undefined) entry.end = resources;
  }

  forgetTarget(targetId: TargetId): void {
    for (const [processId, entry] of this.#entries) {
      if (entry.targetId === targetId) this.#entries.delete(processId);
    }
  }

  /** Processes that found no room. */
  get missedCount(): number {
    return this.#missedCount;
  }

  /** Yields one row per process, in order of first appearance. */
  measurements(): ProcessResourceMeasurement[] {
    return Array.from(this.#entries, ([processId, entry]) => {
      const { begin, end } = entry;
      return {
        targetId: entry.targetId,
        processId,
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
    });
  }

  #entryOf(processId: number, targetId: TargetId): Entry | undefined {
    const known = this.#entries.get(processId);
    if (known !== undefined) return known;
    if (this.#entries.size >= this.#processesMax) {
      this.#missedCount++;
      return undefined;
    }
    const entry: Entry = {
      targetId,
      begin: undefined,
      end: undefined,
      threadsStartedCount: 0,
      minorFaultCount: 0,
      majorFaultCount: 0,
    };
    this.#entries.set(processId, entry);
    return entry;
  }
}
