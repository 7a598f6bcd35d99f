/**
 * Reads a BPF ring buffer through one mapping, without a call, a callback into
 * JavaScript, or an allocation per record.
 *
 * Layout of the mapping (kernel/bpf/ringbuf.c `struct bpf_ringbuf`): one page
 * with the consumer position, writable; one page with the producer position;
 * the data, twice in a row, so that a record never wraps.
 *
 * @module
 */

import { EngineError } from "../api/errors.ts";
import type { MemoryMapper } from "../ffi/libc.ts";
import { MappedRegion } from "../ffi/mapped_region.ts";

/** `struct bpf_ringbuf_hdr { u32 len; u32 pg_off; }` before each record. */
const HEADER_BYTES = 8;
/** BPF_RINGBUF_BUSY_BIT is the sign: reserved, not yet submitted. */
const DISCARD_BIT = 0x4000_0000;
const LENGTH_MASK = 0x3fff_ffff;

/** Records between two looks at the clock, which takes up to 400 ns; 1024 decoded records take some 150 us. */
const TIME_CHECK_RECORDS = 1024;

/** The memory of a ring, as the reader sees it; tests build their own. */
export interface RingMemory {
  /** A power of two. */
  readonly ringBytes: number;
  /** One position; ours to write. */
  readonly consumer: BigInt64Array<ArrayBuffer>;
  /** One position; the kernel's. */
  readonly producer: BigInt64Array<ArrayBuffer>;
  /** Headers: `ringBytes * 2` bytes, the second half the same memory as the first. */
  readonly headers: Int32Array<ArrayBuffer>;
  /** The same bytes, for decoders. */
  readonly view: DataView<ArrayBuffer>;
  /** The same bytes, for copying out. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Where one record's data lies in `RingReader.view`; valid only inside the call. */
export type RecordVisitor = (offsetBytes: number, lengthBytes: number) => void;

/** What one drain did. */
export interface DrainOutcome {
  /** Records visited; discarded ones are not counted. */
  readonly recordCount: number;
  /** Ring space given back, headers included. */
  readonly byteCount: number;
  /** Stopped by a bound; more can be read at once. */
  readonly more: boolean;
}

/** How much one drain may do. */
export interface DrainOptions {
  readonly recordsMax: number;
  /** Asked every 1024 records; `false` ends the drain. */
  hasTime?(): boolean;
}

/** What one drain may see. */
interface Span {
  /** In the ring. */
  readonly beginOffset: number;
  readonly lengthBytes: number;
}

/** The one reader of a ring. */
export class RingReader implements Disposable {
  /** Record data for generated decoders: 8-byte aligned, little endian, throws once disposed. */
  readonly view: DataView<ArrayBuffer>;
  /** The same bytes, for copying texts out. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly ringBytes: number;
  readonly #memory: RingMemory;
  readonly #release: () => void;
  readonly #readHeader: (headers: Int32Array<ArrayBuffer>, index: number) => number | undefined;
  #position: number;
  /** Visited and not given back yet. */
  #doneBytes = 0;
  /** It met a record that is still being written. */
  #isBusy = false;

  /**
   * @param options.isOrderedMachine whether loads stay in program order by
   *   themselves, as on x86-64; elsewhere headers are read through Atomics
   */
  constructor(memory: RingMemory, options: { isOrderedMachine: boolean; release?: () => void }) {
    this.#memory = memory;
    this.#release = options.release ?? (() => {});
    this.#readHeader = options.isOrderedMachine ? readPlain : readOrdered;
    this.ringBytes = memory.ringBytes;
    this.view = memory.view;
    this.bytes = memory.bytes;
    this.#position = Number(Atomics.load(memory.consumer, 0));
  }

  /** Bytes waiting to be read, records still being written included. @throws {TypeError} Once disposed */
  fillBytes(): number {
    return Number(Atomics.load(this.#memory.producer, 0)) - this.#position - this.#doneBytes;
  }

  /**
   * Visits finished records, oldest first, until a bound, the end, or a record
   * that is still being written. Space is given back once, at the end; a
   * visitor that throws ends the drain after its record, and what was visited
   * until then is given back by the next one: a `finally` here would put the
   * compiler's copy of the hot loop into a try block, a quarter slower (measured).
   *
   * @throws {EngineError} `ring_corrupt` when positions or lengths make no sense
   * @throws {TypeError} Once disposed
   */
  drain(visit: RecordVisitor, options: DrainOptions): DrainOutcome {
    const { ringBytes } = this.#memory;
    const { recordsMax, hasTime } = options;
    this.#giveBack();
    const begin = this.#position;
    // Pairs with smp_store_release(&rb->producer_pos) in __bpf_ringbuf_reserve():
    // every header up to here is at least marked busy.
    const end = Number(Atomics.load(this.#memory.producer, 0));
    if (!(end >= begin && end - begin <= ringBytes)) throw corruptPositions(begin, { end, ringBytes });
    const span = { beginOffset: begin % ringBytes, lengthBytes: end - begin };
    this.#isBusy = false;
    let recordCount = 0;
    while (this.#doneBytes < span.lengthBytes && recordCount < recordsMax) {
      recordCount += this.#visitSome(visit, {
        span,
        recordsMax: Math.min(recordsMax - recordCount, TIME_CHECK_RECORDS),
      });
      if (this.#isBusy || hasTime?.() === false) break;
    }
    const byteCount = this.#doneBytes;
    this.#giveBack();
    return { recordCount, byteCount, more: !this.#isBusy && byteCount < span.lengthBytes };
  }

  /**
   * The hot loop; small, so that the compiler takes the visitor into it. Works
   * on small integers: bytes of `span`, not positions. Yields the records visited.
   */
  #visitSome(visit: RecordVisitor, options: { span: Span; recordsMax: number }): number {
    const { headers, ringBytes } = this.#memory;
    const { span: { beginOffset, lengthBytes: endBytes }, recordsMax } = options;
    const readHeader = this.#readHeader;
    let doneBytes = this.#doneBytes;
    let recordCount = 0;
    while (doneBytes < endBytes && recordCount < recordsMax) {
      const offset = (beginOffset + doneBytes) & (ringBytes - 1);
      const header = readHeader(headers, offset >> 2);
      if (header === undefined) throw new TypeError("Cannot read the ring: it was disposed while being drained");
      if (header < 0) {
        this.#isBusy = true;
        break;
      }
      const lengthBytes = header & LENGTH_MASK;
      const spanBytes = (lengthBytes + HEADER_BYTES + 7) & ~7;
      if (spanBytes > endBytes - doneBytes) {
        throw corruptLength(this.#position + doneBytes, { lengthBytes, end: this.#position + endBytes });
      }
      doneBytes += spanBytes;
      this.#doneBytes = doneBytes;
      if ((header & DISCARD_BIT) !== 0) continue;
      recordCount++;
      visit(offset + HEADER_BYTES, lengthBytes);
    }
    return recordCount;
  }

  #giveBack(): void {
    if (this.#doneBytes === 0 || this.view.buffer.detached) return;
    this.#position += this.#doneBytes;
    // Pairs with smp_load_acquire(&rb->consumer_pos) in
    // __bpf_ringbuf_reserve(): all reads above are done before the kernel writes there again.
    Atomics.store(this.#memory.consumer, 0, BigInt(this.#position));
    this.#doneBytes = 0;
  }

  /** Detaches every view, then unmaps. */
  [Symbol.dispose](): void {
    this.#release();
  }
}

/** x86-64 keeps loads in order: the header cannot be older than the producer position read before it. */
function readPlain(headers: Int32Array<ArrayBuffer>, index: number): number | undefined {
  return headers[index];
}

/** Pairs with xchg(&hdr->len) in bpf_ringbuf_commit(): data read later is not older than the header. */
function readOrdered(headers: Int32Array<ArrayBuffer>, index: number): number {
  return Atomics.load(headers, index);
}

function corruptPositions(begin: number, found: { end: number; ringBytes: number }): EngineError {
  return new EngineError(
    "ring_corrupt",
    `Cannot read the ring: found the producer at ${found.end}, ` +
      `wanted it at most ${found.ringBytes} bytes past the consumer at ${begin}`,
  );
}

function corruptLength(position: number, found: { lengthBytes: number; end: number }): EngineError {
  return new EngineError(
    "ring_corrupt",
    `Cannot read the ring: found a record of ${found.lengthBytes} bytes at ${position}, ` +
      `wanted it to end by ${found.end}`,
  );
}

/** What opening a ring needs of the C library. */
export interface RingMapper extends MemoryMapper {
  pageBytes(): number;
}

/**
 * Maps the ring behind `map`; there may be no other reader of it. Dispose it before its object.
 *
 * @throws {ForeignCallError} If the kernel refuses the mapping
 */
export function openRing(mapper: RingMapper, map: { readonly fd: number; readonly maxEntries: number }): RingReader {
  const pageBytes = mapper.pageBytes();
  const ringBytes = map.maxEntries;
  using stack = new DisposableStack();
  const ours = stack.use(
    new MappedRegion(mapper, map.fd, { offsetBytes: 0, lengthBytes: pageBytes, writable: true }),
  );
  const theirs = stack.use(
    new MappedRegion(mapper, map.fd, {
      offsetBytes: pageBytes,
      lengthBytes: pageBytes + 2 * ringBytes,
      writable: false,
    }),
  );
  const regions = stack.move();
  return new RingReader({
    ringBytes,
    consumer: ours.bigInt64(),
    producer: theirs.bigInt64(),
    headers: theirs.int32(pageBytes),
    view: theirs.view(pageBytes),
    bytes: theirs.bytes(pageBytes),
  }, { isOrderedMachine: Deno.build.arch === "x86_64", release: () => regions.dispose() });
}
