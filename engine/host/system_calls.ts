/**
 * Names of system calls by number.
 *
 * @module
 */

import { SYSTEM_CALLS_AARCH64, SYSTEM_CALLS_X86_64 } from "./generated/system_calls.ts";

/** As `Deno.build.arch` spells them. */
export type Architecture = "x86_64" | "aarch64";

const TABLES: Readonly<Record<Architecture, Readonly<Record<number, string>>>> = {
  x86_64: SYSTEM_CALLS_X86_64,
  aarch64: SYSTEM_CALLS_AARCH64,
};

/** Yields "futex" for 202 on x86-64; `undefined` for a number that was not given out when the table was made. */
export function systemCallName(systemCall: number, architecture: Architecture): string | undefined {
  const table = TABLES[architecture];
  return Object.hasOwn(table, systemCall) ? table[systemCall] : undefined;
}
