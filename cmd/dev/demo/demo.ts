/**
 * `deno task demo`: a service with planted troubles, and what podtrace says
 * about it.
 *
 * @module
 */

import { buildNativeProgram } from "./native_program.ts";
import { type DemoPlan, describePlan, planDemo, SEED_MAX } from "./demo_plan.ts";
import { type DiskDirectory, makeDiskDirectory } from "./disk_directory.ts";
import { keepNeutral, makeNeutralPlace, NEUTRAL_DIRECTORY, SHIPPED_RECORDING } from "./neutral_recording.ts";
import { checkReport, describeCheck } from "./report_check.ts";
import { SlowUpstream } from "./slow_upstream.ts";
import { StartedProgram } from "./started_program.ts";
import { tracingObstacle } from "./tracing_rights.ts";
import { parseNumberOption } from "../number_option.ts";

const CHECKOUT = new URL("../../../", import.meta.url);
const DEFAULT_SEED = 1;
const DIAGNOSE_DURATION = "10s";

/** The service ends by itself after this time, whatever happens to the demo. */
const SERVICE_DURATION_MS_MAX = 60_000;

/** The report for a browser, and what it was made of. */
const PAGE_PATH = "dist/demo.html";
const RUN_PATH = "dist/demo.rec";

const USAGE = `Usage: demo [--seed N | --replay | --record]

Starts a service with three planted troubles, diagnoses it for ${DIAGNOSE_DURATION} and checks
that the report names all three; writes the report as ${PAGE_PATH} too.
Where tracing is not allowed it replays the recording that lies beside it.

  --seed N  moves the trouble around (0 to ${SEED_MAX}, default ${DEFAULT_SEED})
  --replay  replays the recording although tracing is allowed
  --record  makes that recording anew, of a service in ${NEUTRAL_DIRECTORY}; for developers`;

/** Yields the exit code: 0 when every planted trouble was named, 2 for wrong arguments, else 1. */
export async function runDemo(args: string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(USAGE);
    return 0;
  }
  if (args.length === 1 && args[0] === "--replay") return await replayShipped();
  const isRecording = args.length === 1 && args[0] === "--record";
  const seed = parseSeed(isRecording ? [] : args);
  if (seed === undefined) {
    console.error(`Cannot run the demo with "${args.join(" ")}": expected --seed and an integer\n\n${USAGE}`);
    return 2;
  }
  const obstacle = tracingObstacle(await readTracingFacts());
  if (obstacle !== undefined) {
    if (isRecording || args.length > 0) {
      console.error(`Cannot run the demo: ${obstacle}`);
      return 1;
    }
    console.log(`Tracing is not possible here: ${obstacle}.\nReplaying a recording of the demo instead.\n`);
    return await replayShipped();
  }
  const { runSetup } = await import("../setup.ts");
  const setupCode = await runSetup([]);
  if (setupCode !== 0) return setupCode;

  using interruption = listenForEnd();

  if (isRecording) return await recordShipped(planDemo(seed), interruption.signal);
  return await demonstrate(planDemo(seed), {
    signal: interruption.signal,
    place: checkoutPlace(),
    recording: RUN_PATH,
  });
}

/** Where the service runs, and what runs it. */
interface DemoPlace {
  readonly makeLogDirectory: (components: readonly string[]) => Promise<DiskDirectory>;
  readonly deno: string;
  readonly asyncService: string;
  /** Yields where the built service is to be started from. */
  readonly install: (path: string) => Promise<string>;
}

function checkoutPlace(): DemoPlace {
  return {
    makeLogDirectory: (components) => makeDiskDirectory(components),
    deno: Deno.execPath(),
    asyncService: new URL("async_service.ts", import.meta.url).pathname,
    install: (path) => Promise.resolve(path),
  };
}

/** A run whose recording says nothing of this machine. */
async function recordShipped(plan: DemoPlan, signal: AbortSignal): Promise<number> {
  await using neutral = await makeNeutralPlace();
  const { path, deno } = neutral;
  await Deno.copyFile(new URL("async_service.ts", import.meta.url), `${path}/async_service.ts`);
  const code = await demonstrate(plan, {
    signal,
    recording: RUN_PATH,
    place: {
      makeLogDirectory: async (components) => {
        const logPath = [path, ...components].join("/");
        await Deno.mkdir(logPath, { recursive: true });
        return { path: logPath, [Symbol.asyncDispose]: () => Promise.resolve() };
      },
      deno,
      asyncService: `${path}/async_service.ts`,
      install: async (program) => {
        await Deno.copyFile(program, `${path}/demo-service`);
        return `${path}/demo-service`;
      },
    },
  });
  if (code !== 0) return code;
  return keepNeutral(new URL(RUN_PATH, CHECKOUT).pathname, SHIPPED_RECORDING.pathname);
}

/** The recording that lies beside this file, as a user would replay it. */
async function replayShipped(): Promise<number> {
  const plan = planDemo(DEFAULT_SEED);
  const [upstreamPort = 0] = plan.upstreamPorts;
  const path = [NEUTRAL_DIRECTORY, ...plan.logDirectory, plan.logFile].join("/");
  console.log(describePlan(plan, upstreamPort, path));
  console.log("\n$ podtrace diagnose --replay demo.rec\n");
  const run = await podtrace(["--replay", SHIPPED_RECORDING.pathname], new AbortController().signal);
  console.log(run.report.trimEnd());
  return await conclude(plan, { run, upstreamPort, recording: SHIPPED_RECORDING.pathname });
}

/** Checks the report, and writes it for a browser. */
async function conclude(
  plan: DemoPlan,
  found: { readonly run: Answer; readonly upstreamPort: number; readonly recording: string },
): Promise<number> {
  const { run, upstreamPort, recording } = found;
  if (run.code !== 0) {
    console.error(`Cannot finish the demo: podtrace diagnose ended with code ${run.code}, expected 0`);
    return 1;
  }
  const page = new URL(PAGE_PATH, CHECKOUT).pathname;
  const never = new AbortController().signal;
  const written = await podtrace(["--replay", recording, "-o", "html", "--output-file", page], never);
  console.log(written.code === 0 ? `\nfor a browser: ${PAGE_PATH}` : `\nCannot write ${PAGE_PATH}`);
  const troubles = checkReport(run.report, {
    upstreamPort,
    logPath: [...plan.logDirectory.slice(-1), plan.logFile].join("/"),
    holderThread: plan.holderThread,
  });
  console.log(`\nnamed: ${describeCheck(troubles)}`);
  return written.code === 0 && troubles.every((trouble) => trouble.isNamed) ? 0 : 1;
}

/** `undefined`: the arguments are not `--seed N`. */
export function parseSeed(args: readonly string[]): number | undefined {
  return parseNumberOption(args, { name: "seed", fallback: DEFAULT_SEED, min: 0, max: SEED_MAX });
}

interface Demonstration {
  readonly signal: AbortSignal;
  readonly place: DemoPlace;
  /** Where the run is recorded, from the root of the checkout. */
  readonly recording: string;
}

async function demonstrate(plan: DemoPlan, { signal, place, recording }: Demonstration): Promise<number> {
  await using directory = await place.makeLogDirectory(plan.logDirectory);
  await using upstream = openUpstream(plan);
  const logPath = `${directory.path}/${plan.logFile}`;
  await using service = await startService(plan, { upstreamPort: upstream.port, logPath, place });

  console.log(describePlan(plan, upstream.port, logPath));
  console.log(`\n$ podtrace diagnose --pid ${service.processId} --duration ${DIAGNOSE_DURATION}\n`);
  await Deno.mkdir(new URL("dist/", CHECKOUT), { recursive: true });
  const recordingPath = new URL(recording, CHECKOUT).pathname;
  const argv = ["--pid", String(service.processId), "--duration", DIAGNOSE_DURATION, "--record", recordingPath];
  const run = await podtrace(argv, signal, place.deno);
  console.log(run.report.trimEnd());
  if (signal.aborted) return 130;
  return await conclude(plan, { run, upstreamPort: upstream.port, recording: recordingPath });
}

function openUpstream(plan: DemoPlan): SlowUpstream {
  for (const port of plan.upstreamPorts) {
    try {
      return new SlowUpstream({ port, delayMs: plan.upstreamDelayMs });
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  return new SlowUpstream({ port: 0, delayMs: plan.upstreamDelayMs });
}

/** One process tree: the native service, and below it the event loop in a second process. */
async function startService(
  plan: DemoPlan,
  options: { upstreamPort: number; logPath: string; place: DemoPlace },
): Promise<StartedProgram> {
  const { place } = options;
  const built = await buildNativeProgram({
    name: "demo-service",
    source: new URL("service.c", import.meta.url),
    headers: [new URL("tests/fixtures/programs/planted.h", CHECKOUT)],
  }, new URL("dist/demo/", CHECKOUT));
  const path = await place.install(built);
  const asyncService = [
    place.deno,
    "run",
    "--quiet",
    "--no-config",
    "--allow-net=127.0.0.1",
    place.asyncService,
    `port=${options.upstreamPort}`,
    `pause_ms=${plan.asyncPauseMs}`,
    `duration_ms=${SERVICE_DURATION_MS_MAX}`,
  ];
  return await StartedProgram.start(path, {
    arguments: [
      `duration_ms=${SERVICE_DURATION_MS_MAX}`,
      `upstream_port=${options.upstreamPort}`,
      `call_pause_ms=${plan.threadPauseMs}`,
      `holder=${plan.holderThread}`,
      `path=${options.logPath}`,
      `hold_ms=${plan.holdMs}`,
      `gap_ms=${plan.gapMs}`,
      `workers=${plan.workerCount}`,
      "--",
      ...asyncService,
    ],
  });
}

interface Answer {
  readonly code: number;
  readonly report: string;
}

/** Runs the command a user would type. */
async function podtrace(argv: readonly string[], signal: AbortSignal, deno = Deno.execPath()): Promise<Answer> {
  const child = new Deno.Command(deno, {
    args: ["run", "-A", new URL("main.ts", CHECKOUT).pathname, "diagnose", ...argv],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  // It then ends early with its report. Ctrl+C reached it already: a terminal sends that to all of us.
  const passOn = (): void => {
    if (signal.reason === "SIGTERM") child.kill("SIGTERM");
  };
  signal.addEventListener("abort", passOn);
  try {
    const report = await new Response(child.stdout).text();
    return { code: (await child.status).code, report };
  } finally {
    signal.removeEventListener("abort", passOn);
  }
}

/** Aborts on Ctrl+C and SIGTERM: everything that was started is ended on the way out. */
function listenForEnd(): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const interrupt = (): void => controller.abort("SIGINT");
  const terminate = (): void => controller.abort("SIGTERM");
  Deno.addSignalListener("SIGINT", interrupt);
  Deno.addSignalListener("SIGTERM", terminate);
  return {
    signal: controller.signal,
    [Symbol.dispose](): void {
      Deno.removeSignalListener("SIGINT", interrupt);
      Deno.removeSignalListener("SIGTERM", terminate);
    },
  };
}

async function readTracingFacts(): Promise<{ status: string; hasKernelTypes: boolean }> {
  const types = await Deno.stat("/sys/kernel/btf/vmlinux").catch((error: unknown) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  return { status: await Deno.readTextFile("/proc/self/status"), hasKernelTypes: types !== undefined };
}
