import { assert } from "../../../tests/support/assert.ts";
import { readRenderRun, toFigure } from "./render_figure.ts";

Deno.test("toFigure() is the slowest form by its median", () => {
  const run = (seconds: number, bytes = 1024) => ({ reportMs: seconds * 500, renderMs: seconds * 500, bytes });
  const figure = toFigure(
    new Map([
      ["text", [run(0.1), run(9), run(0.2)]],
      ["csv", [run(1.1, 2048), run(0.9), run(1)]],
    ]),
  );
  assert.deepEqual([figure.value, figure.verdict, figure.spread], [
    1,
    "PASS",
    "csv 1.00 s, 2.00 KiB; text 0.200 s, 1.00 KiB",
  ]);
  assert.equal(toFigure(new Map([["csv", [run(1.01)]]])).verdict, "FAIL");
  assert.equal(toFigure(new Map()).verdict, "FAIL");
});

Deno.test("readRenderRun() refuses what has no figures", () => {
  assert.deepEqual(readRenderRun('{"reportMs":1,"renderMs":2,"bytes":3}\n'), { reportMs: 1, renderMs: 2, bytes: 3 });
  assert.throws(() => readRenderRun('{"reportMs":1}'), /wanted reportMs, renderMs and bytes/);
});
