import { EngineError } from "../engine/api/errors.ts";
import { assert } from "../tests/support/assert.ts";
import { exitCodeOfFailure } from "./failure.ts";
import { RunError } from "./run_error.ts";
import { OutputGoneError } from "./text_output.ts";
import { UsageError } from "./usage_error.ts";

function answerTo(error: unknown): { exitCode: number; lines: string[] } {
  const lines: string[] = [];
  const unexpected = () => lines.push("said at another level");
  const exitCode = exitCodeOfFailure(error, {
    debug: unexpected,
    info: unexpected,
    warn: unexpected,
    error: (message) => lines.push(message),
  });
  return { exitCode, lines };
}

Deno.test("exitCodeOfFailure() says each failure once and tells usage from the rest", () => {
  assert.deepEqual(answerTo(new UsageError("Cannot use")), { exitCode: 2, lines: ["Cannot use"] });
  assert.deepEqual(answerTo(new RunError("Cannot write")), { exitCode: 1, lines: ["Cannot write"] });
  assert.deepEqual(answerTo(new EngineError("target_gone", "Cannot trace")), { exitCode: 1, lines: ["Cannot trace"] });
});

Deno.test("exitCodeOfFailure() is quiet when nobody reads any more", () => {
  assert.deepEqual(answerTo(new OutputGoneError("gone")), { exitCode: 1, lines: [] });
});

Deno.test("exitCodeOfFailure() says where a bug is", () => {
  const { exitCode, lines: [line = ""] } = answerTo(new TypeError("x is not a function"));
  assert.equal(exitCode, 1);
  assert.match(line, /^Cannot go on, this is a fault of podtrace: TypeError: x is not a function\n.*failure_test\.ts/);
  assert.deepEqual(answerTo("thrown text").lines, ["Cannot go on, this is a fault of podtrace: thrown text"]);
});
