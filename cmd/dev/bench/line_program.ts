/**
 * A program that answers each line it is sent with a line.
 *
 * @module
 */

/** How a program is told to end. */
export interface LineProgramOptions {
  /** It ends when its standard input does (default); else it gets SIGTERM. */
  readonly isEndedByInput?: boolean;
}

/** Ended on disposal; killed should it not care. */
export class LineProgram implements AsyncDisposable {
  readonly #name: string;
  readonly #isEndedByInput: boolean;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncGenerator<string, void, void>;

  /** @throws {Deno.errors.NotFound} If there is no such program */
  constructor(program: string, args: readonly string[], options: LineProgramOptions = {}) {
    this.#name = program;
    this.#isEndedByInput = options.isEndedByInput ?? true;
    this.#child = new Deno.Command(program, {
      args: [...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#lines = readLines(this.#child.stdout);
  }

  get processId(): number {
    return this.#child.pid;
  }

  /** Sends `line` and yields the answer. @throws {Error} If it ends instead */
  async ask(line: string): Promise<string> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
    return await this.answer();
  }

  /** Waits for its next line. @throws {Error} If it ends instead */
  async answer(): Promise<string> {
    const { value } = await this.#lines.next();
    if (value !== undefined) return value;
    const { code, signal } = await this.#child.status;
    throw new Error(`Cannot hear ${this.#name}: it ended with ${signal ?? `code ${code}`}, wanted an answer`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // It may be gone already, and with it the pipe.
    await this.#input.close().catch(() => {});
    if (!this.#isEndedByInput) this.#kill("SIGTERM");
    const killer = setTimeout(() => this.#kill("SIGKILL"), END_TIMEOUT_MS);
    for await (const _ of this.#lines);
    await this.#child.status;
    clearTimeout(killer);
  }

  #kill(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch (error) {
      // It ended by itself: what was wanted.
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** Longer than any of them takes to detach and leave. */
const END_TIMEOUT_MS = 10_000;

/** Yields the lines of a byte stream as they come. */
export async function* readLines(bytes: ReadableStream<Uint8Array>): AsyncGenerator<string, void, void> {
  let rest = "";
  for await (const text of bytes.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}

/** Longer than the engine's run-time statistics are on: the first 200 ms of every 10 s. */
const SETTLE_MS = 300;

/**
 * After attaching and after detaching, alike: what is measured next is a run's
 * other forty-nine fiftieths.
 */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
}

/** A diagnosis of a process that begins at "on" and ends at "off"; the program is tracer_program.ts. */
export function startTracer(processId: number, planes: readonly string[]): LineProgram {
  const program = new URL("tracer_program.ts", import.meta.url).pathname;
  return new LineProgram(Deno.execPath(), ["run", "--quiet", "-A", program, String(processId), ...planes]);
}
