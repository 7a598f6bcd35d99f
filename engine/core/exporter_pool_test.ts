import { assert } from "../../tests/support/assert.ts";
import type { ExporterSpec } from "../api/bundle.ts";
import { toExporterKey } from "../api/units.ts";
import { ExporterPool } from "./exporter_pool.ts";
import { TestExporter } from "./test_host.ts";

const SPEC: ExporterSpec = { type: "diagnosis" };

function open(): { pool: ExporterPool; made: TestExporter[] } {
  const made: TestExporter[] = [];
  const pool = new ExporterPool({
    diagnosis: () => {
      const exporter = new TestExporter();
      made.push(exporter);
      return exporter;
    },
  });
  return { pool, made };
}

Deno.test("acquire() shares one exporter per key and disposes it with the last share", async () => {
  const { pool, made } = open();
  const first = pool.acquire(toExporterKey("a@1"), SPEC);
  const second = pool.acquire(toExporterKey("a@1"), SPEC);
  const other = pool.acquire(toExporterKey("a@2"), SPEC);
  assert.equal(first.exporter, second.exporter);
  assert.notEqual(first.exporter, other.exporter);

  await first.release();
  await first.release();
  assert.equal(made[0]?.disposeCount, 0, "a share given back twice counts once");
  await second.release();

  assert.deepEqual(made.map((exporter) => exporter.disposeCount), [1, 0]);
  assert.equal(pool.exporterCount, 1);
});

Deno.test("acquire() makes a new exporter after the last share was given back", async () => {
  const { pool, made } = open();
  await pool.acquire(toExporterKey("a@1"), SPEC).release();

  pool.acquire(toExporterKey("a@1"), SPEC);

  assert.deepEqual(made.map((exporter) => exporter.disposeCount), [1, 0]);
});

Deno.test("acquire() throws what the factory throws and keeps nothing", () => {
  const pool = new ExporterPool({
    diagnosis: () => {
      throw new RangeError("Cannot open the exporter: no such host");
    },
  });

  assert.throws(() => pool.acquire(toExporterKey("a@1"), SPEC), RangeError);
  assert.equal(pool.exporterCount, 0);
});
