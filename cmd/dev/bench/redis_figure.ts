/**
 * What tracing costs a busy server: redis under redis-benchmark, with and
 * without the time plane, in turns.
 *
 * @module
 */

import { DEFAULT_PLANES, type Plane } from "../../../engine/api/plane.ts";
import { freePort } from "../../../tests/support/redis_server.ts";
import { runCommand } from "../run_command.ts";
import { readMachineFacts, runSetup } from "../setup.ts";
import { BENCH_NEEDS } from "../setup/needs.ts";
import { type Figure, formatValue, judgeIntervalAtMost } from "./figure.ts";
import { LineProgram, settle, startTracer } from "./line_program.ts";
import { type Estimate, estimateGrowthPercent, estimateLossPercent, geometricMean, median } from "./statistics.ts";

const CLIENT_COUNT = 50;
const SLICE_SECONDS = 1.2;
const CALIBRATION_REQUESTS = 100_000;
/** For an interval of the blocks, and one of what lies between them. */
const BLOCKS_MIN = 3;

/** Attaching takes seconds, so several traced slices share it. */
const TRACED_SLICES = 4;
const UNTRACED_SLICES = TRACED_SLICES / 2;

/** What is traced while redis works. */
export interface RedisScenario {
  /** How its figures are called. */
  readonly name: string;
  readonly planes: readonly Plane[];
  /** false: another process is traced, redis only pays for the hooks being there. */
  readonly isTarget: boolean;
  /** The most that may be lost. */
  readonly lossPercentMax: number;
}

/** Cheap before dear. */
export const REDIS_SCENARIOS = {
  bystander: { name: "redis beside a target", planes: [...DEFAULT_PLANES], isTarget: false, lossPercentMax: 2 },
  timePlane: { name: "redis", planes: ["time"], isTarget: true, lossPercentMax: 2 },
  defaults: { name: "redis with every default plane", planes: [...DEFAULT_PLANES], isTarget: true, lossPercentMax: 3 },
} as const satisfies Record<string, RedisScenario>;

/** One run of redis-benchmark. */
export interface Slice {
  readonly requestsPerSecond: number;
  readonly serverNsPerRequest: number;
}

/** Untraced, traced, untraced: as many of one as of the other, so that drift weighs on both. */
export interface Block {
  readonly before: readonly Slice[];
  readonly traced: readonly Slice[];
  readonly after: readonly Slice[];
}

/**
 * Measures for about `durationMs`, three blocks at least.
 *
 * @throws {Error} If redis cannot be installed or started
 */
export async function measureRedis(
  scenario: RedisScenario,
  options: { durationMs: number },
): Promise<readonly Figure[]> {
  await ensureRedis();
  const folder = await Deno.makeTempDir({ prefix: "podtrace-bench-" });
  try {
    return toRedisFigures(scenario, await measureBlocks(scenario, { folder, ...options }));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Yields the figures of at least three blocks, in the order they were measured. */
export function toRedisFigures(scenario: RedisScenario, blocks: readonly Block[]): readonly Figure[] {
  const pairs = blocks.map(({ before, traced, after }) => ({ before: [...before, ...after], after: traced }));
  const likes = blocks.slice(1).map(({ before }, index) => ({ before: blocks[index]?.after ?? [], after: before }));
  const order = `${UNTRACED_SLICES} off, ${TRACED_SLICES} on, ${UNTRACED_SLICES} off`;
  const how =
    `redis-benchmark -t set, ${CLIENT_COUNT} clients, slices of ${SLICE_SECONDS} s in blocks of ${order}; on: a ` +
    `diagnosis of ${scenario.isTarget ? "the server" : "a sleeping process"} (${scenario.planes.join(", ")}) runs in ` +
    "another process; attaching and detaching, with 300 ms after each, are not measured";
  const untraced = (figureOf: SliceFigure) => median(pairs.map(({ before }) => geometricMean(before.map(figureOf))));
  return [
    toCostFigure(scenario, estimateLossPercent(toPairs(pairs, requestsPerSecond)), {
      what: "throughput",
      unit: "% fewer requests/s",
      how,
      scale: `${blocks.length} blocks; ${formatValue(untraced(requestsPerSecond))} requests/s untraced`,
    }),
    toCostFigure(scenario, estimateGrowthPercent(toPairs(pairs, serverNsPerRequest)), {
      what: "server CPU",
      unit: "% more CPU per request",
      how: `${how}; run time of the server's threads from schedstat`,
      scale: `${blocks.length} blocks; ${formatValue(untraced(serverNsPerRequest) / 1000)} us a request untraced`,
    }),
    toScatterFigure(scenario, likes),
  ];
}

interface SlicePair {
  readonly before: readonly Slice[];
  readonly after: readonly Slice[];
}

type SliceFigure = (slice: Slice) => number;

const requestsPerSecond: SliceFigure = (slice) => slice.requestsPerSecond;
const serverNsPerRequest: SliceFigure = (slice) => slice.serverNsPerRequest;

/** One pair a block: slices of one block are no independent observations. */
function toPairs(
  pairs: readonly SlicePair[],
  figureOf: SliceFigure,
): readonly { before: number; after: number }[] {
  return pairs.map(({ before, after }) => ({
    before: geometricMean(before.map(figureOf)),
    after: geometricMean(after.map(figureOf)),
  }));
}

function toCostFigure(
  { name, lossPercentMax }: RedisScenario,
  estimate: Estimate,
  about: { what: string; unit: string; how: string; scale: string },
): Figure {
  return {
    name: `${name}: ${about.what}`,
    value: estimate.mean,
    unit: about.unit,
    target: `at most ${lossPercentMax}`,
    verdict: judgeIntervalAtMost(estimate, lossPercentMax),
    spread: `95 % interval ${intervalText(estimate)}, ${about.scale}`,
    how: about.how,
  };
}

/** What the same method says when nothing is compared with nothing. */
function toScatterFigure({ name }: RedisScenario, likes: readonly SlicePair[]): Figure {
  const throughput = estimateLossPercent(toPairs(likes, requestsPerSecond));
  const cpu = estimateGrowthPercent(toPairs(likes, serverNsPerRequest));
  return {
    name: `${name}: scatter`,
    value: throughput.mean,
    unit: "% fewer requests/s without tracing on either side",
    target: "none",
    verdict: "INFO",
    spread:
      `95 % interval ${intervalText(throughput)}, ${likes.length} pairs; server CPU ${formatValue(cpu.mean)} %, ` +
      `interval ${intervalText(cpu)}`,
    how: "neighbouring untraced slices compared by the same method: how far the two figures above can be trusted",
  };
}

function intervalText({ low, high }: Estimate): string {
  return `${formatValue(low)} to ${formatValue(high)} %`;
}

async function measureBlocks(
  scenario: RedisScenario,
  options: { folder: string; durationMs: number },
): Promise<readonly Block[]> {
  const endMs = performance.now() + options.durationMs;
  await using server = await RedisServer.start(options.folder);
  await using sleeper = new LineProgram("cat", []);
  await using tracer = startTracer(scenario.isTarget ? server.processId : sleeper.processId, scenario.planes);

  const calibration = await server.slice(CALIBRATION_REQUESTS);
  const requestCount = Math.round(calibration.requestsPerSecond * SLICE_SECONDS);
  const slices = async (count: number): Promise<readonly Slice[]> => {
    const measured: Slice[] = [];
    while (measured.length < count) measured.push(await server.slice(requestCount));
    return measured;
  };
  const switchTo = async (state: "on" | "off"): Promise<void> => {
    await tracer.ask(state);
    await settle();
  };
  await switchTo("on"); // once for everything that is loaded late
  await switchTo("off");
  const blocks: Block[] = [];
  while (blocks.length < BLOCKS_MIN || performance.now() < endMs) {
    const before = await slices(UNTRACED_SLICES);
    await switchTo("on");
    const traced = await slices(TRACED_SLICES);
    await switchTo("off");
    blocks.push({ before, traced, after: await slices(UNTRACED_SLICES) });
  }
  return blocks;
}

/** A redis of our own on loopback, without persistence; ended by its process id. */
class RedisServer implements AsyncDisposable {
  readonly #program: LineProgram;
  readonly #port: number;

  private constructor(program: LineProgram, port: number) {
    this.#program = program;
    this.#port = port;
  }

  /** @throws {Error} If it ends before it is ready */
  static async start(folder: string): Promise<RedisServer> {
    const port = freePort();
    const settings = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no", "--dir", folder];
    const program = new LineProgram("redis-server", ["--port", String(port), ...settings], { isEndedByInput: false });
    try {
      while (!(await program.answer()).includes("Ready to accept connections"));
    } catch (cause) {
      await program[Symbol.asyncDispose]();
      throw cause;
    }
    return new RedisServer(program, port);
  }

  get processId(): number {
    return this.#program.processId;
  }

  /** Sends `requestCount` requests. @throws {Error} If redis-benchmark fails */
  async slice(requestCount: number): Promise<Slice> {
    const args = ["-h", "127.0.0.1", "-p", String(this.#port), "-c", String(CLIENT_COUNT), "-n", String(requestCount)];
    const beforeNs = readRunNs(this.processId);
    const { code, output } = await runCommand("redis-benchmark", {
      args: [...args, "-t", "set", "--csv"],
      output: "capture",
    });
    const serverNs = readRunNs(this.processId) - beforeNs;
    if (code !== 0) throw new Error(`Cannot load redis: redis-benchmark ended with ${code}\n${output}`);
    return { requestsPerSecond: parseRequestsPerSecond(output), serverNsPerRequest: serverNs / requestCount };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
  }
}

/** Yields the second column of the row of SET. @throws {Error} If there is none */
export function parseRequestsPerSecond(csv: string): number {
  const found = /^"SET","([0-9.]+)"/m.exec(csv)?.[1];
  if (found === undefined || !(Number(found) > 0)) {
    throw new Error(`Cannot read redis-benchmark: found ${JSON.stringify(csv)}, wanted a row of SET`);
  }
  return Number(found);
}

/** Nanoseconds on a CPU of every thread: the first figure of /proc/PID/task/TID/schedstat. */
function readRunNs(processId: number): number {
  let total = 0;
  for (const { name } of Deno.readDirSync(`/proc/${processId}/task`)) {
    total += Number(Deno.readTextFileSync(`/proc/${processId}/task/${name}/schedstat`).split(" ")[0]);
  }
  return total;
}

/** @throws {Error} If it is missing and cannot be installed */
async function ensureRedis(): Promise<void> {
  if (readMachineFacts(BENCH_NEEDS).missing.length === 0) return;
  await runSetup(["--bench", "--no-generate"]);
  const missing = readMachineFacts(BENCH_NEEDS).missing.map(({ name }) => name);
  if (missing.length > 0) throw new Error(`Cannot measure redis: found no ${missing.join(", ")}; install them first`);
}
