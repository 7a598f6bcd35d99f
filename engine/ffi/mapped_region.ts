/**
 * Kernel memory, mapped.
 *
 * @module
 */

import type { MapOptions, MemoryMapper } from "./libc.ts";

/**
 * Kernel memory mapped into this process, readable until disposal.
 *
 * Disposal detaches the buffer before it unmaps the pages: a reader that kept
 * a DataView, or goes through Atomics, gets a `TypeError` from its next read
 * instead of killing the process. Plain typed-array reads yield `undefined`.
 */
export class MappedRegion implements Disposable {
  readonly #mapper: MemoryMapper;
  readonly #pointer: Deno.PointerObject;
  readonly #buffer: ArrayBuffer;
  readonly #release: () => void;

  /** @throws {ForeignCallError} If the kernel refuses the mapping */
  constructor(mapper: MemoryMapper, fd: number, options: MapOptions) {
    this.#mapper = mapper;
    this.#pointer = mapper.map(fd, options);
    this.#release = mapper.registry(`mapping of ${options.lengthBytes} bytes`);
    // SAFETY: the mapping is `lengthBytes` long and outlives this buffer,
    // which disposal detaches first.
    this.#buffer = Deno.UnsafePointerView.getArrayBuffer(this.#pointer, options.lengthBytes);
  }

  /** `true` once disposed. */
  get isDetached(): boolean {
    return this.#buffer.detached;
  }

  /** The bytes from `offsetBytes` on; throws `TypeError` on reads after disposal. */
  view(offsetBytes = 0): DataView<ArrayBuffer> {
    return new DataView(this.#buffer, offsetBytes);
  }

  /** The same bytes for copying out; yields `undefined` after disposal. */
  bytes(offsetBytes = 0): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#buffer, offsetBytes);
  }

  /** 32-bit words, for record headers. */
  int32(offsetBytes = 0): Int32Array<ArrayBuffer> {
    return new Int32Array(this.#buffer, offsetBytes);
  }

  /** 64-bit words, for positions; touched by Atomics only, which throw after disposal. */
  bigInt64(offsetBytes = 0): BigInt64Array<ArrayBuffer> {
    return new BigInt64Array(this.#buffer, offsetBytes);
  }

  [Symbol.dispose](): void {
    if (this.#buffer.detached) return;
    const lengthBytes = this.#buffer.byteLength;
    this.#buffer.transfer(0);
    this.#release();
    this.#mapper.unmap(this.#pointer, lengthBytes);
  }
}
