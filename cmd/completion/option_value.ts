/**
 * What kind of value an option takes (pure).
 *
 * @module
 */

import type { OptionWords } from "../options.ts";

/** Yields whether an option's value is a file's path, as its name in help says. */
export function isPath({ valueName }: OptionWords): boolean {
  return valueName === "PATH" || valueName === "FILE";
}
