import { assert } from "../../tests/support/assert.ts";
import { FILE_OPERATIONS } from "../api/file_measurements.ts";
import { HISTOGRAM_BUCKET_COUNT } from "../api/measurements.ts";
import type { FileRow } from "../api/tracer_backend.ts";
import { toTargetId } from "../api/units.ts";
import { ERROR_OTHER, toFileMeasurements } from "./file_rows.ts";
import { anObject } from "./test_backend.ts";

const A = toTargetId("a");

function row(overrides: Partial<FileRow> = {}, key: Partial<FileRow["key"]> = {}): FileRow {
  const buckets = new Array<number>(HISTOGRAM_BUCKET_COUNT).fill(0);
  buckets[3] = overrides.count ?? 2;
  return {
    key: { processId: 100, targetSlot: 1, operation: FILE_OPERATIONS.read, errno: 0, object: anObject(), ...key },
    count: 2,
    byteCount: 10,
    totalMs: 4,
    maxMs: 3,
    maxEndMs: 50,
    buckets,
    ...overrides,
  };
}

const context = {
  targetOf: (slot: number) => slot === 1 ? A : undefined,
  objectOf: () => ({ kind: "path", path: "/x" }) as const,
  wallOffsetMs: 1000,
};

Deno.test("toFileMeasurements() makes one of the ways in which calls on a file ended, the errors most first", () => {
  const [measured, ...others] = toFileMeasurements([
    row(),
    row({ count: 1, byteCount: 0, totalMs: 9, maxMs: 9, maxEndMs: 70 }, { errno: 5 }),
    row({ count: 3, byteCount: 0, totalMs: 1, maxMs: 1 }, { errno: 13 }),
  ], context);
  assert.deepEqual(others, []);
  const { buckets, ...rest } = measured ?? { buckets: [] };
  assert.equal(buckets[3], 6);
  assert.deepEqual(rest, {
    targetId: A,
    processId: 100,
    operation: "read",
    object: { kind: "path", path: "/x" },
    count: 6,
    errorCount: 4,
    errors: [{ errno: 13, name: "EACCES", count: 3 }, { errno: 5, name: "EIO", count: 1 }],
    byteCount: 10,
    totalMs: 14,
    maxMs: 9,
    maxEndWallMs: 1070,
  });
});

Deno.test("toFileMeasurements() keeps operations and processes apart, and leaves out what is nobody's or empty", () => {
  const measured = toFileMeasurements([
    row(),
    row({}, { operation: FILE_OPERATIONS.write }),
    row({}, { processId: 200 }),
    row({}, { targetSlot: 9 }),
    row({ count: 0 }, { processId: 300 }),
  ], context);
  assert.deepEqual(measured.map(({ processId, operation }) => `${processId} ${operation}`), [
    "100 read",
    "100 write",
    "200 read",
  ]);
});

Deno.test("toFileMeasurements() calls an error that was not told apart other", () => {
  const [measured] = toFileMeasurements([row({ count: 4 }, { errno: ERROR_OTHER, processId: 0 })], context);
  assert.deepEqual(measured?.errors, [{ errno: 0, name: "other", count: 4 }]);
});
