import type { Severity } from "../../api/severity.ts";
import { assert } from "../../../tests/support/assert.ts";
import { buildFacts, type ThreadSketch } from "../test_measurements.ts";
import { cpuThrottling } from "./cpu_throttling.ts";
import { cpuWait } from "./cpu_wait.ts";

const world = (threads: readonly ThreadSketch[]) => ({ processes: [{ processId: 100, command: "shop", threads }] });

const TABLE: readonly { name: string; threads: readonly ThreadSketch[]; severity: Severity | undefined }[] = [
  {
    name: "eight busy threads on two CPUs",
    threads: [1, 2, 3, 4, 5, 6, 7, 8].map((threadId) => ({ threadId, onCpuMs: 2500, runnableMs: 7500 })),
    severity: "error",
  },
  {
    name: "a busy thread that gets two thirds of a CPU",
    threads: [{ threadId: 100, onCpuMs: 6700, runnableMs: 3300 }],
    severity: "error",
  },
  {
    name: "a busy thread that gets nearly all it wants",
    threads: [{ threadId: 100, onCpuMs: 8500, runnableMs: 1500 }],
    severity: "info",
  },
  {
    name: "a busy thread alone on its CPU",
    threads: [{ threadId: 100, onCpuMs: 9990, runnableMs: 10 }],
    severity: undefined,
  },
  {
    name: "a server that wakes 100 000 times and waits 30 us each time",
    threads: [{
      threadId: 100,
      onCpuMs: 3000,
      runnableMs: 3000,
      waits: [{ waitClass: "idle", count: 100_000, eachMs: 0.04 }],
    }],
    severity: undefined,
  },
  {
    name: "a thread that syncs 30 times and sleeps 700 times in each",
    threads: [{
      threadId: 100,
      onCpuMs: 2000,
      runnableMs: 2000,
      waits: [{ waitClass: "diskWrite", count: 30, sleepCount: 21_000, eachMs: 200 }],
    }],
    severity: undefined,
  },
  {
    name: "a thread that sleeps often and waits for a CPU half of its life",
    threads: [{
      threadId: 100,
      onCpuMs: 500,
      runnableMs: 5000,
      waits: [{ waitClass: "sleep", count: 4500, eachMs: 1 }],
    }],
    severity: "error",
  },
  {
    name: "a thread that sleeps often and waits for a CPU nearly half of its life",
    threads: [{
      threadId: 100,
      onCpuMs: 500,
      runnableMs: 4990,
      waits: [{ waitClass: "sleep", count: 4500, eachMs: 1 }],
    }],
    severity: undefined,
  },
];

for (const { name, threads, severity } of TABLE) {
  Deno.test(`cpuWait() yields ${severity ?? "nothing"} for ${name}`, () => {
    assert.deepEqual(
      cpuWait(buildFacts(world(threads))).map((finding) => finding.severity),
      severity ? [severity] : [],
    );
  });
}

Deno.test("cpuWait() says how much was wanted, how much was given, and to whom", () => {
  const [finding] = cpuWait(buildFacts(world([
    { threadId: 100, onCpuMs: 4000, runnableMs: 6000 },
    { threadId: 101, command: "helper", onCpuMs: 5000, runnableMs: 5000 },
  ])));
  assert.equal(
    finding?.title,
    "Waiting for a CPU takes 55.0% of the non-idle time: 20000.00 ms were wanted, 9000.00 ms were given.",
  );
  assert.deepEqual(finding?.evidence.threads?.map((thread) => thread.totalMs), [6000, 5000]);
  assert.equal(finding?.evidence.cpu?.cpuCount, 2);
});

Deno.test("cpuWait() leaves the word to throttling while that is the larger part", () => {
  const facts = (throttledMs: number) =>
    buildFacts(world([{ threadId: 100, onCpuMs: 2000, runnableMs: 3000, throttledMs }]));
  assert.deepEqual(cpuWait(facts(5000)), []);
  assert.equal(cpuThrottling(facts(5000)).length, 1);
  assert.equal(cpuWait(facts(500)).length, 1);
});

Deno.test("cpuWait() stays silent when scheduling records were lost", () => {
  const threads = [{ threadId: 100, onCpuMs: 2000, runnableMs: 8000 }];
  const completeness = { scheduling: { verdict: "partial" as const, percent: 40, reason: "map_full 2" } };
  assert.deepEqual(cpuWait(buildFacts({ ...world(threads), completeness })), []);
});
