/**
 * Programs that are started, say when they are ready, and are ended by their
 * process id on every path out.
 *
 * @module
 */

export interface StartOptions {
  readonly arguments: readonly string[];
}

/** What a planted program says about itself: one JSON object of numbers and texts. */
export type Statement = Readonly<Record<string, number | string>>;

const READY = "READY ";

/**
 * A running program that has said `READY {...}`; disposal kills it and waits
 * until it and the children that share its output are gone. They must be bound
 * to end with it (`PR_SET_PDEATHSIG`).
 */
export class StartedProgram implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: AsyncGenerator<string, void, void>;
  #status: Deno.CommandStatus | undefined;
  #statement: Statement = {};

  private constructor(path: string, options: StartOptions) {
    this.#child = new Deno.Command(path, {
      args: [...options.arguments],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#lines = readLines(this.#child.stdout);
  }

  /** @throws {Error} If it ends, or says something else, before it is ready */
  static async start(path: string, options: StartOptions): Promise<StartedProgram> {
    const program = new StartedProgram(path, options);
    try {
      program.#statement = await program.#awaitReady();
      return program;
    } catch (cause) {
      await program[Symbol.asyncDispose]();
      throw new Error(`Cannot start ${path}: ${cause instanceof Error ? cause.message : cause}`, { cause });
    }
  }

  /** The process that was started. What `ready` calls pid may be a child of it. */
  get processId(): number {
    return this.#child.pid;
  }

  get ready(): Statement {
    return this.#statement;
  }

  /** Waits until it has ended by itself, and yields the last line it wrote ("" when there was none). */
  async lastLine(): Promise<string> {
    let last = "";
    for await (const line of this.#lines) last = line;
    await this.#ended();
    return last;
  }

  /** Asks it to end (SIGTERM), then as `lastLine`. */
  async finish(): Promise<string> {
    this.#kill("SIGTERM");
    return await this.lastLine();
  }

  /** @throws {Error} Until it has ended */
  get status(): Deno.CommandStatus {
    if (this.#status === undefined) throw new Error(`Cannot tell how ${this.processId} ended: it still runs`);
    return this.#status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill("SIGKILL");
    // Its children are killed with it, a moment later; they hold its output open until they are gone.
    for await (const _ of this.#lines);
    await this.#ended();
  }

  async #awaitReady(): Promise<Statement> {
    const { value: line } = await this.#lines.next();
    if (line === undefined) throw new Error(`it ended before it was ready, with code ${(await this.#ended()).code}`);
    if (!line.startsWith(READY)) throw new Error(`it said "${line}", expected "${READY}{...}"`);
    return parseStatement(line.slice(READY.length));
  }

  async #ended(): Promise<Deno.CommandStatus> {
    this.#status ??= await this.#child.status;
    return this.#status;
  }

  #kill(signal: Deno.Signal): void {
    if (this.#status !== undefined) return;
    try {
      this.#child.kill(signal);
    } catch (error) {
      // It ended on its own and is not waited for yet: what was wanted.
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** @throws {Error} If `text` is no JSON object of numbers and texts */
export function parseStatement(text: string): Statement {
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new Error(`Cannot read a statement: expected an object, got ${text}`);
  }
  const members: Record<string, number | string> = {};
  for (const [name, value] of Object.entries(parsed)) {
    if (typeof value !== "number" && typeof value !== "string") {
      throw new Error(`Cannot read ${name} of a statement: expected a number or text, got ${JSON.stringify(value)}`);
    }
    members[name] = value;
  }
  return members;
}

/** @throws {Error} If there is no number of that name */
export function numberOf(statement: Statement, name: string): number {
  const value = statement[name];
  if (typeof value !== "number") {
    throw new Error(`Cannot read ${name}: expected a number, got ${JSON.stringify(value)}`);
  }
  return value;
}

async function* readLines(bytes: ReadableStream<Uint8Array>): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of bytes) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}
