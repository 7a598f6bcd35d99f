import { assert } from "../../tests/support/assert.ts";
import { property } from "../../tests/support/property.ts";
import { CATEGORIES, type Category, type CategoryLedger, type HookStatus, type LossSpan } from "../api/measurements.ts";
import { type LossInput, NOTHING_DROPPED, toCategoryLedgers, toCompleteness, toRunningLedgers } from "./loss_books.ts";
import { emptyKernelLedger } from "./test_backend.ts";

const NOTHING_READ = { readCount: 0, filteredCount: 0, dropped: NOTHING_DROPPED };

const NOTHING_NAMELESS = { waits: 0, chains: 0, files: 0, samples: 0, connections: 0, listeners: 0 };

function anInput(overrides: Partial<LossInput> = {}): LossInput {
  return {
    kernel: emptyKernelLedger(),
    read: {
      slowWaits: NOTHING_READ,
      names: NOTHING_READ,
      lifecycle: NOTHING_READ,
      socketEvents: NOTHING_READ,
      memory: NOTHING_READ,
      slowFiles: NOTHING_READ,
    },
    nameless: NOTHING_NAMELESS,
    ...overrides,
  };
}

function explained(ledger: CategoryLedger): number {
  const dropped = Object.values(ledger.dropped).reduce((total, count) => total + count, 0);
  return ledger.filtered + ledger.aggregated + ledger.delivered + dropped + ledger.residual;
}

Deno.test("toCategoryLedgers() yields a ledger that adds up to what the kernel saw, whatever comes in", () => {
  const count = property.nat(1000);
  const kernelLedger = property.record({
    seen: count,
    filtered: count,
    aggregated: count,
    delivered: count,
    dropped: property.record({ ring_full: count, map_full: count }),
  });
  const read = property.record({
    readCount: count,
    filteredCount: count,
    dropped: property.record({ queue_full: count }),
  });
  const inputs = property.record({
    kernel: property.record({
      scheduling: kernelLedger,
      waits: kernelLedger,
      chains: kernelLedger,
      slowWaits: kernelLedger,
      names: kernelLedger,
      lifecycle: kernelLedger,
      listeners: kernelLedger,
      connections: kernelLedger,
      transfers: kernelLedger,
      socketEvents: kernelLedger,
      memory: kernelLedger,
      files: kernelLedger,
      slowFiles: kernelLedger,
      samples: kernelLedger,
      connectCalls: kernelLedger,
    }),
    read: property.record({
      slowWaits: read,
      names: read,
      lifecycle: read,
      socketEvents: read,
      memory: read,
      slowFiles: read,
    }),
    nameless: property.record({
      waits: count,
      chains: count,
      files: count,
      samples: count,
      connections: count,
      listeners: count,
    }),
  });
  property.assert(property.property(inputs, (input) => {
    const ledgers = toCategoryLedgers(input);
    for (const category of CATEGORIES) {
      assert.equal(explained(ledgers[category]), input.kernel[category].seen, category);
    }
  }));
});

Deno.test("toCategoryLedgers() shows a record that was submitted and never read as residual", () => {
  const kernel = emptyKernelLedger();
  kernel.slowWaits = { seen: 10, filtered: 0, aggregated: 0, delivered: 10, dropped: {} };
  const slowWaits = { ...NOTHING_READ, readCount: 9 };

  const ledger = toCategoryLedgers(anInput({ kernel, read: { ...anInput().read, slowWaits } })).slowWaits;

  assert.deepEqual(ledger, { seen: 10, filtered: 0, aggregated: 0, delivered: 9, dropped: {}, residual: 1 });
});

Deno.test("toCategoryLedgers() shows what a route did not ask for as filtered, what it lost under its reason", () => {
  const kernel = emptyKernelLedger();
  kernel.slowWaits = { seen: 110, filtered: 5, aggregated: 0, delivered: 100, dropped: { ring_full: 5 } };
  const slowWaits = { readCount: 100, filteredCount: 40, dropped: { queue_full: 7, export_failed: 0, shutdown: 3 } };

  const ledger = toCategoryLedgers(anInput({ kernel, read: { ...anInput().read, slowWaits } })).slowWaits;

  assert.deepEqual(ledger, {
    seen: 110,
    filtered: 45,
    aggregated: 0,
    delivered: 50,
    dropped: { ring_full: 5, queue_full: 7, shutdown: 3 },
    residual: 0,
  });
});

Deno.test("toCategoryLedgers() shows waits that lost their name in user space as key overflow", () => {
  const kernel = emptyKernelLedger();
  kernel.waits = { seen: 100, filtered: 0, aggregated: 98, delivered: 0, dropped: { key_overflow: 2 } };

  const ledger = toCategoryLedgers(anInput({ kernel, nameless: { ...NOTHING_NAMELESS, waits: 8 } })).waits;

  assert.deepEqual([ledger.aggregated, ledger.dropped.key_overflow, ledger.residual], [90, 10, 0]);
});

Deno.test("toCompleteness() calls memory partial where processes or OOM kills have no row of their own", () => {
  const ledgers = toCategoryLedgers(anInput());
  const memoryOf = (memoryRows: { keptCount: number; processCount: number; oomKillCount: number }) =>
    toCompleteness(ledgers, { hooks: [], windowMs: 1000, spanOf: () => undefined, memoryRows }).memory;
  assert.deepEqual(memoryOf({ keptCount: 5, processCount: 0, oomKillCount: 0 }), { verdict: "complete" });
  assert.deepEqual(memoryOf({ keptCount: 3, processCount: 1, oomKillCount: 0 }), {
    verdict: "partial",
    percent: 75,
    reason: "no room for rows of 1 processes",
  });
  assert.deepEqual(memoryOf({ keptCount: 1, processCount: 1, oomKillCount: 2 }), {
    verdict: "partial",
    percent: 25,
    reason: "no room for rows of 1 processes, 2 OOM kills",
  });
});

const WHOLE: CategoryLedger = { seen: 100, filtered: 20, aggregated: 80, delivered: 0, dropped: {}, residual: 0 };

function verdictOf(
  ledger: Partial<CategoryLedger>,
  options: { hooks?: readonly HookStatus[]; category?: Category; span?: LossSpan } = {},
): unknown {
  const ledgers = toCategoryLedgers(anInput());
  const category = options.category ?? "waits";
  return toCompleteness({ ...ledgers, [category]: { ...WHOLE, ...ledger } }, {
    hooks: options.hooks ?? [],
    windowMs: 10_000,
    spanOf: (asked) => asked === category ? options.span : undefined,
  })[category];
}

Deno.test("toCompleteness() calls complete what lost nothing, and what was never hit", () => {
  assert.deepEqual(verdictOf({}), { verdict: "complete" });
  assert.deepEqual(verdictOf({ seen: 0, filtered: 0, aggregated: 0 }), { verdict: "complete" });
});

const PARTIAL: readonly [ledger: Partial<CategoryLedger>, percent: number, reason: string][] = [
  [{ dropped: { ring_full: 8 } }, 90, "lost 8 of 80: 8 ring_full"],
  [{ dropped: { map_full: 1, ring_full: 3 } }, 95, "lost 4 of 80: 3 ring_full, 1 map_full"],
  [{ residual: 8 }, 90, "lost 8 of 80: 8 unaccounted"],
  [{ residual: -8 }, 90, "lost 8 of 80: 8 unaccounted"],
  [{ seen: 1_000_020, dropped: { queue_full: 1 } }, 99.99, "lost 1 of 1000000: 1 queue_full"],
  [{ dropped: { ring_full: 80 } }, 0, "lost 80 of 80: 80 ring_full"],
  [{ seen: 20, dropped: { ring_full: 3 } }, 0, "lost 3 of 3: 3 ring_full"],
];

for (const [ledger, percent, reason] of PARTIAL) {
  Deno.test(`toCompleteness() calls ${JSON.stringify(ledger)} partial, ${percent} %`, () => {
    assert.deepEqual(verdictOf(ledger), { verdict: "partial", percent, reason });
  });
}

Deno.test("toCompleteness() calls partial what was looked at for a part of the window only", () => {
  const files = (attachedMs: number) =>
    verdictOf({}, {
      category: "files",
      hooks: [aHook({ hook: "file_call_exit", provider: "file_call_exit", blindFor: "", plane: "files", attachedMs })],
    });
  assert.deepEqual(files(10_000), { verdict: "complete" });
  assert.deepEqual(files(2_500), { verdict: "partial", percent: 25, reason: "asked for during 2.5 of 10.0 s" });
});

Deno.test("toCompleteness() says when the losses fell", () => {
  const span = { beginMs: 2000, endMs: 3000 };
  const reason = "lost 8 of 80: 8 ring_full";
  assert.deepEqual(verdictOf({ dropped: { ring_full: 8 } }, { span }), {
    verdict: "partial",
    percent: 90,
    reason,
    span,
  });
});

function aHook(overrides: Partial<HookStatus> = {}): HookStatus {
  return {
    hook: "sched_switch",
    provider: undefined,
    refused: [],
    blindFor: "where time goes",
    plane: "time",
    isAskedFor: true,
    ...overrides,
  };
}

const BLIND: readonly [what: string, hook: HookStatus, category: Category, isBlind: boolean][] = [
  ["the hook that feeds it is missing", aHook(), "waits", true],
  ["retransmits are not seen", aHook({ hook: "tcp_retransmit" }), "connections", true],
  ["the hook that feeds it is there", aHook({ provider: "tp_btf/sched_switch" }), "waits", false],
  ["nothing is unseen without the hook", aHook({ blindFor: "" }), "waits", false],
  ["another category's hook is missing", aHook({ hook: "socket_state" }), "waits", false],
  ["the hook of its own is missing", aHook({ hook: "socket_state" }), "listeners", true],
  ["nobody sees exec", aHook({ hook: "process_exec" }), "lifecycle", true],
  ["nobody sees wakers", aHook({ hook: "sched_waking" }), "scheduling", true],
  ["nobody sees wakers", aHook({ hook: "sched_waking" }), "waits", false],
  ["nobody sees who unlocks", aHook({ hook: "sched_waking" }), "chains", true],
  ["nobody sees when a wait ends", aHook({ hook: "sched_wakeup" }), "scheduling", true],
  ["no system call is known", aHook({ hook: "system_calls" }), "waits", true],
  ["no system call is known", aHook({ hook: "system_calls" }), "names", true],
  ["no system call is known", aHook({ hook: "system_calls" }), "scheduling", false],
  ["nobody asked for files", aHook({ hook: "file_call_exit", plane: "files", isAskedFor: false }), "files", true],
  ["nobody asked for files", aHook({ hook: "file_call_exit", plane: "files", isAskedFor: false }), "waits", false],
];

for (const [what, hook, category, isBlind] of BLIND) {
  Deno.test(`toCompleteness() calls ${category} ${isBlind ? "blind" : "complete"} when ${what}`, () => {
    const expected = isBlind ? { verdict: "blind", reason: "where time goes" } : { verdict: "complete" };
    assert.deepEqual(verdictOf({}, { hooks: [hook], category }), expected);
  });
}

Deno.test("toCompleteness() prefers blind to partial", () => {
  assert.deepEqual(verdictOf({ dropped: { ring_full: 8 } }, { hooks: [aHook()] }), {
    verdict: "blind",
    reason: "where time goes",
  });
});

Deno.test("toRunningLedgers() counts what is on its way, and only that, as having arrived", () => {
  const kernel = emptyKernelLedger();
  kernel.slowWaits = { seen: 100, filtered: 0, aggregated: 0, delivered: 100, dropped: {} };
  kernel.scheduling = { seen: 1006, filtered: 500, aggregated: 500, delivered: 0, dropped: {} };
  kernel.waits = { seen: 1000, filtered: 0, aggregated: 900, delivered: 0, dropped: {} };
  const read = { ...NOTHING_READ, readCount: 90, filteredCount: 40 };
  const input = anInput({ kernel, read: { ...anInput().read, slowWaits: read } });

  const ledgers = toRunningLedgers(input, { cpuCount: 2 });
  assert.deepEqual(ledgers.slowWaits, { ...kernel.slowWaits, filtered: 40, delivered: 60, residual: 0 });
  assert.deepEqual([ledgers.scheduling.seen, ledgers.scheduling.residual], [1000, 0], "6 hits are being booked");
  assert.equal(ledgers.waits.residual, 100, "more than two CPUs can be in the middle of");
  for (const category of CATEGORIES) assert.equal(explained(ledgers[category]), ledgers[category].seen, category);
});
