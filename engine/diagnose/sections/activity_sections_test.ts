import { assert } from "../../../tests/support/assert.ts";
import type { TraceEvent } from "../../api/events.ts";
import { BEGIN_MS, buildExit, TARGET_ID } from "../test_measurements.ts";
import { renderSections, toSections } from "./all_sections.ts";
import { burstFigures, renderBursts } from "./bursts.ts";
import { errorCorrelationFigures, renderErrorCorrelation } from "./error_correlation.ts";
import { nearestRank } from "./latency.ts";
import { processActivityFigures, renderProcessActivity } from "./process_activity.ts";
import { processSyscallFigures, renderProcessSyscalls } from "./process_syscalls.ts";
import { buildFileOperations, buildPeer, buildResources, buildSectionInput } from "./test_input.ts";
import { renderTimeline, timelineFigures } from "./timeline.ts";

const SHOP = {
  processId: 100,
  command: "shop",
  threads: [{ threadId: 100, waits: [{ waitClass: "idle", count: 30, eachMs: 1 }] }],
} as const;

function exitsAt(...afterMs: readonly number[]): readonly TraceEvent[] {
  return afterMs.map((ms, index) => buildExit({ processId: 900 + index, atMs: BEGIN_MS + ms }));
}

Deno.test("nearestRank() is the element at floor((n - 1) * p / 100), as the reference has it", () => {
  const table: readonly (readonly [values: readonly number[], percentile: number, expected: number | undefined])[] = [
    [[], 50, undefined],
    [[7], 99, 7],
    [[2, 1], 50, 1],
    [[4, 1, 3, 2], 50, 2],
    [[1, 2, 3, 4, 5], 95, 4],
    [[1, 2, 3, 4, 5], 100, 5],
  ];
  for (const [values, percentile, expected] of table) assert.equal(nearestRank(values, percentile), expected);
});

Deno.test("timelineFigures() has every event in the fifth it happened in, with labels that do not overlap", () => {
  const figures = timelineFigures(buildSectionInput({ processes: [SHOP] }, exitsAt(100, 200, 2500, 9900)));
  assert.deepEqual(figures?.map(({ events }) => events), [2, 1, 0, 0, 1]);
  assert.deepEqual(figures && renderTimeline(figures), [
    "03:04:05-03:04:07: 2 single events (50.0%)",
    "03:04:07-03:04:09: 1 single event (25.0%)",
    "03:04:09-03:04:11: 0 single events (0.0%)",
    "03:04:11-03:04:13: 0 single events (0.0%)",
    "03:04:13-03:04:15: 1 single event (25.0%)",
  ]);
  assert.equal(timelineFigures(buildSectionInput({ processes: [SHOP] })), undefined);
  const short = timelineFigures(buildSectionInput({ processes: [SHOP], windowMs: 2000 }, exitsAt(100)));
  assert.equal(short && renderTimeline(short)[0], "03:04:05.000-03:04:05.400: 1 single event (100.0%)");
});

Deno.test("burstFigures() finds the second in which far more happened, and none in a steady run", () => {
  const steady = Array.from({ length: 20 }, (_, index) => index * 500);
  const burst = Array.from({ length: 30 }, (_, index) => 4010 + index * 10);
  const figures = burstFigures(buildSectionInput({ processes: [SHOP] }, exitsAt(...steady, ...burst)));
  assert.deepEqual(figures, [{ at: "2026-01-02T03:04:09.000Z", length_ms: 1000, events: 32, times_average: 6.4 }]);
  assert.deepEqual(figures && renderBursts(figures), ["03:04:09.000: 32 events in 1.00 s, 6.4 times the average"]);
  assert.equal(burstFigures(buildSectionInput({ processes: [SHOP] }, exitsAt(...steady))), undefined);
  assert.equal(burstFigures(buildSectionInput({ processes: [SHOP] }, exitsAt(...burst.slice(0, 9)))), undefined);
  assert.equal(burstFigures(buildSectionInput({ processes: [SHOP], windowMs: 1900 }, exitsAt(...burst))), undefined);
});

Deno.test("renderBursts() says how long a stretch is where it is not one second", () => {
  const burst = Array.from({ length: 30 }, (_, index) => 100 + index * 10);
  const figures = burstFigures(buildSectionInput({ processes: [SHOP], windowMs: 4800 }, exitsAt(2000, 3000, ...burst)));
  assert.deepEqual(figures && renderBursts(figures), ["03:04:05.000: 30 events in 1.20 s, 3.8 times the average"]);
});

Deno.test("errorCorrelationFigures() counts a reset once, be it seen by a call or by the socket alone", () => {
  const table: readonly (readonly [errors: Readonly<Record<string, number>>, resets: number, total: number])[] = [
    [{ ECONNRESET: 3 }, 3, 3],
    [{ ECONNRESET: 2, EPIPE: 1 }, 3, 3],
    [{ ECONNRESET: 1 }, 3, 3],
    [{ EPIPE: 5 }, 3, 5],
    [{ ETIMEDOUT: 2 }, 3, 5],
    [{}, 3, 3],
  ];
  for (const [errors, resetReceivedCount, total] of table) {
    const failedCount = Object.values(errors).reduce((sum, count) => sum + count, 0);
    for (const transfers of [{ sends: { failedCount, errors } }, { receives: { failedCount, errors } }]) {
      const peers = [buildPeer({ resetReceivedCount, ...transfers })];
      assert.equal(errorCorrelationFigures(buildSectionInput({ processes: [SHOP], peers }))?.total_errors, total);
    }
  }
});

Deno.test("processActivityFigures() counts waits and single events of a process, of all there were", () => {
  const figures = processActivityFigures(buildSectionInput({ processes: [SHOP] }, exitsAt(1, 2, 3)));
  // 30 waits, the one that fills the rest of its life, and three exits of others.
  assert.deepEqual(figures, [{ pid: 100, name: "shop", event_count: 31, percentage: 31 / 34 * 100 }]);
  assert.deepEqual(figures && renderProcessActivity(figures), [
    "Active processes: 1; events are single ones and every wait, however short",
    "shop (100): 31 events (91.2%)",
  ]);
});

Deno.test("processSyscallFigures() counts processes always, files only where they were looked at", () => {
  const world = { processes: [SHOP], processResources: [buildResources({ fdCountBegin: 10, fdCountEnd: 25 })] };
  const plain = processSyscallFigures(buildSectionInput(world, exitsAt(1, 2)));
  assert.deepEqual(plain, {
    execs: 0,
    forks: 0,
    exits: 2,
    execs_per_second: 0,
    forks_per_second: 0,
    descriptor_growth: 15,
  });
  const fileOperations = [
    buildFileOperations([1, 1, 1], { operation: "open" }),
    buildFileOperations([1, 1], { operation: "close", object: { kind: "none" } }),
  ];
  const full = processSyscallFigures(buildSectionInput({ ...world, fileOperations }));
  assert.deepEqual(full && renderProcessSyscalls(full), [
    "Execve calls: 0 (0.0/s), fork events, threads included: 0 (0.0/s), exits: 0",
    "Open calls: 3 (0.3/s), close calls: 2",
    "Open descriptors grew by 15 descriptors",
    "Top opened files: /srv/shop/data.bin (3)",
  ]);
  assert.equal(processSyscallFigures(buildSectionInput({ processes: [SHOP] })), undefined);
});

Deno.test("errorCorrelationFigures() makes one chain of everything that fails with one peer, rooted in what comes first", () => {
  const peers = [
    buildPeer({
      connects: { attemptCount: 30, failedCount: 20, failures: { ETIMEDOUT: 15, ECONNREFUSED: 5 } },
      sends: { failedCount: 1, errors: { EPIPE: 1 } },
      resetReceivedCount: 2,
    }),
    buildPeer({ processId: 200, sends: { failedCount: 1, errors: { EPIPE: 1 } } }),
    buildPeer({ endpoint: { kind: "peer", protocol: "tcp", address: "10.0.0.1", port: 80 }, resetReceivedCount: 1 }),
  ];
  const figures = errorCorrelationFigures(buildSectionInput({ processes: [SHOP], peers }));
  assert.equal(figures?.total_errors, 24);
  assert.deepEqual(figures?.chains, [{
    severity: "critical",
    subject: "10.0.0.9:5432",
    root_operation: "connect",
    root_error: "ETIMEDOUT",
    errors: 23,
    breakdown: { ETIMEDOUT: 15, ECONNREFUSED: 5, "EPIPE": 2, "reset by peer": 1 },
    suggestions: [
      "refused: check that the target runs and listens there",
      "no answer: check network, routes and firewalls",
      "the other side hung up: look at its log at that time",
      "a circuit breaker would keep the caller from waiting for it",
    ],
  }]);
});

Deno.test("errorCorrelationFigures() grades chains by their number, files and children included", () => {
  const errors = (count: number) => ({ errorCount: count, errors: [{ errno: 2, name: "ENOENT", count }] });
  const file = (path: string, count: number) =>
    buildFileOperations([1], { operation: "open", object: { kind: "path", path }, ...errors(count) });
  const failed = [1, 2].map((index) =>
    buildExit({ processId: 900 + index, exitCode: 7, atMs: BEGIN_MS + index * 1000 })
  );
  const figures = errorCorrelationFigures(
    buildSectionInput({
      processes: [SHOP],
      fileOperations: [file("/a", 21), file("/b", 11), file("/c", 6), file("/d", 2)],
    }, failed),
  );
  assert.deepEqual(figures?.chains.map(({ subject, severity, errors: count }) => [subject, severity, count]), [
    ["/a", "critical", 21],
    ["/b", "high", 11],
    ["/c", "medium", 6],
    ["/d", "low", 2],
    ["worker started by 100", "low", 2],
  ]);
  const child = figures?.chains.at(-1);
  assert.deepEqual([child?.first_at, child?.last_at, child?.root_error], [
    "2026-01-02T03:04:06.000Z",
    "2026-01-02T03:04:07.000Z",
    "exit 7",
  ]);
  assert.ok(figures !== undefined && renderErrorCorrelation(figures).includes("  check the path"));
});

Deno.test("errorCorrelationFigures() stays away where nothing failed", () => {
  assert.equal(errorCorrelationFigures(buildSectionInput({ processes: [SHOP], peers: [buildPeer()] })), undefined);
});

Deno.test("toSections() makes the sections of the categories that were asked for, in one order", () => {
  const input = buildSectionInput({
    processes: [{ ...SHOP, threads: [{ threadId: 100, onCpuMs: 5000 }] }],
    peers: [buildPeer({ targetId: TARGET_ID, sends: { operationCount: 1 } })],
  }, exitsAt(5));
  const all = toSections(input);
  assert.deepEqual(Object.keys(all), [
    "tcp",
    "cpu",
    "cpu_by_process",
    "process_syscalls",
    "process_activity",
    "timeline",
    "network_pattern",
    "peers",
  ]);
  assert.deepEqual(Object.keys(toSections(input, { categories: new Set(["net"]) })), [
    "tcp",
    "network_pattern",
    "peers",
  ]);
  assert.deepEqual(toSections(input, { categories: new Set() }), {});
  const { completeness } = input.measurements.books;
  const lines = renderSections(all, { completeness });
  assert.equal(lines[0], "TCP Statistics:");
  assert.ok(lines.every((line) => Array.from(line).length <= 100));
  assert.deepEqual(renderSections({}, { completeness }), []);
  const partial = { ...completeness, transfers: { verdict: "partial" as const, percent: 60, reason: "map_full 4" } };
  const marked = renderSections(toSections(input, { categories: new Set(["net", "cpu"]) }), { completeness: partial });
  assert.deepEqual(marked.filter((line) => line.includes("PARTIAL")), [
    "  a lower bound: transfers are PARTIAL 60.0% (map_full 4)", // TCP
    "  a lower bound: transfers are PARTIAL 60.0% (map_full 4)", // network pattern
    "  a lower bound: transfers are PARTIAL 60.0% (map_full 4)", // peers
  ]);
});
