/**
 * What runs inside the machine: starts planted programs, diagnoses them as a
 * user would, and prints what came out, one line of JSON per run.
 *
 * @module
 */

import { until } from "../../../tests/support/until.ts";
import { numberOf, StartedProgram, type Statement } from "../demo/started_program.ts";
import { GUEST_GO, GUEST_MAIN, GUEST_PROGRAMS, type GuestLine, parseOnlyVariable, type Replay } from "./guest_lines.ts";
import {
  chooseScenarios,
  DIAGNOSE_DURATION,
  DISK_FOLDER,
  type GroupLimits,
  type Scenario,
  toLooks,
} from "./scenarios.ts";

/** Longer than a diagnosis takes on a slow machine; the program is ended before. */
const PROGRAM_DURATION_MS = 120_000;

const CGROUP_MOUNT = "/sys/fs/cgroup";

/** The disk below `DISK_FOLDER`, as io.max wants it. */
const DISK_NUMBERS = "/sys/block/vda/dev";

const RECORDING = "/tmp/look.rec";

const CPU_PERIOD_US = 100_000;

async function main(): Promise<void> {
  await Deno.mkdir(DISK_FOLDER, { recursive: true });
  say({ kind: "kernel", release: Deno.osRelease() });
  say(await askDoctor());
  const isLocked = (await Deno.readTextFile("/proc/cmdline")).includes("lockdown=");
  const scenarios = chooseScenarios({ isLocked, only: parseOnlyVariable((name) => Deno.env.get(name)) });
  for (const together of toLooks(scenarios)) {
    try {
      say(await look(together));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      for (const { name } of together) say({ kind: "failed", name, message });
    }
  }
  say({ kind: "end" });
}

async function askDoctor(): Promise<GuestLine> {
  const { code, output, said } = await podtrace(["doctor", "-o", "json"]);
  return { kind: "doctor", code, said, report: output.startsWith("{") ? JSON.parse(output) : undefined };
}

/** Plants them all, and looks at them at once. */
async function look(scenarios: readonly Scenario[]): Promise<GuestLine> {
  await using owned = new AsyncDisposableStack();
  const planted: Planted[] = [];
  for (const scenario of scenarios) planted.push(await plant(scenario, owned));
  const targets = planted.flatMap((one) => one.arguments);
  const isNow = scenarios.some(({ nowNames }) => nowNames !== undefined);
  const now = isNow ? await podtrace(["diagnose", ...targets, "--now"]) : undefined;
  const isRecorded = scenarios.some((scenario) => scenario.isRecorded);
  const { code, output, said } = await podtrace([
    "diagnose",
    ...scenarios.flatMap((scenario) => scenario.arguments ?? []),
    ...isRecorded ? ["--record", RECORDING] : [],
    ...["-o", "json"],
    ...scenarios.some(({ target }) => target === "command") ? [] : ["--duration", DIAGNOSE_DURATION],
    ...targets, // last: behind a command nothing may follow
  ]);
  return {
    kind: "look",
    scenarios: planted.map(({ name, ready, target }) => ({ name, ready, target })),
    code,
    said,
    report: code === 0 ? JSON.parse(output) : undefined,
    now: now && now.output + now.said,
    replay: isRecorded && code === 0 ? await replayAgain(output) : undefined,
  };
}

/** A program that runs, or is to be run by podtrace. */
interface Planted {
  readonly name: string;
  readonly ready: Statement;
  /** As findings name it; "" for a command. */
  readonly target: string;
  /** Those of `diagnose` that point at it. */
  readonly arguments: readonly string[];
}

async function plant(scenario: Scenario, owned: AsyncDisposableStack): Promise<Planted> {
  const { name } = scenario;
  const group = await makeGroup(scenario);
  if (group !== undefined) owned.use(group);
  if (scenario.target === "command") {
    const command = ["--", GUEST_GO, group?.innerPath ?? "", ...commandOf(scenario)];
    return { name, ready: {}, target: "", arguments: command };
  }
  const program = owned.use(await startProgram(scenario, group));
  const { ready } = program;
  if (scenario.target === "process" || group === undefined) {
    const processId = String(numberOf(ready, "pid"));
    return { name, ready, target: `pid:${processId}`, arguments: ["--pid", processId] };
  }
  const target = `cgroup:${group.outerPath.slice(CGROUP_MOUNT.length)}`;
  return { name, ready, target, arguments: ["--cgroup", group.outerPath] };
}

function commandOf({ program, settings }: Scenario): readonly string[] {
  const all = { duration_ms: PROGRAM_DURATION_MS, ...settings };
  return [`${GUEST_PROGRAMS}/${program}`, ...Object.entries(all).map(([key, value]) => `${key}=${value}`)];
}

async function startProgram(scenario: Scenario, group: Group | undefined): Promise<StartedProgram> {
  const [path = "", ...settings] = commandOf(scenario);
  const program = await StartedProgram.start(path, { arguments: settings });
  const processId = numberOf(program.ready, "pid");
  if (group !== undefined) await Deno.writeTextFile(`${group.innerPath}/cgroup.procs`, String(processId));
  if (scenario.isToldToGo === true) Deno.kill(processId, "SIGUSR1");
  return program;
}

async function replayAgain(report: string): Promise<Replay> {
  const { code, output, said } = await podtrace(["diagnose", "--replay", RECORDING, "-o", "json"]);
  const bytes = await Deno.readFile(RECORDING);
  return { code, said, isSame: output === report, recording: toBase64(bytes) };
}

/** Deno before 2.5 has no method for it. */
function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
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

/** Two levels, so that the target is an ancestor of where the program lives. */
interface Group extends AsyncDisposable {
  readonly outerPath: string;
  readonly innerPath: string;
}

/** `undefined`: the scenario needs none. */
async function makeGroup(scenario: Scenario): Promise<Group | undefined> {
  if (scenario.target !== "cgroup" && scenario.limits === undefined) return undefined;
  await using stack = new AsyncDisposableStack();
  await Deno.writeTextFile(`${CGROUP_MOUNT}/cgroup.subtree_control`, "+cpu +memory +io");
  const outerPath = await Deno.makeTempDir({ dir: CGROUP_MOUNT, prefix: "podtrace-" });
  stack.defer(() => removeWhenEmpty(outerPath));
  for (const [file, value] of await limitFiles(scenario.limits ?? {})) {
    await Deno.writeTextFile(`${outerPath}/${file}`, value);
  }
  const innerPath = `${outerPath}/inner`;
  await Deno.mkdir(innerPath);
  stack.defer(() => removeWhenEmpty(innerPath));
  const owned = stack.move();
  return { outerPath, innerPath, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function limitFiles(limits: GroupLimits): Promise<readonly (readonly [file: string, value: string])[]> {
  const { cpus, memoryBytes, writtenBytesPerSecond } = limits;
  const disk = (await Deno.readTextFile(DISK_NUMBERS)).trim();
  return [
    ...(cpus === undefined ? [] : [["cpu.max", `${Math.round(cpus * CPU_PERIOD_US)} ${CPU_PERIOD_US}`]] as const),
    ...(memoryBytes === undefined ? [] : [["memory.max", String(memoryBytes)]] as const),
    ...(writtenBytesPerSecond === undefined ? [] : [["io.max", `${disk} wbps=${writtenBytesPerSecond}`]] as const),
  ];
}

/** A process that was killed leaves its group a moment after it ended. */
async function removeWhenEmpty(path: string): Promise<void> {
  await until(() => Deno.remove(path).then(() => true, () => false), { what: `${path} is empty` });
}

function say(line: GuestLine): void {
  console.log(JSON.stringify(line));
}

if (import.meta.main) await main();
