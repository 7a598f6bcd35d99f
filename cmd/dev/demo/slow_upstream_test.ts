import { assert } from "../../../tests/support/assert.ts";
import { SlowUpstream } from "./slow_upstream.ts";

Deno.test("SlowUpstream answers with the same bytes, no sooner than its delay", async () => {
  await using upstream = new SlowUpstream({ port: 0, delayMs: 20 });
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: upstream.port });

  for (const word of ["one", "two"]) {
    const askedMs = performance.now();
    await connection.write(new TextEncoder().encode(word));
    const buffer = new Uint8Array(16);
    const count = await connection.read(buffer);
    assert.equal(new TextDecoder().decode(buffer.subarray(0, count ?? 0)), word);
    assert.ok(performance.now() - askedMs >= 19);
  }
});

Deno.test("SlowUpstream[Symbol.asyncDispose]() ends while an answer is due and its port is free again", async () => {
  const upstream = new SlowUpstream({ port: 0, delayMs: 60_000 });
  const { port } = upstream;
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });

  await connection.write(new Uint8Array(1));
  await upstream[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
  await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port }), Deno.errors.ConnectionRefused);
});

Deno.test("SlowUpstream refuses a port that is taken", async () => {
  await using upstream = new SlowUpstream({ port: 0, delayMs: 1 });

  assert.throws(() => new SlowUpstream({ port: upstream.port, delayMs: 1 }), Deno.errors.AddrInUse);
});
