/**
 * `deno task bench`: measures the published figures on this machine, prints
 * them, and writes them to `dist/bench.json`.
 *
 * @module
 */

import { tracingObstacle } from "../demo/tracing_rights.ts";
import { ROOT } from "../gate/steps.ts";
import { type BenchOptions, parseBenchOptions } from "./bench_options.ts";
import { type FailedFigure, type Figure, figureLines, isMiss } from "./figure.ts";
import { measureBurst } from "./burst_figure.ts";
import { measureRecordPath } from "./record_path.ts";
import { measureHooks } from "./hook_cost.ts";
import { measureMapMemory } from "./map_memory_figure.ts";
import { measureOwnMemory } from "./own_memory.ts";
import { measureRender } from "./render_figure.ts";
import { measureRedis, REDIS_SCENARIOS } from "./redis_figure.ts";
import { measureRingReader } from "./ring_reader_figure.ts";
import { measureStart } from "./start_figure.ts";
import { measureUnwantedRecords } from "./unwanted_records.ts";
import { measureUnnamedWait } from "./unnamed_wait.ts";

const RESULT_PATH = `${ROOT}dist/bench.json`;
const RESULT_SCHEMA_VERSION = 1;

interface Measurement {
  readonly name: string;
  /** What it takes when nobody says otherwise. */
  readonly seconds: number;
  measure(options: { durationMs: number }): Promise<readonly Figure[]>;
}

/** Quick ones first. */
const MEASUREMENTS: readonly Measurement[] = [
  { name: "ring", seconds: 10, measure: async (options) => [await measureRingReader(options)] },
  { name: "start", seconds: 20, measure: measureStart },
  { name: "records", seconds: 10, measure: async (options) => [await measureRecordPath(options)] },
  { name: "unwanted", seconds: 1, measure: measureUnwantedRecords },
  { name: "report", seconds: 60, measure: measureRender },
  { name: "burst", seconds: 6, measure: measureBurst },
  { name: "unnamed", seconds: 10, measure: measureUnnamedWait },
  { name: "hooks", seconds: 30, measure: measureHooks },
  { name: "maps", seconds: 5, measure: measureMapMemory },
  { name: "bystander", seconds: 300, measure: (options) => measureRedis(REDIS_SCENARIOS.bystander, options) },
  { name: "redis", seconds: 600, measure: (options) => measureRedis(REDIS_SCENARIOS.timePlane, options) },
  { name: "defaults", seconds: 600, measure: (options) => measureRedis(REDIS_SCENARIOS.defaults, options) },
  { name: "memory", seconds: 600, measure: measureOwnMemory },
];

const NAMES = MEASUREMENTS.map(({ name }) => name);

const USAGE = `Usage: bench [--check] [--only NAME]... [--seconds N]

Measures the published figures on this machine; docs/benchmarks.md says how to read them.

  --check      exit with 1 when a target is missed (UNDECIDED is no miss)
  --only NAME  ${NAMES.join(", ")}; repeatable
  --seconds N  time for each, instead of ${MEASUREMENTS.map(({ name, seconds }) => `${name} ${seconds}`).join(", ")}`;

/** Yields the exit code: 1 when a figure cannot be had, or with `--check` misses its target; 2 for wrong arguments. */
export async function runBench(args: string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(USAGE);
    return 0;
  }
  const options = parseBenchOptions(args, NAMES);
  if (typeof options === "string") {
    console.error(`Cannot run the bench: ${options}\n\n${USAGE}`);
    return 2;
  }
  const obstacle = tracingObstacle({
    status: await Deno.readTextFile("/proc/self/status"),
    hasKernelTypes: await isPresent("/sys/kernel/btf/vmlinux"),
  });
  if (obstacle !== undefined) {
    console.error(`Cannot run the bench: ${obstacle}`);
    return 1;
  }
  return await measureAll(options);
}

async function measureAll(options: BenchOptions): Promise<number> {
  const { runSetup } = await import("../setup.ts");
  const setupCode = await runSetup([]);
  if (setupCode !== 0) return setupCode;

  const figures: (Figure | FailedFigure)[] = [];
  for (const measurement of MEASUREMENTS) {
    if (options.only.length > 0 && !options.only.includes(measurement.name)) continue;
    const measured = await measureOne(measurement, options.seconds ?? measurement.seconds);
    for (const figure of measured) console.log(figureLines(figure).join("\n"));
    figures.push(...measured);
  }
  await writeResult(figures);
  const isFailed = figures.some((figure) => "problem" in figure || (options.isCheck && isMiss(figure)));
  return isFailed ? 1 : 0;
}

/** One that cannot be had does not keep the others from being measured. */
async function measureOne(measurement: Measurement, seconds: number): Promise<readonly (Figure | FailedFigure)[]> {
  try {
    return await measurement.measure({ durationMs: seconds * 1000 });
  } catch (error) {
    return [{ name: measurement.name, problem: error instanceof Error ? error.message : String(error) }];
  }
}

async function writeResult(figures: readonly (Figure | FailedFigure)[]): Promise<void> {
  const result = {
    schemaVersion: RESULT_SCHEMA_VERSION,
    measuredAt: new Date().toISOString(),
    machine: {
      architecture: Deno.build.arch,
      cpuCount: navigator.hardwareConcurrency,
      kernel: Deno.osRelease(),
      deno: Deno.version.deno,
    },
    figures,
  };
  await Deno.mkdir(`${ROOT}dist`, { recursive: true });
  await Deno.writeTextFile(RESULT_PATH, `${JSON.stringify(result, null, 2)}\n`);
  console.log("written to dist/bench.json");
}

async function isPresent(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, (error: unknown) => {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  });
}
