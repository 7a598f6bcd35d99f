/**
 * `podtrace` on a terminal of its own: keys are pressed, the size changes, and
 * what it drew can be looked at.
 *
 * @module
 */

import { podtraceCommand, run } from "./podtrace_process.ts";
import { until } from "./until.ts";

const ENTER = "\x1b[?1049h";
const LEAVE = "\x1b[?1049l";

/** Where a frame begins: back to the first row. */
const HOME = "\x1b[H";

/** A run on a pseudo-terminal, made by script(1). Bind it with `await using`. */
export class PodtraceOnTerminal implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #keyboard: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  #text = "";
  #status: Deno.CommandStatus | undefined;

  constructor(...argv: readonly string[]) {
    const words = podtraceCommand(argv).map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
    this.#child = new Deno.Command("script", {
      args: ["--quiet", "--flush", "--return", "--command", `stty rows 24 cols 80; exec ${words}`, "/dev/null"],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#keyboard = this.#child.stdin.getWriter();
    this.#reading = this.#read();
  }

  /** Everything that came, escape sequences included. */
  get text(): string {
    return this.#text;
  }

  /** The last whole frame, line by line, without escape sequences. */
  get frame(): readonly string[] {
    const frames = this.#text.split(LEAVE)[0]?.split(HOME) ?? [];
    const last = frames.findLast((frame) => frame.endsWith("\x1b[J")) ?? "";
    return last.replaceAll("\x1b[J", "").split(/\x1b\[K\r*\n/).map((line) => line.replaceAll("\x1b[K", ""));
  }

  /** What stands on the terminal once the screen is gone. */
  get afterwards(): string {
    return this.#text.split(LEAVE)[1] ?? "";
  }

  /** Whether the screen is there. */
  get isOnScreen(): boolean {
    return this.#text.lastIndexOf(ENTER) > this.#text.lastIndexOf(LEAVE);
  }

  async shows(pattern: RegExp): Promise<void> {
    await until(() => this.frame.some((line) => pattern.test(line)), {
      what: `the screen shows ${pattern}; it shows:\n${this.frame.join("\n")}`,
      timeoutMs: 60_000,
    });
  }

  /** Resolves once a frame fills the terminal exactly; stty(1) changes columns and rows one after the other. */
  async fills(size: { columns: number; rows: number }): Promise<void> {
    await until(() => {
      const { frame } = this;
      return frame.length === size.rows && frame.every((line) => line.length === size.columns);
    }, { what: `a frame is ${size.columns}x${size.rows}`, timeoutMs: 60_000 });
  }

  async press(keys: string): Promise<void> {
    await this.#keyboard.write(new TextEncoder().encode(keys));
  }

  /** The kernel tells the process, as when somebody pulls at the window. */
  async resize(size: { columns: number; rows: number }): Promise<void> {
    const terminal = await Deno.readLink(`/proc/${await this.processId()}/fd/0`);
    await run(["stty", "-F", terminal, "cols", String(size.columns), "rows", String(size.rows)]);
  }

  /** Of podtrace itself. */
  async processId(): Promise<number> {
    let processId: number | undefined;
    await until(async () => {
      const children = await Deno.readTextFile(`/proc/${this.#child.pid}/task/${this.#child.pid}/children`);
      processId = Number(children.trim().split(" ")[0]) || undefined;
      return processId !== undefined;
    }, { what: "script(1) has started podtrace" });
    return processId ?? 0;
  }

  async ended(): Promise<{ readonly code: number }> {
    const status = await this.#child.status;
    await this.#reading;
    await this.#release();
    this.#status = status;
    return status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#status !== undefined) return;
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended
    }
    await this.ended();
  }

  async #release(): Promise<void> {
    await this.#keyboard.close().catch(() => {}); // nobody reads it any more
    await this.#child.stderr.cancel();
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of this.#child.stdout) this.#text += decoder.decode(bytes, { stream: true });
  }
}
