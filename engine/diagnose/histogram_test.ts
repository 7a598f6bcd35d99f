import { assert } from "../../tests/support/assert.ts";
import { property } from "../../tests/support/property.ts";
import { bucketCeilingMs, bucketFloorMs, percentileMsMax, slowMsMin, sumBuckets } from "./histogram.ts";

Deno.test("percentileMsMax() yields nothing when there are no waits", () => {
  assert.equal(percentileMsMax([0, 0, 0], 99), undefined);
});

Deno.test("percentileMsMax() yields the end of the bucket that holds the rank", () => {
  // 99 waits below 2 us, one of 8 to 16 us: floor(99 * 0.99) = 98 is still in the first bucket.
  const buckets = [99, 0, 0, 1];
  assert.equal(percentileMsMax(buckets, 99), 0.002);
  assert.equal(percentileMsMax(buckets, 100), 0.016);
});

Deno.test("percentileMsMax() does not exceed the longest wait when that is known", () => {
  assert.equal(percentileMsMax([0, 0, 0, 1], 99, { longestMs: 0.009 }), 0.009);
});

Deno.test("slowMsMin() counts only buckets that begin at or above the threshold", () => {
  assert.equal(slowMsMin([0, 0, 0, 2, 1], bucketFloorMs(3)), 2 * 0.008 + 0.016);
  assert.equal(slowMsMin([0, 0, 0, 2, 1], bucketFloorMs(3) + 0.001), 0.016);
});

Deno.test("sumBuckets() adds histograms of different lengths", () => {
  assert.deepEqual(sumBuckets([[1, 2], [0, 1, 5], []]), [1, 3, 5]);
});

Deno.test("percentileMsMax() and slowMsMin() bound the true figures of any set of waits", () => {
  const waitsUs = property.array(property.integer({ min: 1, max: 2 ** 30 }), { minLength: 1, maxLength: 200 });
  property.assert(property.property(waitsUs, property.integer({ min: 1, max: 99 }), (waits, percentile) => {
    const buckets: number[] = new Array(32).fill(0);
    for (const us of waits) {
      const index = Math.floor(Math.log2(us));
      buckets[index] = (buckets[index] ?? 0) + 1;
    }
    const sorted = [...waits].sort((first, second) => first - second);
    const exactMs = (sorted[Math.floor((waits.length - 1) * percentile / 100)] ?? 0) / 1000;
    const bound = percentileMsMax(buckets, percentile) ?? 0;
    assert.ok(bound >= exactMs && bound <= 2 * exactMs, `${bound} for ${exactMs}`);
    const slowMs = waits.filter((us) => us >= 10_000).reduce((sum, us) => sum + us / 1000, 0);
    assert.ok(slowMsMin(buckets, 10) <= slowMs + 1e-6);
  }));
});

Deno.test("bucketCeilingMs() of a bucket is where the next one begins", () => {
  for (let index = 0; index < 31; index++) assert.equal(bucketCeilingMs(index), bucketFloorMs(index + 1));
});
