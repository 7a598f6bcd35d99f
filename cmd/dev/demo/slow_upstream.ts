/**
 * The slow service that the demo's programs call.
 *
 * @module
 */

import { setTimeout as waitMs } from "node:timers/promises";

/** Answers whatever it is sent with the same bytes, `delayMs` later. */
export class SlowUpstream implements AsyncDisposable {
  readonly #listener: Deno.TcpListener;
  readonly #delayMs: number;
  readonly #stop = new AbortController();
  readonly #connections = new Set<Deno.TcpConn>();
  readonly #accepting: Promise<void>;

  /** @throws {Deno.errors.AddrInUse} If `port` is taken; 0 lets the kernel choose */
  constructor(options: { port: number; delayMs: number }) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: options.port });
    this.#delayMs = options.delayMs;
    this.#accepting = this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.#listener.close();
    for (const connection of this.#connections) connection.close();
    await this.#accepting;
  }

  async #accept(): Promise<void> {
    const served: Promise<void>[] = [];
    try {
      for await (const connection of this.#listener) {
        this.#connections.add(connection);
        served.push(this.#serve(connection));
      }
    } finally {
      await Promise.all(served);
    }
  }

  async #serve(connection: Deno.TcpConn): Promise<void> {
    const buffer = new Uint8Array(512);
    try {
      for (;;) {
        const count = await connection.read(buffer);
        if (count === null) break;
        await waitMs(this.#delayMs, undefined, { signal: this.#stop.signal });
        await connection.write(buffer.subarray(0, count));
      }
      connection.close();
    } catch (error) {
      // Either side may end in the middle of an exchange.
      if (!this.#stop.signal.aborted && !isDisconnect(error)) throw error;
    } finally {
      this.#connections.delete(connection);
    }
  }
}

function isDisconnect(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe;
}
