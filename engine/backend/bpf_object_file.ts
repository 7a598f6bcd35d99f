/**
 * The built object for this machine, as it lies in the tree.
 *
 * @module
 */

import { EngineError } from "../api/errors.ts";

/** Where `deno task generate` puts it. */
function objectUrl(architecture: typeof Deno.build.arch): URL {
  return new URL(`../../dist/bpf/podtrace.${architecture}.bpf.o`, import.meta.url);
}

/**
 * Yields the bytes of the object for this machine's architecture.
 *
 * @throws {EngineError} `object_missing` when it was never built
 */
export async function readBpfObjectFile(): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(objectUrl(Deno.build.arch));
  } catch (cause) {
    throw new EngineError(
      "object_missing",
      `Cannot trace: found no BPF object for ${Deno.build.arch}, wanted one built by "deno task setup"`,
      { cause },
    );
  }
}
