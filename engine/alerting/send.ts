/**
 * One attempt to hand one request to a sink.
 *
 * @module
 */

import { ALERT_ANSWER_BYTES_MAX } from "../api/limits.ts";
import { sanitizeText } from "../api/text.ts";
import type { Timer } from "../api/timer.ts";
import { isPrivateAddress } from "./private_address.ts";
import { isPassingStatus, parseRetryAfter } from "./retry.ts";
import type { SinkRequest } from "./sink.ts";

/** The network as alerting uses it; tests bring a client that trusts their certificate. */
export interface HttpPort {
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** Every address of a host name, or of an address itself. */
  lookup(hostname: string): Promise<readonly string[]>;
}

/** What became of one attempt. */
export type Attempt =
  | { readonly kind: "delivered" }
  /** `endSignal` aborted while it was on its way: nobody knows whether it arrived. */
  | { readonly kind: "ended" }
  | {
    readonly kind: "failed";
    readonly isPassing: boolean;
    readonly retryAfterMs: number | undefined;
    /** Without URL and credentials. */
    readonly problem: string;
  };

export interface SendOptions {
  readonly http: HttpPort;
  readonly timer: Timer;
  readonly wallMs: () => number;
  readonly timeoutMs: number;
  /** Whether hosts with a private address are refused. */
  readonly isPrivateRefused: boolean;
  readonly signal: AbortSignal;
}

/** Sends once; never throws for what the world does. Redirects are not followed: they would take credentials along. */
export async function sendOnce(request: SinkRequest, options: SendOptions): Promise<Attempt> {
  const stop = new AbortController();
  const done = new AbortController();
  const onEnd = () => stop.abort();
  options.signal.addEventListener("abort", onEnd);
  if (options.signal.aborted) onEnd();
  let isTimedOut = false;
  const timeout = options.timer.sleep(options.timeoutMs, { signal: done.signal }).then(() => {
    if (done.signal.aborted) return;
    isTimedOut = true;
    stop.abort();
  });
  try {
    return await attempt(request, { ...options, signal: stop.signal });
  } catch (error) {
    if (options.signal.aborted) return { kind: "ended" };
    const problem = isTimedOut ? `no answer within ${options.timeoutMs} ms` : describeFailure(error);
    return { kind: "failed", isPassing: true, retryAfterMs: undefined, problem };
  } finally {
    done.abort();
    options.signal.removeEventListener("abort", onEnd);
    await timeout;
  }
}

async function attempt(request: SinkRequest, options: SendOptions): Promise<Attempt> {
  const refusal = options.isPrivateRefused ? await privateAddressProblem(request.url, options) : undefined;
  if (refusal !== undefined) return { kind: "failed", isPassing: false, retryAfterMs: undefined, problem: refusal };
  const response = await options.http.fetch(request.url, {
    method: "POST",
    headers: { ...request.headers },
    body: request.body,
    redirect: "manual",
    signal: options.signal,
  });
  if (request.isSuccess(response.status)) {
    // The status is the answer; a body that never ends must not hold us.
    await response.body?.cancel();
    return { kind: "delivered" };
  }
  return {
    kind: "failed",
    isPassing: isPassingStatus(response.status),
    retryAfterMs: parseRetryAfter(response.headers.get("Retry-After"), { nowWallMs: options.wallMs() }),
    problem: describeAnswer(response.status, await readBeginning(response, request.secrets)),
  };
}

function describeAnswer(status: number, text: string): string {
  const isRedirect = status >= 300 && status < 400;
  const said = text === "" || isRedirect ? "" : `: ${sanitizeText(text, { bytesMax: ALERT_ANSWER_BYTES_MAX })}`;
  return `answered ${status}${isRedirect ? ", and redirects are not followed" : ""}${said}`;
}

/** A name that answers otherwise a moment later slips through: this keeps mistakes out, not a hostile name server. */
async function privateAddressProblem(url: string, options: SendOptions): Promise<string | undefined> {
  const hostname = new URL(url).hostname.replace(/^\[(.*)\]$/, "$1");
  const addresses = await Promise.race([options.http.lookup(hostname), rejectOnAbort(options.signal)]);
  const address = addresses.find(isPrivateAddress);
  if (addresses.length === 0) return `${hostname} has no address`;
  return address === undefined ? undefined : `${hostname} is at ${address}, and private addresses are refused`;
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** About `ALERT_ANSWER_BYTES_MAX` of the body without the secrets it echoes, whatever comes of it. */
async function readBeginning(response: Response, secrets: readonly string[]): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  // A secret that begins within the limit is read whole, so that no part of it is left over.
  const longestBytes = new TextEncoder().encode(secrets[0] ?? "").length;
  const bytes = new Uint8Array(ALERT_ANSWER_BYTES_MAX + longestBytes);
  let length = 0;
  try {
    while (length < bytes.length) {
      const { done, value } = await reader.read();
      if (done) break;
      const part = value.subarray(0, bytes.length - length);
      bytes.set(part, length);
      length += part.length;
    }
    await reader.cancel();
  } catch {
    // Cut off or out of time: the status is known, and that is what counts.
  }
  const decode = (bytesMax: number) => new TextDecoder().decode(bytes.subarray(0, Math.min(length, bytesMax)));
  return hideSecrets(decode(length), { secrets, end: decode(ALERT_ANSWER_BYTES_MAX).length }).trim();
}

/** Yields the text up to `end`, with `***` for every secret that begins before it. */
function hideSecrets(text: string, { secrets, end }: { secrets: readonly string[]; end: number }): string {
  if (secrets.length === 0) return text.slice(0, end);
  const alternatives = secrets.map((secret) => secret.replaceAll(/[.*+?^${}()|[\]\\/-]/g, "\\$&"));
  let shown = "";
  let shownEnd = 0;
  for (const match of text.matchAll(new RegExp(alternatives.join("|"), "gi"))) {
    if (match.index >= end) break;
    shown += `${text.slice(shownEnd, match.index)}***`;
    shownEnd = match.index + match[0].length;
  }
  return shown + text.slice(shownEnd, end);
}

/** Deno's messages quote the URL, which is a secret; the reason stands in the cause, or after it. */
function describeFailure(error: unknown): string {
  const text = error instanceof Error
    ? (error.cause instanceof Error ? error.cause.message : error.message)
    : String(error);
  const withoutUrls = text.replaceAll(/\(?https?:\/\/[^\s)]*\)?/g, "").replaceAll(/\s+/g, " ");
  return sanitizeText(withoutUrls.replace(/^error sending request (from \S+ )?for( url)?\s*:?\s*/, ""));
}
