import { assert } from "../../tests/support/assert.ts";
import { FunctionTable } from "../symbols/function_table.ts";
import { SymbolCache } from "./symbol_cache.ts";

function fileOf(inode: number, changedMs = 0) {
  return { device: 1, inode, sizeBytes: 100, changedMs, ownerId: 0, mode: 0o755 };
}

function symbolsOf(count: number) {
  const functions = FunctionTable.of({
    starts: Float64Array.from({ length: count }, (_, index) => index * 16),
    sizes: new Uint32Array(count),
    nameOffsets: new Uint32Array(count),
    namesOffset: 0,
  });
  return { image: { segments: [], buildId: undefined }, isStripped: false, functions };
}

Deno.test("a file is known until it changes", () => {
  const cache = new SymbolCache();
  const symbols = symbolsOf(2);
  cache.set(fileOf(7), symbols);
  cache.set(fileOf(8), undefined);
  assert.equal(cache.get(fileOf(7))?.symbols, symbols);
  assert.deepEqual(cache.get(fileOf(8)), { symbols: undefined });
  assert.equal(cache.get(fileOf(7, 1)), undefined);
});

Deno.test("incident 15: the cache holds so many files, drops the one not used for longest, and counts it", () => {
  const cache = new SymbolCache({ filesMax: 3 });
  for (const inode of [1, 2, 3]) cache.set(fileOf(inode), symbolsOf(1));
  cache.get(fileOf(1));
  cache.set(fileOf(4), symbolsOf(1));
  assert.deepEqual([1, 2, 3, 4].map((inode) => cache.get(fileOf(inode)) !== undefined), [true, false, true, true]);
  assert.equal(cache.evictedCount, 1);
});

Deno.test("incident 15: the cache holds so many bytes, whatever the files claim", () => {
  const bytesMax = 100_000;
  const cache = new SymbolCache({ bytesMax });
  for (let inode = 1; inode <= 1000; inode++) {
    cache.set(fileOf(inode), symbolsOf(inode % 500 + 1));
    assert.ok(cache.byteCount <= bytesMax, `${cache.byteCount} bytes`);
  }
  assert.ok(cache.evictedCount > 900);
  cache.set(fileOf(2000), symbolsOf(100_000)); // larger than everything: not kept, and nothing is wrong
  assert.equal(cache.get(fileOf(2000)), undefined);
  assert.equal(cache.byteCount, 0);
});
