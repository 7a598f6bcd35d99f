/**
 * Where threads were found computing: the plane "profile". Plain data.
 *
 * @module
 */

import type { StackFrame } from "./measurements.ts";
import type { TargetId } from "./units.ts";

/** How often a second each CPU is looked at. Not 100: that would fall in step with others' timers. */
export const SAMPLES_PER_SECOND = 99;

/** How often one thread was found computing at one place. */
export interface CpuSampleMeasurement {
  /** Whose thread it is. */
  readonly targetId: TargetId;
  /** As the host's pid namespace knows it. */
  readonly processId: number;
  /** As the host's pid namespace knows it. */
  readonly threadId: number;
  /** Each stands for 1/`SAMPLES_PER_SECOND` of a second. */
  readonly sampleCount: number;
  /** Innermost first; empty: none could be taken. */
  readonly userStack: readonly StackFrame[];
}

/** A row of the kernel's table of samples. */
export interface SampleRow {
  /** Of the thread. */
  readonly processId: number;
  /** The thread. */
  readonly threadId: number;
  /** See `TracerBackend.slotOf`. */
  readonly targetSlot: number;
  /** For `TracerBackend.userStack`; negative: no stack was taken. */
  readonly stackId: number;
  /** Samples. */
  readonly count: number;
}
