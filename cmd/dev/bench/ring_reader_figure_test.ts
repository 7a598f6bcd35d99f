import { assert } from "../../../tests/support/assert.ts";
import { toNsPerRecord } from "./ring_reader_figure.ts";

Deno.test("toNsPerRecord() yields one figure for each ring", () => {
  assert.deepEqual(toNsPerRecord("100 300 50 200 "), [3, 4]);
});

for (const answer of ["", "100", "100 300 50", "0 300", "100 x"]) {
  Deno.test(`toNsPerRecord() throws when the answer is "${answer}"`, () => {
    assert.throws(() => toNsPerRecord(answer), /Cannot measure libbpf's reader/);
  });
}
