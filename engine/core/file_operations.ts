/**
 * From the numbers of `pt_file_operation` to their names. Pure.
 *
 * @module
 */

import { FILE_OPERATIONS, type FileOperation } from "../api/file_measurements.ts";
import { invariant } from "./invariant.ts";

const NAMES: ReadonlyMap<number, FileOperation> = new Map(
  // Object.entries widens the keys of a constant table to string.
  Object.entries(FILE_OPERATIONS).map(([name, number]) => [number, name as FileOperation]),
);

/** Yields the operation's name; the layout check at start has compared the two tables. */
export function toFileOperation(number: number): FileOperation {
  const name = NAMES.get(number);
  invariant(name !== undefined, `Expected an operation of pt_file_operation, got ${number}`);
  return name;
}
