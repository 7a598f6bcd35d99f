/**
 * What the maps take in the kernel: as loaded here, and on a machine of 128 CPUs.
 *
 * @module
 */

import { readBpfObjectFile } from "../../../engine/backend/build_files.ts";
import { mapMemoryBytes } from "../../../engine/backend/map_memory.ts";
import type { BpfMap } from "../../../engine/ffi/bpf_map.ts";
import { BpfObject } from "../../../engine/ffi/bpf_object.ts";
import { openLibbpf } from "../../../engine/ffi/libbpf.ts";
import { openLibc } from "../../../engine/ffi/libc.ts";
import { openHostView } from "../../../engine/mod.ts";
import { type Figure, formatValue } from "./figure.ts";

const CPUS = 128;
const BYTES_MAX = 64 * 1024 * 1024;

/** The model has to agree this well with what the kernel says of the maps it holds. */
const DISAGREEMENT_MAX = 0.02;

const MEBIBYTE = 1024 * 1024;

/** include/uapi/linux/bpf.h `enum bpf_map_type`. */
const MAP_TYPE = {
  hash: 1,
  array: 2,
  perCpuHash: 5,
  perCpuArray: 6,
  stackTrace: 7,
  lruHash: 9,
  ringBuffer: 27,
} as const;

/** A map as it is declared. */
export type MapShape = Pick<BpfMap, "type" | "keyBytes" | "valueBytes" | "maxEntries">;

/** `struct htab_elem` before key and value, and `struct bucket`; kernel/bpf/hashtab.c. */
const HASH_ELEMENT_BYTES = 48;
const HASH_BUCKET_BYTES = 16;
const POINTER_BYTES = 8;
const PAGE_BYTES = 4096;

/**
 * Yields what the kernel takes for a map of that shape on a machine of
 * `cpuCount` CPUs, by the formulas of its own accounting (`htab_map_mem_usage`,
 * `array_map_mem_usage`, `ringbuf_map_mem_usage`, `stack_map_mem_usage`), less
 * a few hundred bytes of fixed size.
 */
export function modelMapBytes(map: MapShape, cpuCount: number): number {
  const { keyBytes, valueBytes, maxEntries } = map;
  const slot = roundUp(valueBytes, 8);
  switch (map.type) {
    case MAP_TYPE.hash:
    case MAP_TYPE.lruHash: {
      const element = HASH_ELEMENT_BYTES + roundUp(keyBytes, 8) + slot;
      // One spare element a CPU, so that an update of a full table can replace before it frees.
      const spares = map.type === MAP_TYPE.hash ? cpuCount * (element + POINTER_BYTES) : 0;
      return maxEntries * element + spares + powerOfTwo(maxEntries) * HASH_BUCKET_BYTES;
    }
    case MAP_TYPE.perCpuHash: {
      const element = HASH_ELEMENT_BYTES + roundUp(keyBytes, 8) + POINTER_BYTES;
      return maxEntries * (element + slot * cpuCount) + powerOfTwo(maxEntries) * HASH_BUCKET_BYTES;
    }
    case MAP_TYPE.perCpuArray:
      return maxEntries * (POINTER_BYTES + slot * cpuCount);
    case MAP_TYPE.stackTrace:
      return powerOfTwo(maxEntries) * (POINTER_BYTES + 16 + slot);
    case MAP_TYPE.ringBuffer:
      return maxEntries + 3 * PAGE_BYTES;
    default:
      return maxEntries * slot;
  }
}

function roundUp(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}

function powerOfTwo(value: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(value, 1)));
}

/** Loads every map of every plane once, without a program. @throws {ForeignCallError} If the kernel refuses */
export async function measureMapMemory(): Promise<readonly Figure[]> {
  const bytes = await readBpfObjectFile();
  using libc = openLibc();
  using library = openLibbpf(libc);
  using object = BpfObject.open(library, bytes, { name: "podtrace" });
  for (const program of object.programs) program.setAutoload(false);
  object.load();
  const maps = object.mapNames().map((name) => object.map(name));
  const cpuCount = countPossibleCpus(await Deno.readTextFile("/sys/devices/system/cpu/possible"));
  return [toMapMemoryFigure(maps, { cpuCount, loadedBytes: mapMemoryBytes(object, openHostView().procFs) })];
}

/** Yields the figure; a model that disagrees with the kernel proves nothing. */
export function toMapMemoryFigure(
  maps: readonly MapShape[],
  here: { readonly cpuCount: number; readonly loadedBytes: number },
): Figure {
  const modelBytes = (cpuCount: number): number => maps.reduce((sum, map) => sum + modelMapBytes(map, cpuCount), 0);
  const ratio = modelBytes(here.cpuCount) / here.loadedBytes;
  const bytes = modelBytes(CPUS) / ratio;
  const isModelRight = Math.abs(ratio - 1) <= DISAGREEMENT_MAX;
  return {
    name: `map memory on ${CPUS} CPUs`,
    value: bytes / MEBIBYTE,
    unit: "MiB",
    target: `at most ${BYTES_MAX / MEBIBYTE}`,
    verdict: isModelRight && bytes <= BYTES_MAX ? "PASS" : "FAIL",
    spread:
      `here, on ${here.cpuCount} CPUs, ${formatValue(here.loadedBytes / MEBIBYTE)} MiB as the kernel accounts for ` +
      `${maps.length} loaded maps; the model says ${formatValue(ratio * 100)} % of that`,
    how: "computed from the declared maps by the kernel's own accounting formulas, scaled to what the kernel says here",
  };
}

/** Yields how many CPUs a list like "0-3,8" names. */
export function countPossibleCpus(list: string): number {
  return list.trim().split(",").reduce((count, range) => {
    const [first = NaN, last = first] = range.split("-").map(Number);
    return count + last - first + 1;
  }, 0);
}
