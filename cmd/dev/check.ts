/**
 * `check`: everything that can be said about the tree without running it.
 *
 * @module
 */

import { docProblems } from "./gate/doc_lint.ts";
import { denoStep, isCi, ownStep, ROOT, runSteps, type Step } from "./gate/steps.ts";
import { summaryLines } from "./gate/summary.ts";
import { runCommand } from "./run_command.ts";
import { readMachineFacts } from "./setup.ts";
import { NEEDS } from "./setup/needs.ts";
import { whatGenerateLacks } from "./setup/plan.ts";

/** Runs `check`; yields 0 if every step passed, 1 if one failed, 2 for an unknown option. */
export async function runCheck(args: string[]): Promise<number> {
  if (args.length > 0) {
    console.error(`Cannot check: ${args.join(" ")} is unknown, expected no option`);
    return 2;
  }
  const steps = await runSteps(checkSteps(), console.log);
  console.log(summaryLines({ steps, tests: undefined }).join("\n"));
  return steps.some((step) => step.outcome === "failed") ? 1 : 0;
}

/** Yields the steps of `check` in order, quick ones first. */
export function checkSteps(): readonly Step[] {
  return [
    denoStep("format", ["fmt", "--check"]),
    denoStep("lint", ["lint", "--quiet"]),
    denoStep("types", ["check", "--quiet", "."]),
    documentationStep(),
    // Deno imports everything a module exports into each example, so the strict checks for unused names cannot apply.
    denoStep("examples", ["test", "-A", "--doc", "--no-check", "--permit-no-files", ...documentedFiles()]),
    generatorStep("generated files", ["--check"]),
  ];
}

function documentationStep(): Step {
  return {
    name: "documentation",
    run: async (print) => {
      const args = ["doc", "--quiet", "--lint", ...documentedFiles()];
      const options = { cwd: ROOT, env: { NO_COLOR: "1" }, output: "capture" } as const;
      const { code, output } = await runCommand(Deno.execPath(), { args, ...options });
      const problems = docProblems(output);
      const isRead = code === 0 || output.startsWith("error[");
      if (isRead && problems.length === 0) return { outcome: "passed" };
      print(isRead ? problems.join("\n") : output.trimEnd());
      return { outcome: "failed", detail: isRead ? `${problems.length} problems` : `deno doc ended with ${code}` };
    },
  };
}

/**
 * Yields the step that runs the generator. Where its compiler is missing and
 * cannot be installed the step is skipped, except in CI, where it fails.
 */
export function generatorStep(name: string, args: string[]): Step {
  const lacking = whatGenerateLacks(readMachineFacts(NEEDS));
  if (lacking.length === 0 || isCi()) {
    return ownStep(name, async () => (await import("./generate.ts")).runGenerate(args));
  }
  return {
    name,
    run: () => Promise.resolve({ outcome: "skipped", detail: `setup_missing, found no ${lacking.join(", ")}` }),
  };
}

/** The seam and the one barrel: what others build on, so every function and class of it is documented. */
function documentedFiles(): readonly string[] {
  const seam = [...Deno.readDirSync(`${ROOT}engine/api`)]
    .map((entry) => `engine/api/${entry.name}`)
    .filter((path) => path.endsWith(".ts") && !path.endsWith("_test.ts"));
  return ["engine/mod.ts", ...seam.toSorted()];
}
