/**
 * Our ring reader beside libbpf's, on the same object, in turns.
 *
 * @module
 */

import { openRing } from "../../../engine/backend/ring_reader.ts";
import { DRAIN_RECORDS_MAX, DRAIN_TURN_MS_MAX } from "../../../engine/api/limits.ts";
import type { RecordView } from "../../../engine/api/tracer_backend.ts";
import { openLibbpf } from "../../../engine/ffi/libbpf.ts";
import { openLibc } from "../../../engine/ffi/libc.ts";
import { buildBpfFixture } from "../../../tests/support/bpf_fixtures.ts";
import { PRODUCED_SPAN_BYTES, RingProducer } from "../../../tests/support/ring_producer.ts";
import { runCommand } from "../run_command.ts";
import { type Figure, formatValue, judgeAtMost } from "./figure.ts";
import { LineProgram } from "./line_program.ts";
import { RingBackend } from "./ring_backend.ts";
import { median, quantile } from "./statistics.ts";

const RATIO_MAX = 1.5;
const RING_BYTES = 4 * 1024 * 1024;
const RECORDS_PER_FILL = RING_BYTES / PRODUCED_SPAN_BYTES;

/** 650 000 records: 10 ms of reading. */
const FILLS_PER_SAMPLE = 20;
const WARM_UP_PAIRS = 10;
const PAIRS_MIN = 15;
const PAIRS_MAX = 201;

/** Reads full rings and yields nanoseconds per record. */
type Sample = () => Promise<number>;

interface Pair {
  readonly oursNs: number;
  readonly theirsNs: number;
}

/** Measures pairs for about `durationMs`, 15 at least. @throws {Error} If a record was lost */
export async function measureRingReader(options: { durationMs: number }): Promise<Figure> {
  const folder = await Deno.makeTempDir({ prefix: "podtrace-bench-" });
  try {
    const pairs = await samplePairs({ folder, ...options });
    const ratios = pairs.map(({ oursNs, theirsNs }) => oursNs / theirsNs);
    const ratio = median(ratios);
    const oursNs = formatValue(median(pairs.map((pair) => pair.oursNs)));
    const theirsNs = formatValue(median(pairs.map((pair) => pair.theirsNs)));
    const ends = `${formatValue(quantile(ratios, 0.25))} to ${formatValue(quantile(ratios, 0.75))}`;
    return {
      name: "ring reader",
      value: ratio,
      unit: "times libbpf's ns per record",
      target: `at most ${RATIO_MAX}`,
      verdict: judgeAtMost(ratio, RATIO_MAX),
      spread: `median of ${pairs.length} pairs, quartiles ${ends}; ours ${oursNs} ns, libbpf ${theirsNs} ns`,
      how:
        "each reads its own full 4 MiB ring of 120-byte records in turns, 20 rings a sample: our drain in turns of " +
        "4096 records with the cursor, ring_buffer__consume() of libbpf in C (clang -O2); both take kind, slot and size",
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function samplePairs(options: { folder: string; durationMs: number }): Promise<readonly Pair[]> {
  const bytes = await buildBpfFixture("ring_producer");
  await Deno.writeFile(`${options.folder}/ring_producer.bpf.o`, bytes);
  await using reader = await startLibbpfReader(options.folder);
  using libc = openLibc();
  using library = openLibbpf(libc);
  using producer = new RingProducer(library, bytes, { ringBytes: RING_BYTES });
  using ring = openRing(libc, producer.ring);

  const backend = new RingBackend({ libc, ring, onWait: () => {} });
  const ourReader = new OurReader(backend, producer);
  const ours: Sample = () => Promise.resolve(ourReader.readRings());
  const theirs: Sample = () => readTheirs(reader);
  const pairs: Pair[] = [];
  let beganMs = performance.now();
  for (let index = -WARM_UP_PAIRS; index < PAIRS_MAX; index++) {
    if (index === 0) beganMs = performance.now();
    if (index >= PAIRS_MIN && performance.now() - beganMs >= options.durationMs) break;
    const pair = index % 2 === 0 ? await oursFirst(ours, theirs) : await theirsFirst(ours, theirs);
    if (index >= 0) pairs.push(pair);
  }
  return pairs;
}

async function oursFirst(ours: Sample, theirs: Sample): Promise<Pair> {
  const oursNs = await ours();
  return { oursNs, theirsNs: await theirs() };
}

async function theirsFirst(ours: Sample, theirs: Sample): Promise<Pair> {
  const theirsNs = await theirs();
  return { oursNs: await ours(), theirsNs };
}

/** Reads as the engine does: with one function for all records, in bounded turns. */
class OurReader {
  readonly #backend: RingBackend;
  readonly #producer: RingProducer;
  #sum = 0;

  constructor(backend: RingBackend, producer: RingProducer) {
    this.#backend = backend;
    this.#producer = producer;
  }

  readonly #visit = (record: RecordView): void => {
    this.#sum = (this.#sum + record.kind + record.targetSlot + record.sizeBytes) | 0;
  };

  /** The middle one of the rings: one that was interrupted says nothing of the reader. */
  readRings(): number {
    return median(Array.from({ length: FILLS_PER_SAMPLE }, () => this.#readRing()));
  }

  #readRing(): number {
    const { producedCount } = this.#producer.produce(RECORDS_PER_FILL);
    const before = this.#backend.readCount;
    const options = { recordsMax: DRAIN_RECORDS_MAX, turnMsMax: DRAIN_TURN_MS_MAX };
    const beganMs = performance.now();
    while (this.#backend.drain(this.#visit, options).more);
    const readingMs = performance.now() - beganMs;
    const readCount = this.#backend.readCount - before;
    if (readCount !== producedCount || this.#sum === 0) {
      throw new Error(`Cannot measure the ring reader: found ${readCount} records, wanted ${producedCount}`);
    }
    return readingMs * 1e6 / readCount;
  }
}

async function readTheirs(reader: LineProgram): Promise<number> {
  const answer = await reader.ask(String(FILLS_PER_SAMPLE));
  return median(toNsPerRecord(answer));
}

/** Yields nanoseconds per record for each pair "RECORDS NANOSECONDS". @throws {Error} If there is none, or another number */
export function toNsPerRecord(answer: string): readonly number[] {
  const numbers = answer.trim().split(/\s+/).map(Number);
  if (numbers.length < 2 || numbers.length % 2 !== 0 || !numbers.every((number) => number > 0)) {
    throw new Error(`Cannot measure libbpf's reader: found "${answer}", wanted pairs of records and nanoseconds`);
  }
  return numbers.flatMap((records, index) => index % 2 === 0 ? [(numbers[index + 1] ?? NaN) / records] : []);
}

/** @throws {Error} If clang or libbpf's headers are missing */
async function startLibbpfReader(folder: string): Promise<LineProgram> {
  const source = new URL("libbpf_reader.c", import.meta.url).pathname;
  const program = `${folder}/libbpf_reader`;
  const args = ["-O2", "-Wall", "-Wextra", "-Werror", "-o", program, source, "-lbpf"];
  const { code, output } = await runCommand("clang", { args, output: "capture" });
  if (code !== 0) throw new Error(`Cannot build libbpf_reader: clang ended with ${code}\n${output}`);
  return new LineProgram(program, [`${folder}/ring_producer.bpf.o`, String(RING_BYTES)]);
}
