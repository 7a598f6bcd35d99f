import { assert } from "../../tests/support/assert.ts";
import type { Measurements, ThreadLedger } from "../api/measurements.ts";
import { EventDigest } from "./event_digest.ts";
import { toTargetFacts } from "./facts.ts";
import { buildMeasurements, FILE, PEER, type ThreadSketch } from "./test_measurements.ts";
import { type LedgerCheck, toTimeLedger } from "./time_ledger.ts";

const ledgerOf = (measurements: Measurements) =>
  toTimeLedger(toTargetFacts(measurements, new EventDigest().summary()), measurements.departed);

const world = (threads: readonly ThreadSketch[]) =>
  buildMeasurements({ processes: [{ processId: 100, command: "shop", threads }] });

const withThread = (measurements: Measurements, change: Partial<ThreadLedger>): Measurements => ({
  ...measurements,
  threads: measurements.threads.map((thread) => ({ ...thread, ...change })),
});

const verdicts = (measurements: Measurements) =>
  Object.fromEntries(ledgerOf(measurements).checks.map(({ name, verdict }) => [name, verdict]));

const BUSY = world([{
  threadId: 100,
  onCpuMs: 5000,
  runnableMs: 1000,
  waits: [{ waitClass: "network", object: PEER, count: 10, eachMs: 100 }],
}]);

Deno.test("toTimeLedger() sums every state to the lifetime and leaves idle waits out of the non-idle time", () => {
  const { sums } = ledgerOf(BUSY);
  assert.equal(sums.lifetimeMs, 10_000);
  assert.equal(sums.onCpuMs + sums.runnableMs + sums.throttledMs + sums.blockedMs + sums.residualMs, 10_000);
  assert.equal(sums.byClass.network, 1000);
  assert.equal(sums.idleMs, 3000);
  assert.equal(sums.nonIdleMs, 7000);
});

Deno.test("toTimeLedger() takes a wait for a traced child out of the non-idle time", () => {
  const { sums, processes } = ledgerOf(buildMeasurements({
    processes: [
      {
        processId: 100,
        command: "sh",
        threads: [{
          threadId: 100,
          onCpuMs: 100,
          waits: [{ waitClass: "child", object: { kind: "child", processId: 200 }, count: 4, eachMs: 2000 }],
        }],
      },
      { processId: 200, parentProcessId: 100, command: "job", threads: [{ threadId: 200, onCpuMs: 8000 }] },
    ],
  }));
  assert.equal(sums.delegatedMs, 8000);
  assert.equal(sums.nonIdleMs, 8100);
  assert.deepEqual(processes.map(({ info }) => info.command), ["job", "sh"]);
});

const CHECKS: readonly { name: LedgerCheck["name"]; change: Partial<ThreadLedger>; verdict: LedgerCheck["verdict"] }[] =
  [
    { name: "sum", change: { residualMs: 10 }, verdict: "ok" },
    { name: "sum", change: { residualMs: -11 }, verdict: "off" },
    { name: "waits", change: { blockedMs: 4004 }, verdict: "ok" },
    { name: "waits", change: { blockedMs: 4006 }, verdict: "off" },
    { name: "onCpu", change: { kernelOnCpuMs: 5099 }, verdict: "ok" },
    { name: "onCpu", change: { kernelOnCpuMs: 5110 }, verdict: "off" },
    { name: "onCpu", change: { kernelOnCpuMs: undefined }, verdict: "unknown" },
    { name: "runDelay", change: { kernelRunDelayMs: 1050 }, verdict: "ok" },
    { name: "runDelay", change: { kernelRunDelayMs: 1060 }, verdict: "off" },
    { name: "runDelay", change: { kernelRunDelayMs: 3000, throttledMs: 2000 }, verdict: "ok" },
    { name: "runDelay", change: { kernelRunDelayMs: undefined }, verdict: "unknown" },
  ];

for (const { name, change, verdict } of CHECKS) {
  Deno.test(`toTimeLedger() finds ${name} ${verdict} with ${JSON.stringify(change)}`, () => {
    assert.equal(verdicts(withThread(BUSY, change))[name], verdict);
  });
}

Deno.test("toTimeLedger() publishes the share of the non-idle waiting without a name", () => {
  const waits = [
    { waitClass: "network" as const, object: PEER, count: 6, eachMs: 100 },
    { waitClass: "network" as const, object: { kind: "several" } as const, count: 1, eachMs: 100 },
    { waitClass: "diskRead" as const, object: { ...FILE, path: undefined } as typeof FILE, count: 1, eachMs: 200 },
    { waitClass: "other" as const, count: 1, eachMs: 100 },
  ];
  assert.equal(ledgerOf(world([{ threadId: 100, waits }])).unnamedShare, 0.4);
});

Deno.test("toTimeLedger() counts blocked time without a wait row as waiting without a name", () => {
  const measurements = world([{
    threadId: 100,
    waits: [{ waitClass: "network", object: PEER, count: 3, eachMs: 1000 }],
  }]);
  const { sums, unnamedShare } = ledgerOf({
    ...measurements,
    waits: measurements.waits.filter((wait) => wait.waitClass === "network"),
  });
  assert.equal(sums.unattributedMs, 7000);
  assert.equal(unnamedShare, 0.7);
});

Deno.test("toTimeLedger() joins the waits of a process on one object and puts idle ones last", () => {
  const wait = { waitClass: "network" as const, object: PEER, systemCall: "recvfrom", count: 5, eachMs: 100 };
  const { waits } = ledgerOf(world([{ threadId: 100, waits: [wait] }, { threadId: 101, waits: [wait] }]));
  assert.deepEqual(waits.map(({ waitClass, threadCount, figures }) => [waitClass, threadCount, figures.totalMs]), [
    ["network", 2, 1000],
    ["parked", 2, 19_000],
  ]);
});

Deno.test("toTimeLedger() publishes by how many milliseconds an account may be off whatever its share", () => {
  const small = withThread(world([{ threadId: 100, onCpuMs: 100 }]), { kernelOnCpuMs: 104 });
  const check = ledgerOf(small).checks.find(({ name }) => name === "onCpu");
  assert.equal(check?.verdict, "ok");
  assert.ok((check?.difference ?? 0) > (check?.differenceMax ?? 1), "by its share alone it would be off");
  assert.ok(Math.abs((check?.oursMs ?? 0) - (check?.expectedMs ?? 0)) <= (check?.differenceMsMax ?? 0));
});
