import { assert } from "../../../tests/support/assert.ts";
import { fileOfTest, readSections, type TimedLine } from "./test_output.ts";

const OUTPUT: readonly TimedLine[] = [
  { text: "Check a_test.ts", atMs: 5 },
  { text: "\x1b[0m\x1b[38;5;245mrunning 2 tests from ./a_test.ts\x1b[0m", atMs: 10 },
  { text: "first() works ... \x1b[0m\x1b[32mok\x1b[0m (1ms)", atMs: 12 },
  { text: "first() works twice ... ok (2ms)", atMs: 14 },
  { text: "running 1 test from ./tests/b_test.ts", atMs: 110 },
  { text: "second() prints ...", atMs: 120 },
  { text: "ok | 3 passed | 0 failed (300ms)", atMs: 310 },
];

Deno.test("readSections() yields each file with its tests and how long it took", () => {
  assert.deepEqual(readSections(OUTPUT).map(({ file, testCount, durationMs }) => [file, testCount, durationMs]), [
    ["a_test.ts", 2, 100],
    ["tests/b_test.ts", 1, 200],
  ]);
});

Deno.test("readSections() yields nothing when no file was run", () => {
  assert.deepEqual(readSections([]), []);
  assert.deepEqual(readSections([{ text: "error: Module not found", atMs: 1 }]), []);
});

Deno.test("fileOfTest() finds the whole name only", () => {
  const sections = readSections(OUTPUT);
  assert.equal(fileOfTest("first() works twice", sections), "a_test.ts");
  assert.equal(fileOfTest("second() prints", sections), "tests/b_test.ts");
  assert.equal(fileOfTest("first()", sections), undefined);
});
