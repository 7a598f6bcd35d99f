import { assert } from "../../../tests/support/assert.ts";
import type { LockChainMeasurement, WaitObject } from "../../api/measurements.ts";
import type { Severity } from "../../api/severity.ts";
import { buildFacts, type WaitSketch, type WorldSketch } from "../test_measurements.ts";
import { lockContention } from "./lock_contention.ts";

const LOCK: WaitObject = { kind: "lock", address: "0x10" };
const HOLDER = { threadId: 101, processId: 100, command: "compactor" };

const factsWith = (
  { wait = {}, onCpuMs = 1000, chains = [], completeness = {} }: {
    wait?: Partial<WaitSketch>;
    onCpuMs?: number;
    chains?: readonly Partial<LockChainMeasurement>[];
    completeness?: NonNullable<WorldSketch["completeness"]>;
  },
) =>
  buildFacts({
    processes: [{
      processId: 100,
      command: "shop",
      threads: [
        { threadId: 101, command: "compactor", onCpuMs },
        {
          threadId: 102,
          command: "writer",
          waits: [{ waitClass: "lock", object: LOCK, systemCall: "futex", ...wait }],
        },
      ],
    }],
    lockChains: chains,
    completeness,
  });

const TABLE: readonly { name: string; wait: Partial<WaitSketch>; severity: Severity | undefined }[] = [
  { name: "a lock that costs more than half", wait: { count: 60, eachMs: 50 }, severity: "critical" },
  { name: "a lock waited for very often and briefly", wait: { count: 60_000, eachMs: 0.05 }, severity: "critical" },
  { name: "a lock that costs a few per cent", wait: { count: 4, eachMs: 10 }, severity: "info" },
  { name: "a lock hardly ever contended", wait: { count: 20, eachMs: 0.1 }, severity: undefined },
  { name: "a condition or an idle worker", wait: { waitClass: "parked", count: 5, eachMs: 1000 }, severity: undefined },
];

for (const { name, wait, severity } of TABLE) {
  Deno.test(`lockContention() yields ${severity ?? "nothing"} for ${name}`, () => {
    assert.deepEqual(
      lockContention(factsWith({ wait })).map((finding) => finding.severity),
      severity ? [severity] : [],
    );
  });
}

Deno.test("lockContention() names a holder that was running", () => {
  const [finding] = lockContention(factsWith({
    wait: { count: 60, eachMs: 50 },
    chains: [{ holder: HOLDER, totalMs: 2900, count: 58 }],
  }));
  assert.equal(
    finding?.title,
    "Waiting for lock 0x10 takes 75.0% of the non-idle time; it is held by compactor (101), itself running or " +
      "waiting for a CPU.",
  );
  assert.deepEqual(finding?.evidence.holder, { ...HOLDER, activity: "running or waiting for a CPU", share: 1 });
  assert.match(finding?.nextStep ?? "", /Shorten what `compactor` does under the lock/);
});

Deno.test("lockContention() keeps a lock whose holder slept, and says so", () => {
  const [finding] = lockContention(factsWith({
    wait: { count: 60, eachMs: 50 },
    chains: [{
      holder: HOLDER,
      holderWaitClass: "sleep",
      holderSystemCall: "clock_nanosleep",
      holderObject: { kind: "timer" },
      totalMs: 3000,
    }],
  }));
  assert.match(finding?.title ?? "", /held by compactor \(101\), itself asleep in clock_nanosleep\./);
  assert.match(finding?.nextStep ?? "", /sleeps while it holds the lock/);
});

Deno.test("lockContention() keeps a lock whose holder sat in disk waits for the smaller part only", () => {
  const disk = { holder: HOLDER, holderWaitClass: "diskWrite" as const, holderSystemCall: "fsync" };
  const findings = (diskMs: number, runningMs: number) =>
    lockContention(factsWith({
      wait: { count: 60, eachMs: 50 },
      chains: [{ ...disk, totalMs: diskMs }, { holder: HOLDER, totalMs: runningMs }],
    })).length;
  assert.equal(findings(1400, 1600), 1);
  assert.equal(findings(1600, 1400), 0);
});

Deno.test("lockContention() does not give a lock to a cause that explains a sliver of it", () => {
  const chains = [{ holder: HOLDER, holderWaitClass: "diskWrite" as const, holderSystemCall: "fsync", totalMs: 300 }];
  assert.equal(lockContention(factsWith({ wait: { count: 60, eachMs: 50 }, chains })).length, 1);
});

Deno.test("lockContention() names who released the lock when no holder was seen", () => {
  const [finding] = lockContention(factsWith({ wait: { count: 60, eachMs: 50, waker: HOLDER } }));
  assert.match(finding?.title ?? "", /mostly released by compactor \(101\)/);
  assert.deepEqual(finding?.evidence.waker, HOLDER);
});

Deno.test("lockContention() calls locks that wait for each other a deadlock", () => {
  const [finding] = lockContention(factsWith({
    wait: { count: 2, eachMs: 100, openMs: 8800 }, // it came to that within the window
    chains: [
      { holder: HOLDER, holderWaitClass: "lock", holderObject: { kind: "lock", address: "0x20" }, totalMs: 9000 },
      {
        lockAddress: "0x20",
        holder: { ...HOLDER, threadId: 102, command: "writer" },
        holderWaitClass: "lock",
        holderObject: LOCK,
        totalMs: 9000,
      },
    ],
  }));
  assert.match(finding?.title ?? "", /a deadlock/);
  assert.match(finding?.nextStep ?? "", /wait for each other/);
});

Deno.test("lockContention() stays silent when waits are blind, and marks missing holders when chains are partial", () => {
  const wait = { count: 60, eachMs: 50 };
  assert.deepEqual(
    lockContention(factsWith({ wait, completeness: { waits: { verdict: "blind", reason: "no hook" } } })),
    [],
  );
  const [finding] = lockContention(
    factsWith({ wait, completeness: { chains: { verdict: "partial", percent: 50, reason: "map_full 3" } } }),
  );
  assert.deepEqual(finding?.evidence.notes, ["a lower bound: chains are PARTIAL 50.0% (map_full 3)"]);
});
