/**
 * Interim measurements for tests of live views.
 *
 * @module
 */

import type { Measurements } from "../../engine/api/measurements.ts";
import { CATEGORIES } from "../../engine/api/measurements.ts";
import { toTargetId } from "../../engine/api/units.ts";

const BEGIN_MS = 1000;
const SPAN_MS = 1000;

/** What of a thread differs from one that was blocked in nothing that has a name. */
export interface ThreadTime {
  readonly threadId: number;
  readonly onCpuMs?: number;
  readonly runnableMs?: number;
}

/** Yields the first second of a process 10 with these threads. */
export function interimMeasurements(threads: readonly ThreadTime[]): Measurements {
  const targetId = toTargetId("t");
  const ledger = { seen: 0, filtered: 0, aggregated: 0, delivered: 0, dropped: {}, residual: 0 };
  const partial = {
    isFinal: false,
    window: { beginMs: BEGIN_MS, endMs: BEGIN_MS + SPAN_MS, beginWallMs: BEGIN_MS, endWallMs: BEGIN_MS + SPAN_MS },
    threads: threads.map(({ threadId, onCpuMs = 0, runnableMs = 0 }) => ({
      targetId,
      processId: 10,
      threadId,
      command: "shop",
      beginMs: BEGIN_MS,
      endMs: BEGIN_MS + SPAN_MS,
      onCpuMs,
      runnableMs,
      throttledMs: 0,
      blockedMs: SPAN_MS - onCpuMs - runnableMs,
      residualMs: 0,
      exited: false,
    })),
    waits: [],
    books: {
      ledger: Object.fromEntries(CATEGORIES.map((category) => [category, ledger])),
      completeness: Object.fromEntries(CATEGORIES.map((category) => [category, { verdict: "complete" }])),
      cost: { hooks: [] },
    },
  };
  // Live views read no more than this of them.
  return partial as unknown as Measurements;
}
