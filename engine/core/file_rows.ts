/**
 * Rows of the file-operation table as measurements. Pure.
 *
 * @module
 */

import { errnoName } from "../api/errno_name.ts";
import type { FileErrorCount, FileMeasurement } from "../api/file_measurements.ts";
import { HISTOGRAM_BUCKET_COUNT, type WaitObject } from "../api/measurements.ts";
import type { FileRow } from "../api/tracer_backend.ts";
import type { TargetId } from "../api/units.ts";
import { toFileOperation } from "./file_operations.ts";
import { toObjectText } from "./wait_objects.ts";

/** `PT_ERROR_OTHER` of bpf/include/pt_events.h. */
export const ERROR_OTHER = 0xffff;

/** How rows become measurements. */
export interface FileContext {
  /** Whose slot it is; `undefined`: nobody's any more. */
  targetOf(slot: number): TargetId | undefined;
  objectOf(key: FileRow["key"]["object"]): WaitObject;
  readonly wallOffsetMs: number;
}

/** Yields one measurement per process, operation and object, whatever way its calls ended; in order of appearance. */
export function toFileMeasurements(rows: readonly FileRow[], context: FileContext): FileMeasurement[] {
  const groups = new Map<string, { readonly targetId: TargetId; readonly rows: FileRow[] }>();
  for (const row of rows) {
    const { key } = row;
    const targetId = context.targetOf(key.targetSlot);
    if (targetId === undefined || row.count === 0) continue;
    const text = `${key.processId} ${key.targetSlot} ${key.operation} ${toObjectText(key.object)}`;
    const group = groups.get(text) ?? { targetId, rows: [] };
    groups.set(text, group);
    group.rows.push(row);
  }
  return Array.from(groups.values(), (group) => toMeasurement(group.rows, { ...context, targetId: group.targetId }));
}

function toMeasurement(
  rows: readonly FileRow[],
  context: Pick<FileContext, "objectOf" | "wallOffsetMs"> & { readonly targetId: TargetId },
): FileMeasurement {
  const longest = rows.reduce((first, second) => second.maxMs > first.maxMs ? second : first);
  const { key } = longest;
  const failed = rows.filter((row) => row.key.errno !== 0);
  return {
    targetId: context.targetId,
    processId: key.processId,
    operation: toFileOperation(key.operation),
    object: context.objectOf(key.object),
    count: sumOf(rows, (row) => row.count),
    errorCount: sumOf(failed, (row) => row.count),
    errors: failed.map(toErrorCount).sort((left, right) => right.count - left.count || left.errno - right.errno),
    byteCount: sumOf(rows, (row) => row.byteCount),
    totalMs: sumOf(rows, (row) => row.totalMs),
    maxMs: longest.maxMs,
    maxEndWallMs: longest.maxEndMs + context.wallOffsetMs,
    buckets: Array.from(
      { length: HISTOGRAM_BUCKET_COUNT },
      (_, bucket) => sumOf(rows, (row) => row.buckets[bucket] ?? 0),
    ),
  };
}

function toErrorCount({ key, count }: FileRow): FileErrorCount {
  if (key.errno === ERROR_OTHER) return { errno: 0, name: "other", count };
  return { errno: key.errno, name: errnoName(key.errno), count };
}

function sumOf(rows: readonly FileRow[], figure: (row: FileRow) => number): number {
  return rows.reduce((total, row) => total + figure(row), 0);
}
