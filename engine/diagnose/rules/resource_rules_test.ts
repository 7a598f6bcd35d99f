import { assert } from "../../../tests/support/assert.ts";
import type { FileMeasurement } from "../../api/file_measurements.ts";
import { type CgroupMeasurement, HISTOGRAM_BUCKET_COUNT, type Measurements } from "../../api/measurements.ts";
import { NOT_ASKED_FOR } from "../../api/plane.ts";
import type {
  CgroupMemoryMeasurement,
  CgroupResourceMeasurement,
  ProcessResourceMeasurement,
} from "../../api/resource_measurements.ts";
import type { Severity } from "../../api/severity.ts";
import type { Finding } from "../finding.ts";
import { buildFacts, FILE, TARGET_ID, type ThreadSketch, WINDOW_MS, type WorldSketch } from "../test_measurements.ts";
import { descriptorLimit } from "./descriptor_limit.ts";
import { diskStall } from "./disk_stall.ts";
import { faultStorm } from "./fault_storm.ts";
import { fileErrors } from "./file_errors.ts";
import { ioLimit } from "./io_limit.ts";
import { memoryLimit } from "./memory_limit.ts";
import { oomKill } from "./oom_kill.ts";
import { slowFiles } from "./slow_files.ts";
import { spawnStorm } from "./spawn_storm.ts";

const MIB = 1024 * 1024;
const SECONDS = WINDOW_MS / 1000;

const facts = (world: WorldSketch, threads: readonly ThreadSketch[] = [{ threadId: 100, onCpuMs: 1000 }]) =>
  buildFacts({ processes: [{ processId: 100, command: "shop", threads }], ...world });

function resources(overrides: Partial<ProcessResourceMeasurement> = {}): ProcessResourceMeasurement {
  return {
    targetId: TARGET_ID,
    processId: 100,
    fdCountBegin: 10,
    fdCountEnd: 10,
    fdLimit: 1024,
    threadCountBegin: 4,
    threadCountEnd: 4,
    threadsStartedCount: 0,
    minorFaultCount: 500,
    majorFaultCount: 0,
    residentBytesBegin: 50 * MIB,
    residentBytesEnd: 50 * MIB,
    ...overrides,
  };
}

function memory(overrides: Partial<CgroupMemoryMeasurement> = {}): CgroupResourceMeasurement {
  return {
    targetId: TARGET_ID,
    path: "/box",
    io: undefined,
    memory: {
      limitBytes: 100 * MIB,
      highBytes: undefined,
      usageBytes: 100 * MIB,
      peakBytes: 100 * MIB,
      anonymousBytes: 50 * MIB,
      swapBytes: 0,
      highEventCount: 0,
      maxEventCount: 1000,
      oomEventCount: 0,
      oomKillCount: 0,
      ...overrides,
    },
  };
}

function pressed(memorySomeMs: number): CgroupMeasurement {
  return {
    targetId: TARGET_ID,
    path: "/box",
    cpuLimit: undefined,
    periodCount: undefined,
    throttledPeriodCount: undefined,
    throttledMs: undefined,
    cpuUsageMs: undefined,
    pressure: { cpuSomeMs: 0, ioSomeMs: 0, ioFullMs: 0, memorySomeMs, memoryFullMs: 0 },
  };
}

function file(overrides: Partial<FileMeasurement> & { readonly eachMs?: number } = {}): FileMeasurement {
  const { eachMs = 0.01, ...rest } = overrides;
  const count = rest.count ?? 1000;
  const buckets = new Array<number>(HISTOGRAM_BUCKET_COUNT).fill(0);
  buckets[Math.max(0, Math.floor(Math.log2(eachMs * 1000)))] = count;
  return {
    targetId: TARGET_ID,
    processId: 100,
    operation: "open",
    object: { kind: "path", path: "/etc/absent" },
    count,
    errorCount: 0,
    errors: [],
    byteCount: 0,
    totalMs: count * eachMs,
    maxMs: eachMs,
    maxEndWallMs: 0,
    buckets,
    ...rest,
  };
}

function failing(name: string, failedCount: number, overrides: Partial<FileMeasurement> = {}): FileMeasurement {
  return file({
    count: failedCount,
    errorCount: failedCount,
    errors: [{ errno: 1, name, count: failedCount }],
    ...overrides,
  });
}

interface Row {
  readonly rule: (facts: ReturnType<typeof buildFacts>) => readonly Finding[];
  readonly what: string;
  readonly world: WorldSketch;
  readonly threads?: readonly ThreadSketch[];
  /** `undefined`: nothing is found. */
  readonly severity: Severity | undefined;
  readonly title?: RegExp;
  /** What it is about. */
  readonly object?: string;
}

const KILL: Measurements["oomKills"][number] = {
  targetId: TARGET_ID,
  atWallMs: Date.UTC(2026, 0, 2, 3, 4, 5),
  processId: 101,
  command: "worker",
  memory: { virtualBytes: 900 * MIB, anonymousBytes: 90 * MIB, fileBytes: MIB, sharedBytes: 0 },
};

const DISK: readonly ThreadSketch[] = [{
  threadId: 100,
  onCpuMs: 1000,
  waits: [{ waitClass: "diskWrite", object: FILE, count: 100, eachMs: 50 }],
}];

const IO: CgroupResourceMeasurement = {
  targetId: TARGET_ID,
  path: "/box",
  memory: undefined,
  io: {
    devices: [{
      device: "8:0",
      readBytes: 0,
      writeBytes: 0.9 * MIB * SECONDS,
      readOperationCount: 0,
      writeOperationCount: 10,
    }],
    limits: [{
      device: "8:0",
      readBytesPerSecond: undefined,
      writeBytesPerSecond: MIB,
      readOperationsPerSecond: undefined,
      writeOperationsPerSecond: 10_000,
    }],
  },
};

/** `IO` under other limits; the group used `others` of the devices too. */
function limitsOf(
  limits: readonly { readonly path: string; readonly wbps: number }[],
  others: readonly string[] = [],
): CgroupResourceMeasurement["io"] {
  const [used] = IO.io?.devices ?? [];
  assert.ok(used !== undefined);
  return {
    devices: [used, ...others.map((device) => ({ ...used, device }))],
    limits: limits.map(({ path, wbps }) => ({
      path,
      device: used.device,
      readBytesPerSecond: undefined,
      writeBytesPerSecond: wbps,
      readOperationsPerSecond: undefined,
      writeOperationsPerSecond: undefined,
    })),
  };
}

const SMALL_LIFE = { lifetimeMs: 5, onCpuMs: 1 };

/** `count` children that began within the window. */
function children(count: number, thread: Partial<ThreadSketch>): WorldSketch {
  const born = Array.from({ length: count }, (_, index) => ({
    processId: 1000 + index,
    parentProcessId: 100,
    command: "helper",
    exited: true,
    threads: [{ threadId: 1000 + index, bornMs: 1, ...SMALL_LIFE, ...thread }],
  }));
  return { processes: [{ processId: 100, command: "shop", threads: [{ threadId: 100, onCpuMs: 100 }] }, ...born] };
}

const ROWS: readonly Row[] = [
  { rule: oomKill, what: "nobody was killed", world: {}, severity: undefined },
  {
    rule: oomKill,
    what: "a worker was killed",
    world: { oomKills: [KILL] },
    severity: "critical",
    title: /killed worker \(101\) for want of memory/,
  },
  {
    rule: memoryLimit,
    what: "the limit is full of page cache",
    world: { cgroupResources: [memory()] },
    severity: undefined,
  },
  {
    rule: memoryLimit,
    what: "there is no limit",
    world: { cgroupResources: [memory({ limitBytes: undefined, anonymousBytes: 900 * MIB })] },
    severity: undefined,
  },
  {
    rule: memoryLimit,
    what: "89 % is held",
    world: { cgroupResources: [memory({ anonymousBytes: 89 * MIB })] },
    severity: undefined,
  },
  {
    rule: memoryLimit,
    what: "90 % is held",
    world: { cgroupResources: [memory({ anonymousBytes: 90 * MIB })] },
    severity: "warning",
    title: /^90\.0% of the memory limit of 100\.00 MB/,
  },
  {
    rule: memoryLimit,
    what: "98 % is held",
    world: { cgroupResources: [memory({ anonymousBytes: 98 * MIB })] },
    severity: "error",
  },
  {
    rule: memoryLimit,
    what: "it was short of memory for 6 % of the window",
    world: { cgroupResources: [memory()], cgroups: [pressed(0.06 * WINDOW_MS)] },
    severity: "warning",
    title: /short of memory for 6\.0% of the time/,
  },
  {
    rule: memoryLimit,
    what: "it was short of memory for 4 % of the window",
    world: { cgroupResources: [memory()], cgroups: [pressed(0.04 * WINDOW_MS)] },
    severity: undefined,
  },
  {
    rule: faultStorm,
    what: "it faults 100 000 times a second",
    world: { processResources: [resources({ minorFaultCount: 100_000 * SECONDS })] },
    severity: "warning",
    title: /takes 100000 page faults a second/,
  },
  {
    rule: faultStorm,
    what: "the faults are those of memory that stays",
    world: {
      processResources: [resources({ minorFaultCount: 500_000, residentBytesEnd: 50 * MIB + 500_000 * 4096 })],
    },
    severity: undefined,
  },
  {
    rule: faultStorm,
    what: "it faults 10 000 times a second",
    world: { processResources: [resources({ minorFaultCount: 10_000 * SECONDS })] },
    severity: undefined,
  },
  {
    rule: descriptorLimit,
    what: "few descriptors are open",
    world: { processResources: [resources()] },
    severity: undefined,
  },
  {
    rule: descriptorLimit,
    what: "92 % of the descriptors are open",
    world: { processResources: [resources({ fdCountEnd: 942 })] },
    severity: "warning",
    title: /has 942 of 1024 descriptors open, 92\.0%/,
  },
  {
    rule: descriptorLimit,
    what: "nobody knows how many are open",
    world: { processResources: [resources({ fdCountBegin: undefined, fdCountEnd: undefined })] },
    severity: undefined,
  },
  {
    rule: descriptorLimit,
    what: "descriptors were refused",
    world: { processResources: [resources({ fdCountEnd: 1024 })], fileOperations: [failing("EMFILE", 7)] },
    severity: "error",
    title: /was refused descriptors 7 times at 1024 of 1024 open/,
  },
  {
    rule: spawnStorm,
    what: "a pool started",
    world: { processResources: [resources({ threadsStartedCount: 64 })] },
    severity: undefined,
  },
  {
    rule: spawnStorm,
    what: "a thread per task",
    world: { processResources: [resources({ threadsStartedCount: 150 * SECONDS })] },
    severity: "warning",
    title: /starts 150 threads a second/,
  },
  {
    rule: spawnStorm,
    what: "threads only become more",
    world: { processResources: [resources({ threadCountBegin: 100, threadCountEnd: 300, threadsStartedCount: 200 })] },
    severity: "warning",
    title: /has 300 threads, 200 more/,
  },
  {
    rule: spawnStorm,
    what: "helpers are started 60 times a second",
    world: children(60 * SECONDS, {}),
    severity: "warning",
    title: /60 processes a second are started and live for 5\.0 ms on average, most of them by shop \(100\)/,
  },
  {
    rule: spawnStorm,
    what: "processes that are started work for longer",
    world: children(60 * SECONDS, { lifetimeMs: 500, onCpuMs: 400 }),
    severity: undefined,
  },
  {
    rule: ioLimit,
    what: "writes are at their limit and waited for",
    world: { cgroupResources: [IO] },
    threads: DISK,
    severity: "critical",
    title: /Writes of device 8:0 are at 90\.0% of the limit of 1\.00 MB\/s/,
  },
  {
    rule: ioLimit,
    what: "writes are at their limit and nobody waits",
    world: { cgroupResources: [IO] },
    severity: undefined,
  },
  {
    rule: ioLimit,
    what: "a group above sets the limit that is used up, and one of its own that is not",
    world: {
      cgroupResources: [{ ...IO, io: limitsOf([{ path: "/above", wbps: MIB }, { path: "/box", wbps: 4 * MIB }]) }],
    },
    threads: DISK,
    severity: "critical",
    title: /Writes of device 8:0 are at 90\.0% of the limit of 1\.00 MB\/s/,
    object: "/above",
  },
  {
    rule: ioLimit,
    what: "the threads wait for a file on another device the group uses",
    world: { cgroupResources: [{ ...IO, io: limitsOf([{ path: "/box", wbps: MIB }], ["8:1"]) }] },
    threads: DISK,
    severity: undefined,
  },
  {
    rule: ioLimit,
    what: "there is no limit",
    world: { cgroupResources: [{ ...IO, io: { devices: IO.io?.devices ?? [], limits: [] } }] },
    threads: DISK,
    severity: undefined,
  },
  {
    rule: fileErrors,
    what: "a loader looks in a few places",
    world: { fileOperations: [failing("ENOENT", 40), file({ object: FILE, count: 10 })] },
    severity: undefined,
  },
  {
    rule: fileErrors,
    what: "a file is looked for all the time",
    world: { fileOperations: [failing("ENOENT", 30 * SECONDS), file({ object: FILE, count: 10 })] },
    severity: "warning",
    title: /^open keeps failing with ENOENT in shop \(100\): 300 of 310, on \/etc\/absent\.$/,
  },
  {
    rule: fileErrors,
    what: "most lookups succeed",
    world: { fileOperations: [failing("ENOENT", 30 * SECONDS), file({ object: FILE, count: 1000 })] },
    severity: undefined,
  },
  {
    rule: fileErrors,
    what: "access is denied twice",
    world: { fileOperations: [failing("EACCES", 2)] },
    severity: undefined,
  },
  {
    rule: fileErrors,
    what: "access is denied",
    world: { fileOperations: [failing("EACCES", 3)] },
    severity: "warning",
  },
  {
    rule: fileErrors,
    what: "access is denied all the time",
    world: { fileOperations: [failing("EACCES", 30 * SECONDS)] },
    severity: "error",
  },
  {
    rule: fileErrors,
    what: "access is denied to fewer than one in ten",
    world: { fileOperations: [failing("EACCES", 3), file({ object: FILE, count: 28 })] },
    severity: undefined,
  },
  {
    rule: fileErrors,
    what: "access is denied to one in ten",
    world: { fileOperations: [failing("EACCES", 3), file({ object: FILE, count: 27 })] },
    severity: "warning",
  },
  {
    rule: fileErrors,
    what: "a read-only mount is probed",
    world: { fileOperations: [failing("EROFS", 40)] },
    severity: undefined,
  },
  {
    rule: fileErrors,
    what: "a pipe without a reader is tried now and then",
    world: { fileOperations: [failing("ENXIO", 40)] },
    severity: undefined,
  },
  {
    rule: fileErrors,
    what: "a read-only mount is written to all the time",
    world: { fileOperations: [failing("EROFS", 30 * SECONDS)] },
    severity: "warning",
  },
  {
    rule: fileErrors,
    what: "the disk is full",
    world: {
      fileOperations: [failing("ENOSPC", 3, { operation: "write", object: FILE }), file({ operation: "write" })],
    },
    severity: "error",
  },
  {
    rule: fileErrors,
    what: "nobody asked for files",
    world: {
      fileOperations: [failing("ENOSPC", 3)],
      completeness: { files: { verdict: "blind", reason: NOT_ASKED_FOR } },
    },
    severity: undefined,
  },
  {
    rule: slowFiles,
    what: "writes take 40 ms and no disk is waited for",
    world: { fileOperations: [file({ operation: "write", object: FILE, count: 100, eachMs: 40 })] },
    threads: [{ threadId: 100, onCpuMs: 1000, waits: [{ waitClass: "other", count: 100, eachMs: 40 }] }],
    severity: "critical",
    title: /^write of \/srv\/shop\/data\.bin takes 65\.5% of the non-idle time in calls of 10\.00 ms or more\.$/,
  },
  {
    rule: slowFiles,
    what: "the disk explains them",
    world: { fileOperations: [file({ operation: "sync", object: FILE, count: 100, eachMs: 50 })] },
    threads: DISK,
    severity: undefined,
  },
  {
    rule: slowFiles,
    what: "calls are quick",
    world: { fileOperations: [file({ operation: "write", object: FILE, count: 100_000, eachMs: 0.05 })] },
    severity: undefined,
  },
];

for (const { rule, what, world, threads, severity, title, object } of ROWS) {
  Deno.test(`${rule.name}() yields ${severity ?? "nothing"} when ${what}`, () => {
    const findings = rule(facts(world, threads));
    assert.deepEqual(findings.map((finding) => finding.severity), severity === undefined ? [] : [severity]);
    if (title !== undefined) assert.match(findings[0]?.title ?? "", title);
    if (object !== undefined) assert.equal(findings[0]?.evidence.object, object);
  });
}

Deno.test("diskStall() is info, and says why, while the device is at the I/O limit of the cgroup", () => {
  const severities = (world: WorldSketch) => diskStall(facts(world, DISK)).map(({ severity }) => severity);
  assert.deepEqual(severities({}), ["critical"]);
  assert.deepEqual(severities({ cgroupResources: [IO] }), ["info"]);
  assert.deepEqual(severities({ cgroupResources: [{ ...IO, io: limitsOf([{ path: "/box", wbps: 2 * MIB }]) }] }), [
    "critical",
  ]);
  const [finding] = diskStall(facts({ cgroupResources: [IO] }, DISK));
  assert.match(finding?.evidence.notes?.join(" ") ?? "", /see io-limit/);
  assert.match(ioLimit(facts({ cgroupResources: [IO] }, DISK))[0]?.consequences[0] ?? "", /most of it for \/srv\/shop/);
});

Deno.test("rules of limits name the group that sets them, where it is another than the target's own", () => {
  const above = memory({ path: "/above", anonymousBytes: 95 * MIB });
  assert.equal(memoryLimit(facts({ cgroupResources: [above] }))[0]?.evidence.object, "/above");
  const [kill] = oomKill(facts({ oomKills: [KILL], cgroupResources: [above] }));
  assert.match(kill?.nextStep ?? "", /^Raise the memory limit of \/above,/);
});
