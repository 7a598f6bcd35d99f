/**
 * A host, a clock, a timer and an exporter for tests: all of them do what the
 * test says, when it says so.
 *
 * @module
 */

import type { Clock } from "../api/clock.ts";
import type { TraceEvent } from "../api/events.ts";
import type { Exporter, ExportOutcome } from "../api/exporter.ts";
import type { CgroupReading, HostReader, OwnUse, ProcessReading } from "../api/host_reader.ts";
import type { Measurements, PressureMeasurement, StackFrame } from "../api/measurements.ts";
import type { Target } from "../api/target.ts";
import type { Timer } from "../api/timer.ts";
import { type TargetId, toTargetId } from "../api/units.ts";

/** Wall time is a million milliseconds ahead. */
export const TEST_WALL_OFFSET_MS = 1_000_000;

/** Time that stands still until it is moved; sleepers wake when it reaches them. */
export class TestTime implements Clock, Timer {
  #nowMs = 1000;
  readonly #sleepers = new Set<{ dueMs: number; wake: () => void }>();

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs + TEST_WALL_OFFSET_MS;
  }

  get sleeperCount(): number {
    return this.#sleepers.size;
  }

  advance(durationMs: number): void {
    this.#nowMs += durationMs;
    for (const sleeper of this.#sleepers) if (sleeper.dueMs <= this.#nowMs) sleeper.wake();
  }

  sleep(durationMs: number, options: { signal: AbortSignal }): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const sleeper = {
      dueMs: this.#nowMs + durationMs,
      wake: () => {
        this.#sleepers.delete(sleeper);
        options.signal.removeEventListener("abort", sleeper.wake);
        resolve();
      },
    };
    this.#sleepers.add(sleeper);
    options.signal.addEventListener("abort", sleeper.wake, { once: true });
    if (options.signal.aborted) sleeper.wake();
    return promise;
  }

  async nextTurn(): Promise<void> {
    await Promise.resolve();
  }
}

/** Enough for a full queue's batches, at some ten steps each. */
const SETTLE_ROUNDS = 512;

/** Lets everything that can go on without time passing do so. */
export async function settle(): Promise<void> {
  for (let round = 0; round < SETTLE_ROUNDS; round++) await Promise.resolve();
}

export class TestHost implements HostReader {
  readonly cpuCount = 4;
  processes = new Map<number, ProcessReading>();
  cgroups = new Map<string, CgroupReading>();
  cgroupPaths = new Map<number, string>();
  hostPressure: PressureMeasurement | undefined;
  use: OwnUse = { cpuMs: 0, memoryBytes: 0 };

  process(processId: number): ProcessReading | undefined {
    return this.processes.get(processId);
  }

  cgroup(path: string): CgroupReading | undefined {
    return this.cgroups.get(path);
  }

  cgroupPathOf(processId: number): string | undefined {
    return this.cgroupPaths.get(processId);
  }

  pressure(): PressureMeasurement | undefined {
    return this.hostPressure;
  }

  ownUse(): OwnUse {
    return this.use;
  }

  systemCallName(systemCall: number): string | undefined {
    return systemCall === 0 ? "read" : undefined;
  }

  describeStack(processId: number, addresses: readonly bigint[]): readonly StackFrame[] {
    return addresses.map((address) => aFrame({ function: String(processId), offset: Number(address) }));
  }
}

/** Yields a frame of a function that is known, in no module. */
export function aFrame(place: { function: string; offset: number }): StackFrame {
  const text = `${place.function}+0x${place.offset.toString(16)}`;
  return { ...place, text, module: undefined, buildId: undefined, isResolved: true };
}

export type ExporterMood = "prompt" | "half" | "failing" | "hanging" | "deaf";

/**
 * Takes batches as its mood says: `half` takes every batch's first half,
 * `hanging` ends only when aborted, `deaf` never ends.
 */
export class TestExporter implements Exporter {
  mood: ExporterMood = "prompt";
  wantsInterim = false;
  readonly batchSizes: number[] = [];
  readonly events: TraceEvent[] = [];
  readonly measurements: Measurements[] = [];
  disposeCount = 0;

  async export(batch: readonly TraceEvent[], options: { signal: AbortSignal }): Promise<ExportOutcome> {
    this.batchSizes.push(batch.length);
    await this.#behave(options.signal);
    const exportedCount = this.mood === "half" ? batch.length >> 1 : batch.length;
    this.events.push(...batch.slice(0, exportedCount));
    return { exportedCount, droppedCount: batch.length - exportedCount };
  }

  async exportMeasurements(measurements: Measurements, options: { signal: AbortSignal }): Promise<void> {
    await this.#behave(options.signal);
    this.measurements.push(measurements);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.disposeCount++;
    return Promise.resolve();
  }

  async #behave(signal: AbortSignal): Promise<void> {
    if (this.mood === "failing") throw new Error("Cannot send: the other side is gone");
    if (this.mood !== "hanging" && this.mood !== "deaf") return;
    const isDeaf = this.mood === "deaf";
    await new Promise<void>((_, reject) => {
      if (!isDeaf) signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }
}

export function aTarget(id: string, overrides: Partial<Target> = {}): Target {
  return { id: toTargetId(id), label: id, cgroups: [], processIds: [], isSystemWide: false, ...overrides };
}

export function targetMap(targets: readonly Target[]): ReadonlyMap<TargetId, Target> {
  return new Map(targets.map((target) => [target.id, target]));
}
