/**
 * Why a file that somebody named could not be made, in words.
 *
 * @module
 */

import { dirname } from "node:path";

/** Yields the reason alone: 'there is no directory "/none"', "permission denied", "No space left on device (os error 28)". */
export function describeFileProblem(error: Error, path: string): string {
  if (error instanceof Deno.errors.NotFound) {
    const directory = dirname(path);
    // The file systems of the kernel answer "not found" to whoever would make a file in them.
    return isDirectory(directory)
      ? `no files can be made in ${JSON.stringify(directory)}`
      : `there is no directory ${JSON.stringify(directory)}`;
  }
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  // "No space left on device (os error 28): rename …": the part before the colon says it.
  return error.message.split(": ")[0] ?? error.message;
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false; // whatever hides it: nobody could make a file there
  }
}
