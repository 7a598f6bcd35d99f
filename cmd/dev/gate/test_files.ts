/**
 * Which files hold tests.
 *
 * @module
 */

import { ROOT } from "./steps.ts";

/** Folders that hold no source of ours. */
const FOREIGN_FOLDERS: ReadonlySet<string> = new Set([".git", "coverage", "dist", "node_modules"]);

/** Yields every test file below `folder`, which is empty for the root or ends with a slash; relative to the root. */
export function* testFiles(folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(`${ROOT}${folder}`)) {
    const path = `${folder}${entry.name}`;
    if (entry.isDirectory && !FOREIGN_FOLDERS.has(entry.name)) yield* testFiles(`${path}/`);
    else if (entry.isFile && entry.name.endsWith("_test.ts")) yield path;
  }
}
