/**
 * Rows of the file-operation table as measurements. Pure.
 *
 * @module
 */

import { errnoName } from "../api/errno_name.ts";
import type { FileErrorCount, FileMeasurement } from "../api/file_measurements.ts";
import type { WaitObject } from "../api/measurements.ts";
import type { FileRow } from "../api/tracer_backend.ts";
import type { TargetId } from "../api/units.ts";
import { toFileOperation } from "./file_operations.ts";

/** Yields the measurement of one row. */
export function toFileMeasurement(
  row: FileRow,
  context: { readonly targetId: TargetId; readonly object: WaitObject; readonly wallOffsetMs: number },
): FileMeasurement {
  return {
    targetId: context.targetId,
    processId: row.key.processId,
    operation: toFileOperation(row.key.operation),
    object: context.object,
    count: row.count,
    errorCount: row.errorCount,
    errors: toErrorCounts(row),
    byteCount: row.byteCount,
    totalMs: row.totalMs,
    maxMs: row.maxMs,
    maxEndWallMs: row.maxEndMs + context.wallOffsetMs,
    buckets: row.buckets,
  };
}

/** Errors the kernel had no room to tell apart come last, as "other". */
function toErrorCounts(row: FileRow): readonly FileErrorCount[] {
  const known = row.errors
    .map(({ errno, count }) => ({ errno, name: errnoName(errno), count }))
    .sort((left, right) => right.count - left.count || left.errno - right.errno);
  const restCount = row.errorCount - known.reduce((total, { count }) => total + count, 0);
  return restCount > 0 ? [...known, { errno: 0, name: "other", count: restCount }] : known;
}
