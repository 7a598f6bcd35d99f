/**
 * `recordings`: the regression corpus. Without options it writes down what
 * replaying each recording finds; with `--record` it makes the recordings anew.
 *
 * @module
 */

import { keepNeutral, makeNeutralPlace, type NeutralPlace } from "./demo/neutral_recording.ts";
import { buildNativeProgram } from "./demo/native_program.ts";
import { StartedProgram } from "./demo/started_program.ts";
import { ROOT } from "./gate/steps.ts";

/** Where the recordings lie, from the root. */
export const CORPUS_FOLDER = "tests/fixtures/recordings";
/** Where what they must yield lies. */
export const GOLDEN_FOLDER = "tests/golden/recordings";

/** Programs end by themselves after this time, whatever happens. */
const PROGRAM_MS_MAX = 30_000;

/** Planted troubles, small ones: the name of a recording, its program, its options. */
const TROUBLES: readonly { readonly name: string; readonly program: string; readonly options: readonly string[] }[] = [
  { name: "lock_holder", program: "lock_holder", options: ["holder=sleep", "hold_ms=40"] },
  { name: "slow_upstream", program: "slow_upstream", options: [] },
  { name: "fsync_log", program: "fsync_log", options: ["path=/srv/demo/journal.log"] },
  { name: "pipe_waiter", program: "pipe_waiter", options: [] },
  { name: "crash_loop", program: "crash_loop", options: [] },
  { name: "healthy_service", program: "healthy_service", options: [] },
];

/** Yields the exit code. */
export async function runRecordings(args: string[]): Promise<number> {
  const isRecording = args.length === 1 && args[0] === "--record";
  if (args.length > 0 && !isRecording) {
    console.error(`Cannot make recordings: ${args.join(" ")} is unknown, expected --record or nothing`);
    return 2;
  }
  if (isRecording && await recordAll() !== 0) return 1;
  for (const name of recordingNames()) {
    const text = `${JSON.stringify(await replayFindings(name), null, 2)}\n`;
    await Deno.mkdir(`${ROOT}${GOLDEN_FOLDER}`, { recursive: true });
    await Deno.writeTextFile(`${ROOT}${GOLDEN_FOLDER}/${name}.json`, text);
    console.log(`wrote ${GOLDEN_FOLDER}/${name}.json`);
  }
  return 0;
}

/** Yields the names of the recordings that lie there, sorted. */
export function recordingNames(): readonly string[] {
  return [...Deno.readDirSync(`${ROOT}${CORPUS_FOLDER}`)]
    .filter(({ name }) => name.endsWith(".rec"))
    .map(({ name }) => name.slice(0, -".rec".length))
    .toSorted();
}

/** What must not change unnoticed: what is found above info, and how the run ended. */
export interface ReplayedFindings {
  readonly endReason: string;
  readonly findings: readonly { readonly id: string; readonly severity: string; readonly title: string }[];
}

/**
 * Replays the recording `name` as a user would.
 *
 * @throws {Error} When podtrace refuses
 */
export async function replayFindings(name: string): Promise<ReplayedFindings> {
  const { code, stdout, stderr } = await podtrace(Deno.execPath(), [
    "--replay",
    `${ROOT}${CORPUS_FOLDER}/${name}.rec`,
    "-o",
    "json",
  ]);
  if (code !== 0) throw new Error(`Cannot replay ${name}: podtrace ended with ${code}: ${stderr}`);
  const report: { endReason: string; findings: ReplayedFindings["findings"] } = JSON.parse(stdout);
  return {
    endReason: report.endReason,
    findings: report.findings
      .filter(({ severity }) => severity !== "info")
      .map(({ id, severity, title }) => ({ id, severity, title })),
  };
}

async function recordAll(): Promise<number> {
  await Deno.mkdir(`${ROOT}${CORPUS_FOLDER}`, { recursive: true });
  await using neutral = await makeNeutralPlace();
  for (const trouble of TROUBLES) {
    const path = `${ROOT}dist/${trouble.name}.rec`;
    if (!await recordOne(trouble, { neutral, path })) return 1;
    if (keepNeutral(path, `${ROOT}${CORPUS_FOLDER}/${trouble.name}.rec`) !== 0) return 1;
  }
  return 0;
}

async function recordOne(
  trouble: (typeof TROUBLES)[number],
  place: { readonly neutral: NeutralPlace; readonly path: string },
): Promise<boolean> {
  const { neutral, path } = place;
  const folder = new URL(`file://${ROOT}tests/fixtures/programs/`);
  const built = await buildNativeProgram({
    name: trouble.program,
    source: new URL(`${trouble.program}.c`, folder),
    headers: [new URL("planted.h", folder)],
  }, new URL(`file://${ROOT}dist/demo/`));
  const program = `${neutral.path}/${trouble.program}`;
  await Deno.copyFile(built, program);
  await using service = await StartedProgram.start(program, {
    arguments: [`duration_ms=${PROGRAM_MS_MAX}`, ...trouble.options],
  });
  const argv = ["--pid", String(service.processId), "--duration", "2s", "--record", path, "--output-file", "/dev/null"];
  const { code, stderr } = await podtrace(neutral.deno, argv);
  if (code !== 0) console.error(`Cannot record ${trouble.name}: podtrace ended with ${code}: ${stderr}`);
  return code === 0;
}

async function podtrace(
  deno: string,
  argv: readonly string[],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const args = ["run", "-A", "--no-check", "--quiet", `${ROOT}main.ts`, "diagnose", ...argv];
  const { code, stdout, stderr } = await new Deno.Command(deno, { args, stdin: "null" }).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}
