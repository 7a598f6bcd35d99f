/**
 * Code that nothing is known of.
 *
 * @module
 */

import type { StackFrame } from "./measurements.ts";

/** Yields the frame of code at `address` that belongs to no file: "0x" and the address. */
export function unnamedFrame(address: bigint): StackFrame {
  return {
    text: `0x${address.toString(16)}`,
    function: undefined,
    offset: undefined,
    module: undefined,
    buildId: undefined,
    isResolved: false,
  };
}
