/**
 * BPF objects built for a test, in a folder of its own.
 *
 * @module
 */

import { compileBpf } from "../../cmd/dev/generate/compile.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** Builds `tests/fixtures/bpf/<name>.bpf.c`, for the machine the test runs on. */
export function buildBpfFixture(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return buildBpfSource(`tests/fixtures/bpf/${name}.bpf.c`);
}

/** Builds the product's own object. */
export function buildProductObject(): Promise<Uint8Array<ArrayBuffer>> {
  return buildBpfSource("bpf/podtrace.bpf.c");
}

/** Builds a program that a test has written. */
export async function buildBpfText(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const folder = await Deno.makeTempDir({ prefix: "podtrace-bpf-" });
  try {
    await Deno.writeTextFile(`${folder}/program.bpf.c`, text);
    return await buildBpfSource(`${folder}/program.bpf.c`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function buildBpfSource(source: string): Promise<Uint8Array<ArrayBuffer>> {
  const folder = await Deno.makeTempDir({ prefix: "podtrace-bpf-" });
  try {
    const output = `${folder}/object.bpf.o`;
    const architecture = Deno.build.arch;
    await compileBpf({ source, output, architecture, root: ROOT });
    return await Deno.readFile(output);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
