import { assert } from "../../../tests/support/assert.ts";
import { checkReport, describeCheck } from "./report_check.ts";

const PLANTED = { upstreamPort: 20001, logPath: "state/audit.log", holderThread: "flusher" };

const REPORT = `ERROR 61 % of the time: waiting for 127.0.0.1:20001
WARNING 20 %: fsync of /tmp/podtrace-x/srv/orders/state/audit.log
  3 workers wait for a lock held by flusher (4711), itself in fsync
`;

Deno.test("checkReport() finds all three when the findings name them", () => {
  assert.equal(
    describeCheck(checkReport(REPORT, PLANTED)),
    "slow upstream 127.0.0.1:20001 yes; fsync of state/audit.log yes; lock held by flusher yes",
  );
});

const MISSING = [
  { name: "another port that begins alike", report: REPORT.replace("20001", "200011"), row: 0 },
  { name: "another file that ends alike", report: REPORT.replace("state/audit.log", "estate/audit.log"), row: 1 },
  { name: "the file without the fsync", report: REPORT.replace("fsync of", "read of"), row: 1 },
  { name: "another thread that begins alike", report: REPORT.replace("flusher", "flusher-2"), row: 2 },
  { name: "the thread without a lock", report: REPORT.replace("a lock held", "a file kept"), row: 2 },
];

for (const { name, report, row } of MISSING) {
  Deno.test(`checkReport() misses only the one that is replaced by ${name}`, () => {
    const named = checkReport(report, PLANTED).map((trouble) => trouble.isNamed);
    assert.deepEqual(named, [0, 1, 2].map((index) => index !== row));
  });
}

Deno.test("checkReport() finds nothing when only the ledger names them", () => {
  const troubles = checkReport(`No findings.\n\nWhere the time went\n${REPORT}`, PLANTED);
  assert.deepEqual(troubles.map((trouble) => trouble.isNamed), [false, false, false]);
});
