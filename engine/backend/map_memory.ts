/**
 * What our maps take in the kernel, as the kernel accounts for it.
 *
 * @module
 */

import type { BpfObject } from "../ffi/bpf_object.ts";
import type { ProcFs } from "../host/procfs.ts";

/** Yields bytes; maps whose accounting cannot be read count as 0. */
export function mapMemoryBytes(object: BpfObject, procFs: ProcFs): number {
  let total = 0;
  for (const name of object.mapNames()) {
    const map = object.findMap(name);
    if (map !== undefined) total += procFs.mapMemoryBytes(map.fd) ?? 0;
  }
  return total;
}
