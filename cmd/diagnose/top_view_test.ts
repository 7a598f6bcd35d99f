import type { Exporter } from "../../engine/api/exporter.ts";
import type { Measurements } from "../../engine/api/measurements.ts";
import { assert } from "../../tests/support/assert.ts";
import type { ScreenListener } from "../screen.ts";
import { openTopView } from "./top_view.ts";
import { interimMeasurements } from "./test_interim.ts";

/** A view on a screen in memory. */
function aView(size = { columns: 80, rows: 24, isUnicode: false }) {
  const passed: Measurements[] = [];
  const frames: (readonly string[])[] = [];
  const state: { listener: ScreenListener | undefined; closeCount: number; size: typeof size } = {
    listener: undefined,
    closeCount: 0,
    size,
  };
  const next: Exporter = {
    export: (batch) => Promise.resolve({ exportedCount: batch.length, droppedCount: 0 }),
    exportMeasurements: (measurements) => {
      passed.push(measurements);
      return Promise.resolve();
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const view = openTopView(next, {
    label: "pid 1 (shop)",
    openScreen: (listener) => {
      state.listener = listener;
      return {
        size: () => state.size,
        draw: (lines) => void frames.push(lines),
        abandon: () => {},
        [Symbol.asyncDispose]: () => {
          state.closeCount++;
          return Promise.resolve();
        },
      };
    },
  });
  const press = (key: string) => state.listener?.onKey(key);
  return { view, press, frames, passed, state };
}

const signal = new AbortController().signal;

/** Ids of the threads on a screen, from the first row. */
function threadsOn(frame: readonly string[] | undefined): readonly string[] {
  return (frame ?? []).slice(4, -1).map((line) => /^ +\d+ +(\d+)/.exec(line)?.[1]).filter((id) => id !== undefined);
}

Deno.test("openTopView() draws every second's totals and hands everything on", async () => {
  const { view, frames, passed } = aView();
  assert.equal(view.exporter.wantsInterim, true);
  assert.match(frames[0]?.[1] ?? "", /^the first second is being looked at/);
  const totals = interimMeasurements([{ threadId: 11, onCpuMs: 600 }, { threadId: 12, onCpuMs: 900 }]);
  await view.exporter.exportMeasurements(totals, { signal });
  assert.deepEqual(threadsOn(frames.at(-1)), ["12", "11"]);
  await view.exporter.exportMeasurements({ ...totals, isFinal: true }, { signal });
  assert.equal(frames.length, 2, "the final totals are for the report");
  assert.deepEqual(passed.map(({ isFinal }) => isFinal), [false, true]);
});

Deno.test("openTopView() sorts by key, scrolls, and draws anew for another size", async () => {
  const { view, press, frames, state } = aView({ columns: 80, rows: 10, isUnicode: false });
  const threads = Array.from({ length: 12 }, (_, index) => ({
    threadId: 100 + index,
    onCpuMs: 100 - index,
    runnableMs: index,
  }));
  await view.exporter.exportMeasurements(interimMeasurements(threads), { signal });
  press("c");
  assert.deepEqual(threadsOn(frames.at(-1)), ["100", "101", "102", "103", "104"]);
  press("r");
  assert.deepEqual(threadsOn(frames.at(-1))[0], "111");
  press("down");
  assert.deepEqual(threadsOn(frames.at(-1))[0], "110");
  press("end");
  assert.deepEqual(threadsOn(frames.at(-1)), ["104", "103", "102", "101", "100"]);
  press("down");
  press("home");
  press("up");
  assert.deepEqual(threadsOn(frames.at(-1))[0], "111");
  const drawn = frames.length;
  press("x");
  assert.equal(frames.length, drawn, "a key without a meaning");
  press("end");
  state.size = { columns: 100, rows: 40, isUnicode: false };
  state.listener?.onResize();
  assert.equal(threadsOn(frames.at(-1)).length, 12);
});

Deno.test("openTopView() ends on q, and when nobody looks any more", async () => {
  for (const leave of ["q", "Q", undefined]) {
    const { view, press, state } = aView();
    assert.equal(view.endSignal.aborted, false);
    if (leave === undefined) state.listener?.onGone();
    else press(leave);
    assert.equal(view.endSignal.aborted, true);
    await view.finish();
    assert.equal(state.closeCount, 1);
  }
});
