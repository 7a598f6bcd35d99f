/**
 * `generate`: builds the BPF objects and writes what is derived from them.
 *
 * @module
 */

import { readObjectBtf } from "../../engine/btf/btf.ts";
import { diffLayoutTables, type Layout, readLayout, toLayoutTable } from "../../engine/btf/layout.ts";
import { reportJsonSchema } from "../../engine/diagnose/report_schema.ts";
import { ROOT } from "./gate/steps.ts";
import { type Architecture, ARCHITECTURES, compileBpf, compilerArguments } from "./generate/compile.ts";
import { type HeaderDeclarations, readHeader, readTables } from "./generate/header.ts";
import { renderPageAssets } from "./generate/page_assets.ts";
import { renderLayout } from "./generate/render_layout.ts";
import { stackProblems } from "./generate/stack_depth.ts";
import { generateSystemCalls } from "./generate_system_calls.ts";

const BPF_FOLDER = "bpf";
const SOURCE_PATH = "bpf/podtrace.bpf.c";
const HEADER_PATH = "bpf/include/pt_events.h";
const MAPS_PATH = "bpf/include/pt_maps.h";
const LAYOUT_PATH = "bpf/generated/layout.ts";
const PAGE_ASSETS_PATH = "engine/diagnose/generated/page_assets.ts";
const SYSTEM_CALLS_PATH = "engine/host/generated/system_calls.ts";
const REPORT_SCHEMA_PATH = "docs/report.schema.json";
const OBJECT_FOLDER = "dist/bpf";
/** Beside the objects: what they were built from. */
const INPUTS_PATH = `${OBJECT_FOLDER}/inputs.sha256`;

/** A file that is committed and must never differ from what would be generated. */
interface Artefact {
  /** Relative to the root. */
  readonly path: string;
  readonly text: string;
}

/**
 * Runs `generate`: writes the objects and what is derived from them. With `--check` derived files are compared only.
 *
 * Yields 0, 1 when a file differs or cannot be generated, 2 for an unknown option.
 */
export async function runGenerate(args: string[]): Promise<number> {
  const unknown = args.filter((arg) => arg !== "--check");
  if (unknown.length > 0) {
    console.error(`Cannot generate: ${unknown.join(" ")} is unknown, expected --check or nothing`);
    return 2;
  }
  try {
    console.log(await buildObjects(ROOT) ? `built ${OBJECT_FOLDER}` : `${OBJECT_FOLDER} is up to date`);
    const artefacts = [
      await generateLayout(ROOT),
      { path: SYSTEM_CALLS_PATH, text: await generateSystemCalls() },
      { path: PAGE_ASSETS_PATH, text: await formatSource(await renderPageAssets(ROOT), "ts") },
      { path: REPORT_SCHEMA_PATH, text: await formatSource(JSON.stringify(reportJsonSchema(), undefined, 2), "json") },
    ];
    return args.includes("--check") ? reportStale(artefacts) : writeStale(artefacts);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

/** Where the object of `architecture` lies, relative to the root. */
export function objectPath(architecture: Architecture): string {
  return `${OBJECT_FOLDER}/podtrace.${architecture}.bpf.o`;
}

/**
 * Builds both objects, unless they were built from the very same inputs: sources, arguments, compiler.
 *
 * @throws {Error} With the compiler's own words
 */
async function buildObjects(root: string): Promise<boolean> {
  const inputs = await hashInputs(root);
  const outputs = ARCHITECTURES.map((architecture) => `${root}${objectPath(architecture)}`);
  if (readText(`${root}${INPUTS_PATH}`) === inputs && outputs.every(exists)) return false;
  await Deno.mkdir(`${root}${OBJECT_FOLDER}`, { recursive: true });
  for (const architecture of ARCHITECTURES) {
    const output = objectPath(architecture);
    // Built beside and moved into place: whoever reads the object sees the old or the new one.
    const unfinished = `${output}.${Deno.pid}`;
    await compileBpf({ source: SOURCE_PATH, output: unfinished, architecture, root });
    const object = await Deno.readFile(`${root}${unfinished}`);
    refuseMachinePaths(object, { root, output });
    const [problem] = stackProblems(object);
    if (problem !== undefined) throw new Error(`Cannot keep ${output}: older kernels refuse ${problem}`);
    await Deno.rename(`${root}${unfinished}`, `${root}${output}`);
  }
  await Deno.writeTextFile(`${root}${INPUTS_PATH}`, inputs);
  return true;
}

/** @throws {Error} If the object says where it was built: it would differ from machine to machine */
function refuseMachinePaths(object: Uint8Array, place: { root: string; output: string }): void {
  const text = new TextDecoder("latin1").decode(object);
  if (place.root.length > 1 && text.includes(place.root)) {
    throw new Error(`Cannot keep ${place.output}: found the path it was built at inside, wanted relative paths only`);
  }
}

async function hashInputs(root: string): Promise<string> {
  const { stdout } = await new Deno.Command("clang", { args: ["--version"], stdin: "null" }).output();
  const parts: string[] = [new TextDecoder().decode(stdout).split("\n")[0] ?? ""];
  for (const architecture of ARCHITECTURES) {
    // Without the root: moving the tree changes nothing.
    const place = { source: SOURCE_PATH, output: objectPath(architecture), architecture, root: "." };
    parts.push(compilerArguments(place).join(" "));
  }
  for (const path of listSources(`${root}${BPF_FOLDER}`)) {
    parts.push(path.slice(root.length), await Deno.readTextFile(path));
  }
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(parts.join("\0")));
  return `${[...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}\n`;
}

/** C files and headers under `folder`, sorted. */
function listSources(folder: string): readonly string[] {
  return [...Deno.readDirSync(folder)].flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) return listSources(path);
    return /\.[ch]$/.test(entry.name) ? [path] : [];
  }).sort();
}

/** @throws {Error} If the objects disagree, or lack what the header declares */
async function generateLayout(root: string): Promise<Artefact> {
  const declarations = readHeader(await Deno.readTextFile(`${root}${HEADER_PATH}`));
  const layouts: Layout[] = [];
  for (const architecture of ARCHITECTURES) {
    layouts.push(layoutOfObject(await Deno.readFile(`${root}${objectPath(architecture)}`), declarations));
  }
  const [layout, ...others] = layouts;
  if (layout === undefined) throw new Error("Cannot generate the layout: there is no architecture to take it from");
  for (const other of others) {
    const differences = diffLayoutTables(toLayoutTable(layout), toLayoutTable(other));
    if (differences.length > 0) {
      throw new Error(`Cannot generate the layout: it differs by architecture (${differences.join("; ")})`);
    }
  }
  const tables = readTables(await Deno.readTextFile(`${root}${MAPS_PATH}`));
  return { path: LAYOUT_PATH, text: await formatTypeScript(renderLayout(layout, declarations, tables)) };
}

/**
 * Yields the layout of everything the header declares.
 *
 * @throws {Error} If something of it is not in the object's BTF: nothing refers to it, so clang left it out
 */
export function layoutOfObject(object: Uint8Array, declarations: HeaderDeclarations): Layout {
  const layout = readLayout(readObjectBtf(object), { names: new Set(declarations.names) });
  const found = new Set([...layout.structs, ...layout.enums].map(({ name }) => name));
  const missing = declarations.names.filter((name) => !found.has(name));
  if (missing.length > 0) {
    throw new Error(
      `Cannot generate the layout: the object has no ${missing.join(", ")}, wanted each anchored by an unused pointer`,
    );
  }
  return layout;
}

/** @throws {Error} If `text` is no TypeScript */
export function formatTypeScript(text: string): Promise<string> {
  return formatSource(text, "ts");
}

async function formatSource(text: string, language: "json" | "ts"): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--no-config", "--line-width=120", `--ext=${language}`, "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
  await using child = command.spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  if (code !== 0) throw new Error(`Cannot format generated code: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

function reportStale(artefacts: readonly Artefact[]): number {
  const stale = artefacts.filter(isStale);
  for (const { path } of stale) {
    console.error(
      `Cannot accept ${path}: it differs from what is generated, wanted "deno task generate" after a change`,
    );
  }
  return stale.length > 0 ? 1 : 0;
}

function writeStale(artefacts: readonly Artefact[]): number {
  for (const artefact of artefacts.filter(isStale)) {
    Deno.mkdirSync(`${ROOT}${artefact.path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    Deno.writeTextFileSync(`${ROOT}${artefact.path}`, artefact.text);
    console.log(`wrote ${artefact.path}`);
  }
  return 0;
}

function isStale(artefact: Artefact): boolean {
  return readText(`${ROOT}${artefact.path}`) !== artefact.text;
}

/** "" where there is no such file. */
function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
