/**
 * Secrets as values that cannot be printed by accident.
 *
 * @module
 */

const REDACTED = "***";

/**
 * A secret: prints, inspects and serialises as `***`; only {@linkcode Redacted.reveal}
 * yields it, and only the code that sends it calls that.
 *
 * @example
 * ```ts
 * import { Redacted } from "./redacted.ts";
 * console.assert(JSON.stringify({ token: new Redacted("hunter2") }) === '{"token":"***"}');
 * ```
 */
export class Redacted {
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** Yields the secret itself. */
  reveal(): string {
    return this.#secret;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [Symbol.for("Deno.customInspect")](): string {
    return REDACTED;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return REDACTED;
  }
}
