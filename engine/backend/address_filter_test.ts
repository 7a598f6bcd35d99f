import { assert } from "../../tests/support/assert.ts";
import { checkProperty, property } from "../../tests/support/property.ts";
import { addressHash, FILTER_BITS, FilteredRemoval } from "./address_filter.ts";

/** A table, the programs' counts in front of it, and what user space took out. */
class FilteredModel {
  readonly rows = new Set<bigint>();
  readonly #counts = new Map<number, number>();
  readonly #removed = new Map<number, number>();
  readonly removal = new FilteredRemoval(
    { delete: (key) => this.rows.delete(new DataView(key.buffer).getBigUint64(0, true)) },
    {
      update: (key, value) => {
        const [hash = 0] = new Uint32Array(key.buffer);
        const [count = 0] = new Uint32Array(value.buffer);
        this.#removed.set(hash, count);
      },
    },
  );

  /** As `filter_add` and `filter_remove` of the programs. */
  count(address: bigint, change: 1 | -1): void {
    const hash = addressHash(address);
    this.#counts.set(hash, (this.#counts.get(hash) ?? 0) + change);
  }

  /** As `may_have_row` of the programs. */
  mayHold(address: bigint): boolean {
    const hash = addressHash(address);
    return (this.#counts.get(hash) ?? 0) !== (this.#removed.get(hash) ?? 0);
  }
}

function keysOf(addresses: readonly bigint[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new BigUint64Array(addresses).buffer);
}

/** The first two share their hash, and so do the last two. */
const ADDRESSES = [0xffff_8881_0000_1000n, 0xffff_8882_0000_1000n, 0xffff_8881_0000_2040n, 0xffff_8883_0000_2040n];

Deno.test("addressHash() is what the programs compute, for both halves of an address", () => {
  assert.equal(addressHash(0n), 0);
  assert.equal(addressHash(1n), 0x9e37_79b1 >>> (32 - FILTER_BITS));
  assert.equal(addressHash(0xffff_ffff_0000_0001n), addressHash(1n));
  assert.equal(addressHash(0xffff_ffff_ffff_ffffn), (2 ** 32 - 0x9e37_79b1) >>> (32 - FILTER_BITS));
});

Deno.test("FilteredRemoval counts what it took out, and not what somebody else had taken out before", () => {
  const model = new FilteredModel();
  const [first = 0n, same = 0n, other = 0n] = ADDRESSES;
  for (const address of [first, same]) {
    model.count(address, 1);
    model.rows.add(address);
  }
  model.removal.deleteBatch(keysOf([first, other]));
  assert.deepEqual([...model.rows], [same]);
  assert.ok(model.mayHold(same));
  model.removal.deleteBatch(keysOf([first, same]));
  assert.deepEqual([model.mayHold(first), model.mayHold(other)], [false, false]);
});

Deno.test("FilteredRemoval leaves the row for many out of the count: no program put it in", () => {
  const model = new FilteredModel();
  model.rows.add(0n);
  model.removal.deleteBatch(keysOf([0n]));
  assert.deepEqual([model.rows.size, model.mayHold(0n)], [0, false]);
});

Deno.test("no row is ever taken for none, whoever adds and removes in whatever order, and none is left for one", () => {
  const step = property.record({
    what: property.constantFrom("begin", "end", "remove"),
    which: property.nat(ADDRESSES.length - 1),
  });
  checkProperty(property.array(step, { maxLength: 60 }), (steps) => {
    const model = new FilteredModel();
    // What a program has begun on one CPU goes on after others had their turn.
    const unfinished: (() => void)[] = [];
    for (const { what, which } of steps) {
      const address = ADDRESSES[which] ?? 0n;
      if (what === "begin") {
        model.count(address, 1);
        unfinished.push(() => {
          if (model.rows.has(address)) model.count(address, -1);
          else model.rows.add(address);
        });
      } else if (what === "end") {
        if (model.rows.delete(address)) unfinished.push(() => model.count(address, -1));
        else unfinished.shift()?.();
      } else {
        model.removal.deleteBatch(keysOf(ADDRESSES.slice(0, which + 1)));
      }
      for (const row of model.rows) if (!model.mayHold(row)) return false;
    }
    for (const finish of unfinished) finish();
    const live = new Set([...model.rows].map(addressHash));
    return ADDRESSES.every((address) => model.mayHold(address) === live.has(addressHash(address)));
  });
});
