/**
 * `setup`: makes this machine able to build, test and trace, and says what it
 * does; running it again changes nothing.
 *
 * @module
 */

import { runCommand } from "./run_command.ts";
import { BENCH_NEEDS, candidatePaths, type Need, NEEDS, TEST_NEEDS } from "./setup/needs.ts";
import {
  type MachineFacts,
  planSetup,
  readDistribution,
  readTracefs,
  type SetupStep,
  TRACEFS_PATH,
} from "./setup/plan.ts";
import { forbidServiceStarts } from "./setup/service_guard.ts";

const FLAGS: ReadonlySet<string> = new Set(["--bench", "--no-generate", "--tests"]);

/**
 * Runs `setup`. Yields 0 also where something has to be installed by hand (it
 * says what), 1 where a step of its own failed, 2 for an unknown option.
 */
export async function runSetup(args: string[]): Promise<number> {
  const unknown = args.find((arg) => !FLAGS.has(arg));
  if (unknown !== undefined) {
    console.error(`Cannot set up: ${unknown} is unknown, expected ${[...FLAGS].join(" or ")}`);
    return 2;
  }
  const needs = [
    ...NEEDS,
    ...(args.includes("--bench") ? BENCH_NEEDS : []),
    ...(args.includes("--tests") ? TEST_NEEDS : []),
  ];
  const steps = planSetup(readMachineFacts(needs), { generate: !args.includes("--no-generate") });
  let failedCount = 0;
  for (const step of steps) {
    if (!await runStep(step)) failedCount++;
  }
  return failedCount === 0 ? 0 : 1;
}

/** Reads what this machine is and which of `needs` it lacks. */
export function readMachineFacts(needs: readonly Need[]): MachineFacts {
  const machine = { pathVariable: Deno.env.get("PATH") ?? "", arch: Deno.build.arch };
  return {
    ...readDistribution(readIfPresent("/etc/os-release")),
    isRoot: Deno.uid() === 0,
    missing: needs.filter((need) => !candidatePaths(need, machine).some(exists)),
    tracefs: readTracefs(readIfPresent("/proc/filesystems"), readIfPresent("/proc/self/mountinfo")),
  };
}

/** Yields whether the step succeeded. */
async function runStep(step: SetupStep): Promise<boolean> {
  switch (step.kind) {
    case "say":
      say(step.text);
      return true;
    case "install":
      return await install(step.packages);
    case "mount_tracefs":
      return await runAloud("mount tracefs", "mount", ["-t", "tracefs", "tracefs", TRACEFS_PATH]);
    case "generate":
      return await generate();
  }
}

/** Without recommended packages and without starting a service. */
async function install(packages: readonly string[]): Promise<boolean> {
  using _guard = forbidServiceStarts();

  // Another apt may be at work on a machine that was just started.
  const patience = ["-o", "DPkg::Lock::Timeout=120", "-q", "-y"];
  return await runAloud("read the package lists", "apt-get", [...patience, "update"]) &&
    await runAloud(`install ${packages.join(" ")}`, "apt-get", [
      ...patience,
      "install",
      "--no-install-recommends",
      ...packages,
    ]);
}

async function generate(): Promise<boolean> {
  say("generate what is derived from bpf/");
  const { runGenerate } = await import("./generate.ts");
  return await runGenerate([]) === 0;
}

/** Says what it runs and how long that took; shows the program's output only when it fails. */
async function runAloud(what: string, program: string, args: readonly string[]): Promise<boolean> {
  const startMs = performance.now();
  const outcome = await runCommand(program, {
    args,
    env: { DEBIAN_FRONTEND: "noninteractive" },
    output: "capture",
  });
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  if (outcome.code === 0) {
    say(`${what} (${seconds} s)`);
    return true;
  }
  say(`Cannot ${what}: ${program} ended with ${outcome.code}\n${outcome.output.trimEnd()}`);
  return false;
}

function say(text: string): void {
  console.log(`setup: ${text}`);
}

function readIfPresent(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}
