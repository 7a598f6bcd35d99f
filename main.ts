/**
 * podtrace: argv -> subcommand -> exit code.
 *
 * Help, version and mistakes are answered before a subcommand is imported.
 *
 * @module
 */

import { commandWords, parseCommandLine } from "./cmd/args.ts";
import { EXIT_CODES, type ExitCode } from "./cmd/exit_code.ts";
import { openProcessContext, type ProcessContext } from "./cmd/process_context.ts";
import { exitCodeOfFailure } from "./cmd/failure.ts";

/** Does what `argv` asks for and yields the exit code; never throws. */
export async function runPodtrace(argv: readonly string[], context: ProcessContext): Promise<ExitCode> {
  const log = context.status.logger("info");
  try {
    const commandLine = parseCommandLine(argv);
    switch (commandLine.kind) {
      case "help":
      case "version":
        await context.stdout.write(commandLine.text);
        return EXIT_CODES.ok;
      case "usage":
        log.error(commandLine.message);
        return EXIT_CODES.usage;
      case "diagnose": {
        const { runDiagnose } = await import("./cmd/diagnose/run_diagnose.ts");
        return await runDiagnose(commandLine.arguments, context);
      }
      case "completion": {
        const { renderCompletion } = await import("./cmd/completion/completion.ts");
        await context.stdout.write(renderCompletion(commandLine.shell, commandWords()));
        return EXIT_CODES.ok;
      }
      case "doctor": {
        const { runDoctor } = await import("./cmd/doctor/run_doctor.ts");
        return await runDoctor(commandLine.arguments, context);
      }
    }
  } catch (error) {
    return exitCodeOfFailure(error, log);
  } finally {
    await context.status.flush();
  }
}

/** Runs as the process that it is; ends it, so that nothing left open can hold it. */
async function main(): Promise<never> {
  const context = openProcessContext();
  Deno.exit(await runPodtrace(Deno.args, context));
}

if (import.meta.main) main();
