import { assert } from "../../tests/support/assert.ts";
import type { Measurements } from "../api/measurements.ts";
import { BEGIN_MS, buildMeasurements, FILE, PEER, type ThreadSketch } from "./test_measurements.ts";
import { sortTopRows, TOP_ORDERS, type TopRow, toTopRows, toTopTotals } from "./top_rows.ts";

function look(threads: readonly ThreadSketch[], endMs: number): Pick<Measurements, "threads" | "waits" | "window"> {
  const exact = threads.map((thread) => ({ ...thread, parksRest: false }));
  const measurements = buildMeasurements({ processes: [{ processId: 100, command: "shop", threads: exact }] });
  return {
    ...measurements,
    window: { ...measurements.window, endMs },
    threads: measurements.threads.map((thread) => ({ ...thread, endMs, exited: false })),
  };
}

const LOCK = { kind: "lock", address: "0x10" } as const;

Deno.test("toTopRows() yields shares of the time between two looks", () => {
  const first = look([{
    threadId: 100,
    onCpuMs: 1000,
    waits: [{ waitClass: "network", object: PEER, count: 1, eachMs: 500 }],
  }], BEGIN_MS + 2000);
  const second = look([{
    threadId: 100,
    onCpuMs: 1250,
    runnableMs: 100,
    waits: [
      { waitClass: "network", object: PEER, count: 2, eachMs: 350 },
      { waitClass: "lock", object: LOCK, count: 1, eachMs: 300 },
      { waitClass: "idle", object: { kind: "none" }, count: 1, eachMs: 50 },
    ],
  }], BEGIN_MS + 3000);
  const before = toTopTotals(first);
  const [row] = toTopRows(toTopTotals(second), before);
  assert.ok(row !== undefined);
  assert.deepEqual([row.processId, row.threadId, row.onCpuShare, row.runnableShare], [100, 100, 0.25, 0.1]);
  const rounded = Object.fromEntries(
    Object.entries(row.blockedShares).map(([group, share]) => [group, Math.round(share * 1000) / 1000]),
  );
  assert.deepEqual([rounded["net"], rounded["lock"], rounded["idle"], rounded["disk"]], [0.2, 0.3, 0.05, 0]);
  assert.equal(row.topObject, "lock 0x10");
});

Deno.test("toTopRows() takes the whole window where there was no look before, and a thread's life where it is shorter", () => {
  const now = look([{ threadId: 100, onCpuMs: 500 }], BEGIN_MS + 1000);
  assert.equal(toTopRows(toTopTotals(now), undefined)[0]?.onCpuShare, 0.5);

  const before = toTopTotals({ ...now, threads: [] });
  const born = now.threads.map((thread) => ({ ...thread, beginMs: BEGIN_MS + 1500, endMs: BEGIN_MS + 2000 }));
  const later = { ...now, threads: born, window: { ...now.window, endMs: BEGIN_MS + 2000 } };
  assert.equal(toTopRows(toTopTotals(later), before)[0]?.onCpuShare, 1);
});

Deno.test("toTopRows() never shows less than nothing or more than all, and no thread that has ended", () => {
  const first = look([{ threadId: 100, onCpuMs: 900 }], BEGIN_MS + 1000);
  const second = look([{ threadId: 100, onCpuMs: 800 }], BEGIN_MS + 2000);
  const [row] = toTopRows(toTopTotals(second), toTopTotals(first));
  assert.equal(row?.onCpuShare, 0);
  const ended = { ...second, threads: second.threads.map((thread) => ({ ...thread, exited: true })) };
  assert.deepEqual(toTopRows(toTopTotals(ended), undefined), []);
});

Deno.test("toTopRows() names the absence of work only where there is nothing else", () => {
  const waits = [
    { waitClass: "idle", object: { kind: "timer" }, count: 1, eachMs: 900 },
    { waitClass: "diskRead", object: FILE, count: 1, eachMs: 10 },
  ] as const;
  const [row] = toTopRows(toTopTotals(look([{ threadId: 100, onCpuMs: 1, waits }], BEGIN_MS + 1000)), undefined);
  assert.equal(row?.topObject, "/srv/shop/data.bin");
  const idle = look([{ threadId: 100, onCpuMs: 1, waits: waits.slice(0, 1) }], BEGIN_MS + 1000);
  assert.equal(toTopRows(toTopTotals(idle), undefined)[0]?.topObject, "timer");
});

function aRow(threadId: number, overrides: Partial<TopRow> = {}): TopRow {
  return {
    processId: 100,
    threadId,
    command: "shop",
    onCpuShare: 0,
    runnableShare: 0,
    blockedShares: { net: 0, disk: 0, lock: 0, other: 0, idle: 0 },
    topObject: undefined,
    ...overrides,
  };
}

Deno.test("sortTopRows() puts the largest figure first, equals by id", () => {
  const blocked = (group: string) => ({ net: 0, disk: 0, lock: 0, other: 0, idle: 0, [group]: 0.9 });
  const rows = [
    aRow(5),
    aRow(1, { onCpuShare: 0.5 }),
    aRow(2, { runnableShare: 0.6 }),
    aRow(3, { blockedShares: blocked("lock") }),
    aRow(4, { blockedShares: blocked("other") }),
    aRow(6, { processId: 7 }),
  ];
  const first = (order: keyof typeof TOP_ORDERS) => sortTopRows(rows, order)[0]?.threadId;
  assert.deepEqual(
    [first("busy"), first("cpu"), first("run"), first("lock"), first("other"), first("pid")],
    [3, 1, 2, 3, 4, 6],
  );
  assert.deepEqual(sortTopRows(rows, "net").map((row) => row.threadId), [6, 1, 2, 3, 4, 5]);
  const keys = Object.values(TOP_ORDERS).map(({ key }) => key);
  assert.equal(new Set([...keys, "q"]).size, keys.length + 1, "two orders on one key");
});
