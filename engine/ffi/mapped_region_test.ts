import { assert } from "../../tests/support/assert.ts";
import { openLibc } from "./libc.ts";
import { MappedRegion } from "./mapped_region.ts";
import { OwnerBooks } from "./owners.ts";

const PAGE = { offsetBytes: 0, lengthBytes: 4096, writable: false };

Deno.test("MappedRegion shows the file's bytes through every view", () => {
  using libc = openLibc();
  const bytes = crypto.getRandomValues(new Uint8Array(4096));
  using file = libc.memoryFile("test", bytes);
  using region = new MappedRegion(libc, file.fd, PAGE);

  const expected = new DataView(bytes.buffer);
  assert.deepEqual(region.bytes(), bytes);
  assert.equal(region.view().getBigUint64(8), expected.getBigUint64(8));
  assert.equal(region.view(16).getInt32(0, true), expected.getInt32(16, true));
  assert.equal(region.int32(16)[0], expected.getInt32(16, true));
  assert.equal(Atomics.load(region.bigInt64(24), 0), expected.getBigInt64(24, true));
});

Deno.test("MappedRegion writes through when it may", () => {
  using libc = openLibc();
  using file = libc.memoryFile("test", new Uint8Array(4096));
  using region = new MappedRegion(libc, file.fd, { ...PAGE, writable: true });

  Atomics.store(region.bigInt64(), 1, 0x0102_0304_0506_0708n);
  assert.deepEqual([...Deno.readFileSync(`/proc/self/fd/${file.fd}`).subarray(8, 16)], [8, 7, 6, 5, 4, 3, 2, 1]);
});

Deno.test("MappedRegion detaches its views before the pages go, once", () => {
  const books = new OwnerBooks();
  using libc = openLibc({ registry: books.registry });
  using file = libc.memoryFile("test", new Uint8Array(4096));
  const region = new MappedRegion(libc, file.fd, PAGE);
  const view = region.view();
  const words = region.bigInt64();
  const headers = region.int32();
  assert.equal(region.isDetached, false);
  region[Symbol.dispose]();
  region[Symbol.dispose]();
  assert.equal(region.isDetached, true);
  assert.throws(() => view.getUint8(0), TypeError);
  assert.throws(() => Atomics.load(words, 0), TypeError);
  assert.equal(headers[0], undefined);
  assert.throws(() => region.view(), TypeError);
  assert.deepEqual(books.open().map(({ what }) => what), ["memory file test"]);
});

Deno.test("MappedRegion leaves nothing behind when the kernel refuses", () => {
  const books = new OwnerBooks();
  using libc = openLibc({ registry: books.registry });
  assert.throws(() => new MappedRegion(libc, -1, PAGE), { name: "ForeignCallError", errno: 9 });
  books.assertEmpty();
});
