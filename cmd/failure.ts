/**
 * What became of a command that failed: one line, and the exit code.
 *
 * @module
 */

import { EngineError } from "../engine/api/errors.ts";
import { EXIT_CODES, type ExitCode } from "./exit_code.ts";
import { RunError } from "./run_error.ts";
import type { Logger } from "./status_output.ts";
import { OutputGoneError } from "./text_output.ts";
import { UsageError } from "./usage_error.ts";

/** Says what went wrong, once, and yields the exit code. */
export function exitCodeOfFailure(error: unknown, log: Logger): ExitCode {
  if (error instanceof UsageError) {
    log.error(error.message);
    return EXIT_CODES.usage;
  }
  // Nobody is there to be told; `podtrace ... | head -1` is no accident.
  if (error instanceof OutputGoneError) return EXIT_CODES.error;
  if (error instanceof RunError || error instanceof EngineError) {
    log.error(error.message);
    return EXIT_CODES.error;
  }
  // A bug: whoever reports it needs to say where.
  log.error(
    `Cannot go on, this is a fault of podtrace: ${error instanceof Error ? error.stack ?? error.message : error}`,
  );
  return EXIT_CODES.error;
}
