/**
 * The one error of the foreign boundary.
 *
 * @module
 */

import { errnoName } from "./errno.ts";

/** A foreign function said no. Message grammar: "Cannot call <symbol>: <errno>, <detail>". */
export class ForeignCallError extends Error {
  override readonly name = "ForeignCallError";
  /** The C function that failed. */
  readonly symbol: string;
  /** Positive; from 4000 up it is libbpf's own. */
  readonly errno: number;
  /** "EPERM". */
  readonly errnoName: string;

  constructor(symbol: string, errno: number, options: ErrorOptions & { detail?: string } = {}) {
    const name = errnoName(errno);
    super(`Cannot call ${symbol}: got ${name} (${errno})${options.detail ? `, ${options.detail}` : ""}`, options);
    this.symbol = symbol;
    this.errno = errno;
    this.errnoName = name;
  }
}

/** `result`, unless it is a negative error number. For functions that return the code itself. */
export function checkedReturn(result: number, symbol: string, detail?: string): number {
  if (result < 0) throw new ForeignCallError(symbol, -result, detail === undefined ? {} : { detail });
  return result;
}
