import { assert } from "../../tests/support/assert.ts";
import { NO_REGISTRY, OwnerBooks } from "./owners.ts";

Deno.test("OwnerBooks lists what is open, oldest first, with the stack that opened it", () => {
  const books = new OwnerBooks();
  const releaseFirst = books.registry("eventfd");
  books.registry("link of sched_switch");
  assert.deepEqual(books.open().map(({ what }) => what), ["eventfd", "link of sched_switch"]);
  assert.match(books.open()[0]?.stack ?? "", /owners_test\.ts/);
  releaseFirst();
  releaseFirst();
  assert.deepEqual(books.open().map(({ what }) => what), ["link of sched_switch"]);
});

Deno.test("OwnerBooks.assertEmpty() names what leaks, and is silent when nothing does", () => {
  const books = new OwnerBooks();
  books.assertEmpty();
  const release = books.registry("mapping of 4096 bytes");
  assert.throws(() => books.assertEmpty(), /1 foreign resources are still open\nmapping of 4096 bytes, acquired at/);
  release();
  books.assertEmpty();
});

Deno.test("NO_REGISTRY hands out releases that may be called at will", () => {
  const release = NO_REGISTRY("eventfd");
  release();
  release();
});
