/**
 * A command that is started to be traced: it exists, with its process id, but
 * does not begin before it is released, so its first instruction is seen.
 *
 * It inherits our stdin, stdout and stderr, our process group (Ctrl+C reaches
 * it as it would without us) and our environment.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { isAbsolute, join } from "node:path";
import type { Writable } from "node:stream";
import type { Timer } from "../../engine/api/timer.ts";
import { type ProcessId, toProcessId } from "../../engine/api/units.ts";
import { RunError } from "../run_error.ts";

/** How a command ended; `stoppedBy` is set when we ended it. */
export interface CommandOutcome {
  /** `undefined`: a signal ended it. */
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  /** The last signal we sent, because the window was over. */
  readonly stoppedBy: "SIGTERM" | "SIGKILL" | undefined;
}

/** After SIGTERM, before SIGKILL. */
export const STOP_GRACE_MS = 5000;

/** What shells say of a command that is not there, and of one that cannot be run. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

const SHELL = "/bin/sh";

/**
 * Waits on descriptor 3 for one line. End of file instead of it means that we
 * are gone: the command is then never started. `exec` keeps the process id.
 */
const GATE = 'read -r go <&3 || exit 125; exec 3<&-; exec "$@"';

const ANY_EXECUTE_BIT = 0o111;

export class CommandTarget implements AsyncDisposable {
  readonly processId: ProcessId;
  /** Resolves when the command has ended; never rejects. */
  readonly ended: Promise<void>;
  readonly #gate: Writable;
  readonly #timer: Timer;
  #outcome: CommandOutcome | undefined;
  #stoppedBy: CommandOutcome["stoppedBy"];

  /**
   * Starts `argv` behind its gate.
   *
   * @throws {RunError} When there is no such command, or it cannot be run
   */
  static async start(
    argv: readonly [string, ...string[]],
    options: { timer: Timer; searchPath: string | undefined },
  ): Promise<CommandTarget> {
    await assertExecutable(argv[0], options.searchPath ?? "");
    const child = spawn(SHELL, ["-c", GATE, "podtrace", ...argv], { stdio: ["inherit", "inherit", "inherit", "pipe"] });
    const failure = await new Promise<Error | undefined>((resolve) => {
      child.once("spawn", () => resolve(undefined));
      child.once("error", resolve);
    });
    const gate = child.stdio[3];
    if (failure !== undefined || child.pid === undefined || !isWritable(gate)) {
      throw new RunError(`Cannot start the command ${quote(argv[0])}: ${failure?.message ?? `no ${SHELL}`}`);
    }
    return new CommandTarget(child, { gate, processId: toProcessId(child.pid), timer: options.timer });
  }

  private constructor(child: ChildProcess, options: { gate: Writable; processId: ProcessId; timer: Timer }) {
    this.#gate = options.gate;
    this.#timer = options.timer;
    this.processId = options.processId;
    // A command that was killed behind its gate: `ended` tells, the write need not.
    this.#gate.on("error", () => {});
    this.ended = new Promise((resolve) => {
      child.once("exit", (exitCode, signal) => {
        this.#outcome = {
          exitCode: exitCode ?? undefined,
          signal: signal ?? undefined,
          stoppedBy: this.#stoppedBy,
        };
        this.#gate.destroy();
        resolve();
      });
    });
  }

  /** `undefined` while the command exists. */
  get outcome(): CommandOutcome | undefined {
    return this.#outcome;
  }

  /** Lets the command begin. */
  release(): void {
    this.#gate.end("go\n");
  }

  /** Ends the command if it still runs: SIGTERM, and SIGKILL after a grace of `STOP_GRACE_MS`. */
  async stop(): Promise<CommandOutcome> {
    if (this.#outcome === undefined) await this.#signal("SIGTERM", STOP_GRACE_MS);
    if (this.#outcome === undefined) await this.#signal("SIGKILL", Infinity);
    if (this.#outcome === undefined) throw new Error("Cannot stop the command: it outlived SIGKILL");
    return this.#outcome;
  }

  /** For the end of the process itself, when there is no time to wait. */
  kill(): void {
    this.#send("SIGTERM");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Not `ChildProcess.kill`: Deno's sends only the first signal. */
  #send(name: "SIGTERM" | "SIGKILL"): void {
    if (this.#outcome !== undefined) return;
    try {
      Deno.kill(this.processId, name);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // it ended; its event is on the way
    }
  }

  async #signal(name: "SIGTERM" | "SIGKILL", graceMs: number): Promise<void> {
    this.#stoppedBy = name;
    this.#send(name);
    if (graceMs === Infinity) return await this.ended;
    const isOver = new AbortController();
    await Promise.race([
      this.ended.then(() => isOver.abort()),
      this.#timer.sleep(graceMs, { signal: isOver.signal }),
    ]);
  }
}

/** Yields how the command ended, as a sentence about it: "exited with 3". */
export function describeOutcome(outcome: CommandOutcome): string {
  const end = outcome.signal === undefined ? `exited with ${outcome.exitCode}` : `was ended by ${outcome.signal}`;
  return outcome.stoppedBy === undefined ? end : `${end}, stopped with ${outcome.stoppedBy} when the window was over`;
}

/** Looks before anything is attached, so that a mistyped command costs one line and nothing else. */
async function assertExecutable(name: string, searchPath: string): Promise<void> {
  const candidates = name.includes("/")
    ? [name]
    : searchPath.split(":").filter(isAbsolute).map((folder) => join(folder, name));
  let isFound = false;
  for (const candidate of candidates) {
    const mode = await modeOfFile(candidate);
    if (mode === undefined) continue;
    if ((mode & ANY_EXECUTE_BIT) !== 0) return;
    isFound = true;
  }
  const place = name.includes("/") ? "no such file" : "no such command in PATH";
  throw new RunError(
    `Cannot start the command ${quote(name)}: ` +
      (isFound ? `found, but it may not be executed (${NOT_EXECUTABLE})` : `${place} (${NOT_FOUND})`),
  );
}

/** The permission bits of a regular file; `undefined` when there is none. */
async function modeOfFile(path: string): Promise<number | undefined> {
  try {
    const info = await Deno.stat(path);
    return info.isFile ? info.mode ?? 0 : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) return undefined;
    if (error instanceof Error && "code" in error) return undefined; // a path through a file, a loop of links
    throw error;
  }
}

function isWritable(stream: unknown): stream is Writable {
  return typeof stream === "object" && stream !== null && "end" in stream;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
