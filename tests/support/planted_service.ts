/**
 * A service on an event loop whose upstream is slow, as one process to trace.
 *
 * @module
 */

import { SlowUpstream } from "../../cmd/dev/demo/slow_upstream.ts";
import { numberOf, parseStatement, StartedProgram, type Statement } from "../../cmd/dev/demo/started_program.ts";

const ASYNC_SERVICE = new URL("../../cmd/dev/demo/async_service.ts", import.meta.url);

/** A running service; disposal ends it and its upstream. */
export class AsyncService implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;
  readonly #program: StartedProgram;
  readonly upstreamPort: number;

  private constructor(stack: AsyncDisposableStack, program: StartedProgram, upstream: SlowUpstream) {
    this.#stack = stack;
    this.#program = program;
    this.upstreamPort = upstream.port;
  }

  /** Starts a Deno process that calls an upstream, answering after `delayMs`, with `pauseMs` between calls. */
  static async start(options: { delayMs: number; pauseMs: number; durationMs: number }): Promise<AsyncService> {
    await using stack = new AsyncDisposableStack();
    const upstream = stack.use(new SlowUpstream({ port: 0, delayMs: options.delayMs }));
    const program = stack.use(
      await StartedProgram.start(Deno.execPath(), {
        arguments: [
          "run",
          "--quiet",
          "--no-config",
          "--allow-net=127.0.0.1",
          ASYNC_SERVICE.pathname,
          `port=${upstream.port}`,
          `pause_ms=${options.pauseMs}`,
          `duration_ms=${options.durationMs}`,
        ],
      }),
    );
    return new AsyncService(stack.move(), program, upstream);
  }

  get processId(): number {
    return numberOf(this.#program.ready, "pid");
  }

  /** Asks it to end and yields what it measured. */
  async finish(): Promise<Statement> {
    return parseStatement(await this.#program.finish());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
