/**
 * BPF objects from C, the same bytes on every machine that has the same compiler.
 *
 * @module
 */

import { runCommand } from "../run_command.ts";

/** Architectures an object is built for: whose registers and system calls it knows. */
export const ARCHITECTURES = ["x86_64", "aarch64"] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/** As `bpf_tracing.h` spells them. */
const TARGET_DEFINES: Readonly<Record<Architecture, string>> = { x86_64: "x86", aarch64: "arm64" };

export interface CompileOptions {
  /** Relative to `root`. */
  readonly source: string;
  /** Where to write the object; absolute, or relative to `root`. */
  readonly output: string;
  readonly architecture: Architecture;
  /** Where the compiler runs; it appears nowhere in the object. */
  readonly root: string;
}

/** Arguments of clang: type information for CO-RE, relative paths, the oldest instruction set that has 32-bit compares. */
export function compilerArguments(options: CompileOptions): readonly string[] {
  return [
    "-g",
    "-O2",
    "-Wall",
    "-Werror",
    "-target",
    "bpf",
    "-mcpu=v3",
    `-D__TARGET_ARCH_${TARGET_DEFINES[options.architecture]}`,
    "-Ibpf/include",
    // Debian keeps <asm/...> of the machine we build on here; elsewhere the folders do not exist and are ignored.
    "-idirafter",
    "/usr/include/x86_64-linux-gnu",
    "-idirafter",
    "/usr/include/aarch64-linux-gnu",
    `-ffile-prefix-map=${options.root.replace(/\/$/, "")}=.`,
    "-c",
    options.source,
    "-o",
    options.output,
  ];
}

/**
 * Compiles one object and strips what only debuggers read; type information stays.
 *
 * @throws {Error} With the compiler's own words
 */
export async function compileBpf(options: CompileOptions): Promise<void> {
  await run("clang", compilerArguments(options), options);
  await run("llvm-strip", ["-g", options.output], options);
}

async function run(program: string, args: readonly string[], options: CompileOptions): Promise<void> {
  const { code, output } = await runCommand(program, { args, cwd: options.root, output: "capture" });
  if (code === 0) return;
  throw new Error(
    `Cannot build ${options.source} for ${options.architecture}: ${program} ended with ${code}\n${output}`,
  );
}
