/**
 * `fuzz`: every property with fresh seeds, round after round. The gate tries
 * the same cases every time; new ones are looked for here.
 *
 * @module
 */

import { colours, ROOT } from "./gate/steps.ts";
import { testFiles } from "./gate/test_files.ts";
import { parseNumberOption } from "./number_option.ts";
import { runCommand } from "./run_command.ts";

const DEFAULT_ROUND_COUNT = 20;
const ROUND_COUNT_MAX = 100_000;

/** What a test file imports when it draws values. */
const PROPERTY_DOOR = '/property.ts"';

/** Where deno's account of what failed begins; everything is printed if it is not found. */
const FAILURES_HEADING = " ERRORS ";

/** Runs the properties; yields 0 if all of them held, 1 at the first that did not, 2 for a wrong option. */
export async function runFuzz(args: string[]): Promise<number> {
  const roundCount = parseRounds(args);
  if (roundCount === undefined) {
    console.error(`Cannot fuzz: found ${args.join(" ")}, expected --rounds N with N from 1 to ${ROUND_COUNT_MAX}`);
    return 2;
  }
  const paths = [...testFiles("")].filter((path) => Deno.readTextFileSync(`${ROOT}${path}`).includes(PROPERTY_DOOR));
  for (let round = 1; round <= roundCount; round++) {
    const [seed = 0] = crypto.getRandomValues(new Int32Array(1));
    const { code, output } = await runCommand(Deno.execPath(), {
      args: ["test", "-A", "--no-check", "--quiet", ...paths],
      cwd: ROOT,
      env: { ...colours(), PODTRACE_TEST_SEED: String(seed) },
      output: "capture",
    });
    console.log(`fuzz: round ${round} of ${roundCount}, ${paths.length} files, PODTRACE_TEST_SEED=${seed}`);
    if (code === 0) continue;
    console.error(output.slice(Math.max(0, output.indexOf(FAILURES_HEADING))));
    return 1;
  }
  return 0;
}

/** Yields how many rounds `args` ask for, or `undefined` if they cannot be read. */
export function parseRounds(args: readonly string[]): number | undefined {
  return parseNumberOption(args, { name: "rounds", fallback: DEFAULT_ROUND_COUNT, min: 1, max: ROUND_COUNT_MAX });
}
