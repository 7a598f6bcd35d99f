/**
 * `compile`: bundles podtrace, and makes one self-contained program of the
 * bundle, the BPF object and the libraries that load it.
 *
 * @module
 */

import { libraryChain, type LibraryFile, wantedGlibc } from "./compile/needed_libraries.ts";
import { compilerCommand, findRuntime, type Runtime, RUNTIME_VARIABLE } from "./compile/runtime.ts";
import { ROOT } from "./gate/steps.ts";
import { objectPath, runGenerate } from "./generate.ts";
import { ARCHITECTURES } from "./generate/compile.ts";
import { runCommand } from "./run_command.ts";
import { candidatePaths, NEEDS } from "./setup/needs.ts";

/** Relative to the root, as everything here. */
export const PROGRAM_PATH = "dist/podtrace";
/** Beside the program: what it was made from. */
const INPUTS_PATH = "dist/podtrace.sha256";
/** Where the parts come together; kept, so that stack traces of the program can be read with its source maps. */
const STAGE_FOLDER = "dist/bundle";
const MAPS_FOLDER = "dist/bundle_maps";
/** As engine/backend/build_files.ts looks for them. */
const EMBEDDED_FOLDER = "embedded";
const LIBRARY = "libbpf.so.1";
const NOTICE = "NOTICE.md";

/** What became of a compilation that was not stopped by a fault of ours. */
export type CompileOutcome =
  | { readonly kind: "built" | "up_to_date"; readonly runtime: Runtime; readonly glibc: string | undefined }
  /** One line: what is missing and how to provide it. */
  | { readonly kind: "no_runtime"; readonly advice: string };

/** Runs `compile`; yields 0, 1 when there is no program in the end, 2 for an unknown option. */
export async function runCompile(args: string[]): Promise<number> {
  if (args.length > 0) {
    console.error(`Cannot compile: ${args.join(" ")} is unknown, expected no option`);
    return 2;
  }
  try {
    const outcome = await compileProgram();
    if (outcome.kind === "no_runtime") {
      console.error(outcome.advice);
      return 1;
    }
    for (const line of await describe(outcome)) console.log(`compile: ${line}`);
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

/**
 * Makes `dist/podtrace`, unless it is there and was made of the very same parts.
 *
 * @throws {Error} If a part cannot be made; an older program is gone then
 */
export async function compileProgram(): Promise<CompileOutcome> {
  if (await runGenerate([]) !== 0) throw new Error("Cannot compile: the BPF objects could not be built");
  const runtime = await findRuntime();
  const libraries = findLibraries();
  await bundle();
  await stage(libraries);
  const inputs = await hashStage(runtime);
  const glibc = newest(libraries.map(({ bytes }) => wantedGlibc(bytes)));
  if (await isCurrent(inputs)) return { kind: "up_to_date", runtime, glibc };
  await removeIfPresent(`${ROOT}${INPUTS_PATH}`);
  await removeIfPresent(`${ROOT}${PROGRAM_PATH}`);
  const problem = await compile(runtime);
  if (problem !== undefined) return { kind: "no_runtime", advice: problem };
  await Deno.copyFile(`${ROOT}${NOTICE}`, `${ROOT}dist/${NOTICE}`);
  await Deno.writeTextFile(`${ROOT}${INPUTS_PATH}`, inputs);
  return { kind: "built", runtime, glibc };
}

/** Subcommands are imported dynamically, so each is a file of its own and read only when it is meant. */
async function bundle(): Promise<void> {
  await emptyFolder(`${ROOT}${STAGE_FOLDER}`);
  await emptyFolder(`${ROOT}${MAPS_FOLDER}`);
  const args = ["bundle", "--quiet", "--minify", "--platform", "deno", "--code-splitting", "--sourcemap", "external"];
  await runOrThrow([Deno.execPath(), ...args, "--outdir", STAGE_FOLDER, "main.ts"], { what: "bundle main.ts" });
  // Beside the program, not in it: they are four times its size.
  for await (const { name } of Deno.readDir(`${ROOT}${STAGE_FOLDER}`)) {
    if (name.endsWith(".map")) {
      await Deno.rename(`${ROOT}${STAGE_FOLDER}/${name}`, `${ROOT}${MAPS_FOLDER}/${name}`);
    }
  }
}

/** Puts the object and the libraries beside the bundle. */
async function stage(libraries: readonly LibraryFile[]): Promise<void> {
  const folder = `${ROOT}${STAGE_FOLDER}/${EMBEDDED_FOLDER}`;
  await Deno.mkdir(folder);
  const architecture = ARCHITECTURES.find((name) => name === Deno.build.arch);
  if (architecture === undefined) throw new Error(`Cannot compile: found no BPF object for ${Deno.build.arch}`);
  await Deno.copyFile(`${ROOT}${objectPath(architecture)}`, `${folder}/podtrace.bpf.o`);
  for (const { name, bytes } of libraries) await Deno.writeFile(`${folder}/${name}`, bytes);
  await Deno.writeTextFile(`${folder}/libraries.txt`, libraries.map(({ name }) => `${name}\n`).join(""));
}

/** @throws {Error} If this machine lacks libbpf, or something it needs */
function findLibraries(): readonly LibraryFile[] {
  const machine = { pathVariable: "", arch: Deno.build.arch };
  const need = NEEDS.find(({ name }) => name === LIBRARY);
  return libraryChain(LIBRARY, (name) => {
    const paths = candidatePaths({ kind: "library", debianPackage: "", ...need, name }, machine);
    return paths.map(readIfPresent).find((bytes) => bytes !== undefined);
  });
}

/**
 * Yields why there is no program although nothing is wrong with ours: no runtime could be downloaded.
 *
 * @throws {Error} With the compiler's own words
 */
async function compile(runtime: Runtime): Promise<string | undefined> {
  const finished = `${ROOT}${PROGRAM_PATH}`;
  const output = `${finished}.${Deno.pid}`;
  const options = ["--quiet", "--no-npm", "--no-config", "--no-check", "--no-code-cache", "--allow-all"];
  const command = [...compilerCommand(runtime.version), "compile", ...options, "--include", EMBEDDED_FOLDER] as const;
  const [program, ...args] = command;
  const result = await runCommand(program ?? "", {
    // One file in a folder of its own: whatever else lies there would be looked at too.
    args: [...args, "--output", output, "main.js"],
    cwd: `${ROOT}${STAGE_FOLDER}`,
    ...(runtime.path === undefined ? {} : { env: { [RUNTIME_VARIABLE]: runtime.path } }),
    output: "capture",
  });
  if (result.code === 0) {
    await Deno.rename(output, finished);
    return undefined;
  }
  if (runtime.path === undefined && /base binary|denort/.test(result.output)) {
    return `Cannot compile: denort ${runtime.version}, the runtime under a compiled program, could not be downloaded; ` +
      `set ${RUNTIME_VARIABLE} to the path of one (of any Deno release, 2.4 or newer)`;
  }
  throw new Error(`Cannot compile: ${command.slice(0, 4).join(" ")} ended with ${result.code}\n${result.output}`);
}

/** Runs the program once: one that does not start is no result. */
async function describe(outcome: Extract<CompileOutcome, { runtime: Runtime }>): Promise<readonly string[]> {
  const path = `${ROOT}${PROGRAM_PATH}`;
  const startMs = performance.now();
  const { code, output } = await runCommand(path, { args: ["--version"], output: "capture" });
  const elapsedMs = performance.now() - startMs;
  if (code !== 0) throw new Error(`Cannot use ${PROGRAM_PATH}: it ended with ${code}\n${output}`);
  const bundleBytes = [...Deno.readDirSync(`${ROOT}${STAGE_FOLDER}`)]
    .filter(({ isFile }) => isFile)
    .reduce((sum, { name }) => sum + Deno.statSync(`${ROOT}${STAGE_FOLDER}/${name}`).size, 0);
  const sizeMb = (Deno.statSync(path).size / 1e6).toFixed(1);
  return [
    outcome.kind === "built" ? `wrote ${PROGRAM_PATH}` : `${PROGRAM_PATH} is up to date`,
    `${output.trim()}, ${sizeMb} MB with the runtime of Deno ${outcome.runtime.version}, ` +
    `${(bundleBytes / 1e3).toFixed(0)} kB of it ours; started and ended in ${elapsedMs.toFixed(0)} ms`,
    `the libraries inside want glibc ${outcome.glibc ?? "of any version"} or newer; elsewhere the system's are used`,
  ];
}

function newest(versions: readonly (string | undefined)[]): string | undefined {
  return versions.filter((version) => version !== undefined)
    .toSorted((left, right) => Number(right.slice(2)) - Number(left.slice(2)))[0];
}

async function hashStage(runtime: Runtime): Promise<string> {
  const parts: Uint8Array<ArrayBuffer>[] = [new TextEncoder().encode(JSON.stringify(runtime))];
  for (const path of filesBelow(`${ROOT}${STAGE_FOLDER}`)) {
    parts.push(new TextEncoder().encode(`\0${path.slice(ROOT.length)}\0`), await Deno.readFile(path));
  }
  const digest = await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer());
  return `${[...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}\n`;
}

function filesBelow(folder: string): readonly string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    return isDirectory ? filesBelow(path) : [path];
  }).sort();
}

async function isCurrent(inputs: string): Promise<boolean> {
  const before = readIfPresent(`${ROOT}${INPUTS_PATH}`);
  const isThere = await Deno.stat(`${ROOT}${PROGRAM_PATH}`).then(({ isFile }) => isFile, () => false);
  return isThere && before !== undefined && new TextDecoder().decode(before) === inputs;
}

async function runOrThrow(command: readonly [string, ...string[]], options: { what: string }): Promise<void> {
  const [program, ...args] = command;
  const { code, output } = await runCommand(program, { args, cwd: ROOT, output: "capture" });
  if (code !== 0) throw new Error(`Cannot ${options.what}: ${program} ended with ${code}\n${output}`);
}

async function emptyFolder(path: string): Promise<void> {
  await removeIfPresent(path);
  await Deno.mkdir(path, { recursive: true });
}

async function removeIfPresent(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function readIfPresent(path: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}
