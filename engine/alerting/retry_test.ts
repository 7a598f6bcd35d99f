import { assert } from "../../tests/support/assert.ts";
import { parseRetryAfter, retryDelayMs } from "./retry.ts";

Deno.test("retryDelayMs() doubles up to 30 s, takes off at most half, and never comes before it was asked to", () => {
  const delay = (attempt: number, random: number, retryAfterMs?: number) =>
    retryDelayMs({ attempt, random, retryAfterMs });
  assert.deepEqual([0, 1, 2, 3, 4, 5, 1000].map((attempt) => delay(attempt, 0)), [
    1000,
    2000,
    4000,
    8000,
    16_000,
    30_000,
    30_000,
  ]);
  assert.equal(delay(3, 1), 4000);
  assert.equal(delay(0, 0.5, 5000), 5000);
  assert.equal(delay(5, 0, 5000), 30_000);
});

Deno.test("parseRetryAfter() reads seconds and HTTP dates, and nothing else", () => {
  const nowWallMs = Date.UTC(2026, 0, 1);
  const table: readonly (readonly [string | null, number | undefined])[] = [
    [null, undefined],
    ["", undefined],
    ["5", 5000],
    [" 120 ", 120_000],
    ["-1", undefined],
    ["1.5", undefined],
    ["2026", 2_026_000],
    ["2026-01-01", undefined],
    ["99999999999", undefined],
    ["Thu, 01 Jan 2026 00:01:00 GMT", 60_000],
    ["Wed, 31 Dec 2025 00:00:00 GMT", 0],
    ["tomorrow", undefined],
  ];
  for (const [text, expected] of table) assert.equal(parseRetryAfter(text, { nowWallMs }), expected, `${text}`);
});
