/**
 * A redis-server under load, as a healthy program nobody here wrote.
 *
 * @module
 */

import { until } from "./until.ts";

const CLIENT_COUNT = 8;

/** More than any test lives to see. */
const REQUESTS_MAX = 1_000_000_000;

/** A running server, keeping nothing on disk, and a benchmark that calls it; disposal ends both. */
export class LoadedRedis implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;
  readonly processId: number;

  private constructor(stack: AsyncDisposableStack, processId: number) {
    this.#stack = stack;
    this.processId = processId;
  }

  /** Resolves once the benchmark is being answered. */
  static async start(): Promise<LoadedRedis> {
    await using stack = new AsyncDisposableStack();
    const port = freePort();
    const server = startProcess("redis-server", [
      ...["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no"],
    ]);
    stack.defer(() => endProcess(server));
    await until(() => answers(port), { what: `redis-server answers on port ${port}` });
    const load = startProcess("redis-benchmark", [
      ...["-h", "127.0.0.1", "-p", `${port}`, "-t", "get,set", "-c", `${CLIENT_COUNT}`, "-n", `${REQUESTS_MAX}`, "-q"],
    ]);
    stack.defer(() => endProcess(load));
    await until(async () => await commandCount(port) > CLIENT_COUNT * 100, { what: "the benchmark runs" });
    return new LoadedRedis(stack.move(), server.pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });

  return listener.addr.port;
}

export function startProcess(name: string, args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(name, { args: [...args], stdin: "null", stdout: "null", stderr: "null" }).spawn();
}

export async function endProcess(child: Deno.ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await child.status;
}

export async function answers(port: number): Promise<boolean> {
  try {
    return (await ask(port, "PING")).startsWith("+PONG");
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}

async function commandCount(port: number): Promise<number> {
  return Number(/total_commands_processed:(\d+)/.exec(await ask(port, "INFO stats"))?.[1] ?? 0);
}

/** Yields what the server answers to one command, as far as it comes in one piece. */
async function ask(port: number, command: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });

  await connection.write(new TextEncoder().encode(`${command}\r\n`));
  const buffer = new Uint8Array(16_384);
  const count = await connection.read(buffer);
  return new TextDecoder().decode(buffer.subarray(0, count ?? 0));
}
