/**
 * Operations on files, one by one through the system calls: only while the
 * plane "files" is asked for. Waits for disks are in the time plane whether or
 * not it is.
 *
 * @module
 */

import type { WaitObject } from "./measurements.ts";
import type { TargetId } from "./units.ts";

/** What can be done with a file; numbers are `pt_file_operation`. */
export const FILE_OPERATIONS = {
  open: 1,
  read: 2,
  write: 3,
  sync: 4, // fsync, fdatasync, sync_file_range
  close: 5,
  unlink: 6, // and rmdir
  rename: 7,
  exec: 8, // failed ones only: one that succeeds is a process event
} as const;

/** One of them by name. */
export type FileOperation = keyof typeof FILE_OPERATIONS;

/** How often an operation failed in one way. */
export interface FileErrorCount {
  /** As errno(3) numbers it; 0: errors beyond those told apart. */
  readonly errno: number;
  /** "ENOENT"; "other" for 0. */
  readonly name: string;
  /** Operations that failed with it. */
  readonly count: number;
}

/**
 * All operations of one kind of one process on one file. Operations that failed
 * before there was a file are under the path as it was given.
 */
export interface FileMeasurement {
  /** Whose operations they are. */
  readonly targetId: TargetId;
  /** Who did them; 0: processes that could not be told apart any more. */
  readonly processId: number;
  /** What was done. */
  readonly operation: FileOperation;
  /** `file`: the file; `path`: as given to a call that failed; `none`: not told apart. */
  readonly object: WaitObject;
  /** Calls, failed ones included. */
  readonly count: number;
  /** Calls that failed. */
  readonly errorCount: number;
  /** By errno, most first. */
  readonly errors: readonly FileErrorCount[];
  /** Read or written. */
  readonly byteCount: number;
  /** Time from call to return, of all of them. */
  readonly totalMs: number;
  /** The longest. */
  readonly maxMs: number;
  /** Unix time at which the longest one returned. */
  readonly maxEndWallMs: number;
  /** `HISTOGRAM_BUCKET_COUNT` counts: bucket n holds calls of [2^n, 2^(n+1)) microseconds, bucket 0 also shorter ones. */
  readonly buckets: readonly number[];
}
