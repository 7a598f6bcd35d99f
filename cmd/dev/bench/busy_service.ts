/**
 * An HTTP service on one event loop. For each request it asks an upstream over
 * a pooled connection and syncs a line to a log.
 * Run as a program of its own: `busy_service.ts UPSTREAM_PORT LOG_PATH DURATION_MS`.
 * Says `READY {"pid":N,"port":N}`; ends on SIGTERM, and after its time whatever happens.
 *
 * @module
 */

const [upstreamPort = "0", logPath = "", durationMs = "0"] = Deno.args;
const ANSWER_BYTES_MAX = 64;

const idleConnections: Deno.TcpConn[] = [];
const log = await Deno.open(logPath, { create: true, append: true });

async function askUpstream(): Promise<void> {
  const connection = idleConnections.pop() ??
    await Deno.connect({ hostname: "127.0.0.1", port: Number(upstreamPort) });
  await connection.write(new TextEncoder().encode("?"));
  if (await connection.read(new Uint8Array(ANSWER_BYTES_MAX)) === null) {
    throw new Error("Cannot ask the upstream: it hung up");
  }
  idleConnections.push(connection);
}

async function handle(): Promise<Response> {
  await askUpstream();
  await log.write(new TextEncoder().encode("request\n"));
  await log.syncData();
  return new Response("done\n");
}

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(`READY {"pid":${Deno.pid},"port":${port}}`),
}, handle);
setTimeout(() => Deno.exit(0), Number(durationMs));
