/**
 * `test`: the whole gate. Its last line is `N passed, N failed`.
 *
 * @module
 */

import { SKIP_FILE_VARIABLE } from "../../tests/support/kernel_requirements.ts";
import { checkSteps, generatorStep } from "./check.ts";
import { colours, ownStep, ROOT, runSteps, type Step } from "./gate/steps.ts";
import { judge, summaryLines, type TestRunResult } from "./gate/summary.ts";
import { testFiles } from "./gate/test_files.ts";
import { readSections, type TimedLine } from "./gate/test_output.ts";
import { readJunit, readSkips } from "./gate/test_report.ts";
import { runSetup } from "./setup.ts";

/** A test that hangs fails the gate, well within the 90 minutes that CI has. */
const TESTS_MS_MAX = 40 * 60 * 1000;

/** Runs the gate; yields 0 if everything passed, 1 if something failed, 2 for an unknown option. */
export async function runTest(args: string[]): Promise<number> {
  if (args.length > 0) {
    console.error(`Cannot test: ${args.join(" ")} is unknown, expected no option (deno test -A PATH runs one file)`);
    return 2;
  }
  const results = await runSteps(gateSteps(), console.log);
  const startMs = performance.now();
  const tests = await runTests();
  const durationMs = performance.now() - startMs;
  const result = { steps: results, tests };
  console.log(`\ngate: ${tests.cases.length} tests in ${(durationMs / 1000).toFixed(1)} s`);
  console.log(summaryLines(result).join("\n"));
  return judge(result).failedCount === 0 ? 0 : 1;
}

/**
 * Yields what comes before the tests. The generated files are compared while
 * they are still as committed, and only then written again.
 */
function gateSteps(): readonly Step[] {
  return [
    ownStep("setup", () => runSetup(["--no-generate", "--tests"])),
    ...checkSteps(),
    generatorStep("generate", []),
    compileStep(),
  ];
}

/** The tests of the compiled binary follow: where no runtime can be had, it and they are skipped. */
function compileStep(): Step {
  const step = generatorStep("compile", []);
  return {
    name: step.name,
    run: async (print) => {
      const { compileProgram } = await import("./compile.ts");
      const outcome = await compileProgram();
      if (outcome.kind !== "no_runtime") return { outcome: "passed", detail: outcome.kind.replaceAll("_", " ") };
      print(outcome.advice);
      return { outcome: "skipped", detail: `program_absent, ${outcome.advice}` };
    },
  };
}

async function runTests(): Promise<TestRunResult> {
  const folder = await Deno.makeTempDir({ prefix: "podtrace_gate_" });
  try {
    const junitPath = `${folder}/junit.xml`;
    const skipPath = `${folder}/skips.jsonl`;
    const files = [...testFiles("")].toSorted();
    // Types were checked by the step before.
    const { code, lines } = await runAndListen(["test", "-A", "--no-check", `--junit-path=${junitPath}`], {
      ...colours(),
      [SKIP_FILE_VARIABLE]: skipPath,
    });
    return {
      exitCode: code,
      cases: readJunit(readIfPresent(junitPath)),
      sections: readSections(lines),
      skips: readSkips(readIfPresent(skipPath)),
      files,
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs deno, lets its output through as it comes, and yields it line by line with its times. */
async function runAndListen(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ code: number; lines: readonly TimedLine[] }> {
  await using child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
    signal: AbortSignal.timeout(TESTS_MS_MAX),
  }).spawn();

  const terminal = Deno.stdout.writable.getWriter();
  const lines: TimedLine[] = [];
  let rest = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    await terminal.write(new TextEncoder().encode(text));
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts.map((part) => ({ text: part, atMs: performance.now() })));
  }
  terminal.releaseLock();
  return { code: (await child.status).code, lines };
}

function readIfPresent(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
