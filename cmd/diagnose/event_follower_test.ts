import type { TraceEvent, WaitEvent } from "../../engine/api/events.ts";
import type { FilterCategory } from "../../engine/api/filter.ts";
import type { WaitClass } from "../../engine/api/measurements.ts";
import { toTargetId } from "../../engine/api/units.ts";
import { buildMeasurements } from "../../engine/diagnose/test_measurements.ts";
import { assert } from "../../tests/support/assert.ts";
import { KeptOutput } from "../../tests/support/process_contexts.ts";
import { EventFollower, type LineFormat, toOmittedLine, toReportLine } from "./event_follower.ts";
import { LinePrinter } from "./line_printer.ts";

const targetId = toTargetId("t");

function aWait(waitClass: WaitClass, endMs = 1000): WaitEvent {
  const object = { kind: "none" } as const;
  return {
    kind: "wait",
    targetId,
    endMs,
    durationMs: 20,
    processId: 7,
    threadId: 7,
    waitClass,
    systemCall: "poll",
    object,
    wakerThreadId: 0,
  };
}

const EXEC: TraceEvent = {
  kind: "exec",
  targetId,
  atMs: 900,
  processId: 7,
  command: "sh",
  path: "/bin/sh",
  argumentList: [],
  isArgumentListCut: false,
};

/** Follows one batch; yields what is printed and what was passed on. */
async function follow(
  batch: readonly TraceEvent[],
  options: { categories?: readonly FilterCategory[]; format?: LineFormat } = {},
) {
  const { format = "text", categories } = options;
  const output = new KeptOutput();
  const passed: TraceEvent[] = [];
  const printer = new LinePrinter({ output, elapsedMs: () => 0, describeOmitted: String, onGone: () => {} });
  const follower = new EventFollower({
    export: (events) => {
      passed.push(...events);
      return Promise.resolve({ exportedCount: 1, droppedCount: events.length - 1 });
    },
    exportMeasurements: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }, { printer, format, categories: categories && new Set(categories) });
  const outcome = await follower.export(batch, { signal: new AbortController().signal, wallOffsetMs: 0 });
  await printer.finish();
  return { lines: output.text.split("\n").slice(0, -1), passed, outcome };
}

Deno.test("EventFollower shows events in the order of time, and passes on what it got, as it got it", async () => {
  const batch = [aWait("network", 1000), EXEC];
  const { lines, passed, outcome } = await follow(batch);
  assert.deepEqual(lines.map((line) => line.slice(0, 20)), ["00:00:00.900 [PROC] ", "00:00:01.000 [NET] p"]);
  assert.deepEqual(passed, batch);
  assert.deepEqual(outcome, { exportedCount: 1, droppedCount: 1 });
});

Deno.test("EventFollower shows what was asked about", async () => {
  const batch = [aWait("network"), aWait("pipe"), aWait("lock"), EXEC];
  assert.equal((await follow(batch)).lines.length, 4);
  const { lines, passed } = await follow(batch, { categories: ["lock", "proc"] });
  assert.deepEqual(lines.map((line) => line.slice(13, 19)), ["[PROC]", "[LOCK]"]);
  assert.equal(passed.length, 4, "the diagnosis gets everything");
});

Deno.test("a JSON stream is one value per line, the report the last of them", async () => {
  const { lines } = await follow([EXEC], { format: "json" });
  const stream = [...lines, toOmittedLine(3, "json"), toReportLine('{\n  "schemaVersion": 2\n}\n').trimEnd()];
  assert.deepEqual(stream.map((line) => JSON.parse(line).type), ["event", "omitted", "report"]);
  assert.equal(toOmittedLine(1, "text"), "(1 more line not shown)");
});

Deno.test("EventFollower says at the end how many events were lost, of which category and why", async () => {
  const linesOf = async (format: LineFormat, isFinal: boolean) => {
    const output = new KeptOutput();
    const printer = new LinePrinter({ output, elapsedMs: () => 0, describeOmitted: String, onGone: () => {} });
    const follower = new EventFollower({
      export: (events) => Promise.resolve({ exportedCount: events.length, droppedCount: 0 }),
      exportMeasurements: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }, { printer, format, categories: undefined });
    const ledger = { slowWaits: { dropped: { ring_full: 7, map_full: 0 } }, waits: { dropped: { map_full: 3 } } };
    const measured = { ...buildMeasurements({ ledger }), isFinal };
    await follower.exportMeasurements(measured, { signal: new AbortController().signal });
    await printer.finish();
    return output.text;
  };
  assert.equal(await linesOf("text", true), "(7 events lost: slowWaits, ring_full)\n");
  assert.deepEqual(JSON.parse(await linesOf("json", true)), {
    type: "lost",
    category: "slowWaits",
    reason: "ring_full",
    eventCount: 7,
  });
  assert.equal(await linesOf("text", false), "");
});
