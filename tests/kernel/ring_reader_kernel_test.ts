import { openRing, type RingReader } from "../../engine/backend/ring_reader.ts";
import { openLibbpf } from "../../engine/ffi/libbpf.ts";
import { openLibc } from "../../engine/ffi/libc.ts";
import { OwnerBooks } from "../../engine/ffi/owners.ts";
import { WaitSet } from "../../engine/ffi/wait_set.ts";
import { assert } from "../support/assert.ts";
import { buildBpfFixture } from "../support/bpf_fixtures.ts";
import { kernelTest } from "../support/kernel.ts";
import { PRODUCED_EVENT_BYTES, PRODUCED_SPAN_BYTES, RingProducer, runOnThread } from "../support/ring_producer.ts";

const REQUIRES = { requires: ["clang", "bpf_capability", "ring_buffer"] } as const;
/** Longer than any test may take. */
const LONG_MS = 600_000;

interface Bench {
  readonly producer: RingProducer;
  readonly ring: RingReader;
  readonly waits: WaitSet;
}

/** Runs `use` with a producer and a reader of its ring, and fails on anything left open. */
async function withRing(ringBytes: number, use: (bench: Bench) => void | Promise<void>): Promise<void> {
  const bytes = await buildBpfFixture("ring_producer");
  const books = new OwnerBooks();
  {
    using libc = openLibc({ registry: books.registry });
    using library = openLibbpf(libc);
    using producer = new RingProducer(library, bytes, { ringBytes });
    using ring = openRing(libc, producer.ring);
    await using waits = new WaitSet(libc);

    waits.add(producer.ring.fd);
    await use({ producer, ring, waits });
  }
  books.assertEmpty();
}

/** The numbers of the events a drain shows; every word of every event is looked at. */
function drainNumbers(ring: RingReader, recordsMax = 1_000_000): readonly number[] {
  const numbers: number[] = [];
  ring.drain((at, lengthBytes) => {
    assert.equal(lengthBytes, PRODUCED_EVENT_BYTES);
    const number = ring.view.getBigUint64(at, true);
    for (let word = 8; word < lengthBytes; word += 8) assert.equal(ring.view.getBigUint64(at + word, true), number);
    numbers.push(Number(number));
  }, { recordsMax });
  return numbers;
}

function range(begin: number, end: number): readonly number[] {
  return Array.from({ length: end - begin }, (_, index) => begin + index);
}

kernelTest(
  "RingReader reads what the kernel wrote, whole and in order, over many rounds of the ring",
  REQUIRES,
  () =>
    withRing(4096, ({ producer, ring }) => {
      let next = 0;
      for (let round = 0; round < 50; round++) {
        const { producedCount } = producer.produce(1 + round % 31);
        assert.deepEqual(drainNumbers(ring), range(next, next + producedCount));
        next += producedCount;
      }
      assert.ok(next * PRODUCED_SPAN_BYTES > 20 * 4096);
      assert.equal(ring.fillBytes(), 0);
    }),
);

kernelTest(
  "RingReader makes room in a full ring, as much as it read",
  REQUIRES,
  () =>
    withRing(4096, ({ producer, ring }) => {
      const first = producer.produce(40);
      assert.deepEqual(first, { producedCount: 31, refusedCount: 9 });
      assert.equal(ring.fillBytes(), 31 * PRODUCED_SPAN_BYTES);
      assert.deepEqual(drainNumbers(ring, 10), range(0, 10));
      assert.deepEqual(producer.produce(40), { producedCount: 10, refusedCount: 30 });
      assert.deepEqual(drainNumbers(ring), [...range(10, 31), ...range(40, 50)]);
    }),
);

kernelTest("RingReader steps over what the kernel discards", REQUIRES, () =>
  withRing(65_536, ({ producer, ring }) => {
    assert.deepEqual(producer.produce(30, { discardEvery: 3 }), { producedCount: 20, refusedCount: 0 });
    assert.deepEqual(drainNumbers(ring), range(0, 30).filter((number) => number % 3 !== 0));
    assert.equal(ring.fillBytes(), 0);
  }));

kernelTest(
  "RingReader stops at a record another CPU still writes, and goes on when it is done",
  REQUIRES,
  () =>
    withRing(65_536, async ({ producer, ring, waits }) => {
      const lengths = () => {
        const shown: number[] = [];
        ring.drain((_, lengthBytes) => void shown.push(lengthBytes), { recordsMax: 10 });
        return shown;
      };
      const held = runOnThread({ fd: producer.holdFd, contextBytes: 24 });
      await waits.wait({ timeoutMs: LONG_MS, signal: new AbortController().signal });
      producer.produce(2);
      const atGate = { lengths: lengths(), fillBytes: ring.fillBytes() };
      producer.openGate();
      await held;
      assert.deepEqual(atGate, { lengths: [], fillBytes: 3 * PRODUCED_SPAN_BYTES + 16 });
      assert.deepEqual(lengths(), [PRODUCED_EVENT_BYTES, 8, PRODUCED_EVENT_BYTES, PRODUCED_EVENT_BYTES]);
    }),
);

kernelTest(
  "a forced wakeup ends a wait for the ring",
  REQUIRES,
  () =>
    withRing(4096, async ({ producer, ring, waits }) => {
      const waiting = waits.wait({ timeoutMs: LONG_MS, signal: new AbortController().signal });
      producer.wake();
      await waiting;
      assert.equal(ring.drain(() => {}, { recordsMax: 10 }).recordCount, 1);
    }),
);

kernelTest(
  "RingReader throws, and does not crash, when it is read after disposal",
  REQUIRES,
  () =>
    withRing(4096, ({ producer, ring }) => {
      producer.produce(2);
      const { view } = ring;
      assert.throws(() => ring.drain(() => ring[Symbol.dispose](), { recordsMax: 10 }), TypeError);
      assert.throws(() => view.getUint8(0), TypeError);
      assert.throws(() => ring.fillBytes(), TypeError);
    }),
);
