/**
 * How often threads went to sleep, and for how long.
 *
 * @module
 */

import { IDLE_WAIT_CLASSES } from "../../api/measurements.ts";
import { describeLatency, summariseLatency } from "./latency.ts";
import { type FiguresOf, rateOf, type SectionInput, sumOf } from "./section_input.ts";

/** `undefined`: no thread ever waited. */
export function cpuFigures({ measurements }: SectionInput): FiguresOf<"cpu"> | undefined {
  const all = summariseLatency(measurements.waits);
  if (all === undefined) return undefined;
  const busy = summariseLatency(measurements.waits.filter(({ waitClass }) => !IDLE_WAIT_CLASSES.has(waitClass)));
  const switchCount = sumOf(measurements.waits, ({ sleepCount }) => sleepCount);
  return {
    thread_switches: switchCount,
    switches_per_second: rateOf(switchCount, measurements),
    avg_block_time_ms: all.avg_ms,
    max_block_time_ms: all.max_ms,
    p50_ms: all.p50_ms,
    p95_ms: all.p95_ms,
    p99_ms: all.p99_ms,
    non_idle: busy,
  };
}

export function renderCpu(figures: FiguresOf<"cpu">): readonly string[] {
  const { avg_block_time_ms, max_block_time_ms, p50_ms, p95_ms, p99_ms, non_idle } = figures;
  const times = { avg_ms: avg_block_time_ms, max_ms: max_block_time_ms, p50_ms, p95_ms, p99_ms };
  return [
    `Thread switches: ${figures.thread_switches} (${figures.switches_per_second.toFixed(1)}/s)`,
    `Block time, idle included: ${describeLatency(times)}`,
    ...(non_idle === undefined
      ? []
      : [`Block time of ${non_idle.count} that are not idle: ${describeLatency(non_idle)}`]),
  ];
}
