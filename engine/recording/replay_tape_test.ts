import { assert } from "../../tests/support/assert.ts";
import { EngineError } from "../api/errors.ts";
import { aNumber, aText } from "./shapes.ts";
import { openTape, record } from "./test_recording.ts";

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
