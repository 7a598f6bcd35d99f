/**
 * User space's side of the filter in front of a table (bpf/include/pt_filter.h):
 * the programs count the rows of each address hash, and what user space takes
 * out it counts in a table of its own, so that both together are exact.
 *
 * @module
 */

import type { KernelTable } from "./kernel_access.ts";

/** As `PT_FILTER_BITS`. */
export const FILTER_BITS = 15;

/** Yields the hash that the programs have for a kernel address. */
export function addressHash(address: bigint): number {
  return Math.imul(Number(BigInt.asUintN(32, address)), 0x9e37_79b1) >>> (32 - FILTER_BITS);
}

/** Takes rows out of a table that has a filter; its keys are addresses. */
export class FilteredRemoval {
  readonly #table: Pick<KernelTable, "delete">;
  readonly #removed: Pick<KernelTable, "update">;
  /** What `removed` holds: nobody else writes it. */
  readonly #counts = new Uint32Array(1 << FILTER_BITS);

  /** @param removed by hash: how many rows were taken out so far */
  constructor(table: Pick<KernelTable, "delete">, removed: Pick<KernelTable, "update">) {
    this.#table = table;
    this.#removed = removed;
  }

  /**
   * Deletes the keys that lie one after another in `keys`; absent ones are fine.
   *
   * A row counts once it is gone, and only if it was ours to delete: the programs
   * may have been faster, and count theirs. The other way round a row could be
   * there and be taken for none. Key 0, the row for many, was never in the filter.
   *
   * @throws {ForeignCallError}
   */
  deleteBatch(keys: Uint8Array<ArrayBuffer>): void {
    const addresses = new DataView(keys.buffer, keys.byteOffset, keys.byteLength);
    for (let at = 0; at < keys.byteLength; at += 8) {
      const address = addresses.getBigUint64(at, true);
      if (!this.#table.delete(keys.slice(at, at + 8)) || address === 0n) continue;
      const hash = addressHash(address);
      const count = (this.#counts[hash] ?? 0) + 1;
      this.#counts[hash] = count;
      this.#removed.update(u32(hash), u32(count));
    }
  }
}

function u32(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Uint32Array([value]).buffer);
}
