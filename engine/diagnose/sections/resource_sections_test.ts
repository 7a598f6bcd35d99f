import { parseStrictCsv } from "../../../tests/support/csv_parser.ts";
import { assert } from "../../../tests/support/assert.ts";
import type { CgroupResourceMeasurement } from "../../api/resource_measurements.ts";
import { CSV_COLUMNS, renderCsvReport } from "../csv_report.ts";
import { renderHtmlReport } from "../html/html_report.ts";
import { toJsonReport } from "../json_report.ts";
import { reportSchema } from "../report_schema.ts";
import { buildReport, TARGET_ID, type WorldSketch } from "../test_measurements.ts";
import { renderTextReport } from "../text_report.ts";
import { cgroupResourceFigures, renderCgroupResources } from "./cgroup_resources.ts";
import { describeChange, processResourceFigures } from "./process_resources.ts";
import { buildResources, buildSectionInput } from "./test_input.ts";

const MB = 1024 * 1024;

const CGROUP = {
  targetId: TARGET_ID,
  path: "/kubepods/shop",
  cpuLimit: 0.5,
  periodCount: 100,
  throttledPeriodCount: 10,
  throttledMs: 250,
  cpuUsageMs: 4250,
  pressure: { cpuSomeMs: 12, ioSomeMs: 0, ioFullMs: 0, memorySomeMs: 3.5, memoryFullMs: undefined },
};

const RESOURCES: CgroupResourceMeasurement = {
  targetId: TARGET_ID,
  path: "/kubepods/shop",
  memory: {
    limitBytes: 128 * MB,
    highBytes: undefined,
    usageBytes: 90 * MB,
    peakBytes: 100 * MB,
    anonymousBytes: 80 * MB,
    swapBytes: 0,
    highEventCount: 0,
    maxEventCount: 3,
    oomEventCount: 1,
    oomKillCount: 1,
  },
  io: {
    devices: [{ device: "8:0", readBytes: 4 * MB, writeBytes: 512, readOperationCount: 7, writeOperationCount: 1 }],
    limits: [
      {
        device: "8:0",
        readBytesPerSecond: MB,
        writeBytesPerSecond: undefined,
        readOperationsPerSecond: undefined,
        writeOperationsPerSecond: 100,
      },
      {
        device: "8:16",
        readBytesPerSecond: undefined,
        writeBytesPerSecond: 2 * MB,
        readOperationsPerSecond: undefined,
        writeOperationsPerSecond: undefined,
      },
    ],
  },
};

const WORLD: WorldSketch = {
  processes: [{ processId: 100, command: "shop", threads: [{ threadId: 100, onCpuMs: 100 }] }],
  cgroups: [CGROUP],
  cgroupResources: [RESOURCES],
  processResources: [buildResources({
    processId: 100,
    fdCountBegin: 10,
    fdCountEnd: 14,
    fdLimit: 1024,
    threadCountBegin: 4,
    threadCountEnd: 4,
    threadsStartedCount: 2,
    minorFaultCount: 33,
    majorFaultCount: 1,
    residentBytesBegin: 12 * MB,
    residentBytesEnd: 13 * MB,
  })],
};

Deno.test("cgroup and process resources stay away where nobody could tell any", () => {
  assert.equal(cgroupResourceFigures(buildSectionInput()), undefined);
  assert.equal(processResourceFigures(buildSectionInput()), undefined);
  const silent = { ...RESOURCES, memory: undefined, io: undefined };
  assert.equal(cgroupResourceFigures(buildSectionInput({ cgroupResources: [silent] })), undefined);
});

Deno.test("renderCgroupResources() tells use, limits and their hits, a line per kind", () => {
  const figures = cgroupResourceFigures(buildSectionInput(WORLD));
  assert.deepEqual(figures && renderCgroupResources(figures), [
    "/kubepods/shop:",
    "  CPU: 4250.00 ms used, limit 0.50 CPUs, throttled in 10 of 100 periods (250.00 ms)",
    "  memory: 90.00 MB used, limit 128.00 MB, 80.00 MB of it anonymous, peak 100.00 MB, at the limit 3 times, " +
    "out of memory 1 time, 1 kill",
    "  I/O of 8:0: read 4.00 MB (7 requests), written 512 B (1 request), limit read 1.00 MB/s, write 100 requests/s",
    "  I/O of 8:16: not used, limit write 2.00 MB/s",
    "  stalled for want of: CPU 12.00 ms, memory 3.50 ms",
  ]);
});

Deno.test("describeChange() shows a figure once when it stayed, and says when it is an old one", () => {
  assert.deepEqual([
    describeChange(1, 1, String),
    describeChange(1, 2, String),
    describeChange(undefined, 2, String),
    describeChange(1, undefined, String),
    describeChange(undefined, undefined, String),
  ], ["1", "1 -> 2", "2", "1 at the begin", undefined]);
});

Deno.test("resources are in every form of the report", () => {
  const report = buildReport(WORLD);
  const text = renderTextReport(report);
  assert.match(text, /^Cgroup Resources:\n {2}\/kubepods\/shop:\n {4}CPU: 4250\.00 ms used/m);
  assert.match(
    text.replace(/\s+/g, " "),
    /Process Resources: shop \(100\): memory 12\.00 MB -> 13\.00 MB, descriptors 10 -> 14 of 1024, threads 4 \(2 started\), page faults 33 minor, 1 major/,
  );

  const json = reportSchema.parse(toJsonReport(report));
  assert.equal(json.cgroup_resources?.cgroups[0]?.memory?.max_events, 3);
  assert.deepEqual(json.cgroup_resources?.cgroups[0]?.io?.devices, [
    { device: "8:0", read_bytes: 4 * MB, write_bytes: 512, read_operations: 7, write_operations: 1 },
  ]);
  assert.deepEqual(json.process_resources?.processes.map((row) => [row.pid, row.descriptors_end, row.threads_end]), [
    [100, 14, 4],
  ]);

  const rows = parseStrictCsv(renderCsvReport(report)).filter((row) => row[CSV_COLUMNS.indexOf("row")] === "resource");
  const figure = (name: string, detail = "") =>
    rows.filter((row) => row[CSV_COLUMNS.indexOf("name")] === name && row[CSV_COLUMNS.indexOf("detail")] === detail)
      .map((row) => row[CSV_COLUMNS.indexOf(name.endsWith("_ms") ? "total_ms" : "count")]);
  assert.deepEqual(figure("descriptors_end"), ["14"]);
  assert.deepEqual(figure("throttled_ms"), ["250.00"]);
  assert.deepEqual(figure("write_bytes", "device 8:0"), ["512"]);
  assert.deepEqual(figure("write_bytes_per_second", "limit of device 8:16"), [String(2 * MB)]);

  const page = renderHtmlReport(report);
  assert.match(page, /<section id="resources"[\s\S]*shop \(100\)[\s\S]*10 -&gt; 14[\s\S]*I\/O of 8:0: read 4\.00 MB/);
  assert.match(page, /<section id="figures"[\s\S]*<h3>CPU Usage by Process<\/h3>/);
});
