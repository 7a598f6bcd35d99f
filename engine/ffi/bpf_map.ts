/**
 * BPF maps from user space.
 *
 * @module
 */

import { ERRNO } from "./errno.ts";
import { checkedReturn, ForeignCallError } from "./errors.ts";
import type { Libbpf, LibbpfSymbols } from "./libbpf.ts";

/** Map types of include/uapi/linux/bpf.h `enum bpf_map_type` that we tell apart. */
export const MAP_TYPE = {
  HASH: 1,
  ARRAY: 2,
  PERCPU_HASH: 5,
  PERCPU_ARRAY: 6,
  STACK_TRACE: 7,
  LRU_HASH: 9,
  LRU_PERCPU_HASH: 10,
  RINGBUF: 27,
  TASK_STORAGE: 29,
} as const;

/** Flags of `update`. */
export const MAP_UPDATE = { ANY: 0n, NO_EXIST: 1n, EXIST: 2n } as const;

const PER_CPU_TYPES: ReadonlySet<number> = new Set([
  MAP_TYPE.PERCPU_HASH,
  MAP_TYPE.PERCPU_ARRAY,
  MAP_TYPE.LRU_PERCPU_HASH,
]);

/** Where a batch stands: a u32 bucket for hashes, the key for arrays; no map of ours has a larger array key. */
const BATCH_CURSOR_BYTES_MIN = 8;
const BATCH_COUNT_DEFAULT = 256;
/** A batch grows until a whole hash bucket fits; a bucket longer than this is an attack on the hash. */
const BATCH_COUNT_MAX = 65_536;
/** Interrupted batches in a row before giving up. */
const BATCH_RETRIES_MAX = 16;

/** What a map is, as its object declares it. */
export interface BpfMapSpec {
  readonly name: string;
  readonly fd: number;
  readonly type: number;
  readonly keyBytes: number;
  /** Of one CPU's value, as declared. */
  readonly valueBytes: number;
  readonly maxEntries: number;
}

/**
 * Keys and values of one batch, `count` of each, at strides of `keyBytes` and
 * `valueStrideBytes * cpuCount`; valid only inside the call.
 */
export type BatchVisitor = (keys: DataView<ArrayBuffer>, values: DataView<ArrayBuffer>, count: number) => void;

interface BatchBuffers {
  readonly batchCount: number;
  readonly keys: DataView<ArrayBuffer>;
  readonly values: DataView<ArrayBuffer>;
}

/** A loaded map. It borrows its object's descriptor: use it no longer than the object. */
export class BpfMap {
  readonly name: string;
  readonly fd: number;
  readonly type: number;
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly maxEntries: number;
  /** Values per key: 1, or for per-CPU maps every CPU that may come online. */
  readonly cpuCount: number;
  /** From one CPU's value to the next. */
  readonly valueStrideBytes: number;
  /** Bytes of all values of one key, as lookups yield and updates expect them. */
  readonly entryValueBytes: number;
  readonly #symbols: LibbpfSymbols;
  readonly #count = new Uint32Array(1);
  #buffers: BatchBuffers | undefined;
  #hasBatch = true;

  constructor(library: Libbpf, spec: BpfMapSpec) {
    this.#symbols = library.symbols;
    this.name = spec.name;
    this.fd = spec.fd;
    this.type = spec.type;
    this.keyBytes = spec.keyBytes;
    this.valueBytes = spec.valueBytes;
    this.maxEntries = spec.maxEntries;
    const isPerCpu = PER_CPU_TYPES.has(spec.type);
    this.cpuCount = isPerCpu ? library.possibleCpuCount() : 1;
    // kernel/bpf/syscall.c bpf_map_value_size(): per-CPU values are rounded up to 8 each.
    this.valueStrideBytes = isPerCpu ? roundUpTo8(spec.valueBytes) : spec.valueBytes;
    this.entryValueBytes = this.valueStrideBytes * this.cpuCount;
  }

  /**
   * A copy of the value of `key`; of a per-CPU map the values of all CPUs, one every `valueStrideBytes`.
   *
   * @throws {ForeignCallError} For anything but an absent key
   */
  lookup(key: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
    this.#expectKey(key);
    const value = new Uint8Array(this.entryValueBytes);
    const result = this.#symbols.bpf_map_lookup_elem(this.fd, key, value);
    if (result === -ENOENT) return undefined;
    checkedReturn(result, "bpf_map_lookup_elem", this.name);
    return value;
  }

  /** @throws {ForeignCallError} E2BIG when the map is full */
  update(key: Uint8Array<ArrayBuffer>, value: Uint8Array<ArrayBuffer>, flags: bigint = MAP_UPDATE.ANY): void {
    this.#expectKey(key);
    if (value.byteLength !== this.entryValueBytes) {
      throw new RangeError(
        `Cannot update map ${this.name}: got a value of ${value.byteLength} bytes, wanted ${this.entryValueBytes}`,
      );
    }
    checkedReturn(this.#symbols.bpf_map_update_elem(this.fd, key, value, flags), "bpf_map_update_elem", this.name);
  }

  /** `true` if the key was there. @throws {ForeignCallError} For anything but an absent key */
  delete(key: Uint8Array<ArrayBuffer>): boolean {
    this.#expectKey(key);
    const result = this.#symbols.bpf_map_delete_elem(this.fd, key);
    if (result === -ENOENT) return false;
    checkedReturn(result, "bpf_map_delete_elem", this.name);
    return true;
  }

  /**
   * Shows every entry once, a batch at a time; entries that come and go
   * meanwhile may be shown or not. Falls back to a walk over the keys where
   * the kernel has no batches for this map type (before 5.6).
   *
   * The buffers are reused by the next call: do not call it from `visit`.
   *
   * @throws {ForeignCallError}
   */
  lookupBatch(visit: BatchVisitor, options: { batchCount?: number } = {}): void {
    for (const _step of this.lookupSteps(visit, options)) { /* each step shows a batch */ }
  }

  /**
   * As `lookupBatch`, but shows one batch per step, so that the caller may do
   * other things in between, the other reads of this map included. Where the
   * kernel has no batches everything is shown in one step.
   *
   * @throws {ForeignCallError}
   */
  *lookupSteps(visit: BatchVisitor, options: { batchCount?: number } = {}): Generator<void, void> {
    const wantedCount = Math.min(options.batchCount ?? BATCH_COUNT_DEFAULT, Math.max(this.maxEntries, 1));
    if (this.#hasBatch && (yield* this.#visitBatches(visit, wantedCount))) return;
    this.#hasBatch = false;
    this.#walk(visit, wantedCount);
    yield;
  }

  /**
   * Deletes the keys that lie one after another in `keys`; absent ones are fine. Yields how many were there.
   *
   * @throws {ForeignCallError}
   */
  deleteBatch(keys: Uint8Array<ArrayBuffer>): number {
    if (keys.byteLength % this.keyBytes !== 0) {
      throw new RangeError(
        `Cannot delete from map ${this.name}: got ${keys.byteLength} bytes of keys, wanted a multiple of ${this.keyBytes}`,
      );
    }
    let deletedCount = 0;
    let rest = keys;
    while (this.#hasBatch && rest.byteLength > 0) {
      this.#count[0] = rest.byteLength / this.keyBytes;
      const result = this.#symbols.bpf_map_delete_batch(this.fd, rest, this.#count, null);
      if (isUnsupported(result)) break;
      const doneCount = this.#count[0] ?? 0;
      deletedCount += doneCount;
      if (result === 0) return deletedCount;
      // kernel/bpf/syscall.c generic_map_delete_batch() stops at the first key that is absent.
      if (result !== -ENOENT) checkedReturn(result, "bpf_map_delete_batch", this.name);
      rest = rest.subarray((doneCount + 1) * this.keyBytes);
    }
    for (let at = 0; at < rest.byteLength; at += this.keyBytes) {
      if (this.delete(rest.subarray(at, at + this.keyBytes))) deletedCount++;
    }
    return deletedCount;
  }

  /** `false`: the kernel has no batches for this map, and nothing was shown. */
  *#visitBatches(visit: BatchVisitor, wantedCount: number): Generator<void, boolean> {
    let buffers = this.#ensureBuffers(wantedCount);
    const cursorBytes = Math.max(this.keyBytes, BATCH_CURSOR_BYTES_MIN);
    let [next, previous] = [new Uint8Array(cursorBytes), new Uint8Array(cursorBytes)];
    let isFirst = true;
    let retryCount = 0;
    while (true) {
      this.#count[0] = buffers.batchCount;
      const result = this.#symbols.bpf_map_lookup_batch(
        this.fd,
        isFirst ? null : previous,
        next,
        buffers.keys,
        buffers.values,
        this.#count,
        null,
      );
      if (isFirst && isUnsupported(result)) return false;
      if (result === -ENOSPC && buffers.batchCount < BATCH_COUNT_MAX) {
        // __htab_map_lookup_and_delete_batch(): one bucket holds more than the batch.
        buffers = this.#ensureBuffers(buffers.batchCount * 2);
        continue;
      }
      if (result === -EINTR && ++retryCount <= BATCH_RETRIES_MAX) continue;
      if (result !== 0 && result !== -ENOENT) checkedReturn(result, "bpf_map_lookup_batch", this.name);
      retryCount = 0;
      const count = this.#count[0] ?? 0;
      if (count > 0) visit(buffers.keys, buffers.values, count);
      if (result === -ENOENT) return true;
      isFirst = false;
      [next, previous] = [previous, next];
      yield;
      buffers = this.#ensureBuffers(buffers.batchCount); // another read may have grown them
    }
  }

  /** Shows every entry by asking key after key; a key deleted meanwhile may restart the walk, so it is bounded. */
  #walk(visit: BatchVisitor, wantedCount: number): void {
    const { keys, values, batchCount } = this.#ensureBuffers(wantedCount);
    let key: Uint8Array<ArrayBuffer> | null = null;
    let count = 0;
    for (let stepCount = 0; stepCount < this.maxEntries; stepCount++) {
      const nextKey = new Uint8Array(this.keyBytes);
      const result = this.#symbols.bpf_map_get_next_key(this.fd, key, nextKey);
      if (result === -ENOENT) break;
      checkedReturn(result, "bpf_map_get_next_key", this.name);
      key = nextKey;
      const value = this.lookup(nextKey);
      if (value === undefined) continue;
      new Uint8Array(keys.buffer).set(nextKey, count * this.keyBytes);
      new Uint8Array(values.buffer).set(value, count * this.entryValueBytes);
      count++;
      if (count < batchCount) continue;
      visit(keys, values, count);
      count = 0;
    }
    if (count > 0) visit(keys, values, count);
  }

  #ensureBuffers(wantedCount: number): BatchBuffers {
    if (this.#buffers !== undefined && this.#buffers.batchCount >= wantedCount) return this.#buffers;
    const buffers: BatchBuffers = {
      batchCount: wantedCount,
      keys: new DataView(new ArrayBuffer(wantedCount * this.keyBytes)),
      values: new DataView(new ArrayBuffer(wantedCount * this.entryValueBytes)),
    };
    this.#buffers = buffers;
    return buffers;
  }

  #expectKey(key: Uint8Array<ArrayBuffer>): void {
    if (key.byteLength === this.keyBytes) return;
    throw new RangeError(
      `Cannot use a key of map ${this.name}: got ${key.byteLength} bytes, wanted ${this.keyBytes}`,
    );
  }
}

const { ENOENT, ENOSPC, EINTR } = ERRNO;

function isUnsupported(result: number): boolean {
  return result === -ERRNO.ENOTSUPP || result === -ERRNO.EOPNOTSUPP || result === -ERRNO.EINVAL;
}

function roundUpTo8(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/** `true` when `error` says the map has no room for another key. */
export function isMapFull(error: unknown): boolean {
  return error instanceof ForeignCallError && error.symbol === "bpf_map_update_elem" && error.errno === ERRNO.E2BIG;
}
