/**
 * The planted programs of `tests/fixtures/programs`: small C programs that do
 * one thing a diagnosis has to recognise, and say at their end what they
 * measured about themselves.
 *
 * @module
 */

import { buildNativeProgram } from "../../cmd/dev/demo/native_program.ts";
import { numberOf, parseStatement, StartedProgram, type Statement } from "../../cmd/dev/demo/started_program.ts";

export { numberOf, type Statement };

export const FIXTURE_NAMES = [
  "asker",
  "busy",
  "call_paths",
  "child_waiter",
  "cpu_hogs",
  "crash_loop",
  "deadlock",
  "epoll_client",
  "exec_chain",
  "failing_connects",
  "file_worker",
  "fork_flood",
  "fsync_log",
  "healthy_service",
  "hot_paths",
  "job_pool",
  "lock_holder",
  "major_faults",
  "pair_asker",
  "pipe_waiter",
  "poller",
  "resource_hog",
  "shared_port",
  "short_threads",
  "sleeper",
  "slow_upstream",
  "socket_moves",
  "socket_talker",
  "stopped",
  "troubled_peer",
] as const;

export type FixtureName = (typeof FIXTURE_NAMES)[number];

/** The name=value arguments of a fixture; each source file's first comment lists its own. */
export type FixtureSettings = Readonly<Record<string, string | number>> & {
  /** It ends by itself after this time (default 2000). */
  readonly duration_ms?: number;
};

const SOURCES = new URL("../fixtures/programs/", import.meta.url);
const CACHE = new URL("../../dist/fixtures/", import.meta.url);

/** A running fixture; disposal kills it and everything below it. */
export class RunningFixture implements AsyncDisposable {
  readonly #program: StartedProgram;

  constructor(program: StartedProgram) {
    this.#program = program;
  }

  /** The process to trace. What it talks to (an upstream, clients) is no descendant of it. */
  get processId(): number {
    return numberOf(this.#program.ready, "pid");
  }

  /** What it said when it was set up: ports, addresses, ids. */
  get ready(): Statement {
    return this.#program.ready;
  }

  /** Asks it to end and yields what it measured since it was ready. */
  async finish(): Promise<Statement> {
    return this.#toTruth(await this.#program.finish());
  }

  /** Waits until it has ended by itself, then as `finish`. */
  async ended(): Promise<Statement> {
    return this.#toTruth(await this.#program.lastLine());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
  }

  #toTruth(line: string): Statement {
    const { status } = this.#program;
    if (status.success) return parseStatement(line);
    throw new Error(`Cannot read what a fixture measured: it ended with ${status.signal ?? `code ${status.code}`}`);
  }
}

/** Yields the path of a fixture's program, built unless it was built before. */
export async function buildFixture(name: FixtureName): Promise<string> {
  return await buildNativeProgram(
    { name, source: new URL(`${name}.c`, SOURCES), headers: [new URL("planted.h", SOURCES)] },
    CACHE,
  );
}

/** Starts a fixture and waits until it is set up. Bind it with `await using`. */
export async function startFixture(name: FixtureName, settings: FixtureSettings = {}): Promise<RunningFixture> {
  const program = await StartedProgram.start(await buildFixture(name), {
    arguments: Object.entries(settings).map(([key, value]) => `${key}=${value}`),
  });
  return new RunningFixture(program);
}
