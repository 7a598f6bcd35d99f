/**
 * What the build made beside the program: the BPF object for this machine and,
 * in the compiled binary, the libraries that load it.
 *
 * @module
 */

import { EngineError } from "../api/errors.ts";
import { BPF_OBJECT_BYTES_MAX } from "../api/limits.ts";
import { sanitizeText } from "../api/text.ts";
import type { EmbeddedLibrary } from "../ffi/embedded_libraries.ts";
import { errorCode } from "../host/host_files.ts";

/** In the compiled binary: beside the program's own modules. */
const EMBEDDED_FOLDER = "embedded";

/** Names of the embedded libraries, one a line, each before those that need it. */
const LIBRARY_LIST = "libraries.txt";

/** Whether this program is the compiled binary, with everything it needs inside. */
export function isSelfContained(): boolean {
  return Deno.build.standalone;
}

/** Yields where `deno task generate` puts the object of this build; `undefined` when it is inside the program. */
export function builtObjectPath(): string | undefined {
  if (isSelfContained()) return undefined;
  return new URL(`../../dist/bpf/podtrace.${Deno.build.arch}.bpf.o`, import.meta.url).pathname;
}

/** Yields the bytes of the object that this build was made with. @throws {EngineError} `object_missing` */
export async function readBpfObjectFile(): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(builtObjectPath() ?? embeddedPath("podtrace.bpf.o"));
  } catch (cause) {
    throw new EngineError(
      "object_missing",
      `Cannot trace: found no BPF object for ${Deno.build.arch}, wanted one built by "deno task setup"`,
      { cause },
    );
  }
}

/**
 * Yields the bytes of an object that somebody chose; whether it is one of ours is for `checkLayout` to say.
 *
 * @throws {EngineError} `object_missing` when it cannot be read, is no regular file or is larger than any object of ours
 */
export async function readChosenBpfObject(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const fail = (found: string, cause?: unknown): EngineError =>
    new EngineError(
      "object_missing",
      `Cannot read the BPF object ${sanitizeText(path)}: ${found}, ` +
        `wanted a file of at most ${BPF_OBJECT_BYTES_MAX / 1024 / 1024} MiB built by "deno task generate"`,
      { cause },
    );
  try {
    // Asked first: to open a pipe would wait for whoever writes to it.
    const { isFile, size } = await Deno.stat(path);
    if (!isFile) throw fail("found no regular file");
    if (size > BPF_OBJECT_BYTES_MAX) throw fail(`found ${size} bytes`);
    return await Deno.readFile(path);
  } catch (cause) {
    if (cause instanceof EngineError || !(cause instanceof Error)) throw cause;
    throw fail(`got ${errorCode(cause) ?? cause.message}`, cause);
  }
}

/**
 * Yields the libraries that the compiled binary carries, libbpf last, each
 * after what it is linked with; none when run from source.
 */
export async function readEmbeddedLibraries(): Promise<readonly EmbeddedLibrary[]> {
  if (!isSelfContained()) return [];
  const list = await Deno.readTextFile(embeddedPath(LIBRARY_LIST));
  const names = list.split("\n").filter((name) => name !== "");
  return await Promise.all(names.map(async (name) => ({ name, bytes: await Deno.readFile(embeddedPath(name)) })));
}

function embeddedPath(name: string): string {
  return new URL(`${EMBEDDED_FOLDER}/${name}`, import.meta.url).pathname;
}
