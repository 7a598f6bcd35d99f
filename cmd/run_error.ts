/**
 * What kept a run from doing its work and is neither the command line's fault
 * nor the engine's: a file, a command, an output.
 *
 * @module
 */

/** Message grammar: "Cannot <do> <what>: <found>, <wanted>". */
export class RunError extends Error {
  override readonly name = "RunError";
}
