import { assert } from "../../../tests/support/assert.ts";
import { checkReport, describeCheck, parseFindings } from "./report_check.ts";

const PLANTED = { upstreamPort: 20001, logPath: "state/audit.log", holderThread: "flusher" };

const REPORT = `podtrace diagnose: pid 4711 (shop)
10.00 s from 2026-01-02T03:04:05.678Z, 1 process, 7 threads

3 findings above info, the worst CRITICAL:

1. CRITICAL [disk-stall] fsync of /tmp/podtrace-x/srv/orders/state/audit.log, with
   the threads waiting for locks held meanwhile, takes 67.9% of the non-idle time.
   evidence  6193.01 ms in 58847 waits, mean 0.11 ms, longest 4.98 ms at
             17:48:49.414
   so        3 threads (worker-1, worker-3 and 1 more) waited 35167.98 ms for lock
             0x55fb40883198, held by flusher (12091), itself in fsync of
             /tmp/podtrace-x/srv/orders/state/audit.log.
   next      Move the sync out of the lock.
Also:
  warning [slow-peer] Waiting for
    127.0.0.1:20001 takes 6.9% of the non-idle time, 218.56 ms each time.
  info [slow-peer] Nothing came from 127.0.0.1:9999 during the whole window.

Not seen at all: pipe waits, failed children.

WHERE THE TIME WENT  # on CPU  L lock  . idle
`;

Deno.test("parseFindings() joins the lines of each finding above info", () => {
  const [stall, peer, ...others] = parseFindings(REPORT);
  assert.deepEqual(others, []);
  assert.equal(stall?.rule, "disk-stall");
  assert.match(stall?.text ?? "", /^fsync of .*audit\.log, with the threads waiting .* next +Move the sync out/);
  assert.deepEqual(peer, {
    rule: "slow-peer",
    text: "Waiting for 127.0.0.1:20001 takes 6.9% of the non-idle time, 218.56 ms each time.",
  });
});

Deno.test("parseFindings() yields nothing for a report without findings", () => {
  assert.deepEqual(parseFindings("Nothing above info was found.\n  info [slow-peer] Quick.\n"), []);
});

Deno.test("checkReport() finds all three when the findings name them", () => {
  assert.equal(
    describeCheck(checkReport(REPORT, PLANTED)),
    "slow upstream 127.0.0.1:20001 yes; fsync of state/audit.log yes; lock held by flusher yes",
  );
});

Deno.test("checkReport() takes a lock that is a finding of its own", () => {
  const report = "1. ERROR [lock-contention] Waiting for lock 0x1 takes 9.0%; it\n   is held by\n   flusher (7).\n";
  assert.deepEqual(checkReport(report, PLANTED).map(({ isNamed }) => isNamed), [false, false, true]);
});

const MISSING = [
  { name: "another port that begins alike", report: REPORT.replace("20001", "200011"), missing: [0] },
  {
    name: "the port in a finding of another rule",
    report: REPORT.replace("warning [slow-peer]", "warning [pipe-wait]"),
    missing: [0],
  },
  {
    name: "the port in a finding that is only info",
    report: REPORT.replace("warning [slow", "info [slow"),
    missing: [0],
  },
  {
    name: "another file that ends alike",
    report: REPORT.replaceAll("state/audit.log", "estate/audit.log"),
    missing: [1],
  },
  { name: "the file without the fsync", report: REPORT.replaceAll("fsync of", "read of"), missing: [1] },
  { name: "another thread that begins alike", report: REPORT.replace("flusher", "flusher-2"), missing: [2] },
  { name: "the thread that only waits", report: REPORT.replace("held by flusher", "wanted by flusher"), missing: [2] },
  { name: "all of it below the findings", report: `WHERE THE TIME WENT\n${REPORT}`, missing: [0, 1, 2] },
];

for (const { name, report, missing } of MISSING) {
  Deno.test(`checkReport() misses what is replaced by ${name}`, () => {
    const named = checkReport(report, PLANTED).map((trouble) => trouble.isNamed);
    assert.deepEqual(named, [0, 1, 2].map((index) => !missing.includes(index)));
  });
}
