import { assert } from "../../tests/support/assert.ts";
import { ERRNO } from "./errno.ts";
import { ForeignCallError } from "./errors.ts";
import { CAPABILITY, CLOCK, cString, openLibc } from "./libc.ts";
import { OwnerBooks } from "./owners.ts";

const EBADF = 9;

function hasErrno(errno: number, symbol: string): (error: unknown) => boolean {
  return (error) => error instanceof ForeignCallError && error.errno === errno && error.symbol === symbol;
}

Deno.test("cString() ends with one NUL and encodes UTF-8", () => {
  assert.deepEqual([...cString("aé")], [0x61, 0xc3, 0xa9, 0]);
  assert.deepEqual([...cString("")], [0]);
});

Deno.test("Libc.memoryFile() holds exactly the bytes given, until disposed", () => {
  const books = new OwnerBooks();
  using libc = openLibc({ registry: books.registry });
  const bytes = crypto.getRandomValues(new Uint8Array(10_000));
  {
    using file = libc.memoryFile("test", bytes);

    assert.deepEqual(Deno.readFileSync(`/proc/self/fd/${file.fd}`), bytes);
    assert.equal(books.open().length, 1);
  }
  books.assertEmpty();
});

Deno.test("OwnedFd closes once", () => {
  using libc = openLibc();
  const file = libc.eventFd();
  const { fd } = file;
  assert.ok(fd >= 0);
  file[Symbol.dispose]();
  file[Symbol.dispose]();
  assert.equal(file.fd, -1);
  assert.throws(() => libc.close(fd), hasErrno(EBADF, "close"));
});

Deno.test("Libc reports symbol and errno of each call that fails", () => {
  using libc = openLibc();
  const bytes = new Uint8Array(8);
  assert.throws(() => libc.read(-1, bytes), hasErrno(EBADF, "read"));
  assert.throws(() => libc.readIfAny(-1, bytes), hasErrno(EBADF, "read"));
  assert.throws(() => libc.write(-1, bytes), hasErrno(EBADF, "write"));
  assert.throws(() => libc.epollAdd(-1, 0), hasErrno(EBADF, "epoll_ctl"));
  assert.throws(() => libc.epollPoll(-1, new Uint8Array(16)), hasErrno(EBADF, "epoll_wait"));
  const options = { offsetBytes: 0, lengthBytes: 4096, writable: false };
  assert.throws(() => libc.map(-1, options), hasErrno(EBADF, "mmap"));
  using event = libc.eventFd();

  assert.throws(() => libc.read(event.fd, bytes), hasErrno(ERRNO.EAGAIN, "read"));
  assert.equal(libc.readIfAny(event.fd, bytes), 0);
});

Deno.test("Libc clocks run forward, and the boot clock includes what the monotonic one does", () => {
  using libc = openLibc();
  const beforeNs = libc.clockNs(CLOCK.MONOTONIC);
  const monotonicMs = libc.clockMs(CLOCK.MONOTONIC);
  const afterNs = libc.clockNs(CLOCK.MONOTONIC);
  // A double holds weeks of nanoseconds to about one.
  assert.ok(monotonicMs >= Number(beforeNs) / 1e6 - 1e-3 && monotonicMs <= Number(afterNs) / 1e6 + 1e-3);
  assert.ok(libc.clockMs(CLOCK.BOOTTIME) >= monotonicMs);
  assert.ok(Math.abs(libc.clockMs(CLOCK.REALTIME) - Date.now()) < 60_000);
});

Deno.test("Libc knows this process and this machine as /proc does", () => {
  using libc = openLibc();
  assert.equal(libc.processId(), Deno.pid);
  assert.ok([4096, 16_384, 65_536].includes(libc.pageBytes()));
  assert.ok(libc.clockTicksPerSecond() > 0);
  const status = Deno.readTextFileSync("/proc/self/status");
  const effective = BigInt(`0x${/^CapEff:\s*(\w+)$/m.exec(status)?.[1]}`);
  assert.equal(libc.effectiveCapabilities(), effective);
  assert.equal(CAPABILITY.BPF, 39);
});
