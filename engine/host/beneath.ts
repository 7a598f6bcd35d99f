/**
 * Paths below a root: no part of a path may lead out of the directory it is
 * joined to, neither by its spelling nor by a symbolic link on the way.
 *
 * @module
 */

import { EngineError } from "../api/errors.ts";
import { sanitizeText } from "../api/text.ts";
import { lstatEntry } from "./host_files.ts";

/**
 * Splits `relativePath` into the components that may be joined to a root.
 * Repeated and trailing slashes and "." vanish; `[]` stands for the root.
 *
 * @throws {EngineError} `target_refused` for "..", an absolute path or a NUL
 */
export function splitBeneath(relativePath: string): readonly string[] {
  if (relativePath.startsWith("/")) throw refused(relativePath, "it is absolute");
  if (relativePath.includes("\0")) throw refused(relativePath, "it contains a NUL");
  const components = relativePath.split("/").filter((component) => component !== "" && component !== ".");
  if (components.includes("..")) throw refused(relativePath, 'it contains ".."');
  return components;
}

/**
 * Joins by spelling alone; use it for names that this program made or that
 * come from a directory listing.
 *
 * @throws {EngineError} `target_refused` as `splitBeneath` does
 */
export function joinBeneath(root: string, relativePath: string): string {
  return [root === "/" ? "" : root, ...splitBeneath(relativePath)].join("/") || "/";
}

/**
 * Joins and looks: every component below `root` must be there and must be a
 * directory itself, not a link to one. A trailing slash makes no difference:
 * components are looked at one by one, without it.
 *
 * Yields `undefined` when the path does not exist.
 *
 * @throws {EngineError} `target_refused` as `splitBeneath` does, and for a symbolic link or a file on the way
 */
export function resolveDirectoryBeneath(root: string, relativePath: string): string | undefined {
  let path = root === "/" ? "" : root;
  for (const component of splitBeneath(relativePath)) {
    path = `${path}/${component}`;
    const entry = lstatEntry(path);
    if (entry === undefined) return undefined;
    if (entry.kind === "symlink") throw refused(relativePath, `"${sanitizeText(component)}" is a symbolic link`);
    if (entry.kind !== "directory") throw refused(relativePath, `"${sanitizeText(component)}" is not a directory`);
  }
  return path || "/";
}

function refused(path: string, found: string): EngineError {
  return new EngineError(
    "target_refused",
    `Cannot use the path "${sanitizeText(path)}": ${found}, wanted plain directory names below the root`,
  );
}
