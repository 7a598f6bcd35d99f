import { assert } from "../../tests/support/assert.ts";
import { property } from "../../tests/support/property.ts";
import { ObjectCache } from "./object_cache.ts";
import { anObject } from "./test_backend.ts";
import { SocketOrdinals } from "./socket_ordinals.ts";
import { toObjectText, toWaitObject } from "./wait_objects.ts";

Deno.test("objectOf() yields what toWaitObject() yields, whatever shares its place", () => {
  const names = new Map<string, string>();
  const cache = new ObjectCache((key) => names.get(toObjectText(key)));
  const ordinals = new SocketOrdinals(); // asked about the same keys in the same order
  const u32 = property.oneof(property.nat(3), property.nat(0xffffffff));
  const keys = property.record({
    kind: property.nat(20),
    port: property.nat(65535),
    highLow: u32,
    highHigh: u32,
    lowLow: u32,
    lowHigh: u32,
  });
  property.assert(property.property(keys, property.option(property.string()), (key, name) => {
    if (name !== null) {
      names.set(toObjectText(key), name);
      cache.forget(key);
    }
    assert.deepEqual(cache.objectOf(key), toWaitObject(key, { name: names.get(toObjectText(key)), ordinals }));
  }));
});

Deno.test("objectOf() makes a known object once", () => {
  let lookupCount = 0;
  const cache = new ObjectCache(() => {
    lookupCount++;
    return "/a";
  });
  const key = anObject({ kind: 7, lowLow: 5 });

  const first = cache.objectOf(key);

  assert.equal(cache.objectOf({ ...key }), first);
  assert.equal(lookupCount, 1);
});

Deno.test("objectOf() makes each once when the objects are neighbours: addresses of a network, inodes of a disk", () => {
  let lookupCount = 0;
  const cache = new ObjectCache(() => {
    lookupCount++;
    return undefined;
  });
  const keys = Array.from({ length: 64 }, (_, index) => [
    anObject({ kind: 1, port: 5432, lowLow: 0xffff0000, lowHigh: (0x0000000a | (index << 24)) >>> 0 }),
    anObject({ kind: 7, highLow: 8 << 20, lowLow: 1000 + index }),
  ]).flat();

  for (let round = 0; round < 3; round++) for (const key of keys) cache.objectOf(key);

  assert.equal(lookupCount, keys.length);
});
