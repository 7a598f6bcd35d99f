import { assert } from "../../../tests/support/assert.ts";
import type { WaitMeasurement } from "../../api/measurements.ts";
import type { Severity } from "../../api/severity.ts";
import { buildFacts, FILE, type ProcessSketch, type ThreadSketch, type WaitSketch } from "../test_measurements.ts";
import { diskStall } from "./disk_stall.ts";
import { pipeWait } from "./pipe_wait.ts";

const OTHER: WaitMeasurement["waker"] = { threadId: 200, processId: 200, command: "other" };

const onPipe = (overrides: Partial<WaitSketch> = {}): WaitSketch => ({
  waitClass: "pipe",
  object: { kind: "pipe", inode: 77 },
  systemCall: "read",
  count: 30,
  eachMs: 300,
  ...(OTHER === undefined ? {} : { waker: OTHER }),
  ...overrides,
});

const pair = (
  { wait = {}, other = {}, parentProcessId = 100 }: {
    wait?: Partial<WaitSketch>;
    other?: Partial<ThreadSketch>;
    parentProcessId?: number;
  },
): { processes: readonly ProcessSketch[] } => ({
  processes: [
    {
      processId: 100,
      command: "one",
      parentProcessId: parentProcessId === 100 ? 1 : 200,
      threads: [{ threadId: 100, onCpuMs: 100, waits: [onPipe(wait)] }],
    },
    { processId: 200, command: "other", parentProcessId, threads: [{ threadId: 200, ...other }] },
  ],
});

const SLEEPING: Partial<ThreadSketch> = { onCpuMs: 50, waits: [{ waitClass: "sleep", count: 30, eachMs: 320 }] };
const SERVING: Partial<ThreadSketch> = { onCpuMs: 50, waits: [{ waitClass: "idle", count: 30, eachMs: 320 }] };

const IN_POOL: Partial<ThreadSketch> = {
  onCpuMs: 600,
  runnableMs: 1600,
  waits: [
    { waitClass: "parked", count: 40, eachMs: 90 },
    {
      waitClass: "pipe",
      object: { kind: "pipe", inode: 78 },
      systemCall: "read",
      count: 40,
      eachMs: 90,
      waker: { threadId: 100, processId: 100, command: "one" },
    },
  ],
};

const untraced: WaitMeasurement["waker"] = { threadId: 9, processId: 9, command: "outside" };

const TABLE: readonly { name: string; world: ReturnType<typeof pair>; severity: Severity | undefined }[] = [
  {
    name: "a writer whose reader does not keep up",
    world: pair({ wait: { systemCall: "write" }, other: SLEEPING }),
    severity: "critical",
  },
  {
    name: "a writer whose reader is busy",
    world: pair({ wait: { systemCall: "write" }, other: { onCpuMs: 9000 } }),
    severity: "info",
  },
  { name: "a reader whose writer dawdles", world: pair({ other: SLEEPING }), severity: "warning" },
  { name: "a reader whose writer is busy", world: pair({ other: { onCpuMs: 9000 } }), severity: "info" },
  { name: "a reader whose writer waits for work", world: pair({ other: SERVING }), severity: undefined },
  {
    name: "a reader of results whose writer takes turns with others: parked, or reading jobs itself",
    world: pair({ other: IN_POOL }),
    severity: undefined,
  },
  {
    name: "a worker that reads its jobs from its parent",
    world: pair({ other: SLEEPING, parentProcessId: 1 }),
    severity: "info",
  },
  {
    name: "a reader of a pipe from outside",
    world: pair({ wait: { waker: untraced }, other: SLEEPING }),
    severity: "info",
  },
  {
    name: "a reader that got nothing all the while",
    world: pair({ wait: { count: 0, eachMs: 0, openMs: 9900 }, other: SLEEPING }),
    severity: undefined,
  },
];

for (const { name, world, severity } of TABLE) {
  Deno.test(`pipeWait() yields ${severity ?? "nothing"} for ${name}`, () => {
    assert.deepEqual(pipeWait(buildFacts(world)).map((finding) => finding.severity), severity ? [severity] : []);
  });
}

Deno.test("pipeWait() names an other end that is not traced, and one that is only seen to wait there itself", () => {
  const outside = pipeWait(buildFacts(pair({ wait: { systemCall: "write", waker: untraced } })));
  assert.match(outside[0]?.title ?? "", /^one \(100\) waits to write to pipe 77, read by outside \(9\), /);
  assert.equal(outside[0]?.nextStep, "See what outside (9) does between two reads.");
  const forgotten: WaitMeasurement["waker"] = { threadId: 0, processId: 0, command: "?" };
  const inside = pipeWait(buildFacts(pair({
    wait: { systemCall: "write", waker: forgotten },
    other: { waits: [onPipe({ eachMs: 1 }), { waitClass: "sleep", count: 30, eachMs: 300 }] },
  })));
  assert.match(inside[0]?.title ?? "", /^one \(100\) waits to write to pipe 77, read by other \(200\), /);
});

Deno.test("pipeWait() names both ends", () => {
  const [reader] = pipeWait(buildFacts(pair({ other: SLEEPING })));
  assert.match(reader?.title ?? "", /^one \(100\) waits to read from pipe 77, written by other \(200\), /);
  const [writer] = pipeWait(buildFacts(pair({ wait: { systemCall: "write" }, other: SLEEPING })));
  assert.match(writer?.title ?? "", /^one \(100\) waits to write to pipe 77, read by other \(200\), /);
});

Deno.test("pipeWait() leaves the word to the disk its writer waits for", () => {
  const facts = buildFacts(pair({
    other: {
      onCpuMs: 100,
      waits: [{ waitClass: "diskWrite", object: FILE, systemCall: "fsync", count: 900, eachMs: 9 }],
    },
  }));
  assert.deepEqual(pipeWait(facts), []);
  assert.deepEqual(diskStall(facts)[0]?.consequences, [
    "one (100) waited 9000.00 ms for pipe 77, written by other (200).",
  ]);
});
