/**
 * What our hooks cost a process that nobody looks at: nanoseconds of CPU time per
 * call, attached less unattached, in turns.
 *
 * @module
 */

import { DEFAULT_PLANES } from "../../../engine/api/plane.ts";
import { buildNativeProgram } from "../demo/native_program.ts";
import { type Figure, formatValue, judgeAtMost } from "./figure.ts";
import { LineProgram, settle, startTracer } from "./line_program.ts";
import { median, quantile } from "./statistics.ts";

const NS_PER_CALL_MAX = 100;
const SAMPLES_PER_SIDE = 100;
/** Whatever else the machine does makes a sample longer, never shorter: the shortest tenth is without it. */
const UNDISTURBED = 0.1;
const BLOCKS_MIN = 5;

const TARGET = { name: "hook_target", source: new URL("hook_target.c", import.meta.url), headers: [] };

interface Workload {
  readonly name: string;
  /** Argument of hook_target. */
  readonly mode: "switches" | "transfers";
  /** Calls of our programs in one round. */
  readonly callsPerRound: number;
  /** 2 ms or so. */
  readonly roundsPerSample: number;
  readonly how: string;
}

const WORKLOADS: readonly Workload[] = [
  {
    name: "scheduling hooks, no target",
    mode: "switches",
    callsPerRound: 6,
    roundsPerSample: 400,
    how: "two threads on one CPU wake each other: 2 sched_switch, 2 sched_waking, 2 sched_wakeup a round",
  },
  {
    name: "socket hooks, no target",
    mode: "transfers",
    callsPerRound: 2,
    roundsPerSample: 500,
    how: "one byte sent over a loopback connection and received: 1 sock_send_length, 1 sock_recv_length a round",
  },
];

/** Measures both workloads in about `durationMs`, five blocks each at least. */
export async function measureHooks(options: { durationMs: number }): Promise<readonly Figure[]> {
  const program = await buildNativeProgram(TARGET, new URL("../../../dist/bench/", import.meta.url));
  const figures: Figure[] = [];
  for (const workload of WORKLOADS) {
    const durationMs = options.durationMs / WORKLOADS.length;
    figures.push(toHookFigure(workload, await measureBlocks(workload, { program, durationMs })));
  }
  return figures;
}

/** Nanoseconds of CPU time a round, before, with and after the hooks. */
export interface HookBlock {
  readonly beforeNs: number;
  readonly attachedNs: number;
  readonly afterNs: number;
}

/** Yields the figure of one workload. */
export function toHookFigure(
  { name, callsPerRound, how }: Pick<Workload, "name" | "callsPerRound" | "how">,
  blocks: readonly HookBlock[],
): Figure {
  const costs = blocks.map(({ beforeNs, attachedNs, afterNs }) =>
    (attachedNs - (beforeNs + afterNs) / 2) / callsPerRound
  );
  const value = median(costs);
  const untraced = median(blocks.flatMap(({ beforeNs, afterNs }) => [beforeNs, afterNs]));
  return {
    name,
    value,
    unit: "ns a call",
    target: `at most ${NS_PER_CALL_MAX}`,
    verdict: judgeAtMost(value, NS_PER_CALL_MAX),
    spread: `median of ${blocks.length} blocks, quartiles ${formatValue(quantile(costs, 0.25))} to ` +
      `${formatValue(quantile(costs, 0.75))}; a round takes ${formatValue(untraced)} ns unattached`,
    how: `${how}; a sleeping process is traced with every default plane; CPU time, the ` +
      "shortest tenth of 100 samples of 2 ms; off, on, off in turns, " +
      "each after 300 ms: in the first 200 ms of every 10 s the kernel times the programs, which is left out",
  };
}

async function measureBlocks(
  workload: Workload,
  options: { program: string; durationMs: number },
): Promise<readonly HookBlock[]> {
  await using target = new LineProgram(options.program, [workload.mode]);
  await using sleeper = new LineProgram("cat", []);
  await using tracer = startTracer(sleeper.processId, [...DEFAULT_PLANES]);

  const sample = async (): Promise<number> => {
    const values: number[] = [];
    while (values.length < SAMPLES_PER_SIDE) values.push(Number(await target.ask(String(workload.roundsPerSample))));
    return quantile(values, UNDISTURBED);
  };
  const switchTo = async (state: "on" | "off"): Promise<void> => {
    await tracer.ask(state);
    await settle();
  };
  await switchTo("on"); // once for everything that is loaded late
  await switchTo("off");
  await sample();
  const endMs = performance.now() + options.durationMs;
  const blocks: HookBlock[] = [];
  while (blocks.length < BLOCKS_MIN || performance.now() < endMs) {
    const beforeNs = await sample();
    await switchTo("on");
    const attachedNs = await sample();
    await switchTo("off");
    blocks.push({ beforeNs, attachedNs, afterNs: await sample() });
  }
  return blocks;
}
