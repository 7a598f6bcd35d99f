import { assert } from "../../tests/support/assert.ts";
import { checkProperty, property } from "../../tests/support/property.ts";
import { EngineError } from "../api/errors.ts";
import { type RingMemory, RingReader } from "./ring_reader.ts";

const BUSY = 0x8000_0000;
const DISCARD = 0x4000_0000;

/** A ring in ordinary memory, and the kernel's side of it (kernel/bpf/ringbuf.c). */
class FakeRing {
  readonly memory: RingMemory;
  #produced: number;

  constructor(ringBytes: number, options: { position?: number } = {}) {
    const data = new ArrayBuffer(ringBytes * 2);
    this.#produced = options.position ?? 0;
    this.memory = {
      ringBytes,
      consumer: new BigInt64Array([BigInt(this.#produced)]),
      producer: new BigInt64Array([BigInt(this.#produced)]),
      headers: new Int32Array(data),
      view: new DataView(data),
      bytes: new Uint8Array(data),
    };
  }

  get consumed(): number {
    return Number(this.memory.consumer[0]);
  }

  /** `false`: no room, as the kernel sees it. */
  produce(record: Uint8Array, options: { flags?: number } = {}): boolean {
    const { ringBytes } = this.memory;
    const spanBytes = Math.ceil((record.byteLength + 8) / 8) * 8;
    if (this.#produced + spanBytes - this.consumed > ringBytes - 1) return false;
    const offset = this.#produced % ringBytes;
    this.setHeader(offset, (record.byteLength | (options.flags ?? 0)) >>> 0);
    for (const [index, byte] of record.entries()) this.#setByte(offset + 8 + index, byte);
    this.#produced += spanBytes;
    this.memory.producer[0] = BigInt(this.#produced);
    return true;
  }

  setHeader(offset: number, header: number): void {
    const bytes = new Uint8Array(new Uint32Array([header]).buffer);
    for (const [index, byte] of bytes.entries()) this.#setByte(offset + index, byte);
  }

  #setByte(offset: number, byte: number): void {
    const { ringBytes, bytes } = this.memory;
    bytes[offset % ringBytes] = byte;
    bytes[offset % ringBytes + ringBytes] = byte;
  }
}

const READERS = [{ isOrderedMachine: true }, { isOrderedMachine: false }] as const;

function record(...bytes: readonly number[]): Uint8Array {
  return new Uint8Array(bytes);
}

/** What a drain shows, copied out. */
function drained(reader: RingReader, options: { recordsMax?: number; hasTime?: () => boolean } = {}) {
  const records: number[][] = [];
  const outcome = reader.drain((offset, length) => {
    records.push([...reader.bytes.subarray(offset, offset + length)]);
  }, { recordsMax: 1000, ...options });
  return { records, ...outcome };
}

Deno.test("drain() shows records in order, gives their space back, and then finds nothing", () => {
  for (const options of READERS) {
    const ring = new FakeRing(4096);
    using reader = new RingReader(ring.memory, options);

    ring.produce(record(1, 2, 3));
    ring.produce(record());
    ring.produce(record(4));
    assert.equal(reader.fillBytes(), 16 + 8 + 16);
    assert.deepEqual(drained(reader), { records: [[1, 2, 3], [], [4]], recordCount: 3, byteCount: 40, more: false });
    assert.equal(ring.consumed, 40);
    assert.equal(reader.fillBytes(), 0);
    assert.deepEqual(drained(reader), { records: [], recordCount: 0, byteCount: 0, more: false });
  }
});

Deno.test("drain() reads a record that crosses the end of the ring in one piece", () => {
  for (const options of READERS) {
    const ring = new FakeRing(64, { position: 40 });
    using reader = new RingReader(ring.memory, options);

    const bytes = Array.from({ length: 32 }, (_, index) => index + 1);
    ring.produce(record(...bytes));
    assert.deepEqual(drained(reader).records, [bytes]);
    assert.equal(ring.consumed, 80);
  }
});

Deno.test("drain() stops at a record still being written and goes on once it is submitted", () => {
  for (const options of READERS) {
    const ring = new FakeRing(4096);
    using reader = new RingReader(ring.memory, options);

    ring.produce(record(1));
    ring.produce(record(2), { flags: BUSY });
    ring.produce(record(3));
    assert.deepEqual(drained(reader), { records: [[1]], recordCount: 1, byteCount: 16, more: false });
    assert.equal(ring.consumed, 16);
    ring.setHeader(16, 1);
    assert.deepEqual(drained(reader).records, [[2], [3]]);
  }
});

Deno.test("drain() steps over discarded records without counting them", () => {
  for (const options of READERS) {
    const ring = new FakeRing(4096);
    using reader = new RingReader(ring.memory, options);

    ring.produce(record(1), { flags: DISCARD });
    ring.produce(record(2));
    ring.produce(record(3), { flags: DISCARD });
    assert.deepEqual(drained(reader), { records: [[2]], recordCount: 1, byteCount: 48, more: false });
  }
});

Deno.test("drain() stops at recordsMax and says that there is more", () => {
  const ring = new FakeRing(4096);
  using reader = new RingReader(ring.memory, READERS[0]);

  for (let index = 0; index < 5; index++) ring.produce(record(index));
  assert.deepEqual(drained(reader, { recordsMax: 4 }), {
    records: [[0], [1], [2], [3]],
    recordCount: 4,
    byteCount: 64,
    more: true,
  });
  assert.equal(ring.consumed, 64);
  assert.deepEqual(drained(reader, { recordsMax: 1 }), { records: [[4]], recordCount: 1, byteCount: 16, more: false });
  assert.deepEqual(drained(reader, { recordsMax: 0 }), { records: [], recordCount: 0, byteCount: 0, more: false });
});

Deno.test("drain() asks for the time every 1024 records and stops when there is none left", () => {
  const ring = new FakeRing(65_536);
  using reader = new RingReader(ring.memory, READERS[0]);

  for (let index = 0; index < 2500; index++) ring.produce(record(index));
  let askedCount = 0;
  const outcome = drained(reader, { recordsMax: 10_000, hasTime: () => ++askedCount < 2 });
  assert.equal(outcome.recordCount, 2048);
  assert.equal(outcome.more, true);
  assert.equal(askedCount, 2);
  assert.equal(drained(reader, { hasTime: () => true }).recordCount, 452);
});

Deno.test("drain() takes a ring that is full to the last byte the kernel gives out", () => {
  const ring = new FakeRing(64);
  using reader = new RingReader(ring.memory, READERS[0]);

  let producedCount = 0;
  while (ring.produce(record(producedCount))) producedCount++;
  assert.equal(producedCount, 3);
  assert.equal(drained(reader).recordCount, 3);
  assert.equal(ring.produce(record(9)), true);
});

Deno.test("drain() takes a record as long as the ring allows, and refuses one that is longer than what was produced", () => {
  const ring = new FakeRing(4096);
  using reader = new RingReader(ring.memory, READERS[0]);

  ring.produce(new Uint8Array(4072));
  assert.equal(drained(reader).byteCount, 4080);
  ring.produce(record(1));
  ring.setHeader(4080, 16);
  assert.throws(() => drained(reader), (error) => error instanceof EngineError && error.code === "ring_corrupt");
});

Deno.test("drain() gives back what an earlier one showed before it found a corrupt length", () => {
  const ring = new FakeRing(4096);
  using reader = new RingReader(ring.memory, READERS[0]);

  ring.produce(record(1));
  ring.produce(record(2));
  ring.setHeader(16, 0x3fff_ffff);
  assert.throws(
    () => drained(reader),
    /Cannot read the ring: found a record of 1073741823 bytes at 16, wanted it to end by 32/,
  );
  assert.throws(() => drained(reader), EngineError);
  assert.equal(ring.consumed, 16);
});

Deno.test("drain() refuses positions that make no sense", () => {
  for (const producer of [-8n, 4104n, 1n << 60n]) {
    const ring = new FakeRing(4096);
    using reader = new RingReader(ring.memory, READERS[0]);

    ring.memory.producer[0] = producer;
    assert.throws(() => drained(reader), (error) => error instanceof EngineError && error.code === "ring_corrupt");
    assert.equal(ring.consumed, 0);
  }
});

Deno.test("drain() ends after the record whose visitor throws, so that it is not shown again", () => {
  const ring = new FakeRing(4096);
  using reader = new RingReader(ring.memory, READERS[0]);

  ring.produce(record(1));
  ring.produce(record(2));
  assert.throws(() =>
    reader.drain(() => {
      throw new RangeError("no");
    }, { recordsMax: 10 }), RangeError);
  assert.deepEqual(drained(reader).records, [[2]]);
  assert.equal(ring.consumed, 32);
});

Deno.test("drain() throws when the ring was disposed before or meanwhile", () => {
  for (const options of READERS) {
    const ring = new FakeRing(4096);
    const { memory } = ring;
    const release = () => {
      memory.view.buffer.transfer(0);
      memory.producer.buffer.transfer(0);
    };
    const reader = new RingReader(memory, { ...options, release });
    ring.produce(record(1));
    ring.produce(record(2));
    assert.throws(() => reader.drain(() => reader[Symbol.dispose](), { recordsMax: 10 }), TypeError);
    assert.throws(() => reader.drain(() => {}, { recordsMax: 10 }), TypeError);
    assert.throws(() => reader.fillBytes(), TypeError);
  }
});

Deno.test("drain() works past positions of 2^32 and 2^40 bytes", () => {
  for (const position of [2 ** 32 - 16, 2 ** 40 - 16, 2 ** 52]) {
    const ring = new FakeRing(4096, { position });
    using reader = new RingReader(ring.memory, READERS[0]);

    for (let index = 0; index < 4; index++) ring.produce(record(index));
    assert.deepEqual(drained(reader).records, [[0], [1], [2], [3]]);
    assert.equal(ring.consumed, position + 64);
  }
});

Deno.test("drain() shows every record once and in order, however producing and draining alternate", () => {
  const step = property.record({
    lengths: property.array(property.nat(40), { maxLength: 12 }),
    discardEvery: property.nat(4),
    recordsMax: property.integer({ min: 1, max: 6 }),
  });
  checkProperty(property.array(step, { maxLength: 30 }), (steps) => {
    const ring = new FakeRing(256, { position: 2 ** 32 - 512 });
    using reader = new RingReader(ring.memory, READERS[0]);

    const expected: number[][] = [];
    const shown: number[][] = [];
    let number = 0;
    for (const { lengths, discardEvery, recordsMax } of steps) {
      for (const length of lengths) {
        const bytes = record(...new Array<number>(length).fill(number++ & 0xff));
        const isDiscarded = discardEvery > 0 && number % discardEvery === 0;
        const isProduced = ring.produce(bytes, { flags: isDiscarded ? DISCARD : 0 });
        if (isProduced && !isDiscarded) expected.push([...bytes]);
      }
      shown.push(...drained(reader, { recordsMax }).records);
    }
    while (reader.fillBytes() > 0) shown.push(...drained(reader).records);
    assert.deepEqual(shown, expected);
  });
});
