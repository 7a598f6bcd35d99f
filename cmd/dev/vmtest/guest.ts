/**
 * What runs inside the machine: starts each planted program, diagnoses it as a
 * user would, and prints what came out, one line of JSON per scenario.
 *
 * @module
 */

import { makeLimitedCgroup } from "../../../tests/support/limited_cgroup.ts";
import { numberOf, StartedProgram } from "../demo/started_program.ts";
import { DIAGNOSE_DURATION, DISK_FOLDER, type Scenario, SCENARIOS } from "./scenarios.ts";
import { GUEST_MAIN, GUEST_PROGRAMS, type GuestLine } from "./guest_lines.ts";

/** Longer than a diagnosis takes on a slow machine; the program is ended before. */
const PROGRAM_DURATION_MS = 120_000;

const CGROUP_MOUNT = "/sys/fs/cgroup";

async function main(): Promise<void> {
  await Deno.mkdir(DISK_FOLDER, { recursive: true });
  say({ kind: "kernel", release: Deno.osRelease() });
  for (const scenario of SCENARIOS) {
    try {
      say(await run(scenario));
    } catch (error) {
      say({ kind: "failed", name: scenario.name, message: error instanceof Error ? error.message : String(error) });
    }
  }
  say({ kind: "end" });
}

async function run(scenario: Scenario): Promise<GuestLine> {
  await using cgroup = scenario.target === "cgroup" ? await makeCgroup(scenario) : undefined;
  const settings = { duration_ms: PROGRAM_DURATION_MS, ...scenario.settings };
  await using program = await StartedProgram.start(`${GUEST_PROGRAMS}/${scenario.program}`, {
    arguments: Object.entries(settings).map(([key, value]) => `${key}=${value}`),
  });
  const { ready } = program;
  const processId = numberOf(ready, "pid");
  await cgroup?.add(processId);
  const target = cgroup === undefined ? ["--pid", String(processId)] : ["--cgroup", cgroup.outerPath];
  const now = scenario.nowNames === undefined ? undefined : await podtrace(["diagnose", ...target, "--now"]);
  const { code, output, said } = await podtrace(
    ["diagnose", ...target, ...scenario.arguments ?? [], "--duration", DIAGNOSE_DURATION, "-o", "json"],
  );
  const report = code === 0 ? JSON.parse(output) : undefined;
  return { kind: "scenario", name: scenario.name, ready, code, report, said, now: now && now.output + now.said };
}

/** As its user runs it. */
async function podtrace(args: readonly string[]): Promise<{ code: number; output: string; said: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-config", GUEST_MAIN, ...args],
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout), said: decoder.decode(stderr) };
}

interface NestedCgroup extends AsyncDisposable {
  readonly outerPath: string;
  add(processId: number): Promise<void>;
}

/** Two levels, so that the target is an ancestor of where the program lives. */
async function makeCgroup(scenario: Scenario): Promise<NestedCgroup> {
  await using stack = new AsyncDisposableStack();
  const outer = scenario.cpus === undefined
    ? await makePlainCgroup()
    : stack.use(await makeLimitedCgroup({ cpus: scenario.cpus }));
  if (scenario.cpus === undefined) stack.defer(() => Deno.remove(outer.path));
  const innerPath = `${outer.path}/inner`;
  await Deno.mkdir(innerPath);
  stack.defer(() => Deno.remove(innerPath));
  const owned = stack.move();
  return {
    outerPath: outer.path,
    add: (processId) => Deno.writeTextFile(`${innerPath}/cgroup.procs`, String(processId)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function makePlainCgroup(): Promise<{ path: string }> {
  return { path: await Deno.makeTempDir({ dir: CGROUP_MOUNT, prefix: "podtrace-" }) };
}

function say(line: GuestLine): void {
  console.log(JSON.stringify(line));
}

if (import.meta.main) await main();
