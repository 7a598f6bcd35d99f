/**
 * A command line that asks for something that cannot be: the user's to fix,
 * answered with one line and exit code 2 before anything is attached.
 *
 * @module
 */

/** Message grammar: "Cannot <do> <what>: <found>, <wanted>". */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
