/**
 * Servers and clients that tests start: run by a user without rights where they
 * would refuse root, and ended by their process id.
 *
 * @module
 */

import { run } from "./podtrace_process.ts";

/** The user and group nobody, on every distribution. */
export const NOBODY_ID = 65534;

type Command = readonly [string, ...string[]];

/** Yields the command that runs `command` as nobody; its process id is that of `command`. */
export function asNobody(command: Command): Command {
  return ["setpriv", `--reuid=${NOBODY_ID}`, `--regid=${NOBODY_ID}`, "--clear-groups", "--", ...command];
}

/**
 * Yields the command that runs `command` before other programs of a machine
 * that has too much to do, where we may ask for that: a trouble that is a
 * matter of rates has to reach them. Its process id is that of `command`.
 */
export function withPriority(command: Command): Command {
  return ["nice", "-n", "-15", ...command];
}

/** A program in the background; disposal ends it. */
export class BackgroundProgram implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #signal: Deno.Signal;
  readonly #isGroup: boolean;

  /**
   * @param options.signal what ends it (default SIGKILL)
   * @param options.isGroup it starts others that do not end with it: it leads a process group, and all of it is ended
   */
  constructor(command: Command, options: { readonly signal?: Deno.Signal; readonly isGroup?: boolean } = {}) {
    this.#isGroup = options.isGroup ?? false;
    const [program, ...args] = this.#isGroup ? ["setsid", ...command] as const : command;
    this.#child = new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
    this.#signal = options.signal ?? "SIGKILL";
  }

  get processId(): number {
    return this.#child.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.#isGroup) Deno.kill(-this.processId, this.#signal);
      else this.#child.kill(this.#signal);
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error; // it has ended
    }
    await this.#child.status;
  }
}

/** Runs a command to its end and yields what it printed. @throws {Error} If it fails */
export async function runOrThrow(command: Command): Promise<string> {
  const { code, stdout, stderr } = await run(command);
  if (code !== 0) throw new Error(`Cannot run ${command.join(" ")}: it ended with ${code}: ${stderr.trim()}`);
  return stdout;
}
