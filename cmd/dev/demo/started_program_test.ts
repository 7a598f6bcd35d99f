import { assert } from "../../../tests/support/assert.ts";
import { numberOf, parseStatement, StartedProgram } from "./started_program.ts";

/** A program that is a few lines of shell. */
async function startShell(script: string): Promise<StartedProgram> {
  return await StartedProgram.start("/bin/sh", { arguments: ["-c", script] });
}

Deno.test("StartedProgram.start() yields what the program said when it was ready", async () => {
  await using program = await startShell(`echo 'READY {"port":7,"name":"x"}'; echo first; printf last`);

  assert.deepEqual(program.ready, { port: 7, name: "x" });
  assert.equal(await program.lastLine(), "last");
  assert.equal(program.status.code, 0);
});

Deno.test("finish() ends a program that would go on", async () => {
  await using program = await startShell(`trap 'echo bye; exit 3' TERM; echo 'READY {}'; while :; do sleep 0.01; done`);

  assert.throws(() => program.status, /still runs/);
  assert.equal(await program.finish(), "bye");
  assert.equal(program.status.code, 3);
});

Deno.test("disposal kills a program that ignores SIGTERM, also twice", async () => {
  const program = await startShell(`trap '' TERM; echo 'READY {}'; while :; do sleep 0.01; done`);
  await program[Symbol.asyncDispose]();
  await program[Symbol.asyncDispose]();
  assert.equal(program.status.signal, "SIGKILL");
});

const REFUSED = [
  { script: "exit 4", says: /Cannot start .*: it ended before it was ready, with code 4/ },
  { script: "echo hello", says: /Cannot start .*: it said "hello", expected "READY \{\.\.\.\}"/ },
  { script: "echo 'READY 5'", says: /expected an object, got 5/ },
];

for (const { script, says } of REFUSED) {
  Deno.test(`StartedProgram.start() refuses a program that does: ${script}`, async () => {
    await assert.rejects(startShell(script), says);
  });
}

Deno.test("parseStatement() takes an object of numbers and texts and nothing else", () => {
  assert.deepEqual(parseStatement(`{"a":1.5,"b":"x"}`), { a: 1.5, b: "x" });
  for (const text of ["[]", "null", "1", `{"a":true}`, `{"a":{}}`, `{"a":null}`]) {
    assert.throws(() => parseStatement(text), /Cannot read/);
  }
});

Deno.test("numberOf() refuses what is missing or no number", () => {
  assert.equal(numberOf({ a: 0 }, "a"), 0);
  assert.throws(() => numberOf({ a: "0" }, "a"), /Cannot read a: expected a number, got "0"/);
  assert.throws(() => numberOf({}, "a"), /Cannot read a/);
});
