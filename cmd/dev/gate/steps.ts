/**
 * Running the steps of the gate one after the other, aloud.
 *
 * @module
 */

import { runCommand } from "../run_command.ts";
import type { StepResult } from "./summary.ts";

/** What a step says about itself besides how long it took. */
export type StepOutcome = Pick<StepResult, "outcome" | "detail">;

/** Where the gate says what it does. */
export type Print = (text: string) => void;

export interface Step {
  readonly name: string;
  run(print: Print): Promise<StepOutcome>;
}

/** The root of the tree: two folders above `cmd/dev`. */
export const ROOT = new URL("../../../", import.meta.url).pathname;

/** Runs every step, also after one failed, so that one run shows everything. */
export async function runSteps(steps: readonly Step[], print: Print): Promise<readonly StepResult[]> {
  const results: StepResult[] = [];
  for (const step of steps) {
    const startMs = performance.now();
    const outcome = await outcomeOf(step, print);
    const result = { name: step.name, durationMs: performance.now() - startMs, ...outcome };
    print(stepLine(result));
    results.push(result);
  }
  return results;
}

/** A step that throws has failed; the steps after it still run. */
async function outcomeOf(step: Step, print: Print): Promise<StepOutcome> {
  try {
    return await step.run(print);
  } catch (error) {
    print(Deno.inspect(error));
    return { outcome: "failed", detail: error instanceof Error ? error.message : String(error) };
  }
}

/** Yields the step that runs `deno` with `args` at the root, and shows its output only when it fails. */
export function denoStep(name: string, args: readonly string[]): Step {
  return {
    name,
    run: async (print) => {
      const { code, output } = await runCommand(Deno.execPath(), {
        args,
        cwd: ROOT,
        env: colours(),
        output: "capture",
      });
      if (code === 0) return { outcome: "passed" };
      print(output.trimEnd());
      return { outcome: "failed", detail: `deno ${args[0]} ended with ${code}` };
    },
  };
}

/** Yields the step that runs one of our own subcommands in this process. */
export function ownStep(name: string, run: () => Promise<number>): Step {
  return {
    name,
    run: async () => {
      const code = await run();
      return code === 0 ? { outcome: "passed" } : { outcome: "failed", detail: `ended with ${code}` };
    },
  };
}

/** In CI everything that can be installed must be there. */
export function isCi(): boolean {
  return ["1", "true"].includes(Deno.env.get("CI") ?? "");
}

/** Deno colours its output also into a pipe; a log file wants none. */
export function colours(): Readonly<Record<string, string>> {
  return Deno.stdout.isTerminal() ? {} : { NO_COLOR: "1" };
}

function stepLine(step: StepResult): string {
  const detail = step.detail === undefined ? "" : `: ${step.detail}`;
  return `gate: ${step.name}: ${step.outcome}${detail} (${(step.durationMs / 1000).toFixed(1)} s)`;
}
