import { assert } from "../../tests/support/assert.ts";
import { SocketOrdinals } from "./socket_ordinals.ts";

const FIRST = 0xffff_8881_0a2b_3c40n;

Deno.test("ordinalOf() numbers addresses from 1 and yields the same number again", () => {
  const ordinals = new SocketOrdinals();
  assert.equal(ordinals.ordinalOf(FIRST), 1);
  assert.equal(ordinals.ordinalOf(FIRST + 0x40n), 2);
  assert.equal(ordinals.ordinalOf(FIRST), 1);
});

Deno.test("ordinalOf() forgets the oldest beyond its limit and never gives its number to another", () => {
  const ordinals = new SocketOrdinals({ socketsMax: 2 });
  for (const offset of [0n, 1n, 2n]) ordinals.ordinalOf(FIRST + offset);
  assert.equal(ordinals.ordinalOf(FIRST + 2n), 3);
  assert.equal(ordinals.ordinalOf(FIRST + 1n), 2);
  assert.equal(ordinals.ordinalOf(FIRST), 4);
});
