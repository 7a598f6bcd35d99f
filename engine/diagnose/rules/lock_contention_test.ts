import { assert } from "../../../tests/support/assert.ts";
import type { LockChainMeasurement, WaitObject } from "../../api/measurements.ts";
import type { Severity } from "../../api/severity.ts";
import { buildFacts, PEER, type WaitSketch, type WorldSketch } from "../test_measurements.ts";
import { lockContention } from "./lock_contention.ts";
import { slowPeer } from "./slow_peer.ts";

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

/** A lock that one thread keeps over calls to a peer and another over naps; both wait for it as well, as two more do. */
const TWO_HOLDERS = buildFacts({
  processes: [{
    processId: 100,
    command: "shop",
    threads: [["nethold", 1500], ["sleephold", 1500], ["worker-0", 3000], ["worker-1", 3000]].map((
      [command, lockMs],
      index,
    ) => ({
      threadId: 101 + index,
      command: String(command),
      onCpuMs: 100,
      waits: [
        { waitClass: "lock" as const, object: LOCK, systemCall: "futex", count: 50, eachMs: Number(lockMs) / 50 },
        ...(command === "nethold"
          ? [{ waitClass: "network" as const, object: PEER, systemCall: "recvfrom", count: 100, eachMs: 30 }]
          : []),
      ],
    })),
  }],
  lockChains: [
    {
      holder: { threadId: 101, processId: 100, command: "nethold" },
      holderWaitClass: "network",
      holderSystemCall: "recvfrom",
      holderObject: PEER,
      totalMs: 4400,
    },
    {
      holder: { threadId: 102, processId: 100, command: "sleephold" },
      holderWaitClass: "sleep",
      holderSystemCall: "clock_nanosleep",
      holderObject: { kind: "timer" },
      totalMs: 4400,
    },
  ],
});

Deno.test("lockContention() and slowPeer() divide a lock with two kinds of holder, and count no holder among its waiters", () => {
  const [lock, ...moreLocks] = lockContention(TWO_HOLDERS);
  const [peer, ...morePeers] = slowPeer(TWO_HOLDERS);
  assert.deepEqual([...moreLocks, ...morePeers], []);
  assert.equal(lock?.explainedMs, 4500);
  assert.equal(peer?.explainedMs, 3000 + 4500);
  assert.match(lock?.title ?? "", /held by sleephold \(102\), itself asleep in clock_nanosleep/);
  assert.deepEqual(lock?.evidence.threads?.map(({ command }) => command), ["worker-0", "worker-1", "nethold"]);
  assert.deepEqual(lock?.evidence.notes, [
    "4500.00 ms more of the waiting for it are told with what other holders waited for",
  ]);
  assert.deepEqual(peer?.consequences, [
    "3 threads (worker-0, worker-1, sleephold) waited 4500.00 ms for lock 0x10, held by nethold (101), itself in " +
    "recvfrom of 10.0.0.9:5432.",
  ]);
});

Deno.test("lockContention() tells of a lock whose holder waits for a pipe or a child: no other finding would", () => {
  for (
    const [holderWaitClass, holderObject] of [["pipe", { kind: "pipe", inode: 7 }], ["child", {
      kind: "child",
      processId: 0,
    }]] as const
  ) {
    const chains = [{ holder: HOLDER, holderWaitClass, holderSystemCall: "read", holderObject, totalMs: 3000 }];
    assert.match(
      lockContention(factsWith({ wait: { count: 60, eachMs: 50 }, chains }))[0]?.title ?? "",
      /held by compactor \(101\), itself in read of/,
    );
  }
});

const FILE_LOCKS: readonly WaitObject[] = [
  { kind: "file", id: "8:1:255", path: "/srv/deep.dat" },
  { kind: "file", id: "8:1:256", path: "/srv/lk.dat" },
];

Deno.test("lockContention() tells file locks apart by their files, each with the one that released it", () => {
  const findings = lockContention(buildFacts({
    processes: [{
      processId: 100,
      command: "shop",
      threads: FILE_LOCKS.map((object, index) => ({
        threadId: 100 + index,
        waits: [{
          waitClass: "lock",
          object,
          systemCall: "flock",
          count: 10,
          eachMs: 300,
          waker: { threadId: 900 + index, processId: 900 + index, command: `holder-${index}` },
        }],
      })),
    }],
  }));
  assert.deepEqual(findings.map(({ title }) => title), [
    "Waiting for the lock on /srv/deep.dat takes 50.0% of the non-idle time; it is mostly released by holder-0 (900).",
    "Waiting for the lock on /srv/lk.dat takes 50.0% of the non-idle time; it is mostly released by holder-1 (901).",
  ]);
});

Deno.test("lockContention() follows a chain over a file lock to its holder, and calls queueing for a file no deadlock", () => {
  const [object] = FILE_LOCKS;
  const queueing = {
    lockAddress: "0xff",
    holder: { ...HOLDER, threadId: 103, command: "queuer" },
    holderWaitClass: "lock" as const,
    holderSystemCall: "flock",
    ...(object === undefined ? {} : { holderObject: object }),
    totalMs: 9000,
  };
  const asleep = { holderWaitClass: "sleep" as const, holderSystemCall: "clock_nanosleep", totalMs: 100 };
  const chainsOf = (...fileLock: readonly Partial<LockChainMeasurement>[]) => [
    { ...queueing, lockAddress: "0x10", holder: HOLDER, totalMs: 3000 },
    ...fileLock,
  ];
  const wait = { count: 60, eachMs: 50 };
  const title = (chains: readonly Partial<LockChainMeasurement>[]) =>
    lockContention(factsWith({ wait, chains }))[0]?.title;
  assert.match(
    title(
      chainsOf(queueing, { ...asleep, lockAddress: "0xff", holder: { ...HOLDER, threadId: 104, command: "hog" } }),
    ) ?? "",
    /held by compactor \(101\), who waits for a lock held by hog \(104\), itself asleep in clock_nanosleep\./,
  );
  assert.match(title(chainsOf(queueing)) ?? "", /held by compactor \(101\), itself in flock of \/srv\/deep\.dat\./);
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
