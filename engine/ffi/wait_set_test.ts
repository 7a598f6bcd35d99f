import { assert } from "../../tests/support/assert.ts";
import { openLibc } from "./libc.ts";
import { OwnerBooks } from "./owners.ts";
import { WaitSet } from "./wait_set.ts";

/** Longer than any test may take: a wait that is not ended by its event hangs visibly. */
const LONG_MS = 600_000;
const COUNT_ONE = new Uint8Array(new BigUint64Array([1n]).buffer);

function neverAborted(): AbortSignal {
  return new AbortController().signal;
}

Deno.test("WaitSet.wait() ends when a descriptor becomes readable", async () => {
  using libc = openLibc();
  using event = libc.eventFd();
  await using set = new WaitSet(libc);

  set.add(event.fd);
  const waiting = set.wait({ timeoutMs: LONG_MS, signal: neverAborted() });
  libc.write(event.fd, COUNT_ONE);
  await waiting;
  assert.equal(libc.readIfAny(event.fd, new Uint8Array(8)), 8);
});

Deno.test("WaitSet.wait() ends when its time is over", async () => {
  using libc = openLibc();
  await using set = new WaitSet(libc);

  await set.wait({ timeoutMs: 0.2, signal: neverAborted() });
});

Deno.test("WaitSet.wait() ends when its signal aborts, before or meanwhile", async () => {
  using libc = openLibc();
  await using set = new WaitSet(libc);

  await set.wait({ timeoutMs: LONG_MS, signal: AbortSignal.abort() });
  const controller = new AbortController();
  const waiting = set.wait({ timeoutMs: LONG_MS, signal: controller.signal });
  controller.abort();
  await waiting;
});

Deno.test("WaitSet.interrupt() ends one wait, the next one waits again", async () => {
  using libc = openLibc();
  using event = libc.eventFd();
  await using set = new WaitSet(libc);

  set.add(event.fd);
  set.interrupt();
  await set.wait({ timeoutMs: LONG_MS, signal: neverAborted() });
  let isOver = false;
  const waiting = set.wait({ timeoutMs: LONG_MS, signal: neverAborted() }).then(() => isOver = true);
  const other = new WaitSet(libc);
  await other.wait({ timeoutMs: 5, signal: neverAborted() });
  await other[Symbol.asyncDispose]();
  assert.equal(isOver, false);
  libc.write(event.fd, COUNT_ONE);
  await waiting;
});

Deno.test("WaitSet refuses a second wait at a time", async () => {
  using libc = openLibc();
  await using set = new WaitSet(libc);

  const waiting = set.wait({ timeoutMs: LONG_MS, signal: neverAborted() });
  await assert.rejects(set.wait({ timeoutMs: LONG_MS, signal: neverAborted() }), TypeError);
  set.interrupt();
  await waiting;
});

Deno.test("WaitSet disposal ends the wait in progress and closes everything, twice is fine", async () => {
  const books = new OwnerBooks();
  using libc = openLibc({ registry: books.registry });
  const set = new WaitSet(libc);
  const waiting = set.wait({ timeoutMs: LONG_MS, signal: neverAborted() });
  await set[Symbol.asyncDispose]();
  await waiting;
  await set[Symbol.asyncDispose]();
  await set.wait({ timeoutMs: LONG_MS, signal: neverAborted() });
  books.assertEmpty();
});
