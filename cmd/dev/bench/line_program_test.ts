import { assert } from "../../../tests/support/assert.ts";
import { LineProgram, readLines } from "./line_program.ts";

async function linesOf(...chunks: readonly string[]): Promise<readonly string[]> {
  const bytes = ReadableStream.from(chunks.map((chunk) => new TextEncoder().encode(chunk)));
  return await Array.fromAsync(readLines(bytes));
}

Deno.test("readLines() joins what arrives in pieces, and yields a last line without its end", async () => {
  assert.deepEqual(await linesOf("a", "b\nc\n\n", "d"), ["ab", "c", "", "d"]);
});

Deno.test("LineProgram asks and hears, and ends the program by its input", async () => {
  await using program = new LineProgram("cat", []);
  assert.equal(await program.ask("one"), "one");
  assert.equal(await program.ask("two"), "two");
});

Deno.test("LineProgram says how a program ended that does not answer", async () => {
  await using program = new LineProgram("sh", ["-c", "exit 3"]);
  await assert.rejects(program.answer(), /Cannot hear sh: it ended with code 3, wanted an answer/);
});

Deno.test("LineProgram ends a program that does not heed its input", async () => {
  const program = new LineProgram("sh", ["-c", "echo ready; exec sleep 600"], { isEndedByInput: false });
  assert.equal(await program.answer(), "ready");
  await program[Symbol.asyncDispose]();
  await assert.rejects(program.answer(), /it ended with SIGTERM/);
});
