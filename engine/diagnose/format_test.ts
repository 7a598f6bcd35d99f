import { assert } from "../../tests/support/assert.ts";
import {
  formatBytes,
  formatCount,
  formatLifetime,
  formatList,
  formatMs,
  formatShare,
  formatTimeOfDay,
  formatWallTime,
} from "./format.ts";

Deno.test("formatMs() has two decimals and formatShare() one", () => {
  assert.equal(formatMs(1234.567), "1234.57 ms");
  assert.equal(formatShare(0.12345), "12.3%");
});

Deno.test("formatLifetime() has seconds from one second on", () => {
  assert.equal(formatLifetime(1.25), "1.3 ms");
  assert.equal(formatLifetime(999.9), "999.9 ms");
  assert.equal(formatLifetime(1000), "1.00 s");
});

const BYTES: readonly [number, string][] = [
  [0, "0 B"],
  [1023, "1023 B"],
  [1024, "1.00 KB"],
  [1024 * 1024 - 1, "1024.00 KB"],
  [1024 * 1024, "1.00 MB"],
  [2.5 * 1024 ** 3, "2.50 GB"],
];

for (const [byteCount, text] of BYTES) {
  Deno.test(`formatBytes() of ${byteCount} is ${text}`, () => {
    assert.equal(formatBytes(byteCount), text);
  });
}

Deno.test("formatWallTime() is RFC 3339 in UTC and formatTimeOfDay() its time", () => {
  assert.equal(formatWallTime(Date.UTC(2026, 0, 2, 3, 4, 5, 678)), "2026-01-02T03:04:05.678Z");
  assert.equal(formatTimeOfDay(Date.UTC(2026, 0, 2, 3, 4, 5, 678)), "03:04:05.678");
});

Deno.test("formatCount() and formatList() speak of one, several and the rest", () => {
  assert.equal(formatCount(1, "wait"), "1 wait");
  assert.equal(formatCount(2, "process", "processes"), "2 processes");
  assert.equal(formatList(["a", "b", "c", "d"], { itemsMax: 2 }), "a, b and 2 more");
  assert.equal(formatList(["a"], { itemsMax: 2 }), "a");
});
