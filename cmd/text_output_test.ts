import { assert } from "../tests/support/assert.ts";
import { ManualTimer } from "../tests/support/manual_timer.ts";
import { RunError } from "./run_error.ts";
import { type ByteSink, OutputGoneError, QueuedOutput } from "./text_output.ts";

/** Takes at most `bytesMax` bytes a call; `answers` come first, errors are thrown. */
class SlowSink implements ByteSink {
  readonly bytes: number[] = [];
  readonly #answers: (Error | "take")[];
  readonly #bytesMax: number;

  constructor(options: { answers?: (Error | "take")[]; bytesMax?: number } = {}) {
    this.#answers = options.answers ?? [];
    this.#bytesMax = options.bytesMax ?? 3;
  }

  get text(): string {
    return new TextDecoder().decode(new Uint8Array(this.bytes));
  }

  isTerminal(): boolean {
    return false;
  }

  write(bytes: Uint8Array): Promise<number> {
    const answer = this.#answers.shift();
    if (answer instanceof Error) return Promise.reject(answer);
    const taken = bytes.subarray(0, this.#bytesMax);
    this.bytes.push(...taken);
    return Promise.resolve(taken.length);
  }
}

function systemError(message: string, code: string): Error {
  return Object.assign(new Error(message), { code });
}

Deno.test("QueuedOutput.write() writes everything, in order, when the sink takes a little at a time", async () => {
  const sink = new SlowSink();
  const output = new QueuedOutput(sink, { name: "stdout", timer: new ManualTimer() });
  await Promise.all([output.write("first ü line\n"), output.write("second\n"), output.write("")]);
  assert.equal(sink.text, "first ü line\nsecond\n");
});

Deno.test("QueuedOutput.write() waits for a sink that would block, and loses nothing", async () => {
  const timer = new ManualTimer();
  const sink = new SlowSink({
    answers: ["take", new Deno.errors.WouldBlock("full"), new Deno.errors.WouldBlock("full")],
  });
  const output = new QueuedOutput(sink, { name: "stdout", timer });
  const written = output.write("abcdefgh");
  await timer.nextTurn();
  assert.equal(sink.text, "abc");
  await timer.advance(1000);
  await written;
  assert.equal(sink.text, "abcdefgh");
});

Deno.test("QueuedOutput.write() tells a reader that has gone from a failure", async () => {
  const table: readonly (readonly [Error, typeof OutputGoneError | typeof RunError, string])[] = [
    [new Deno.errors.BrokenPipe("Broken pipe"), OutputGoneError, "Cannot write to stdout: nobody reads it any more"],
    [systemError("Input/output error", "EIO"), OutputGoneError, "Cannot write to stdout: nobody reads it any more"],
    [systemError("No space left on device", "ENOSPC"), RunError, "Cannot write to stdout: No space left on device"],
  ];
  for (const [cause, errorClass, message] of table) {
    const output = new QueuedOutput(new SlowSink({ answers: [cause] }), { name: "stdout", timer: new ManualTimer() });
    await assert.rejects(output.write("x"), (error) => {
      assert.ok(error instanceof errorClass);
      assert.equal(error.message, message);
      assert.equal(error.cause, cause);
      return true;
    });
    await output.write("the next one is tried all the same");
  }
});

Deno.test("QueuedOutput.write() reports the real thing: a pipe whose reader has gone", async () => {
  const reader = new Deno.Command("true", { stdin: "piped" }).spawn();
  await reader.status;
  const writer = reader.stdin.getWriter();
  const sink: ByteSink = {
    isTerminal: () => false,
    write: async (bytes) => {
      await writer.write(bytes);
      return bytes.length;
    },
  };
  const output = new QueuedOutput(sink, { name: "stdout", timer: new ManualTimer() });
  await assert.rejects(output.write("x"), OutputGoneError);
  await writer.abort().catch(() => {});
});
