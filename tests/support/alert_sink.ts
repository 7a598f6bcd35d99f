/**
 * A sink of alerts on loopback that keeps every request, and answers as its
 * test says: by status, slowly, not at all, or by breaking off.
 *
 * What it stands for is documented by the vendors: Slack's incoming webhooks
 * take a JSON POST and answer `200 ok`; Splunk's HTTP event collector takes a
 * JSON POST with `Authorization: Splunk TOKEN` and answers
 * `200 {"text":"Success","code":0}`, `403 {"text":"Invalid token","code":4}`.
 *
 * @module
 */

/** One request as it arrived. */
export interface KeptRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Headers;
  readonly text: string;
}

/** Yields the answer to request number `index` (from 0). */
export type Answer = (request: KeptRequest, index: number) => Response | Promise<Response>;

const TLS = {
  cert: Deno.readTextFileSync(new URL("../fixtures/tls/localhost_certificate.pem", import.meta.url)),
  key: Deno.readTextFileSync(new URL("../fixtures/tls/localhost_key.pem", import.meta.url)),
};

/** What clients have to trust for `AlertSink.start({ isSecure: true })`. */
export const SINK_CERTIFICATE = TLS.cert;

export class AlertSink implements AsyncDisposable {
  readonly requests: KeptRequest[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #end = new AbortController();
  readonly #scheme: string;

  constructor(answer: Answer, options: { isSecure?: boolean } = {}) {
    this.#scheme = options.isSecure ? "https" : "http";
    this.#server = Deno.serve({
      hostname: "127.0.0.1",
      port: 0,
      signal: this.#end.signal,
      onListen: () => {},
      ...(options.isSecure ? TLS : {}),
    }, async (request) => {
      const { pathname, search } = new URL(request.url);
      const kept = {
        method: request.method,
        path: pathname + search,
        headers: request.headers,
        text: await request.text(),
      };
      this.requests.push(kept);
      return await answer(kept, this.requests.length - 1);
    });
  }

  get port(): number {
    return this.#server.addr.port;
  }

  /** Yields the URL of `path` here. */
  url(path = "/"): string {
    return `${this.#scheme}://localhost:${this.port}${path}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#server.finished;
  }
}

/** Yields an answer that never comes, and is given up when the client goes away or the sink is disposed. */
export function never(release: Promise<void>): Promise<Response> {
  return release.then(() => new Response("too late", { status: 503 }));
}
