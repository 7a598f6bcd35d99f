/**
 * A real nginx below a temporary directory, run by a user without rights, and
 * clients that call it.
 *
 * @module
 */

import { makeDiskDirectory } from "../../cmd/dev/demo/disk_directory.ts";
import { run } from "./podtrace_process.ts";
import { asNobody, BackgroundProgram, NOBODY_ID } from "./server_process.ts";
import { freePort } from "./redis_server.ts";
import { until } from "./until.ts";

export interface NginxOptions {
  /** Directives of its one server beside `listen`, with `FILES` for the folder its files are in. */
  readonly server: string;
  /** What comes after the port in `listen`. */
  readonly listen?: string;
  /** Files it serves, by name. */
  readonly files?: Readonly<Record<string, Uint8Array>>;
}

/** A running server with one worker; disposal ends it and removes its files. */
export class NginxServer implements AsyncDisposable {
  readonly #owned: AsyncDisposableStack;
  /** Of its first process; the worker is a child of it. */
  readonly processId: number;
  /** On 127.0.0.1. */
  readonly port: number;

  private constructor(owned: AsyncDisposableStack, facts: { readonly processId: number; readonly port: number }) {
    this.#owned = owned;
    this.processId = facts.processId;
    this.port = facts.port;
  }

  /** Resolves once it accepts connections. */
  static async start(options: NginxOptions): Promise<NginxServer> {
    await using owned = new AsyncDisposableStack();
    const directory = owned.use(await makeDiskDirectory([]));
    const path = directory.path.replace(/\/$/, "");
    const port = freePort();
    for (const [name, content] of Object.entries(options.files ?? {})) {
      await Deno.writeFile(`${path}/${name}`, content);
    }
    await Deno.writeTextFile(`${path}/nginx.conf`, configurationOf(path, { port, ...options }));
    await Deno.chown(path, NOBODY_ID, NOBODY_ID);
    const command = asNobody(["nginx", "-p", path, "-c", `${path}/nginx.conf`, "-e", `${path}/error.log`]);
    const { processId } = owned.use(new BackgroundProgram(command, { signal: "SIGTERM" }));
    const isUp = async () => (await run(["ss", "-ltnH", `sport = :${port}`])).stdout.trim() !== "";
    await until(isUp, { what: `nginx listens at ${port}` });
    return new NginxServer(owned.move(), { processId, port });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}

function configurationOf(
  path: string,
  { port, listen = "", server }: NginxOptions & { readonly port: number },
): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${path}/${name};`).join("\n  ");
  return `daemon off;
worker_processes 1;
pid ${path}/nginx.pid;
events { worker_connections 256; }
http {
  access_log off;
  default_type text/plain;
  ${temporary}
  server {
    listen 127.0.0.1:${port} ${listen};
    ${server.replaceAll("FILES", path)}
  }
}
`;
}

const PAUSE_MS = 2;

export interface CallingOptions {
  /** Calls under way at a time. */
  readonly concurrency: number;
  /** A new connection for each call (default: each caller keeps its own). */
  readonly isReconnecting?: boolean;
}

/** Callers of one address over and over; disposal ends them when their calls are answered or refused. */
export class HttpCallers implements AsyncDisposable {
  readonly #end = new AbortController();
  readonly #running: readonly Promise<void>[];
  readonly #client: Deno.HttpClient;
  #answeredCount = 0;

  constructor(url: string, { concurrency, isReconnecting = false }: CallingOptions) {
    this.#client = Deno.createHttpClient({ poolMaxIdlePerHost: isReconnecting ? 0 : concurrency });
    this.#running = Array.from({ length: concurrency }, () => this.#callAgainAndAgain(url));
  }

  /** Calls that had an answer of whatever status. */
  get answeredCount(): number {
    return this.#answeredCount;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#running);
    this.#client.close();
  }

  /** What callers do with an answer: without it they would be the load, not the server. */
  #pause(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }

  async #callAgainAndAgain(url: string): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      try {
        const response = await fetch(url, { client: this.#client, signal });
        await response.arrayBuffer();
        this.#answeredCount++;
        await this.#pause();
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof TypeError)) throw error; // a connection that was refused or reset
        await this.#pause();
      }
    }
  }
}
