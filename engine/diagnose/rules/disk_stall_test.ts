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

const fileAt = (index: number, path?: string): WaitObject => ({ kind: "file", id: `8:1:${5000 + index}`, path });

const spread = (paths: readonly (string | undefined)[], eachMs: number) =>
  diskStall(buildFacts(world([{
    threadId: 100,
    onCpuMs: 1000,
    waits: paths.map((path, index) => fsync({ object: fileAt(index, path), count: 1, eachMs })),
  }])));

const numbered = (count: number, pathOf: (index: number) => string | undefined) =>
  Array.from({ length: count }, (_, index) => pathOf(index));

const SPREAD: readonly {
  name: string;
  paths: readonly (string | undefined)[];
  eachMs: number;
  expected: readonly string[];
}[] = [
  {
    name: "many files of one folder by their folder",
    paths: numbered(300, (index) => `/srv/spool/${index}.job`),
    eachMs: 2,
    expected: ["warning: fsync of 300 files in /srv/spool takes 37.5% of the non-idle time."],
  },
  {
    name: "a file that is written anew under its name by that name",
    paths: numbered(3, () => "/srv/state/rn.tmp"),
    eachMs: 100,
    expected: ["warning: fsync of /srv/state/rn.tmp takes 23.1% of the non-idle time."],
  },
  {
    name: "files without a name, and of many folders, by their device",
    paths: numbered(300, (index) => index % 2 === 0 ? undefined : `/srv/cache/${index}/data`),
    eachMs: 1,
    expected: ["warning: fsync of 300 files on device 8:1 takes 23.1% of the non-idle time."],
  },
  {
    name: "a folder with several large files and many small ones as one",
    paths: ["/srv/spool/log", "/srv/spool/log", ...numbered(10, (index) => `/srv/spool/${index}.job`)],
    eachMs: 110,
    expected: [
      "error: fsync of 11 files in /srv/spool takes 56.9% of the non-idle time.",
    ],
  },
  {
    name: "a file that is half of its folder by itself, and the rest of the folder beside it",
    paths: [...numbered(4, () => "/srv/spool/log"), ...numbered(3, (index) => `/srv/spool/${index}.job`)],
    eachMs: 100,
    expected: [
      "warning: fsync of /srv/spool/log takes 23.5% of the non-idle time.",
      "warning: fsync of 3 files in /srv/spool takes 17.6% of the non-idle time.",
    ],
  },
  {
    name: "nothing together that is little even then, and each that is worth a line as info",
    paths: numbered(2, (index) => `/srv/spool/${index}.job`),
    eachMs: 22,
    expected: [
      "info: fsync of /srv/spool/0.job takes 2.1% of the non-idle time.",
      "info: fsync of /srv/spool/1.job takes 2.1% of the non-idle time.",
    ],
  },
];

for (const { name, paths, eachMs, expected } of SPREAD) {
  Deno.test(`diskStall() tells of ${name}`, () => {
    assert.deepEqual(spread(paths, eachMs).map(({ severity, title }) => `${severity}: ${title}`), expected);
  });
}

Deno.test("diskStall() says of calls that give a path where their files are named", () => {
  const [finding] = diskStall(buildFacts(world([{
    threadId: 100,
    onCpuMs: 1000,
    waits: [fsync({ object: { kind: "none" }, systemCall: "unlink", count: 1000, eachMs: 0.5 })],
  }])));
  assert.equal(finding?.title, "unlink of files that are not named takes 33.3% of the non-idle time.");
  assert.match(finding?.nextStep ?? "", /--filter fs/);
});

Deno.test("diskStall() has the figures of all files in one finding of several", () => {
  const [finding] = spread(numbered(300, (index) => `/srv/spool/${index}.job`), 2);
  assert.equal(finding?.explainedMs, 600);
  assert.equal(finding?.evidence.object, "300 files in /srv/spool");
  assert.deepEqual(finding?.evidence.notes, [
    "most of it: /srv/spool/0.job, /srv/spool/1.job, /srv/spool/2.job and 297 more",
  ]);
  assert.equal(finding?.evidence.waits?.count, 300);
  assert.match(finding?.nextStep ?? "", /the disk under 300 files in \/srv\/spool\./);
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
