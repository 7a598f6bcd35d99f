/**
 * `podtrace doctor`: says what this kernel and host allow, and what is missing.
 *
 * @module
 */

import { EXIT_CODES, type ExitCode } from "../exit_code.ts";
import { DOCTOR_FORMATS, type DoctorArguments, type DoctorFormat } from "../options.ts";
import type { ProcessContext } from "../process_context.ts";
import { UsageError } from "../usage_error.ts";
import { examine } from "./examine.ts";
import { renderJson } from "./json_output.ts";
import { judge } from "./judgement.ts";
import { renderText } from "./text_output.ts";

/** Yields 0 when a look can begin on this machine, else 1. @throws {UsageError} Before anything is looked at */
export async function runDoctor(given: DoctorArguments, context: ProcessContext): Promise<ExitCode> {
  const format = toFormat(given);
  context.status.showStatus("loading and attaching every program, one by one");
  const examination = await examine(context);
  context.status.showStatus("");
  const judgement = judge(examination);
  const render = format === "json" ? renderJson : renderText;
  await context.stdout.write(render(examination, judgement));
  return judgement.canDiagnose ? EXIT_CODES.ok : EXIT_CODES.error;
}

function toFormat({ output, words, command, formatDefault }: DoctorArguments): DoctorFormat {
  const [word] = [...words, ...command ?? []];
  if (word !== undefined) {
    throw new UsageError(`Cannot examine "${word}": expected no target, the doctor looks at this machine`);
  }
  if (output === undefined) return formatDefault;
  const format = DOCTOR_FORMATS.find((name) => name === output);
  if (format !== undefined) return format;
  throw new UsageError(`Cannot use --output "${output}": expected ${DOCTOR_FORMATS.join(" or ")}`);
}
