/**
 * Running another program and looking at how it ended.
 *
 * @module
 */

export interface CommandOutcome {
  readonly code: number;
  /** Standard output and error, where they were captured; else empty. */
  readonly output: string;
}

export interface CommandOptions {
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** `capture` yields the output, `inherit` lets it through as it comes. */
  readonly output: "capture" | "inherit";
}

/** What a shell answers when there is no such program. */
export const EXIT_COMMAND_NOT_FOUND = 127;

/** Runs `program` to its end, without standard input; yields 127 where it does not exist. */
export async function runCommand(program: string, options: CommandOptions): Promise<CommandOutcome> {
  const stream = options.output === "inherit" ? "inherit" : "piped";
  const command = new Deno.Command(program, {
    args: [...options.args],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...options.env },
    stdin: "null",
    stdout: stream,
    stderr: stream,
  });
  try {
    await using child = command.spawn();
    if (options.output === "inherit") return { code: (await child.status).code, output: "" };
    const { code, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return { code: EXIT_COMMAND_NOT_FOUND, output: `Cannot run ${program}: there is no such program\n` };
    }
    throw error;
  }
}
