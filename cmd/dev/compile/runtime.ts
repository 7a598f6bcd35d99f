/**
 * The runtime that `deno compile` puts under the program.
 *
 * @module
 */

import { ROOT } from "../gate/steps.ts";
import { runCommand } from "../run_command.ts";

/** Names a runtime's file; Deno itself reads it too. */
export const RUNTIME_VARIABLE = "DENORT_BIN";

/** Prints the path of a runtime, where such a program lies beside the checkout. */
const PROVIDER_PATH = "../shared/tools/provide-denort";

/** A runtime, and the Deno that must do the compiling: both of one version. */
export interface Runtime {
  /** `undefined`: Deno downloads its own. */
  readonly path: string | undefined;
  readonly version: string;
}

/**
 * Yields the runtime of `DENORT_BIN`, or the one that is provided beside the
 * checkout, or else the one that Deno downloads.
 *
 * @throws {Error} If one was named and is none
 */
export async function findRuntime(): Promise<Runtime> {
  const path = Deno.env.get(RUNTIME_VARIABLE) || await askProvider();
  if (path === undefined) return { path, version: Deno.version.deno };
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(path);
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new Error(`Cannot use the runtime ${path}: ${cause.message}, wanted the denort of a Deno release`, { cause });
  }
  const version = runtimeVersion(bytes);
  if (version !== undefined) return { path, version };
  throw new Error(`Cannot use the runtime ${path}: found no version in it, wanted the denort of a Deno release`);
}

/** Yields the version that a runtime calls itself over HTTP ("Deno/2.4.2"), `undefined` for any other file. */
export function runtimeVersion(bytes: Uint8Array): string | undefined {
  const wanted = new TextEncoder().encode("Deno/2.");
  const [first = 0] = wanted;
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (!wanted.every((byte, index) => bytes[at + index] === byte)) continue;
    const text = new TextDecoder("latin1").decode(bytes.subarray(at, at + 24));
    const version = /^Deno\/(\d+\.\d+\.\d+)/.exec(text)?.[1];
    if (version !== undefined) return version;
  }
  return undefined;
}

/** Yields the command that compiles for a runtime of this version. */
export function compilerCommand(version: string): readonly [string, ...string[]] {
  if (version === Deno.version.deno) return [Deno.execPath()];
  return ["npx", "-y", "--prefer-offline", `deno@${version}`];
}

/** `undefined`: there is none, or it could not provide one. */
async function askProvider(): Promise<string | undefined> {
  const provider = `${ROOT}${PROVIDER_PATH}`;
  const isThere = await Deno.stat(provider).then(() => true, () => false);
  if (!isThere) return undefined;
  const { code, output } = await runCommand(provider, { args: [], output: "capture" });
  if (code === 0) return output.trim().split("\n").at(-1);
  console.log(`compile: ${PROVIDER_PATH} provides no runtime: ${output.trim().split("\n").at(-1)}`);
  return undefined;
}
