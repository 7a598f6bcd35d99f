/**
 * Files: every operation where they were asked for, and the waits for disks in
 * any case.
 *
 * @module
 */

import type { FileMeasurement, FileOperation } from "../../api/file_measurements.ts";
import type { WaitMeasurement } from "../../api/measurements.ts";
import { formatBytes, formatCount, formatList, formatMs } from "../format.ts";
import { bucketFloorMs, sumBuckets } from "../histogram.ts";
import { describeObject } from "../wait_object.ts";
import { describeLatency, type LatencySummary, summariseLatency } from "./latency.ts";
import { countByName, type FiguresOf, rateOf, type SectionInput, sumOf } from "./section_input.ts";

const TIMED: ReadonlySet<FileOperation> = new Set<FileOperation>(["read", "write", "sync"]);
const TOP_FILES_MAX = 5;
const FILES_MAX = 1000;

/** `undefined`: no file was used in a way that was looked at. */
export function fileSystemFigures(input: SectionInput): FiguresOf<"filesystem"> | undefined {
  const { measurements, thresholds } = input;
  const timed = measurements.fileOperations.filter(({ operation }) => TIMED.has(operation));
  const diskWaits = measurements.waits.filter(({ waitClass }) => waitClass === "diskRead" || waitClass === "diskWrite");
  const disk_waits = diskFigures(diskWaits);
  if (timed.length === 0) return disk_waits === undefined ? undefined : { disk_waits };
  const count = (operation: FileOperation) =>
    sumOf(timed.filter((entry) => entry.operation === operation), (entry) => entry.count);
  const latency = summariseLatency(timed);
  const bytes = sumOf(timed, (entry) => entry.byteCount);
  const transfers = count("read") + count("write");
  return {
    write_operations: count("write"),
    read_operations: count("read"),
    fsync_operations: count("sync"),
    operations_per_second: rateOf(sumOf(timed, (entry) => entry.count), measurements),
    ...namedLatency(latency),
    slow_operations: slowCountMin(timed, thresholds.fsMs),
    slow_threshold_ms: thresholds.fsMs,
    errors: sumOf(timed, (entry) => entry.errorCount),
    total_bytes: bytes,
    avg_bytes: transfers > 0 ? bytes / transfers : 0,
    top_files: topFiles(timed),
    disk_waits,
  };
}

function namedLatency(latency: LatencySummary | undefined) {
  if (latency === undefined) return {};
  const { avg_ms, max_ms, p50_ms, p95_ms, p99_ms } = latency;
  return { avg_latency_ms: avg_ms, max_latency_ms: max_ms, p50_ms, p95_ms, p99_ms };
}

/** Buckets that begin at the threshold or above; the one it lies in is left out, so this is a lower bound. */
function slowCountMin(entries: readonly Pick<FileMeasurement, "buckets">[], thresholdMs: number): number {
  return sumBuckets(entries.map(({ buckets }) => buckets))
    .reduce((sum, count, index) => bucketFloorMs(index) >= thresholdMs ? sum + count : sum, 0);
}

function topFiles(entries: readonly FileMeasurement[]): { Target: string; Count: number }[] {
  const counts = countByName(entries.filter(({ object }) => object.kind === "file"), {
    name: ({ object }) => describeObject(object),
    count: ({ count }) => count,
  });
  return counts.slice(0, FILES_MAX).map(([Target, Count]) => ({ Target, Count }));
}

function diskFigures(waits: readonly WaitMeasurement[]): FiguresOf<"filesystem">["disk_waits"] {
  const latency = summariseLatency(waits);
  if (latency === undefined) return undefined;
  const { count: _, ...times } = latency;
  const timesByFile = countByName(waits, {
    name: ({ object }) => describeObject(object),
    count: ({ totalMs }) => totalMs,
  });
  return {
    reads: sumOf(waits.filter(({ waitClass }) => waitClass === "diskRead"), (wait) => wait.count),
    writes: sumOf(waits.filter(({ waitClass }) => waitClass === "diskWrite"), (wait) => wait.count),
    total_ms: sumOf(waits, (wait) => wait.totalMs),
    ...times,
    files: timesByFile.slice(0, FILES_MAX).map(([path, total_ms]) => ({ path, total_ms })),
  };
}

export function renderFileSystem(figures: FiguresOf<"filesystem">): readonly string[] {
  return [...describeOperations(figures), ...describeDiskWaits(figures.disk_waits)];
}

function describeOperations(figures: FiguresOf<"filesystem">): readonly string[] {
  const { write_operations: writes, read_operations: reads, fsync_operations: syncs } = figures;
  if (writes === undefined || reads === undefined || syncs === undefined) return [];
  const { avg_latency_ms: avg_ms = 0, max_latency_ms: max_ms = 0, p50_ms = 0, p95_ms = 0, p99_ms = 0 } = figures;
  const files = (figures.top_files ?? []).map(({ Target, Count }) => `${Target} (${Count})`);
  return [
    `Write operations: ${writes}, read operations: ${reads}, fsync operations: ${syncs} ` +
    `(${(figures.operations_per_second ?? 0).toFixed(1)}/s), ${formatBytes(figures.total_bytes ?? 0)}`,
    `Latency: ${describeLatency({ avg_ms, max_ms, p50_ms, p95_ms, p99_ms })}`,
    `Slow operations (> ${figures.slow_threshold_ms} ms): at least ${figures.slow_operations}, errors: ${figures.errors}`,
    ...(files.length === 0 ? [] : [`Top accessed files: ${formatList(files, { itemsMax: TOP_FILES_MAX })}`]),
  ];
}

function describeDiskWaits(waits: FiguresOf<"filesystem">["disk_waits"]): readonly string[] {
  if (waits === undefined) return [];
  const files = waits.files.map(({ path, total_ms }) => `${path} (${formatMs(total_ms)})`);
  return [
    `Waits for disks: ${formatCount(waits.reads, "read")}, ${formatCount(waits.writes, "write")} and syncs, ` +
    `${formatMs(waits.total_ms)}`,
    `Each: ${describeLatency(waits)}`,
    `Most waited for: ${formatList(files, { itemsMax: TOP_FILES_MAX })}`,
  ];
}
