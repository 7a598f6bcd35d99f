/**
 * `deno task demo`: a service with planted troubles, and what podtrace says
 * about it.
 *
 * @module
 */

import { buildNativeProgram } from "./native_program.ts";
import { type DemoPlan, describePlan, planDemo, SEED_MAX } from "./demo_plan.ts";
import { makeDiskDirectory } from "./disk_directory.ts";
import { checkReport, describeCheck } from "./report_check.ts";
import { SlowUpstream } from "./slow_upstream.ts";
import { StartedProgram } from "./started_program.ts";
import { tracingObstacle } from "./tracing_rights.ts";

const CHECKOUT = new URL("../../../", import.meta.url);
const DEFAULT_SEED = 1;
const DIAGNOSE_DURATION = "10s";

/** The service ends by itself after this time, whatever happens to the demo. */
const SERVICE_DURATION_MS_MAX = 60_000;

const USAGE = `Usage: demo [--seed N]

Starts a service with three planted troubles, diagnoses it for ${DIAGNOSE_DURATION} and checks
that the report names all three.

  --seed N  moves the trouble around (0 to ${SEED_MAX}, default ${DEFAULT_SEED})`;

/** Yields the exit code: 0 when every planted trouble was named, 2 for wrong arguments, else 1. */
export async function runDemo(args: string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(USAGE);
    return 0;
  }
  const seed = parseSeed(args);
  if (seed === undefined) {
    console.error(`Cannot run the demo with "${args.join(" ")}": expected --seed and an integer\n\n${USAGE}`);
    return 2;
  }
  const obstacle = tracingObstacle(await readTracingFacts());
  if (obstacle !== undefined) {
    console.error(`Cannot run the demo: ${obstacle}`);
    return 1;
  }
  const { runSetup } = await import("../setup.ts");
  const setupCode = await runSetup([]);
  if (setupCode !== 0) return setupCode;

  using interruption = listenForEnd();

  return await demonstrate(planDemo(seed), interruption.signal);
}

/** `undefined`: the arguments are not `--seed N`. */
export function parseSeed(args: readonly string[]): number | undefined {
  if (args.length === 0) return DEFAULT_SEED;
  const [flag, value] = args.length === 1 ? (args[0] ?? "").split("=") : args;
  if (flag !== "--seed" || value === undefined || args.length > 2 || !/^\d+$/.test(value)) return undefined;
  const seed = Number(value);
  return seed <= SEED_MAX ? seed : undefined;
}

async function demonstrate(plan: DemoPlan, signal: AbortSignal): Promise<number> {
  await using directory = await makeDiskDirectory(plan.logDirectory);
  await using upstream = openUpstream(plan);
  const logPath = `${directory.path}/${plan.logFile}`;
  await using service = await startService(plan, { upstreamPort: upstream.port, logPath });

  console.log(describePlan(plan, upstream.port, logPath));
  console.log(`\n$ podtrace diagnose --pid ${service.processId} --duration ${DIAGNOSE_DURATION}\n`);
  const run = await diagnose(service.processId, signal);
  if (signal.aborted) return 130;
  if (run.code !== 0) {
    console.error(`Cannot finish the demo: podtrace diagnose ended with code ${run.code}, expected 0`);
    return 1;
  }
  const logName = [...plan.logDirectory.slice(-1), plan.logFile].join("/");
  const troubles = checkReport(run.report, {
    upstreamPort: upstream.port,
    logPath: logName,
    holderThread: plan.holderThread,
  });
  console.log(`\nnamed: ${describeCheck(troubles)}`);
  return troubles.every((trouble) => trouble.isNamed) ? 0 : 1;
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
  options: { upstreamPort: number; logPath: string },
): Promise<StartedProgram> {
  const path = await buildNativeProgram({
    name: "demo-service",
    source: new URL("service.c", import.meta.url),
    headers: [new URL("tests/fixtures/programs/planted.h", CHECKOUT)],
  }, new URL("dist/demo/", CHECKOUT));
  const asyncService = [
    Deno.execPath(),
    "run",
    "--quiet",
    "--no-config",
    "--allow-net=127.0.0.1",
    new URL("async_service.ts", import.meta.url).pathname,
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

/** Runs the command a user would type, and shows what it prints. */
async function diagnose(processId: number, signal: AbortSignal): Promise<{ code: number; report: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      new URL("main.ts", CHECKOUT).pathname,
      "diagnose",
      "--pid",
      String(processId),
      "--duration",
      DIAGNOSE_DURATION,
    ],
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
    console.log(report.trimEnd());
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
