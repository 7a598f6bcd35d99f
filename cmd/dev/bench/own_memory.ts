/**
 * Memory of `podtrace diagnose` itself, compiled, while it traces a busy redis.
 *
 * @module
 */

import { LoadedRedis } from "../../../tests/support/redis_server.ts";
import { compileProgram, PROGRAM_PATH } from "../compile.ts";
import { ROOT } from "../gate/steps.ts";
import { type Figure, formatValue, judgeAtMost, judgeIntervalAtMost } from "./figure.ts";
import { type Estimate, studentT975 } from "./statistics.ts";

const MEGABYTES_MAX = 90;
const GROWTH_MEGABYTES_MAX = 1;
const MEGABYTE = 1e6;
const SAMPLE_INTERVAL_MS = 1000;

/** Of the run: tables fill and the compiler works. */
const WARM_UP_SHARE = 0.2;
const TEN_MINUTES_MS = 600_000;

/** Proportional set size at one time. */
export interface MemorySample {
  readonly atMs: number;
  readonly bytes: number;
}

/** Traces for `durationMs`. @throws {Error} If there is no compiled program, or the diagnosis fails */
export async function measureOwnMemory(options: { durationMs: number }): Promise<readonly Figure[]> {
  const outcome = await compileProgram();
  if (outcome.kind === "no_runtime") throw new Error(outcome.advice);
  await using redis = await LoadedRedis.start();
  const folder = await Deno.makeTempDir({ prefix: "podtrace-bench-" });
  try {
    return toMemoryFigures(await sampleDiagnosis({ folder, processId: redis.processId, ...options }));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function sampleDiagnosis(
  options: { folder: string; processId: number; durationMs: number },
): Promise<readonly MemorySample[]> {
  const duration = `${Math.ceil(options.durationMs / 1000)}s`;
  const child = new Deno.Command(`${ROOT}${PROGRAM_PATH}`, {
    args: ["diagnose", "--pid", String(options.processId), "--duration", duration, "-o", "json"]
      .concat(["--output-file", `${options.folder}/report.json`]),
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  let code: number | undefined;
  const ended = child.status.then((status) => code = status.code);
  const samples: MemorySample[] = [];
  while (code === undefined) {
    const bytes = await readPss(child.pid);
    if (bytes !== undefined) samples.push({ atMs: performance.now(), bytes });
    await new Promise((resolve) => setTimeout(resolve, SAMPLE_INTERVAL_MS));
  }
  await ended;
  if (code !== 0) throw new Error(`Cannot measure memory: diagnose ended with ${code}, wanted 0`);
  return samples;
}

/** Yields bytes; `undefined` once the process is gone. */
async function readPss(processId: number): Promise<number | undefined> {
  try {
    return parsePss(await Deno.readTextFile(`/proc/${processId}/smaps_rollup`));
  } catch {
    return undefined; // it is gone, or on its way
  }
}

/** Yields the bytes of the line `Pss:`. */
export function parsePss(rollup: string): number | undefined {
  const kibibytes = /^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}

/** Yields the largest sample, and how fast they grow once warm. @throws {RangeError} Below five samples */
export function toMemoryFigures(samples: readonly MemorySample[]): readonly Figure[] {
  const warm = samples.slice(Math.floor(samples.length * WARM_UP_SHARE));
  const slope = estimateSlope(warm);
  const growth = (perMs: number) => perMs * TEN_MINUTES_MS / MEGABYTE;
  const interval = { low: growth(slope.low), high: growth(slope.high) };
  const most = Math.max(...samples.map(({ bytes }) => bytes)) / MEGABYTE;
  const first = samples[0]?.atMs ?? 0;
  const seconds = ((samples.at(-1)?.atMs ?? 0) - first) / 1000;
  const how = "dist/podtrace diagnose, every default plane, of redis under redis-benchmark with 8 clients; Pss of " +
    "smaps_rollup every second";
  return [
    {
      name: "own memory",
      value: most,
      unit: "MB (Pss), the most",
      target: `at most ${MEGABYTES_MAX}`,
      verdict: judgeAtMost(most, MEGABYTES_MAX),
      spread: `${samples.length} samples in ${seconds.toFixed(0)} s`,
      how,
    },
    {
      name: "own memory growth",
      value: growth(slope.mean),
      unit: "MB in 10 minutes",
      target: `flat: at most ${GROWTH_MEGABYTES_MAX}`,
      verdict: judgeIntervalAtMost(interval, GROWTH_MEGABYTES_MAX),
      spread: `95 % interval ${formatValue(interval.low)} to ${formatValue(interval.high)} MB, slope of ` +
        `${warm.length} samples after the first ${formatValue(WARM_UP_SHARE * 100)} %`,
      how,
    },
  ];
}

/** Yields the least-squares slope, bytes per millisecond, with its 95 % interval. @throws {RangeError} Below three samples */
export function estimateSlope(samples: readonly MemorySample[]): Estimate {
  const count = samples.length;
  if (count < 3) throw new RangeError(`Cannot estimate a slope: expected three samples or more, got ${count}`);
  const meanOf = (valueOf: (sample: MemorySample) => number) =>
    samples.reduce((sum, sample) => sum + valueOf(sample), 0) / count;
  const atMean = meanOf(({ atMs }) => atMs);
  const bytesMean = meanOf(({ bytes }) => bytes);
  const spread = samples.reduce((sum, { atMs }) => sum + (atMs - atMean) ** 2, 0);
  const shared = samples.reduce((sum, { atMs, bytes }) => sum + (atMs - atMean) * (bytes - bytesMean), 0);
  const mean = shared / spread;
  const residual = samples.reduce(
    (sum, { atMs, bytes }) => sum + (bytes - bytesMean - mean * (atMs - atMean)) ** 2,
    0,
  );
  const reach = studentT975(count - 2) * Math.sqrt(residual / (count - 2) / spread);
  return { mean, low: mean - reach, high: mean + reach };
}
