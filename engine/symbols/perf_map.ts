/**
 * Names of code that a language's runtime made while it ran, from the file it
 * writes them to (`/tmp/perf-PID.map`): lines of "START SIZE NAME", both in
 * hexadecimal, a later line in place of an earlier one.
 *
 * @module
 */

import { lastAtOrBelow } from "./function_table.ts";

/** Functions kept of one process. */
export const PERF_MAP_FUNCTIONS_MAX = 1 << 18;

/** A name longer than this is cut. */
const NAME_LENGTH_MAX = 256;

/** Functions before the last one below an address that are looked at: code moves, and old lines stay. */
const OVERLAPS_MAX = 16;

/** User addresses end here, on x86-64 and arm64: numbers hold them exactly. */
const ADDRESS_MAX = 2 ** 52;

/** What is known of the code one runtime made. Grows with its file; never shrinks. */
export class PerfMap {
  /** In the order of their lines. */
  readonly #starts: number[] = [];
  readonly #sizes: number[] = [];
  readonly #names: string[] = [];
  /** Where a line was cut by the end of what was read. */
  #tail = "";
  /** Sorted starts, and whose each is; `undefined`: lines were added since. */
  #sorted: { starts: Float64Array; order: Uint32Array } | undefined;
  #refusedCount = 0;

  /** Functions in it, replaced ones included. */
  get count(): number {
    return this.#starts.length;
  }

  /** Lines that were no function, or had no room. */
  get refusedCount(): number {
    return this.#refusedCount;
  }

  /** Takes the next part of the file in. */
  append(text: string): void {
    const lines = (this.#tail + text).split("\n");
    this.#tail = (lines.pop() ?? "").slice(0, 2 * NAME_LENGTH_MAX);
    for (const line of lines) this.#add(line);
    this.#sorted = undefined;
  }

  /** Yields the newest function that covers `address`; its name is not sanitised. */
  at(address: bigint): { readonly name: string; readonly offset: number } | undefined {
    const place = Number(address);
    if (!(place < ADDRESS_MAX) || this.#starts.length === 0) return undefined;
    const { starts, order } = this.#sorted ??= this.#sort();
    const last = lastAtOrBelow(place, starts);
    let newest = -1;
    for (let index = last; index >= 0 && index > last - OVERLAPS_MAX; index--) {
      const line = order[index] ?? 0;
      if (line > newest && place < (this.#starts[line] ?? 0) + (this.#sizes[line] ?? 0)) newest = line;
    }
    const name = this.#names[newest];
    return name === undefined ? undefined : { name, offset: place - (this.#starts[newest] ?? 0) };
  }

  #add(line: string): void {
    const match = /^(?:0x)?([0-9a-f]{1,13}) (?:0x)?([0-9a-f]{1,8}) (.+)$/i.exec(line);
    if (match === null || this.#starts.length >= PERF_MAP_FUNCTIONS_MAX) {
      if (line !== "") this.#refusedCount++;
      return;
    }
    this.#starts.push(parseInt(match[1] ?? "", 16));
    this.#sizes.push(parseInt(match[2] ?? "", 16));
    this.#names.push((match[3] ?? "").slice(0, NAME_LENGTH_MAX));
  }

  #sort(): { starts: Float64Array; order: Uint32Array } {
    const order = Uint32Array.from(this.#starts.keys());
    order.sort((left, right) => (this.#starts[left] ?? 0) - (this.#starts[right] ?? 0) || left - right);
    return { starts: Float64Array.from(order, (line) => this.#starts[line] ?? 0), order };
  }
}
