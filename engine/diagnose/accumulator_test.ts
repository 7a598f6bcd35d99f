import { assert } from "../../tests/support/assert.ts";
import { DiagnosisAccumulator } from "./accumulator.ts";
import { buildExit, buildMeasurements, TARGET_ID } from "./test_measurements.ts";

const OPTIONS = { targetLabels: new Map([[TARGET_ID, "pid 100 (shop)"]]) };
const worldOf = (command: string) =>
  buildMeasurements({ processes: [{ processId: 100, command, threads: [{ threadId: 100, onCpuMs: 10 }] }] });

Deno.test("DiagnosisAccumulator has no report before measurements came", async () => {
  await using accumulator = new DiagnosisAccumulator(OPTIONS);
  assert.deepEqual(await accumulator.export([buildExit()]), { exportedCount: 1, droppedCount: 0 });
  assert.equal(accumulator.report(), undefined);
});

Deno.test("DiagnosisAccumulator reports on the newest measurements, and on the final ones once they came", async () => {
  await using accumulator = new DiagnosisAccumulator(OPTIONS);
  const command = () => accumulator.report()?.timeLedger.processes[0]?.info.command;
  await accumulator.exportMeasurements({ ...worldOf("first"), isFinal: false });
  await accumulator.exportMeasurements({ ...worldOf("second"), isFinal: false });
  assert.equal(command(), "second");
  await accumulator.exportMeasurements(worldOf("final"));
  await accumulator.exportMeasurements({ ...worldOf("late"), isFinal: false });
  assert.equal(command(), "final");
});

Deno.test("DiagnosisAccumulator joins the events of all batches and keeps its report after disposal", async () => {
  const accumulator = new DiagnosisAccumulator(OPTIONS);
  for (const processId of [901, 902, 903]) await accumulator.export([buildExit({ processId, exitCode: 3 })]);
  await accumulator.exportMeasurements(worldOf("shop"));
  await accumulator[Symbol.asyncDispose]();
  const report = accumulator.report();
  assert.deepEqual(report?.findings.map(({ id }) => id), ["crash-loop"]);
  assert.deepEqual(report?.targets, [{ id: TARGET_ID, label: "pid 100 (shop)" }]);
});

Deno.test("DiagnosisAccumulator calls a run that saw no thread empty", async () => {
  await using accumulator = new DiagnosisAccumulator(OPTIONS);
  await accumulator.exportMeasurements(buildMeasurements());
  assert.match(accumulator.report()?.emptyReason ?? "", /no thread of the target/);
});
