/**
 * The door of the subcommand: judges the command line, then opens the engine's
 * side and runs.
 *
 * @module
 */

import type { ExitCode } from "../exit_code.ts";
import type { DiagnoseArguments } from "../options.ts";
import type { ProcessContext } from "../process_context.ts";
import { diagnose } from "./diagnose.ts";
import { toDiagnoseRequest } from "./request.ts";
import { openWiring } from "./wiring.ts";

/** @throws {UsageError} Before anything is looked at or attached */
export async function runDiagnose(given: DiagnoseArguments, context: ProcessContext): Promise<ExitCode> {
  const request = toDiagnoseRequest(given);
  const wiring = openWiring({ context, log: context.status.logger(request.logLevel) });
  return await diagnose(request, { context, wiring });
}
