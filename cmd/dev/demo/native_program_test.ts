import { assert } from "../../../tests/support/assert.ts";
import { kernelTest } from "../../../tests/support/kernel.ts";
import { makeDiskDirectory } from "./disk_directory.ts";
import { buildNativeProgram } from "./native_program.ts";

const HEADER = "#define ANSWER 42\n";
const SOURCE = `#include "answer.h"\nint main(void) { return ANSWER; }\n`;

interface Workshop extends AsyncDisposable {
  /** Writes the sources and builds them. */
  build(header: string, source: string): Promise<string>;
}

async function openWorkshop(): Promise<Workshop> {
  const directory = await makeDiskDirectory([]);
  const at = (name: string): URL => new URL(`file://${directory.path}/${name}`);
  return {
    async build(header, source) {
      await Deno.writeTextFile(at("answer.h"), header);
      await Deno.writeTextFile(at("answer.c"), source);
      return await buildNativeProgram(
        { name: "answer", source: at("answer.c"), headers: [at("answer.h")] },
        at("cache"),
      );
    },
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

async function exitCodeOf(path: string): Promise<number> {
  return (await new Deno.Command(path).output()).code;
}

kernelTest("buildNativeProgram() builds once for the same source", { requires: ["clang"] }, async () => {
  await using workshop = await openWorkshop();

  const first = await workshop.build(HEADER, SOURCE);
  const builtAt = (await Deno.stat(first)).mtime;
  assert.equal(await exitCodeOf(first), 42);
  assert.equal(await workshop.build(HEADER, SOURCE), first);
  assert.deepEqual((await Deno.stat(first)).mtime, builtAt);
});

kernelTest("buildNativeProgram() builds anew when a header changes", { requires: ["clang"] }, async () => {
  await using workshop = await openWorkshop();

  const first = await workshop.build(HEADER, SOURCE);
  const second = await workshop.build("#define ANSWER 7\n", SOURCE);
  assert.notEqual(second, first);
  assert.equal(await exitCodeOf(second), 7);
});

kernelTest("buildNativeProgram() says what the compiler refused, each time", { requires: ["clang"] }, async () => {
  await using workshop = await openWorkshop();

  const broken = SOURCE.replace("ANSWER;", "ANSWER");
  for (let attempt = 0; attempt < 2; attempt++) {
    await assert.rejects(workshop.build(HEADER, broken), /Cannot build answer: clang says .*expected ';'/);
  }
});
