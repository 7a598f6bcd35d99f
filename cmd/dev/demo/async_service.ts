/**
 * A service with one event loop that calls a slow upstream over one connection.
 * Run as a program of its own: `async_service.ts port=N pause_ms=N duration_ms=N`.
 * Says READY, ends on SIGTERM or after its time, and then prints what it measured.
 *
 * @module
 */

import { setTimeout as waitMs } from "node:timers/promises";

interface Settings {
  readonly port: number;
  readonly pauseMs: number;
  readonly durationMs: number;
}

function parseSettings(args: readonly string[]): Settings {
  const values = new Map(args.map((arg) => [arg.split("=")[0], Number(arg.split("=")[1])]));
  const numberOf = (name: string): number => {
    const value = values.get(name);
    if (value === undefined || Number.isNaN(value)) throw new Error(`Cannot start: expected ${name}=N, got ${args}`);
    return value;
  };
  return { port: numberOf("port"), pauseMs: numberOf("pause_ms"), durationMs: numberOf("duration_ms") };
}

/** Yields when the exchange with the upstream is over, or throws when it cannot be had. */
async function callUpstream(connection: Deno.TcpConn, buffer: Uint8Array): Promise<void> {
  await connection.write(new TextEncoder().encode("?"));
  if (await connection.read(buffer) === null) throw new Error("Cannot call the upstream: it hung up");
}

async function serve(settings: Settings, signal: AbortSignal): Promise<void> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: settings.port });

  console.log(`READY {"pid":${Deno.pid}}`);
  const beganMs = performance.now();
  const buffer = new Uint8Array(64);
  let count = 0;
  let totalMs = 0;
  while (!signal.aborted) {
    const askedMs = performance.now();
    await callUpstream(connection, buffer);
    count++;
    totalMs += performance.now() - askedMs;
    if (settings.pauseMs > 0) await waitMs(settings.pauseMs);
  }
  console.log(JSON.stringify({
    window_ms: performance.now() - beganMs,
    upstream_count: count,
    upstream_ms: totalMs,
  }));
}

if (import.meta.main) {
  const settings = parseSettings(Deno.args);
  const stop = new AbortController();
  Deno.addSignalListener("SIGTERM", () => stop.abort());
  await serve(settings, AbortSignal.any([stop.signal, AbortSignal.timeout(settings.durationMs)]));
  Deno.exit(0);
}
