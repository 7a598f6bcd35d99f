import { assert } from "../../../tests/support/assert.ts";
import type { ExitEvent } from "../../api/events.ts";
import type { Severity } from "../../api/severity.ts";
import { BEGIN_MS, BEGIN_WALL_MS, buildExit, buildFacts, type WorldSketch } from "../test_measurements.ts";
import { crashLoop } from "./crash_loop.ts";

const WORLD: WorldSketch = {
  processes: [{ processId: 100, command: "supervisor", threads: [{ threadId: 100, onCpuMs: 10 }] }],
};

/** One exit a second, in the order given. */
const exits = (...sketches: readonly Partial<ExitEvent>[]) =>
  sketches.map((sketch, index) =>
    buildExit({ processId: 900 + index, atMs: BEGIN_MS + 1000 * (index + 1), ...sketch })
  );

const times = (count: number, sketch: Partial<ExitEvent>) => new Array<Partial<ExitEvent>>(count).fill(sketch);

const TABLE: readonly { name: string; events: readonly ExitEvent[]; severity: Severity | undefined }[] = [
  { name: "two failures", events: exits(...times(2, { exitCode: 1 })), severity: undefined },
  { name: "three failures", events: exits(...times(3, { exitCode: 1 })), severity: "error" },
  { name: "ten failures and no success", events: exits(...times(10, { exitCode: 1 })), severity: "critical" },
  { name: "ten failures and a success", events: exits(...times(10, { exitCode: 1 }), {}), severity: "error" },
  { name: "three crashes", events: exits(...times(3, { signal: 11 })), severity: "error" },
  {
    name: "failures among twice as many successes",
    events: exits(...times(3, { exitCode: 1 }), ...times(6, {})),
    severity: undefined,
  },
  { name: "workers that are recycled with SIGTERM", events: exits(...times(9, { signal: 15 })), severity: undefined },
  { name: "workers that report SIGTERM as 143", events: exits(...times(9, { exitCode: 143 })), severity: undefined },
  { name: "a loop around grep", events: exits(...times(9, { command: "grep", exitCode: 1 })), severity: undefined },
  {
    name: "grep that cannot read its file",
    events: exits(...times(9, { command: "grep", exitCode: 2 })),
    severity: "error",
  },
  { name: "threads that end", events: exits(...times(9, { exitCode: 1, processEnded: false })), severity: undefined },
  {
    name: "failures of different commands",
    events: exits(...["a", "b", "c"].map((command) => ({ command, exitCode: 1 }))),
    severity: undefined,
  },
  {
    name: "failures of different parents",
    events: exits(...[100, 101, 102].map((parentProcessId) => ({ parentProcessId, exitCode: 1 }))),
    severity: undefined,
  },
];

for (const { name, events, severity } of TABLE) {
  Deno.test(`crashLoop() yields ${severity ?? "nothing"} for ${name}`, () => {
    assert.deepEqual(
      crashLoop(buildFacts(WORLD, events)).map((finding) => finding.severity),
      severity ? [severity] : [],
    );
  });
}

Deno.test("crashLoop() names command, parent, exit codes and signals, first and last time", () => {
  const [finding] = crashLoop(buildFacts(WORLD, exits({ exitCode: 7 }, { exitCode: 7 }, { signal: 9 })));
  assert.equal(
    finding?.title,
    "worker keeps failing: 3 of 3 ended with exit code 7 or SIGKILL, started by supervisor (100).",
  );
  assert.deepEqual(finding?.evidence.failures, {
    failedCount: 3,
    attemptCount: 3,
    exitCodes: { "7": 2 },
    signals: { SIGKILL: 1 },
    firstWallMs: BEGIN_WALL_MS + 1000,
    lastWallMs: BEGIN_WALL_MS + 3000,
    parent: { processId: 100, command: "supervisor" },
  });
  assert.match(finding?.nextStep ?? "", /out-of-memory/);
});

Deno.test("crashLoop() stays silent when lifecycle records were lost", () => {
  const completeness = { lifecycle: { verdict: "partial" as const, percent: 40, reason: "ring_full 12" } };
  assert.deepEqual(crashLoop(buildFacts({ ...WORLD, completeness }, exits(...times(5, { exitCode: 1 })))), []);
});
