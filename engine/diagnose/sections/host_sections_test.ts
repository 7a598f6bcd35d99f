import { assert } from "../../../tests/support/assert.ts";
import { BEGIN_WALL_MS, FILE, PEER, TARGET_ID, WINDOW_MS } from "../test_measurements.ts";
import { cgroupScopeFigures, renderCgroupScope } from "./cgroup_scope.ts";
import { cpuFigures, renderCpu } from "./cpu.ts";
import { cpuByProcessFigures, renderCpuByProcess } from "./cpu_by_process.ts";
import { fileSystemFigures, renderFileSystem } from "./file_system.ts";
import { memoryFigures, renderMemory } from "./memory.ts";
import { renderResourceLimits, resourceLimitFigures } from "./resource_limits.ts";
import { buildFileOperations, buildResources, buildSectionInput } from "./test_input.ts";

const MB = 1024 * 1024;

const GROUP = {
  targetId: TARGET_ID,
  path: "/kubepods/shop",
  cpuLimit: 0.5,
  periodCount: 100,
  throttledPeriodCount: 10,
  throttledMs: 100,
  cpuUsageMs: 4250,
  pressure: undefined,
};
const MEMORY = {
  limitBytes: 100 * MB,
  highBytes: undefined,
  usageBytes: 99 * MB,
  peakBytes: undefined,
  anonymousBytes: 40 * MB,
  swapBytes: undefined,
  highEventCount: undefined,
  maxEventCount: undefined,
  oomEventCount: undefined,
  oomKillCount: undefined,
};

Deno.test("every host section stays away where there is nothing to tell", () => {
  const empty = buildSectionInput();
  for (
    const figures of [
      cgroupScopeFigures,
      cpuFigures,
      cpuByProcessFigures,
      fileSystemFigures,
      memoryFigures,
      resourceLimitFigures,
    ]
  ) {
    assert.equal(figures(empty), undefined, figures.name);
  }
});

Deno.test("cgroupScopeFigures() names every cgroup with its limit and its use", () => {
  const figures = cgroupScopeFigures(
    buildSectionInput({ cgroups: [GROUP, { ...GROUP, path: "/b", cpuLimit: undefined }] }),
  );
  assert.equal(figures?.distinct, 2);
  assert.deepEqual(figures && renderCgroupScope(figures), [
    "Distinct cgroups: 2",
    "/kubepods/shop, limit 0.50 CPUs, used 4250.00 ms",
    "/b, used 4250.00 ms",
  ]);
});

Deno.test("cpuFigures() tells block times with and without idle waits", () => {
  const figures = cpuFigures(buildSectionInput({
    processes: [{
      processId: 100,
      command: "shop",
      threads: [{
        threadId: 100,
        waits: [
          { waitClass: "idle", count: 99, eachMs: 100 },
          { waitClass: "network", object: PEER, count: 1, eachMs: 50 },
        ],
        parksRest: false,
      }],
    }],
  }));
  assert.deepEqual(
    [figures?.thread_switches, figures?.switches_per_second, figures?.avg_block_time_ms, figures?.max_block_time_ms],
    [100, 10, 99.5, 100],
  );
  assert.deepEqual([figures?.non_idle?.count, figures?.non_idle?.max_ms], [1, 50]);
  assert.deepEqual(figures && renderCpu(figures), [
    "Thread switches: 100 (10.0/s)",
    "Block time, idle included: average 99.50 ms, P50 <= 100.00 ms, P95 <= 100.00 ms, P99 <= 100.00 ms, max 100.00 ms",
    "Block time of 1 that are not idle: average 50.00 ms, P50 <= 50.00 ms, P95 <= 50.00 ms, P99 <= 50.00 ms, max 50.00 ms",
  ]);
});

Deno.test("cpuByProcessFigures() takes CPU time of the window, not of the process's life, and never a negative rest", () => {
  const process = (processId: number, command: string, onCpuMs: number) => ({
    processId,
    command,
    threads: [{ threadId: processId, onCpuMs }, { threadId: processId + 1000, onCpuMs }],
  });
  const figures = cpuByProcessFigures(buildSectionInput({
    processes: [process(100, "shop", 8000), process(200, "idler", 0), process(300, "helper", 500)],
  }));
  assert.deepEqual([figures?.total_percent, figures?.machine_percent, figures?.cpu_count], [170, 85, 2]);
  assert.deepEqual(figures?.processes.map(({ pid, percent }) => [pid, percent]), [[100, 160], [300, 10]]);
  assert.deepEqual(figures && renderCpuByProcess(figures), [
    "Total: 170.0% of one CPU, 85.0% of 2 CPUs",
    "shop (100): 160.0% of one CPU, 16000.00 ms",
    "helper (300): 10.0% of one CPU, 1000.00 ms",
  ]);
});

Deno.test("renderCpuByProcess() tells many processes of one name in one line", () => {
  const processes = Array.from({ length: 12 }, (_, index) => ({
    processId: 100 + index,
    command: "worker",
    threads: [{ threadId: 100 + index, onCpuMs: 100 }],
  }));
  const figures = cpuByProcessFigures(buildSectionInput({ processes }));
  assert.equal(figures?.processes.length, 12);
  assert.deepEqual(figures && renderCpuByProcess(figures).slice(1), [
    "worker, 12 processes: 12.0% of one CPU, 1200.00 ms",
  ]);
});

Deno.test("fileSystemFigures() has the waits for disks without being asked for operations", () => {
  const figures = fileSystemFigures(buildSectionInput({
    processes: [{
      processId: 100,
      command: "shop",
      threads: [{
        threadId: 100,
        waits: [
          { waitClass: "diskWrite", object: FILE, count: 100, eachMs: 5 },
          { waitClass: "diskRead", object: { kind: "file", id: "8:1:9", path: "/srv/b" }, count: 10, eachMs: 1 },
        ],
      }],
    }],
  }));
  assert.equal(figures?.read_operations, undefined);
  assert.deepEqual(figures && renderFileSystem(figures), [
    "Waits for disks: 10 reads, 100 writes and syncs, 510.00 ms",
    "Each: average 4.64 ms, P50 <= 5.00 ms, P95 <= 5.00 ms, P99 <= 5.00 ms, max 5.00 ms",
    "Most waited for: /srv/shop/data.bin (500.00 ms), /srv/b (10.00 ms)",
  ]);
});

Deno.test("fileSystemFigures() counts all operations, the quick ones too, and bounds the slow ones from below", () => {
  const fileOperations = [
    buildFileOperations([0.01, 0.01, 0.01, 12, 20], { byteCount: 5000 }),
    buildFileOperations([0.02], { operation: "write", byteCount: 1000, errorCount: 1 }),
    buildFileOperations([3], { operation: "sync" }),
    buildFileOperations([1], { operation: "open" }),
  ];
  const figures = fileSystemFigures(buildSectionInput({ fileOperations }));
  assert.deepEqual(
    [figures?.read_operations, figures?.write_operations, figures?.fsync_operations, figures?.total_bytes],
    [5, 1, 1, 6000],
  );
  // 12 ms lie in the bucket from 8.192 ms on, which may hold 9 ms as well: not surely slow.
  assert.deepEqual([figures?.slow_operations, figures?.slow_threshold_ms, figures?.errors], [1, 10, 1]);
  assert.equal(figures?.avg_bytes, 1000);
  assert.deepEqual(figures?.top_files, [{ Target: "/srv/shop/data.bin", Count: 7 }]);
  assert.ok(
    figures !== undefined && renderFileSystem(figures)[0]?.startsWith("Write operations: 1, read operations: 5"),
  );
});

Deno.test("memoryFigures() tells faults, resident memory and every victim", () => {
  const figures = memoryFigures(buildSectionInput({
    processResources: [
      buildResources({ minorFaultCount: 900, majorFaultCount: 100, residentBytesBegin: MB, residentBytesEnd: 3 * MB }),
      buildResources({ processId: 200, residentBytesEnd: MB }),
    ],
    oomKills: [{
      targetId: TARGET_ID,
      atWallMs: BEGIN_WALL_MS + 1500,
      processId: 300,
      command: "hog",
      memory: { virtualBytes: 9 * MB, anonymousBytes: 2 * MB, fileBytes: MB, sharedBytes: 0 },
    }],
  }));
  assert.deepEqual(figures && renderMemory(figures), [
    "Page faults: 900 minor, 100 major (100.0/s)",
    "Resident memory: 1.00 MB at the begin, 4.00 MB at the end",
    "OOM kill: hog (300) at 03:04:06.500, 3.00 MB resident",
  ]);
});

Deno.test("resourceLimitFigures() tells I/O by the use that is nearest to its limit, and tasks, with who sets the limit", () => {
  const device = { device: "8:0", readBytes: 0, writeBytes: 9.6 * MB * WINDOW_MS / 1000, writeOperationCount: 10 };
  const limit = { readBytesPerSecond: undefined, readOperationsPerSecond: undefined, writeOperationsPerSecond: 1000 };
  const figures = resourceLimitFigures(buildSectionInput({
    cgroupResources: [{
      targetId: TARGET_ID,
      path: "/kubepods/shop",
      memory: undefined,
      io: {
        devices: [{ ...device, readOperationCount: 0 }],
        limits: [{ ...limit, path: "/kubepods", device: "8:0", writeBytesPerSecond: 10 * MB }],
      },
      tasks: { path: "/kubepods", usageCount: 90, limitCount: 100 },
    }],
  }));
  assert.deepEqual(figures && renderResourceLimits(figures), [
    "io of /kubepods (writes of device 8:0): 96.0% (9.60 MB/s of 10.00 MB/s), EMERGENCY",
    "tasks of /kubepods: 90.0% (90 of 100), CRITICAL",
  ]);
});

Deno.test("resourceLimitFigures() judges use of the window against the limit, the fullest first, and can be OK", () => {
  const figures = resourceLimitFigures(buildSectionInput({
    processes: [{ processId: 100, command: "shop", threads: [{ threadId: 100 }] }],
    cgroups: [GROUP],
    cgroupResources: [{ targetId: TARGET_ID, path: "/kubepods/shop", memory: MEMORY, io: undefined }],
    processResources: [buildResources({ fdCountEnd: 980, fdLimit: 1024 })],
  }));
  assert.deepEqual(
    figures?.map(({ resource, utilization_percent, status }) => [resource, utilization_percent, status]),
    [
      ["descriptors", 980 / 1024 * 100, "EMERGENCY"],
      ["cpu", 85, "WARNING"],
      ["memory", 40, "OK"],
    ],
  );
  assert.deepEqual(figures && renderResourceLimits(figures), [
    "descriptors of shop (100): 95.7% (980 of 1024), EMERGENCY",
    "cpu of /kubepods/shop: 85.0% (0.42 CPUs of 0.50 CPUs), WARNING",
    "memory of /kubepods/shop: 40.0% (40.00 MB of 100.00 MB), OK",
  ]);
});
