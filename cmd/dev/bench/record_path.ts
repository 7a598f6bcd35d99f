/**
 * Records per second through the whole user side: mapped ring, routing, decode,
 * queue, batch, diagnosis.
 *
 * @module
 */

import type { TargetId } from "../../../engine/api/units.ts";
import { DiagnosisAccumulator } from "../../../engine/mod.ts";
import { DIAGNOSE_ROUTE_ID } from "../../diagnose/target_set.ts";
import { type Figure, formatValue, judgeAtLeast } from "./figure.ts";
import { RingBackend } from "./ring_backend.ts";
import { median, quantile } from "./statistics.ts";
import { BENCH_TARGET_COUNT, openBenchEngine, WaitRing } from "./wait_ring.ts";

const PER_SECOND_MIN = 5e6;

/** More than the ring holds: the generator stops when it is full. */
const RECORDS_PER_FILL_MAX = 1 << 16;
/** Until the hot path is compiled; 40 ms each or less. */
const WARM_UP_ROUNDS = 40;
const ROUNDS_MIN = 15;
const NO_LABELS = { targetLabels: new Map<TargetId, string>() };

/** One ring, read empty. */
interface Round {
  readonly recordCount: number;
  readonly elapsedMs: number;
}

/**
 * Measures for about `durationMs`, the time to fill the ring included.
 *
 * @throws {Error} If a record was lost on the way
 */
export async function measureRecordPath(options: { durationMs: number }): Promise<Figure> {
  const rounds = (await runRounds(options.durationMs)).slice(WARM_UP_ROUNDS);
  const rates = rounds.map(({ recordCount, elapsedMs }) => recordCount / elapsedMs * 1000);
  const perSecond = median(rates);
  const millions = (share: number) => formatValue(quantile(rates, share) / 1e6);
  return {
    name: "record path",
    value: perSecond / 1e6,
    unit: "million records/s",
    target: `at least ${PER_SECOND_MIN / 1e6}`,
    verdict: judgeAtLeast(perSecond, PER_SECOND_MIN),
    spread: `median of ${rounds.length} full rings, quartiles ${millions(0.25)} to ${millions(0.75)}`,
    how:
      `88-byte waits of ${BENCH_TARGET_COUNT} targets on 240 objects from a mapped 4 MiB ring through the engine's own ` +
      "loop into the diagnosis, one thread; filling the ring is not timed",
  };
}

async function runRounds(durationMs: number): Promise<readonly Round[]> {
  using waits = await WaitRing.open();

  const rounds: Round[] = [];
  const enough = new AbortController();
  const endMs = performance.now() + durationMs;
  let beganMs: number | undefined;
  let producedCount = 0;
  const onWait = (): void => {
    const nowMs = performance.now();
    if (beganMs !== undefined) rounds.push({ recordCount: producedCount, elapsedMs: nowMs - beganMs });
    if (nowMs >= endMs && rounds.length >= WARM_UP_ROUNDS + ROUNDS_MIN) return enough.abort();
    producedCount = waits.fill(RECORDS_PER_FILL_MAX);
    beganMs = performance.now();
  };
  const backend = new RingBackend({ libc: waits.libc, ring: waits.ring, onWait });
  await using engine = openBenchEngine(backend, { kinds: "all", exporter: new DiagnosisAccumulator(NO_LABELS) });

  await engine.run({ signal: enough.signal });
  const exportedCount = engine.stats().routes.get(DIAGNOSE_ROUTE_ID)?.exportedCount;
  if (exportedCount !== backend.readCount) {
    throw new Error(
      `Cannot measure the record path: found ${exportedCount} records exported, wanted all ${backend.readCount}`,
    );
  }
  return rounds;
}
