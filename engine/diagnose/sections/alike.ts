/**
 * Many processes of one name as one line.
 *
 * @module
 */

import { groupBy } from "../facts.ts";
import { formatCount } from "../format.ts";

/** So many of one name are one line. */
const ALIKE_MIN = 3;

/** Processes of one name, or one process; in order of first appearance. */
export interface AlikeProcesses<Row> {
  /** "shop (100)", or "worker, 12 processes". */
  readonly label: string;
  readonly rows: readonly Row[];
}

/** Yields the rows, those of a name that `ALIKE_MIN` or more share together. */
export function groupAlike<Row extends { readonly pid: number; readonly name: string }>(
  rows: readonly Row[],
): readonly AlikeProcesses<Row>[] {
  const names = groupBy(rows, (row) => row.name);
  return Array.from(
    names,
    ([name, alike]) =>
      alike.length < ALIKE_MIN
        ? alike.map((row) => ({ label: `${row.name} (${row.pid})`, rows: [row] }))
        : [{ label: `${name}, ${formatCount(alike.length, "process", "processes")}`, rows: alike }],
  ).flat();
}
