/**
 * What a record costs that no route asked for: it is passed over, not decoded.
 *
 * @module
 */

import { DiagnosisAccumulator } from "../../../engine/mod.ts";
import type { Figure } from "./figure.ts";
import { RingBackend } from "./ring_backend.ts";
import { openBenchEngine, WaitRing } from "./wait_ring.ts";

const FILLS = 20;
const RECORDS_PER_FILL_MAX = 1 << 16;

/** Fills the ring twenty times for a route that wants lifecycle events alone. */
export async function measureUnwantedRecords(): Promise<readonly Figure[]> {
  using waits = await WaitRing.open();
  const enough = new AbortController();
  let fillCount = 0;
  const onWait = (): void => {
    if (fillCount === FILLS) return enough.abort();
    fillCount++;
    waits.fill(RECORDS_PER_FILL_MAX);
  };
  const backend = new RingBackend({ libc: waits.libc, ring: waits.ring, onWait });
  const exporter = new DiagnosisAccumulator({ targetLabels: new Map() });
  {
    await using engine = openBenchEngine(backend, { kinds: ["fork", "exec", "exit"], exporter });

    await engine.run({ signal: enough.signal });
  }
  return [toUnwantedFigure({ readCount: backend.readCount, decodeCount: backend.decodeCount })];
}

/** Yields the figure; reading nothing proves nothing. */
export function toUnwantedFigure({ readCount, decodeCount }: { readCount: number; decodeCount: number }): Figure {
  return {
    name: "unwanted records",
    value: decodeCount,
    unit: "decodes",
    target: "0",
    verdict: decodeCount === 0 && readCount > 0 ? "PASS" : "FAIL",
    spread: `${readCount} records read`,
    how: "slow waits of 8 targets through the engine's own loop, for a route that asked for lifecycle events only",
  };
}
