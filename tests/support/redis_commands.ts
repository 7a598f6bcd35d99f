/**
 * A redis-server that is kept busy with one command, again and again, from one
 * connection; or with a new connection for each.
 *
 * @module
 */

import { answers, endProcess, freePort, startProcess } from "./redis_server.ts";
import { until } from "./until.ts";

/** A running server, keeping nothing on disk; disposal ends it and what calls it. */
export class CommandedRedis implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;
  readonly processId: number;
  readonly port: number;

  private constructor(stack: AsyncDisposableStack, server: { processId: number; port: number }) {
    this.#stack = stack;
    this.processId = server.processId;
    this.port = server.port;
  }

  /** Resolves once it answers. */
  static async start(): Promise<CommandedRedis> {
    await using stack = new AsyncDisposableStack();
    const port = freePort();
    const server = startProcess("redis-server", [
      ...["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
      ...["--enable-debug-command", "local"],
    ]);
    stack.defer(() => endProcess(server));
    await until(() => answers(port), { what: `redis-server answers on port ${port}` });
    return new CommandedRedis(stack.move(), { processId: server.pid, port });
  }

  /** Sends `words` again and again, each time after the answer to the last. */
  async repeat(...words: readonly string[]): Promise<void> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: this.port });
    const request = new TextEncoder().encode(
      `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`,
    );
    const calls = callAll(connection, request);
    this.#stack.defer(async () => {
      connection.close();
      await calls;
    });
  }

  /** Yields the process id of a redis-benchmark that opens a connection for each of its requests. */
  reconnect(): number {
    const load = startProcess("redis-benchmark", [
      ...["-h", "127.0.0.1", "-p", `${this.port}`, "-t", "get", "-c", "2", "-k", "0", "-n", "1000000000", "-q"],
    ]);
    this.#stack.defer(() => endProcess(load));
    return load.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** Until the connection is closed, from here or from there. */
async function callAll(connection: Deno.Conn, request: Uint8Array): Promise<void> {
  const answer = new Uint8Array(4096);
  try {
    do {
      await connection.write(request);
    } while (await connection.read(answer) !== null);
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted)) throw error;
  }
}
