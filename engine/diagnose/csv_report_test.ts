import { assert } from "../../tests/support/assert.ts";
import { parseStrictCsv } from "../../tests/support/csv_parser.ts";
import { checkProperty, property } from "../../tests/support/property.ts";
import { CSV_THREAD_ROWS_MAX } from "../api/limits.ts";
import { CSV_COLUMNS, renderCsvReport } from "./csv_report.ts";
import type { Report } from "./report.ts";
import { LISTED_REPORT, PARTIAL_REPORT, TROUBLED_REPORT } from "./sample_reports.ts";
import { buildPeer, buildReport, PEER } from "./test_measurements.ts";

type Row = Readonly<Record<string, string>>;

/** Reads a report back with a parser that is not ours. */
function rowsOf(report: Report): readonly Row[] {
  const [header = [], ...records] = parseStrictCsv(renderCsvReport(report));
  assert.deepEqual(header, [...CSV_COLUMNS]);
  return records.map((record) => Object.fromEntries(record.map((field, index) => [header[index] ?? "", field])));
}

Deno.test("renderCsvReport() begins with the reference's columns", () => {
  assert.match(renderCsvReport(buildReport()), /^timestamp,pid,process_name,type,latency_ms,error,target,row,/);
});

Deno.test("renderCsvReport() has single events with wall-clock time, category and latency, oldest first", () => {
  const events = rowsOf(LISTED_REPORT).filter(({ row }) => row === "event");
  assert.deepEqual(
    events.slice(0, 2).map(({ timestamp, pid, process_name, type, latency_ms, error, target }) => [
      timestamp,
      pid,
      process_name,
      type,
      latency_ms,
      error,
      target,
    ]),
    [
      ["2026-01-02T03:04:07.000Z", "100", "shop", "NET", "160.00", "0", "10.0.0.9:5432"],
      ["2026-01-02T03:04:07.000Z", "901", "thumbnailer", "PROC", "0.00", "7", ""],
    ],
  );
  const times = events.map(({ timestamp = "" }) => timestamp);
  assert.deepEqual(times, times.toSorted());
});

Deno.test("renderCsvReport() tells a thread's time in rows that add up to its lifetime", () => {
  const rows = rowsOf(TROUBLED_REPORT).filter(({ row, thread_id }) => row === "time" && thread_id === "100");
  assert.deepEqual(rows.map(({ name }) => name), ["onCpu", "runnable", "network", "idle", "parked"]);
  assert.equal(rows.reduce((sum, { total_ms }) => sum + Number(total_ms), 0), 10_000);
});

Deno.test("renderCsvReport() sums up the threads that have no rows of their own", () => {
  const threads = Array.from(
    { length: CSV_THREAD_ROWS_MAX + 3 },
    (_, index) => ({ threadId: 100 + index, onCpuMs: 5 }),
  );
  const rows = rowsOf(buildReport({ processes: [{ processId: 100, command: "shop", threads }] }));
  const onCpu = rows.filter(({ row, name }) => row === "time" && name === "onCpu");
  assert.equal(onCpu.length, CSV_THREAD_ROWS_MAX + 1);
  assert.deepEqual([onCpu.at(-1)?.thread_name, onCpu.at(-1)?.total_ms], ["3 more threads together", "15.00"]);
});

Deno.test("renderCsvReport() says what was not seen whole", () => {
  const rows = rowsOf(PARTIAL_REPORT).filter(({ row }) => row === "completeness");
  const seen = rows.filter(({ type }) => type !== "WITHHELD");
  assert.deepEqual(seen.map(({ name, type }) => [name, type]), [["waits", "PARTIAL"], ["lifecycle", "BLIND"]]);
  assert.match(rows.find(({ name }) => name === "no failed children")?.detail ?? "", /^lifecycle is BLIND/);
  assert.match(rows[0]?.detail ?? "", /^42\.4% seen: lost 576 of 1000: 570 map_full/);
});

Deno.test("renderCsvReport() has peers with their responses, bytes and failures", () => {
  const [row] = rowsOf(buildReport({
    processes: [{ processId: 100, command: "shop", threads: [] }],
    peers: [buildPeer({ sends: { byteCount: 2048, failedCount: 2 }, responseMs: [5, 5, 40] })],
  })).filter(({ row }) => row === "peer");
  assert.deepEqual(
    [row?.name, row?.target, row?.count, row?.longest_ms, row?.sent_bytes, row?.failed],
    ["client", "10.0.0.9:5432", "3", "40.00", "2048", "2"],
  );
});

Deno.test("incident 7: renderCsvReport() lets no name leave its field or become a formula", () => {
  const name = property.oneof(
    property.string({ unit: "binary", maxLength: 60 }),
    property.constantFrom('=HYPERLINK("http://x")', '"\r\n=1', "@SUM(A1)", "＝1", "\t-1", 'a","b'),
  );
  checkProperty(name, (command) => {
    const rows = rowsOf(buildReport({
      processes: [{
        processId: 100,
        command,
        threads: [{
          threadId: 100,
          command,
          waits: [
            { waitClass: "network", object: PEER, systemCall: command, count: 20, eachMs: 150 },
            { waitClass: "diskRead", object: { kind: "file", id: "1:2:3", path: command }, count: 20, eachMs: 50 },
          ],
        }],
      }],
    }));
    for (const cell of rows.flatMap((row) => Object.values(row))) {
      assert.ok(!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(cell), JSON.stringify(cell));
      assert.ok(!/^\s*[=+\-@＝＋－＠]/u.test(cell), JSON.stringify(cell));
    }
  }, { runCount: 60 });
});
