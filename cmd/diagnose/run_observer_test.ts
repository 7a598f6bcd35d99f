import { assert } from "../../tests/support/assert.ts";
import type { ExitEvent, ForkEvent, TraceEvent } from "../../engine/api/events.ts";
import type { Exporter } from "../../engine/api/exporter.ts";
import { toTargetId } from "../../engine/api/units.ts";
import { RunObserver } from "./run_observer.ts";

const options = { signal: new AbortController().signal, wallOffsetMs: 0 };
const targetId = toTargetId("pid:10");

function fork(childProcessId: number, overrides: Partial<ForkEvent> = {}): ForkEvent {
  return {
    kind: "fork",
    targetId,
    atMs: 1,
    parentProcessId: 10,
    parentThreadId: 10,
    childProcessId,
    childThreadId: childProcessId,
    command: "worker",
    ...overrides,
  };
}

function exit(processId: number, overrides: Partial<ExitEvent> = {}): ExitEvent {
  return {
    kind: "exit",
    targetId,
    atMs: 2,
    processId,
    threadId: processId,
    parentProcessId: 10,
    command: "worker",
    exitCode: 0,
    signal: 0,
    isOomVictim: false,
    processEnded: true,
    ...overrides,
  };
}

/** Keeps what reaches it. */
function openKeeper() {
  const kept: { batches: TraceEvent[][]; measurementCount: number; isDisposed: boolean } = {
    batches: [],
    measurementCount: 0,
    isDisposed: false,
  };
  const exporter: Exporter = {
    export: (batch) => {
      kept.batches.push([...batch]);
      return Promise.resolve({ exportedCount: batch.length - 1, droppedCount: 1 });
    },
    exportMeasurements: () => {
      kept.measurementCount++;
      return Promise.resolve();
    },
    [Symbol.asyncDispose]: () => {
      kept.isDisposed = true;
      return Promise.resolve();
    },
  };
  return { kept, exporter };
}

Deno.test("RunObserver passes everything on unchanged, outcome and disposal included", async () => {
  const { kept, exporter } = openKeeper();
  const observer = new RunObserver(exporter, { processIds: [10], wantsInterim: false });
  const batch = [fork(11), exit(11)];
  assert.deepEqual(await observer.export(batch, options), { exportedCount: 1, droppedCount: 1 });
  assert.deepEqual(kept.batches, [batch]);
  await observer[Symbol.asyncDispose]();
  assert.equal(kept.isDisposed, true);
});

Deno.test("RunObserver.processIds follows forks and ends of processes, not of threads", async () => {
  const observer = new RunObserver(openKeeper().exporter, { processIds: [10], wantsInterim: false });
  await observer.export([fork(11), fork(10, { childThreadId: 12 }), fork(13), exit(13)], options);
  assert.deepEqual([...observer.processIds], [10, 11]);
  await observer.export([exit(11, { threadId: 14, processEnded: false }), exit(10)], options);
  assert.deepEqual([...observer.processIds], [11]);
});

Deno.test("RunObserver asks for interim measurements where a status line is shown, or the next one wants them", () => {
  for (
    const [isProgressShown, wantsInterim, expected] of [[false, false, false], [true, false, true], [false, true, true]]
  ) {
    const next = { ...openKeeper().exporter, wantsInterim: wantsInterim === true };
    const observer = new RunObserver(next, { processIds: [], wantsInterim: isProgressShown === true });
    assert.equal(observer.wantsInterim, expected);
  }
});
