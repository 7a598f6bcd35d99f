import { assert } from "../../../tests/support/assert.ts";
import type { WaitObject } from "../../api/measurements.ts";
import type { Severity } from "../../api/severity.ts";
import { buildFacts, FILE, type ThreadSketch, type WaitSketch } from "../test_measurements.ts";
import { diskStall } from "./disk_stall.ts";
import { lockContention } from "./lock_contention.ts";
import { slowPeer } from "./slow_peer.ts";

const LOCK: WaitObject = { kind: "lock", address: "0x10" };

const fsync = (overrides: Partial<WaitSketch> = {}): WaitSketch => ({
  waitClass: "diskWrite",
  object: FILE,
  systemCall: "fsync",
  ...overrides,
});

const read = (overrides: Partial<WaitSketch> = {}): WaitSketch => ({
  waitClass: "diskRead",
  object: FILE,
  systemCall: "pread64",
  ...overrides,
});

const world = (threads: readonly ThreadSketch[]) => ({ processes: [{ processId: 100, command: "shop", threads }] });

const TABLE: readonly { name: string; threads: readonly ThreadSketch[]; severity: Severity | undefined }[] = [
  {
    name: "an fsync-heavy log, each sleep short",
    threads: [{ threadId: 100, onCpuMs: 1000, waits: [fsync({ count: 15_000, eachMs: 0.2 })] }],
    severity: "critical",
  },
  {
    name: "an fsync once a second beside a busy thread",
    threads: [{ threadId: 100, onCpuMs: 9000 }, { threadId: 101, waits: [fsync({ count: 10, eachMs: 6 })] }],
    severity: undefined,
  },
  {
    name: "an fsync once a second in an idle target",
    threads: [{ threadId: 100, onCpuMs: 20 }, { threadId: 101, waits: [fsync({ count: 10, eachMs: 6 })] }],
    severity: "info",
  },
  {
    name: "slow reads",
    threads: [{ threadId: 100, onCpuMs: 2000, waits: [read({ count: 100, eachMs: 12 })] }],
    severity: "error",
  },
  {
    name: "a great number of quick reads",
    threads: [{ threadId: 100, onCpuMs: 2000, waits: [read({ count: 10_000, eachMs: 0.12 })] }],
    severity: "info",
  },
  {
    name: "a few stalls among quick reads",
    threads: [{
      threadId: 100,
      onCpuMs: 2000,
      waits: [read({ count: 10_000, eachMs: 0.1 }), read({ count: 2, eachMs: 1100 })],
    }],
    severity: "error",
  },
];

for (const { name, threads, severity } of TABLE) {
  Deno.test(`diskStall() yields ${severity ?? "nothing"} for ${name}`, () => {
    assert.deepEqual(
      diskStall(buildFacts(world(threads))).map((finding) => finding.severity),
      severity ? [severity] : [],
    );
  });
}

Deno.test("diskStall() names the call and the path", () => {
  const [finding] = diskStall(
    buildFacts(world([{ threadId: 100, onCpuMs: 1000, waits: [fsync({ count: 100, eachMs: 10 })] }])),
  );
  assert.equal(finding?.title, "fsync of /srv/shop/data.bin takes 50.0% of the non-idle time.");
  assert.equal(finding?.evidence.object, "/srv/shop/data.bin");
  assert.match(finding?.nextStep ?? "", /Sync less often/);
});

Deno.test("diskStall() still names the device and inode when the path is lost", () => {
  const object: WaitObject = { kind: "file", id: "8:1:4711", path: undefined };
  const [finding] = diskStall(
    buildFacts(world([{ threadId: 100, onCpuMs: 1000, waits: [fsync({ object, count: 100, eachMs: 10 })] }])),
  );
  assert.match(finding?.title ?? "", /a file \(file 8:1:4711\)/);
});

const troubledByLock = {
  ...world([
    { threadId: 101, command: "flusher", onCpuMs: 200, waits: [fsync({ count: 100, eachMs: 10 })] },
    ...[102, 103].map((threadId) => ({
      threadId,
      command: "writer",
      onCpuMs: 100,
      waits: [{ waitClass: "lock" as const, object: LOCK, systemCall: "futex", count: 50, eachMs: 16 }],
    })),
  ]),
  lockChains: [
    {
      holder: { threadId: 101, processId: 100, command: "flusher" },
      holderWaitClass: "diskWrite" as const,
      holderSystemCall: "fsync",
      holderObject: FILE,
      totalMs: 1400,
      count: 90,
    },
    { holder: { threadId: 101, processId: 100, command: "flusher" }, totalMs: 200, count: 10 },
  ],
};

Deno.test("diskStall() takes the lock its holder kept during fsync as a consequence, and no lock finding is left", () => {
  const facts = buildFacts(troubledByLock);
  const [finding, ...others] = diskStall(facts);
  assert.deepEqual(others, []);
  assert.deepEqual(lockContention(facts), []);
  assert.equal(finding?.explainedMs, 1000 + 1600);
  assert.equal(finding?.share, 2600 / 3000);
  assert.deepEqual(finding?.consequences, [
    "2 threads (writer, writer) waited 1600.00 ms for lock 0x10, held by flusher (101), itself in fsync of " +
    "/srv/shop/data.bin.",
  ]);
});

Deno.test("diskStall() follows a chain of two locks to the fsync at its end", () => {
  const facts = buildFacts({
    ...troubledByLock,
    lockChains: [
      {
        holder: { threadId: 103, processId: 100, command: "middle" },
        holderWaitClass: "lock",
        holderSystemCall: "futex",
        holderObject: { kind: "lock", address: "0x20" },
        totalMs: 1600,
      },
      {
        lockAddress: "0x20",
        holder: { threadId: 101, processId: 100, command: "flusher" },
        holderWaitClass: "diskWrite",
        holderSystemCall: "fsync",
        holderObject: FILE,
        totalMs: 1600,
      },
    ],
  });
  assert.deepEqual(lockContention(facts), []);
  assert.match(
    diskStall(facts)[0]?.consequences[0] ?? "",
    /held by middle \(103\), who waits for a lock held by flusher \(101\), itself in fsync of \/srv\/shop\/data\.bin/,
  );
});

Deno.test("diskStall() speaks for a holder outside of the target, whose own wait is in no row", () => {
  const [first] = troubledByLock.lockChains;
  const facts = buildFacts({
    ...world([{
      threadId: 102,
      onCpuMs: 100,
      waits: [{ waitClass: "lock", object: LOCK, systemCall: "futex", count: 50, eachMs: 16 }],
    }]),
    lockChains: [{ ...first, totalMs: 800 }],
  });
  assert.match(diskStall(facts)[0]?.title ?? "", /^fsync of \/srv\/shop\/data\.bin, with the threads waiting/);
});

Deno.test("slowPeer() takes the lock its holder kept during a call as a consequence", () => {
  const facts = buildFacts({
    ...troubledByLock,
    lockChains: [{
      holder: { threadId: 101, processId: 100, command: "caller" },
      holderWaitClass: "network",
      holderSystemCall: "recvfrom",
      holderObject: { kind: "peer", protocol: "tcp", address: "10.0.0.9", port: 5432 },
      totalMs: 1600,
    }],
  });
  assert.match(
    slowPeer(facts)[0]?.consequences[0] ?? "",
    /held by caller \(101\), itself in recvfrom of 10\.0\.0\.9:5432/,
  );
});
