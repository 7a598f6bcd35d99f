/**
 * What reading a file from elsewhere may end in.
 *
 * @module
 */

/** The bytes are not what their format says. */
export class MalformedInputError extends Error {
  override readonly name = "MalformedInputError";
  readonly format: "btf" | "elf";

  constructor(format: "btf" | "elf", message: string) {
    super(`Cannot read ${format.toUpperCase()}: ${message}`);
    this.format = format;
  }
}

/** A struct or enum that the layout's rules forbid; every problem names its field. */
export class UnrepresentableLayoutError extends Error {
  override readonly name = "UnrepresentableLayoutError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`Cannot represent the layout: ${problems.join("; ")}`);
    this.problems = problems;
  }
}
