/**
 * Small C programs of this checkout, built on demand.
 *
 * @module
 */

/** Warnings are errors: the programs are ours, and small. Frame pointers are what user stacks are taken by. */
const COMPILER_FLAGS = ["-O1", "-g0", "-fno-omit-frame-pointer", "-pthread", "-Wall", "-Wextra", "-Werror"];

export interface NativeProgramSource {
  /** File name of the program, and of its thread group in the kernel (15 characters are kept). */
  readonly name: string;
  readonly source: URL;
  /** What it includes from this checkout. */
  readonly headers: readonly URL[];
}

/**
 * Yields the path of the program, built with clang below `cacheDirectory`
 * unless the same source was built there before.
 *
 * @throws {Error} If clang is missing or refuses the source
 */
export async function buildNativeProgram(program: NativeProgramSource, cacheDirectory: URL): Promise<string> {
  const directory = new URL(`${await sourceHash(program)}/`, asDirectory(cacheDirectory));
  const path = new URL(program.name, directory).pathname;
  if (await exists(path)) return path;

  await Deno.mkdir(directory, { recursive: true });
  // Built aside and renamed: two test files may want the same program at once.
  const unfinished = await Deno.makeTempFile({ dir: directory.pathname });
  await compile(program, unfinished);
  await Deno.rename(unfinished, path);
  return path;
}

async function compile(program: NativeProgramSource, output: string): Promise<void> {
  const command = new Deno.Command("clang", {
    args: [...COMPILER_FLAGS, "-o", output, program.source.pathname],
    stdin: "null",
  });
  const result = await command.output().catch((cause: unknown) => {
    throw new Error(`Cannot build ${program.name}: clang could not be started; run \`deno task setup\``, { cause });
  });
  if (!result.success) {
    await Deno.remove(output);
    throw new Error(`Cannot build ${program.name}: clang says ${new TextDecoder().decode(result.stderr).trim()}`);
  }
}

async function sourceHash(program: NativeProgramSource): Promise<string> {
  const texts = await Promise.all([program.source, ...program.headers].map((file) => Deno.readTextFile(file)));
  const bytes = new TextEncoder().encode([...COMPILER_FLAGS, ...texts].join("\0"));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function asDirectory(url: URL): URL {
  return url.pathname.endsWith("/") ? url : new URL(`${url.href}/`);
}
