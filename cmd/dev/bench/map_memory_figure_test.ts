import { assert } from "../../../tests/support/assert.ts";
import { countPossibleCpus, type MapShape, modelMapBytes, toMapMemoryFigure } from "./map_memory_figure.ts";

const PER_CPU_ARRAY: MapShape = { type: 6, keyBytes: 4, valueBytes: 60, maxEntries: 10 };
const ARRAY: MapShape = { type: 2, keyBytes: 4, valueBytes: 12, maxEntries: 1000 };

Deno.test("modelMapBytes() grows with CPUs where the kernel keeps a copy for each", () => {
  assert.equal(modelMapBytes(PER_CPU_ARRAY, 128) - modelMapBytes(PER_CPU_ARRAY, 2), 10 * 64 * 126);
  assert.equal(modelMapBytes(ARRAY, 128), modelMapBytes(ARRAY, 2));
  assert.equal(modelMapBytes(ARRAY, 2), 16_000);
});

const FIGURES = [
  { name: "fits and the model agrees", loadedBytes: 16_000, entries: 1000, verdict: "PASS" },
  { name: "does not fit", loadedBytes: 16_000 * 5000, entries: 1000 * 5000, verdict: "FAIL" },
  { name: "fits, by a model that is off", loadedBytes: 17_000, entries: 1000, verdict: "FAIL" },
];

for (const { name, loadedBytes, entries, verdict } of FIGURES) {
  Deno.test(`toMapMemoryFigure() judges memory that ${name}`, () => {
    const figure = toMapMemoryFigure([{ ...ARRAY, maxEntries: entries }], { cpuCount: 2, loadedBytes });
    assert.equal(figure.verdict, verdict);
  });
}

Deno.test("countPossibleCpus() reads single numbers and ranges", () => {
  assert.deepEqual(["0\n", "0-1", "0-3,8", "0,2-3"].map(countPossibleCpus), [1, 2, 5, 3]);
});
