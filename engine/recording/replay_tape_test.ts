import { assert } from "../../tests/support/assert.ts";
import { EngineError } from "../api/errors.ts";
import { aNumber, aText } from "./shapes.ts";
import { checkProperty, property } from "../../tests/support/property.ts";
import { REPLAY_KNOWN_BYTES_MAX, REPLAY_META_BYTES_MAX } from "../api/limits.ts";
import { ENTRY_KINDS } from "./recording_format.ts";
import { forgeRecording, openTape, record } from "./test_recording.ts";

Deno.test("a question is answered in order within its turn, then with the newest answer", async () => {
  const tape = openTape(
    await record((taking) => {
      taking.number("clock", 1);
      taking.number("clock", 2);
      taking.turn(0);
      taking.json("name", "a");
      taking.turn(1);
      taking.number("clock", 3);
      taking.close();
    }),
  );
  assert.deepEqual([tape.number("clock"), tape.number("clock"), tape.number("clock")], [1, 2, 2]);
  tape.nextTurn();
  assert.deepEqual([tape.number("clock"), tape.json("name", aText), tape.number("never")], [2, "a", 0]);
  tape.nextTurn();
  assert.deepEqual([tape.number("clock"), tape.json("name", aText), tape.json("none", aText)], [3, "a", undefined]);
});

Deno.test("answers of before and after the closing of the window are kept apart", async () => {
  const tape = openTape(
    await record((taking) => {
      taking.turn(0);
      taking.number("clock", 1);
      taking.number("clock", 2);
      taking.parts("drain", []);
      taking.close();
      taking.number("clock", 3);
      taking.parts("drain", []);
    }),
  );
  tape.nextTurn();
  assert.equal(tape.closesAfter("drain"), false);
  assert.equal(tape.number("clock"), 1);
  assert.ok(tape.answerOnce("drain") !== undefined);
  assert.equal(tape.closesAfter("drain"), true);
  tape.close();
  assert.deepEqual([tape.number("clock"), tape.answerOnce("drain")?.length, tape.answerOnce("drain")], [
    3,
    1,
    undefined,
  ]);
  assert.equal(tape.end((value) => JSON.stringify(value)), '{"ended":true}');
});

Deno.test("a cut recording ends with the state of everything, in a turn of its own", async () => {
  const whole = await record((taking) => {
    let looks = 0;
    taking.state("table", () => void taking.json("table", ++looks));
    taking.json("table", 100);
    taking.turn(0);
    taking.number("clock", 7);
    taking.turn(1000);
    taking.number("clock", 8);
    taking.turn(1001);
    taking.close();
  });
  const tape = openTape(whole.slice(0, -1));
  assert.equal(tape.json("table", aNumber), 100);
  tape.nextTurn();
  assert.deepEqual([tape.number("clock"), tape.json("table", aNumber), tape.closesAfter("drain")], [7, 100, false]);
  tape.nextTurn();
  assert.deepEqual([tape.closesAfter("drain"), tape.json("table", aNumber)], [true, 1]);
  assert.equal(tape.end(aText), undefined);
});

Deno.test("answers of the wrong shape are refused in one line", async () => {
  const tape = openTape(
    await record((taking) => {
      taking.json("name", 17);
      taking.json("clock", "x");
      taking.close();
    }),
  );
  for (const ask of [() => tape.json("name", aText), () => tape.number("clock"), () => tape.meta("run", aText)]) {
    assert.throws(
      ask,
      (error) => error instanceof EngineError && /^Cannot replay "r\.rec": found [^\n]+$/.test(error.message),
    );
  }
});

Deno.test("long answers come back whole, in parts", async () => {
  const long = new Uint8Array(2_500_000).map((_, index) => index % 251);
  const tape = openTape(
    await record((taking) => {
      taking.parts("long", [long.subarray(0, 10), long.subarray(10)]);
      taking.close();
    }),
  );
  const parts = tape.answer("long") ?? [];
  assert.equal(parts.length, 4);
  assert.deepEqual(new Uint8Array(parts.flatMap((part) => [...part])), long);
});

const MIB = 1024 * 1024;

/** Nothing at all, a thousandth of itself once it is deflated. */
const ZEROS = new Uint8Array(MIB);

Deno.test("a small file with much that was known before the run is refused in one line", () => {
  const forged = forgeRecording(
    Array.from({ length: 8 }, (_, index) => ({ kind: ENTRY_KINDS.meta, key: `k${index}`, payload: ZEROS })),
  );
  assert.ok(forged.length < MIB / 8, `${forged.length} bytes`);
  assert.throws(
    () => openTape(forged),
    new RegExp(
      `^EngineError: Cannot replay "r\\.rec": found more than ${REPLAY_META_BYTES_MAX} bytes of what was known`,
    ),
  );
});

Deno.test("a small file with a new large answer in every turn takes bounded memory: the oldest go first", () => {
  const turns = REPLAY_KNOWN_BYTES_MAX / MIB + 40;
  const told = Array.from(
    { length: turns },
    (_, index) => [{ kind: ENTRY_KINDS.answer, key: `k${index}`, payload: ZEROS }, { kind: ENTRY_KINDS.turn }],
  );
  const forged = forgeRecording([...told.flat(), { kind: ENTRY_KINDS.close }, { kind: ENTRY_KINDS.end }]);
  const tape = openTape(forged);
  for (let turn = 0; turn < turns; turn++) tape.nextTurn();
  assert.ok(tape.keptBytes <= REPLAY_KNOWN_BYTES_MAX, `${tape.keptBytes} bytes kept of ${forged.length}`);
  assert.deepEqual([tape.answer("k0"), tape.answer(`k${turns - 1}`)?.[0]?.length], [undefined, MIB]);
});

Deno.test("an answer keeps no more memory than it has bytes, whatever frame it came in", () => {
  const forged = forgeRecording([
    { kind: ENTRY_KINDS.answer, key: "a", payload: new Uint8Array(3) },
    { kind: ENTRY_KINDS.meta, key: "b", payload: new Uint8Array([0x37]) },
    { kind: ENTRY_KINDS.close },
    { kind: ENTRY_KINDS.end, payload: new Uint8Array([0x31]) },
  ]);
  const [part] = openTape(forged).answer("a") ?? [];
  assert.equal(part?.buffer.byteLength, 3);
});

Deno.test("whatever entries a file has, in whatever order, it is refused in one line or kept within bounds", () => {
  const kind = property.constantFrom(...Object.values(ENTRY_KINDS));
  const key = property.constantFrom("a", "b", "k".repeat(60_000), "\u{1f600}".repeat(9000));
  const payload = property.constantFrom(new Uint8Array(), new Uint8Array([0x31]), ZEROS);
  const entries = property.array(property.record({ kind, key, payload }), { maxLength: 40 });
  checkProperty(entries, (told) => {
    try {
      const tape = openTape(forgeRecording([...told, { kind: ENTRY_KINDS.end }]));
      for (const _entry of told) tape.nextTurn();
      tape.close();
      assert.ok(tape.keptBytes <= REPLAY_KNOWN_BYTES_MAX + REPLAY_META_BYTES_MAX);
    } catch (error) {
      assert.ok(error instanceof EngineError, String(error));
      assert.match(error.message, /^Cannot replay "r\.rec": found [^\n]+$/);
    }
  }, { runCount: 60 });
});
