import { assert } from "../../tests/support/assert.ts";
import { seededNumbers, testSeed } from "../../tests/support/property.ts";
import { EngineError } from "../api/errors.ts";
import { RECORDING_FRAME_RAW_BYTES_MAX, RECORDING_FRAME_STORED_BYTES_MAX } from "../api/limits.ts";
import { crc32 } from "./crc32.ts";
import { FRAME_HEAD_BYTES, PREAMBLE_HEAD_BYTES } from "./recording_format.ts";
import { openReader, record } from "./test_recording.ts";

const TURNS = 40;

/** A recording with a state at 1 s and at 6 s, and a frame a second. */
function aRecording(): Promise<Uint8Array<ArrayBuffer>> {
  return record((tape) => {
    tape.meta("run", { of: "a test" });
    tape.state("state", () => void tape.json("state", { is: "known" }));
    for (let turn = 0; turn < TURNS; turn++) {
      tape.turn(turn * 200);
      tape.number("clock", turn);
      tape.parts("bytes", [new Uint8Array(100).fill(turn), new Uint8Array(turn)]);
    }
    tape.close();
    tape.json("closed", [1, 2, 3]);
  });
}

/** Reads everything; yields the one line that says what is wrong, "" when nothing is. */
function problemOf(bytes: Uint8Array): string {
  try {
    for (const _entry of openReader(bytes).entries()) { /* reading is the test */ }
    return "";
  } catch (error) {
    if (error instanceof EngineError && error.code === "recording_unusable") return error.message;
    throw error;
  }
}

/** Where the frames of a whole recording begin. */
function frameOffsets(bytes: Uint8Array<ArrayBuffer>): readonly number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const offsets: number[] = [];
  let at = PREAMBLE_HEAD_BYTES + view.getUint32(12, true);
  while (at < bytes.length) {
    offsets.push(at);
    at += FRAME_HEAD_BYTES + view.getUint32(at + 8, true);
  }
  return offsets;
}

Deno.test("RecordingReader reads what was written, in order", async () => {
  const reader = openReader(await aRecording());
  assert.deepEqual([reader.preamble, reader.extent.isWhole], [`{"podtrace":"1"}`, true]);
  const keys = [...reader.entries()].map(({ key }) => key);
  assert.equal(keys[0], "run");
  assert.equal(keys.filter((key) => key === "clock").length, TURNS);
  assert.equal(keys.at(-2), "closed");
});

Deno.test("a recording that is cut anywhere is read up to its last state, or refused in one line", async () => {
  const whole = await aRecording();
  const [firstFrame = 0] = frameOffsets(whole);
  const counts = new Set<number>();
  for (let length = 0; length < whole.length; length++) {
    const cut = whole.slice(0, length);
    if (length < firstFrame) {
      assert.match(
        problemOf(cut),
        /^Cannot replay "r\.rec": found (an empty file|\d+ bytes, cut in its beginning), wanted /,
      );
      continue;
    }
    const { extent } = openReader(cut);
    assert.equal(extent.isWhole, false);
    assert.equal(problemOf(cut), "");
    counts.add(extent.frameCount);
  }
  // Before the first state nothing is kept, then the frames up to the first, then those up to the second.
  assert.equal(counts.size, 3);
});

Deno.test("a recording with any byte changed is refused in one line, or read as it was", async () => {
  const whole = await aRecording();
  const seed = testSeed();
  const random = seededNumbers(seed);
  for (let round = 0; round < 3000; round++) {
    const damaged = whole.slice();
    const flips = 1 + random() % 4;
    for (let flip = 0; flip < flips; flip++) {
      const at = random() % whole.length;
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (random() % 8));
    }
    const problem = problemOf(damaged);
    const isSame = damaged.every((byte, index) => byte === whole[index]);
    assert.ok(
      isSame || /^Cannot replay "r\.rec": found [^\n]+, wanted [^\n]+$/.test(problem),
      `seed ${seed}: ${problem}`,
    );
  }
});

Deno.test("frames that are missing, twice, swapped, or behind the end are refused", async () => {
  const whole = await aRecording();
  const offsets = [...frameOffsets(whole), whole.length];
  const frames = offsets.slice(1).map((end, index) => whole.slice(offsets[index], end));
  const join = (parts: readonly Uint8Array[]) =>
    new Uint8Array([...whole.slice(0, offsets[0]), ...parts.flatMap((part) => [...part])]);
  const [first = whole, second = whole, ...rest] = frames;
  const table: readonly (readonly [readonly Uint8Array[], RegExp])[] = [
    [[first, ...rest], /found frame 2 in its place at byte \d+/],
    [[first, first, second, ...rest], /found frame 0 in its place/],
    [[second, first, ...rest], /found frame 1 in its place/],
    [[first, second, ...rest, new Uint8Array(7)], /found 7 bytes behind its end/],
  ];
  for (const [parts, message] of table) assert.match(problemOf(join(parts)), message);
});

Deno.test("lengths that are beyond all bounds are refused before anything is made of them", async () => {
  const whole = await aRecording();
  const [firstFrame = 0] = frameOffsets(whole);
  const table = [[8, RECORDING_FRAME_STORED_BYTES_MAX], [12, RECORDING_FRAME_RAW_BYTES_MAX]] as const;
  for (const [field, bytesMax] of table) {
    for (const length of [bytesMax + 1, 0xffff_ffff]) {
      const damaged = whole.slice();
      const view = new DataView(damaged.buffer);
      view.setUint32(firstFrame + field, length, true);
      view.setUint32(firstFrame + 20, crc32(damaged.subarray(firstFrame, firstFrame + 20)), true);
      assert.match(problemOf(damaged), new RegExp(`found ${length} bytes.*, wanted at most ${bytesMax}`));
    }
  }
  const preamble = whole.slice();
  new DataView(preamble.buffer).setUint32(12, 0xffff_ffff, true);
  assert.match(problemOf(preamble), /found a damaged beginning/);
});

Deno.test("a frame that inflates to more than it says is refused without being inflated", async () => {
  const whole = await aRecording();
  const [firstFrame = 0] = frameOffsets(whole);
  const damaged = whole.slice();
  const view = new DataView(damaged.buffer);
  view.setUint32(firstFrame + 12, 10, true);
  view.setUint32(firstFrame + 20, crc32(damaged.subarray(firstFrame, firstFrame + 20)), true);
  assert.match(problemOf(damaged), /found something that does not inflate in frame 0/);
});

Deno.test("what is no recording, or one of a newer format, is refused by name", async () => {
  const newer = (await aRecording()).slice();
  new DataView(newer.buffer).setUint16(8, 2, true);
  const table = [
    [new Uint8Array(0), /found an empty file, wanted one made by podtrace diagnose --record$/],
    [new TextEncoder().encode("{}\n"), /found no recording, wanted one made by podtrace/],
    [new Uint8Array(4096), /found no recording/],
    [newer, /found format 2, wanted format 1$/],
  ] as const;
  for (const [bytes, message] of table) assert.match(problemOf(bytes), message);
});
