import { assert } from "../../tests/support/assert.ts";
import { property } from "../../tests/support/property.ts";
import { buildMeasurements } from "./test_measurements.ts";
import { columnsOf, fitColumns } from "./text_width.ts";
import type { TopRow } from "./top_rows.ts";
import { renderTopScreen, type TopFrame, topOffsetMax } from "./top_screen.ts";

function aRow(overrides: Partial<TopRow> = {}): TopRow {
  return {
    processId: 4711,
    threadId: 4712,
    command: "shop",
    onCpuShare: 0.25,
    runnableShare: 0.001,
    blockedShares: { net: 0.5, disk: 0.1, lock: 0.05, other: 0, idle: 0.099 },
    topObject: "10.0.0.9:5432",
    ...overrides,
  };
}

function aFrame(overrides: Partial<TopFrame> = {}): TopFrame {
  const measurements = buildMeasurements({
    processes: [{ processId: 4711, command: "shop", threads: [{ threadId: 4712, onCpuMs: 10 }] }],
  });
  return { label: "pid 4711 (shop)", measurements, rows: [aRow()], order: "busy", offset: 0, ...overrides };
}

function widthOf(line: string): number {
  return Array.from(line).reduce((sum, character) => sum + columnsOf(character), 0);
}

const UNICODE = { columns: 80, rows: 24, isUnicode: true };

Deno.test("renderTopScreen() shows every share of a thread at 80 columns, the classes together at 40", () => {
  const wide = renderTopScreen(aFrame(), UNICODE);
  assert.match(wide[0] ?? "", /^podtrace top: pid 4711 \(shop\) +$/);
  assert.match(wide[1] ?? "", /^\d+ s, COMPLETE, 0 lost; 1 thread +$/);
  assert.match(wide[2] ?? "", /^on CPU 25\.0%, run queue 0\.1%, blocked 65\.0%, idle 9\.9% of the threads' time/);
  assert.match(wide[3] ?? "", /^ +PID +TID COMMAND +CPU RUN NET DSK LCK OTH IDL WAITS FOR +$/);
  assert.match(wide[4] ?? "", /^ +4711 +4712 shop +25 +~0 +50 +10 +5 +0 +10 10\.0\.0\.9:5432 +$/);
  assert.match(wide.at(-1) ?? "", /^q quit \| \[a busy\] c cpu r run n net d disk l lock/);

  const narrow = renderTopScreen(aFrame(), { columns: 40, rows: 10, isUnicode: true });
  assert.match(narrow[3] ?? "", /^ +TID COMMAND +CPU RUN BLK IDL +$/);
  assert.match(narrow[4] ?? "", /^ +4712 shop +25 +~0 +65 +10 +$/);
});

Deno.test("renderTopScreen() says what is missing", () => {
  const lossy = aFrame();
  const { measurements } = lossy;
  assert.ok(measurements !== undefined);
  const books = {
    ...measurements.books,
    completeness: {
      ...measurements.books.completeness,
      waits: { verdict: "partial", percent: 99.44, reason: "lost 7" } as const,
    },
    ledger: { ...measurements.books.ledger, waits: { ...measurements.books.ledger.waits, dropped: { map_full: 7 } } },
  };
  const [, state] = renderTopScreen({ ...lossy, measurements: { ...measurements, books } }, UNICODE);
  assert.match(state ?? "", /waits PARTIAL 99\.4%, 7 lost/);
  const [, waiting] = renderTopScreen(aFrame({ measurements: undefined, rows: [] }), UNICODE);
  assert.match(waiting ?? "", /^the first second is being looked at/);
  assert.match(
    renderTopScreen(aFrame(), { columns: 39, rows: 24, isUnicode: true })[0] ?? "",
    /^Too small: want 40x10/,
  );
});

Deno.test("renderTopScreen() scrolls as far as there are threads", () => {
  const rows = Array.from({ length: 30 }, (_, index) => aRow({ threadId: 100 + index }));
  assert.equal(topOffsetMax(rows.length, UNICODE), 11);
  const lines = renderTopScreen(aFrame({ rows, offset: 11 }), UNICODE);
  assert.match(lines[4] ?? "", / 111 shop/);
  assert.match(lines.at(-2) ?? "", / 129 shop/);
  assert.match(lines.at(-1) ?? "", /q quit up\/down/);
  assert.equal(topOffsetMax(3, UNICODE), 0);
});

Deno.test("incident 7: whatever threads are called, a screen is exactly its size and steers nothing", () => {
  const text = property.string({ maxLength: 40, unit: "binary" });
  const rows = property.array(property.record({ command: text, object: text }), { maxLength: 40 });
  const size = property.record({
    columns: property.integer({ min: 1, max: 200 }),
    rows: property.integer({ min: 1, max: 60 }),
    isUnicode: property.boolean(),
  });
  property.assert(property.property(rows, size, text, (names, given, label) => {
    const shown = names.map(({ command, object }) => aRow({ command, topObject: object }));
    const lines = renderTopScreen(aFrame({ rows: shown, label }), given);
    assert.equal(lines.length, given.rows);
    for (const line of lines) {
      assert.equal(widthOf(line), given.columns, JSON.stringify(line));
      assert.ok(!/[\x00-\x1f\x7f-\x9f\u202e]/.test(line), JSON.stringify(line));
      assert.ok(given.isUnicode || /^[\x20-\x7e]*$/.test(line), JSON.stringify(line));
    }
  }));
});

Deno.test("fitColumns() counts columns, not characters", () => {
  const table: readonly (readonly [string, number, string])[] = [
    ["abc", 5, "abc  "],
    ["abcdef", 4, "abc…"],
    ["日本語", 6, "日本語"],
    ["日本語", 5, "日本…"],
    ["日本語", 4, "日… "],
    ["e\u0301a", 2, "e\u0301a"],
    ["abc", 0, ""],
    ["abc", 1, "…"],
  ];
  for (const [text, columns, expected] of table) {
    assert.equal(fitColumns(text, columns, { mark: "…" }), expected, `${text} in ${columns}`);
  }
});
