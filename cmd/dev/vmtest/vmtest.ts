/**
 * `vmtest`: the same BPF object on other kernels. Boots Debian's kernels in
 * emulated machines, plants troubles in them, and checks what podtrace says.
 *
 * @module
 */

import { runCommand } from "../run_command.ts";
import { firstDependency, openSuite, type Suite, unpackPackage } from "./debian_packages.ts";
import { type GuestLine, type OutcomeLine, toOnlyParameter, toOutcomes } from "./guest_lines.ts";
import { judge, type Problem } from "./judge.ts";
import { type MatrixColumn, measuredColumn, renderMatrix } from "./kernel_matrix.ts";
import { TRIED_KERNELS, type TriedKernel } from "./kernels.ts";
import { runMachine, tail } from "./machine.ts";
import { findKernel, guestEntries, moduleEntries } from "./root_file_system.ts";
import { chooseScenarios } from "./scenarios.ts";

const KERNEL_PACKAGE = "linux-image-cloud-amd64";

/** Any release's will do: it is linked statically. */
const BUSYBOX_PACKAGE = "busybox-static";

const NEEDED_PROGRAMS = [
  { path: "qemu-system-x86_64", packageName: "qemu-system-x86" },
  { path: "/sbin/mkfs.ext4", packageName: "e2fsprogs" },
  { path: "xz", packageName: "xz-utils" },
] as const;

/** As a shell reports a program that Ctrl+C ended. */
const EXIT_INTERRUPTED = 130;

const USAGE = `Usage: vmtest [KERNEL...] [--only TEXT] [--keep FOLDER]

Boots Debian's kernels in emulated machines (8 minutes each and up), plants
troubles in them and checks what podtrace diagnose says.

  KERNEL         ${TRIED_KERNELS.map(({ name }) => name).join(", ")}; all of them by default
  --only TEXT    only scenarios with TEXT in their names; may be given again
  --keep FOLDER  where to leave the logs and reports of every machine`;

const MAIN = new URL("../../../main.ts", import.meta.url).pathname;

interface Request {
  readonly kernels: readonly TriedKernel[];
  /** Parts of the names of scenarios, in lower case; none: all of them. */
  readonly only: readonly string[];
  readonly keepFolder: string | undefined;
}

/** Yields the exit code: 0 when every kernel passes, 2 for wrong arguments, else 1. */
export async function runVmtest(args: string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(USAGE);
    return 0;
  }
  const request = parseRequest(args);
  if (request === undefined) {
    console.error(`Cannot try kernels with "${args.join(" ")}"\n\n${USAGE}`);
    return 2;
  }
  const missing = await missingPackages();
  if (Deno.build.arch !== "x86_64" || missing.length > 0) {
    console.error(
      missing.length > 0
        ? `Cannot try kernels: as root, run: apt-get install -y --no-install-recommends ${missing.join(" ")}`
        : `Cannot try kernels: found ${Deno.build.arch}, wanted x86_64`,
    );
    return 1;
  }
  using interruption = listenForInterrupt();

  try {
    return await tryKernels(request, interruption.signal);
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
    console.error("vmtest: interrupted, nothing is said of the kernels that were not finished");
    return EXIT_INTERRUPTED;
  }
}

/** `undefined`: the arguments make no sense. */
export function parseRequest(args: readonly string[]): Request | undefined {
  const names = [...args];
  const kept = takeValues(names, "--keep");
  const only = takeValues(names, "--only");
  if (kept === undefined || only === undefined || kept.length > 1) return undefined;
  const kernels = names.map((name) => TRIED_KERNELS.find((kernel) => kernel.name === name));
  const known = kernels.filter((kernel) => kernel !== undefined);
  if (known.length < kernels.length) return undefined;
  return {
    kernels: known.length === 0 ? TRIED_KERNELS : known,
    only: only.map((text) => text.toLowerCase()),
    keepFolder: kept[0],
  };
}

/** Takes every `flag VALUE` out of `args`, and yields the values; `undefined`: one has none. */
function takeValues(args: string[], flag: string): readonly string[] | undefined {
  const values: string[] = [];
  for (let at = args.indexOf(flag); at >= 0; at = args.indexOf(flag)) {
    const [, value] = args.splice(at, 2);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}

async function missingPackages(): Promise<readonly string[]> {
  const found = await Promise.all(NEEDED_PROGRAMS.map(async ({ path, packageName }) => {
    const { code } = await runCommand("sh", { args: ["-c", 'command -v "$0"', path], output: "capture" });
    return code === 0 ? [] : [packageName];
  }));
  return found.flat();
}

async function tryKernels(request: Request, signal: AbortSignal): Promise<number> {
  const cache = cacheFolder();
  const folder = await Deno.makeTempDir({ prefix: "podtrace-vmtest-" });
  try {
    const entries = await guestEntries({ busyboxPath: await fetchBusybox(cache), folder });
    let failedCount = 0;
    const columns: MatrixColumn[] = [];
    for (const kernel of request.kernels) {
      const tried = await tryKernel(kernel, { ...request, cache, folder, entries, signal });
      columns.push(measuredColumn(kernel.name, tried.lines));
      if (tried.problems.length > 0) failedCount++;
    }
    console.log(renderMatrix(columns));
    console.log(`vmtest: ${request.kernels.length - failedCount} kernels passed, ${failedCount} failed`);
    return failedCount === 0 ? 0 : 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function tryKernel(
  kernel: TriedKernel,
  options: {
    readonly cache: string;
    readonly folder: string;
    readonly entries: Awaited<ReturnType<typeof guestEntries>>;
    readonly only: readonly string[];
    readonly keepFolder: string | undefined;
    readonly signal: AbortSignal;
  },
): Promise<{ readonly problems: readonly Problem[]; readonly lines: readonly OutcomeLine[] }> {
  const { cache, folder, signal } = options;
  const suite = await openSuite(kernel.suite, `${cache}/apt/${kernel.suite}`);
  const packageName = await firstDependency(suite, KERNEL_PACKAGE);
  const files = await findKernel(await unpackPackage(suite, packageName, `${cache}/packages`));
  const machineFolder = `${folder}/${kernel.name}`;
  await Deno.mkdir(machineFolder);
  const entries = [...options.entries, ...await moduleEntries(files)];
  const { lockdown } = kernel;
  const bootParameters = [lockdown === undefined ? "" : `lockdown=${lockdown}`, toOnlyParameter(options.only)].join(
    " ",
  );
  const outcome = await runMachine(files.imagePath, entries, { folder: machineFolder, bootParameters, signal });
  if (options.keepFolder !== undefined) await keepLogs(machineFolder, `${options.keepFolder}/${kernel.name}`);
  const scenarios = chooseScenarios({ isLocked: lockdown !== undefined, only: options.only });
  const lines = toOutcomes(outcome.lines);
  const problems = [
    ...judge(lines, { kernel, scenarios }),
    ...await replayHere(outcome.lines, { folder: machineFolder }),
  ];
  describe(kernel, { ...outcome, lines, problems });
  return { problems, lines };
}

/** A recording has to yield the same report on another kernel. */
async function replayHere(
  lines: readonly GuestLine[],
  options: { readonly folder: string },
): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  for (const line of lines) {
    if (line.kind !== "look" || line.replay === undefined || line.report === undefined) continue;
    const names = line.scenarios.map(({ name }) => name).join(", ");
    const path = `${options.folder}/look.rec`;
    await Deno.writeFile(path, Uint8Array.from(atob(line.replay.recording), (char) => char.charCodeAt(0)));
    const { code, output } = await runCommand(Deno.execPath(), {
      args: ["run", "-A", "--quiet", MAIN, "diagnose", "--replay", path, "-o", "json"],
      output: "capture",
    });
    const isSame = code === 0 && JSON.stringify(JSON.parse(output)) === JSON.stringify(line.report);
    if (!isSame) problems.push({ scenario: names, text: `replayed here it ended with ${code} and another report` });
  }
  return problems;
}

function describe(
  kernel: TriedKernel,
  outcome: {
    readonly lines: readonly OutcomeLine[];
    readonly console: string;
    readonly seconds: number;
    readonly problems: readonly Problem[];
  },
): void {
  const release = outcome.lines.find((line) => line.kind === "kernel")?.release ?? "did not come up";
  const verdict = outcome.problems.length === 0 ? "passed" : "FAILED";
  console.log(`vmtest: ${kernel.name} (${release}) ${verdict} in ${outcome.seconds.toFixed(0)} s`);
  for (const text of refusalsIn(outcome.lines)) console.log(`  ${text}`);
  for (const line of outcome.lines) if (line.kind === "scenario") console.log(`  ${describeScenario(line)}`);
  for (const { scenario, text } of outcome.problems) console.log(`  FAILED ${scenario}: ${text}`);
  if (!outcome.lines.some(({ kind }) => kind === "end")) console.log(tail(outcome.console));
}

/** What this kernel would not have, and what serves instead: the same in every report. */
function refusalsIn(lines: readonly OutcomeLine[]): readonly string[] {
  const report = lines.find((line) => line.kind === "scenario" && line.report !== undefined);
  if (report?.kind !== "scenario") return [];
  return (report.report?.cost.hooks ?? []).flatMap(({ hook, provider, refused, blindFor }) =>
    refused.map((reason) => `${hook}: ${reason}; ${provider ?? `nothing instead, so not seen: ${blindFor}`}`)
  );
}

/** One line: what was found, and how far the time ledger is off. */
function describeScenario(line: Extract<OutcomeLine, { kind: "scenario" }>): string {
  const { report } = line;
  if (report === undefined) return `${line.name}: no report`;
  const checks = report.timeLedger.checks.map(({ name, difference }) => `${name} ${(difference * 100).toFixed(1)} %`);
  const findings = report.findings.map(({ severity, title }) => `${severity}: ${title}`).join("; ") || "no finding";
  return `${line.name}: ${findings} [${checks.join(", ")}, residual ${report.ledger.residual}]`;
}

async function keepLogs(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for (const name of ["console.log", "lines.log"]) await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
}

async function fetchBusybox(cache: string): Promise<string> {
  // Its newest release is the likeliest to be on the mirror.
  const suite: Suite = await openSuite(TRIED_KERNELS.at(-1)?.suite ?? "stable", `${cache}/apt/busybox`);
  const unpacked = await unpackPackage(suite, BUSYBOX_PACKAGE, `${cache}/packages`);
  for (const path of [`${unpacked}/usr/bin/busybox`, `${unpacked}/bin/busybox`]) {
    if (await Deno.stat(path).then(() => true, () => false)) return path;
  }
  throw new Error(`Cannot find busybox in ${unpacked}: wanted bin/busybox or usr/bin/busybox`);
}

/** Packages are kept between runs, outside of the tree. */
function cacheFolder(): string {
  const base = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
  return `${base}/podtrace/vmtest`;
}

/** Aborts on Ctrl+C and SIGTERM, so that no machine is left running. */
function listenForInterrupt(): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  Deno.addSignalListener("SIGINT", abort);
  Deno.addSignalListener("SIGTERM", abort);
  return {
    signal: controller.signal,
    [Symbol.dispose](): void {
      Deno.removeSignalListener("SIGINT", abort);
      Deno.removeSignalListener("SIGTERM", abort);
    },
  };
}
