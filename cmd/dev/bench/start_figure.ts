/**
 * How soon the compiled binary answers, and how soon it traces.
 *
 * @module
 */

import { compileProgram, PROGRAM_PATH } from "../compile.ts";
import { ROOT } from "../gate/steps.ts";
import { runCommand } from "../run_command.ts";
import { type Figure, formatValue, judgeAtMost } from "./figure.ts";
import { median, quantile } from "./statistics.ts";

const ATTACHED_MS_MAX = 1000;
const HELP_MS_MAX = 120;

const RUNS_MIN = 7;
const RUNS_MAX = 101;

/** One start of the program. */
type Start = () => Promise<number>;

/** Compiles, unless that was done, and starts the program again and again for about `durationMs`. @throws {Error} */
export async function measureStart(options: { durationMs: number }): Promise<readonly Figure[]> {
  const outcome = await compileProgram();
  if (outcome.kind === "no_runtime") throw new Error(outcome.advice);
  const { size } = await Deno.stat(`${ROOT}${PROGRAM_PATH}`);
  const about = `the compiled binary (${formatValue(size / 1e6)} MB, runtime of Deno ${outcome.runtime.version}, ` +
    "no code cache)";
  // Half of the time for each; the first start of a file reads it from the disk.
  const durationMs = options.durationMs / 2;
  return [
    toFigure(await startAgainAndAgain(startHelp, durationMs), {
      name: "start to help",
      most: HELP_MS_MAX,
      how: `podtrace --help of ${about}: from before it is spawned until it has ended`,
    }),
    toFigure(await startAgainAndAgain(startTracing, durationMs), {
      name: "start to attached",
      most: ATTACHED_MS_MAX,
      how: `podtrace diagnose of ${about}: from before it is spawned to the beginning of the window in its report, ` +
        "which is when every hook is attached",
    }),
  ];
}

function toFigure(runsMs: readonly number[], about: { name: string; most: number; how: string }): Figure {
  const valueMs = median(runsMs);
  const ends = `${formatValue(quantile(runsMs, 0.25))} to ${formatValue(quantile(runsMs, 0.75))}`;
  return {
    name: about.name,
    value: valueMs,
    unit: "ms",
    target: `at most ${about.most}`,
    verdict: judgeAtMost(valueMs, about.most),
    spread: `median of ${runsMs.length} starts, quartiles ${ends}, fastest ${formatValue(Math.min(...runsMs))}`,
    how: about.how,
  };
}

async function startAgainAndAgain(start: Start, durationMs: number): Promise<readonly number[]> {
  await start();
  const runsMs: number[] = [];
  const beganMs = performance.now();
  while (runsMs.length < RUNS_MIN || (runsMs.length < RUNS_MAX && performance.now() - beganMs < durationMs)) {
    runsMs.push(await start());
  }
  return runsMs;
}

async function startHelp(): Promise<number> {
  const beganMs = performance.now();
  await run(["--help"]);
  return performance.now() - beganMs;
}

async function startTracing(): Promise<number> {
  const beganWallMs = Date.now();
  const output = await run(["diagnose", "--pid", String(Deno.pid), "--duration", "50ms", "-o", "json"]);
  return attachedWallMs(output) - beganWallMs;
}

async function run(args: readonly string[]): Promise<string> {
  const { code, output } = await runCommand(`${ROOT}${PROGRAM_PATH}`, { args, output: "capture" });
  if (code !== 0) throw new Error(`Cannot measure the start: podtrace ended with ${code}: ${output.trim()}`);
  return output;
}

/** Yields when the window of a JSON report began, in Unix milliseconds. @throws {Error} If it does not say so */
export function attachedWallMs(report: string): number {
  const start = /"start_time": *"([^"]+)"/.exec(report)?.[1] ?? "";
  const wallMs = Date.parse(start);
  if (Number.isNaN(wallMs)) throw new Error(`Cannot measure the start: found the beginning "${start}", wanted a time`);
  return wallMs;
}
