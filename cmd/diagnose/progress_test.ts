import { assert } from "../../tests/support/assert.ts";
import { formatProgress } from "./progress.ts";

Deno.test("formatProgress() counts whole seconds up to the end of the window", () => {
  const progress = { threadCount: 14, waitCount: 231 };
  const table: readonly (readonly [elapsedMs: number, durationMs: number, text: string])[] = [
    [0, 30_000, "0 s of 30 s"],
    [12_999, 30_000, "12 s of 30 s"],
    [30_000, 30_000, "30 s of 30 s"],
    [31_000, 30_000, "30 s of 30 s"],
    [100, 1500, "0 s of 2 s"],
  ];
  for (const [elapsedMs, durationMs, text] of table) {
    assert.equal(formatProgress(progress, { elapsedMs, durationMs }), `${text}, 14 threads, 231 waits`);
  }
  assert.equal(
    formatProgress({ threadCount: 1, waitCount: 1 }, { elapsedMs: 0, durationMs: 1000 }),
    "0 s of 1 s, 1 thread, 1 wait",
  );
});
