import { assert } from "../../tests/support/assert.ts";
import { property } from "../../tests/support/property.ts";
import { type EventKind, toEventKindMask } from "../api/events.ts";
import { AGGREGATE_INTERVAL_MS, BATCH_EVENTS_MAX, EXPORT_TIMEOUT_MS } from "../api/limits.ts";
import { DEFAULT_PLANES } from "../api/plane.ts";
import type { RouteStats } from "../api/stats.ts";
import type { Route } from "../api/target.ts";
import type { BackendRecord } from "../api/tracer_backend.ts";
import { toExporterKey, toProcessId, toRouteId, toTargetId } from "../api/units.ts";
import { aFork, anAccount, aName, anExit, aWait, aWaitKey } from "./test_backend.ts";
import { Bench } from "./test_engine.ts";
import { aTarget, type ExporterMood, targetMap } from "./test_host.ts";

/** Whose record it is; "nobody" has a slot that no target ever gets. */
const owners = property.constantFrom("a", "a", "b", "nobody");

/** A record as the kernel writes it for the slot its owner has at that time. */
const records = property.oneof<property.Arbitrary<(targetSlot: number) => BackendRecord>[]>(
  property.nat(40).map((durationMs) => (targetSlot) => aWait({ durationMs, key: aWaitKey({ targetSlot }) })),
  property.constant((targetSlot) => aName({ targetSlot })),
  property.integer({ min: 100, max: 120 }).map((childProcessId) => (targetSlot) =>
    aFork({ targetSlot, childProcessId })
  ),
  property.tuple(property.boolean(), property.boolean()).map(([processEnded, leftTarget]) => (targetSlot) =>
    anExit({ targetSlot, processEnded, leftTarget, thread: anAccount({ targetSlot, exited: true }) })
  ),
);

const kinds = property.subarray<EventKind>(["wait", "fork", "exec", "exit"], { minLength: 1 }).map(toEventKindMask);

const routes = property.record({
  targets: property.oneof(
    { weight: 9, arbitrary: property.subarray(["a", "b"], { minLength: 1 }) },
    { weight: 1, arbitrary: property.subarray(["unknown"], { minLength: 1 }) },
  ),
  kinds,
  exporterKey: property.constantFrom("k@1", "k@1", "k@2", "k@2", "k@2", "unknown@1").map(toExporterKey),
  slowWaitMs: property.constantFrom(0, 10, 30),
});

const moods = property.constantFrom<ExporterMood>("prompt", "half", "failing", "hanging", "deaf");

const targetSteps = property.record({
  do: property.constant("targets" as const),
  ids: property.constantFrom(["a", "b"], ["a", "b"], ["a"], ["b"], []),
  members: property.nat(1),
  routes: property.array(routes, { minLength: 1, maxLength: 3 }),
});

const submitSteps = property.record({
  do: property.constant("submit" as const),
  owner: owners,
  record: records,
  copies: property.constantFrom(1, 3, BATCH_EVENTS_MAX, 5000, 9000),
});

const turnSteps = property.record({
  do: property.constant("turn" as const),
  afterMs: property.constantFrom(0, 10, AGGREGATE_INTERVAL_MS, EXPORT_TIMEOUT_MS),
});

const moodSteps = property.record({ do: property.constant("mood" as const), exporter: property.nat(2), mood: moods });

const steadySteps = property.oneof(
  { weight: 6, arbitrary: submitSteps },
  { weight: 6, arbitrary: turnSteps },
  { weight: 3, arbitrary: moodSteps },
);

const steps = property.oneof(
  { weight: 6, arbitrary: steadySteps },
  { weight: 1, arbitrary: targetSteps },
);

type Step = typeof steps extends property.Arbitrary<infer Value> ? Value : never;

/** One script of what the kernel, the exporters and the user do, against one engine. */
class Script {
  readonly bench = new Bench();
  #revision = 0;
  #submittedCount = 0;

  async perform(step: Step): Promise<void> {
    switch (step.do) {
      case "submit":
        this.#submit(step);
        return;
      case "turn":
        await this.bench.turn(step.afterMs);
        return;
      case "mood": {
        const exporter = this.bench.exporters[step.exporter];
        if (exporter !== undefined) exporter.mood = step.mood;
        return;
      }
      case "targets":
        this.#setTargets(step);
    }
  }

  /** read = unmatched + internal + matched, and matched = exported + waiting + dropped for every route. */
  checkBooks(): void {
    const stats = this.bench.engine.stats();
    assert.equal(stats.readCount, this.#submittedCount - this.bench.backend.heldCount);
    assert.equal(stats.readCount, stats.unmatchedCount + stats.internalCount + stats.matchedCount);
    for (const route of stats.routes.values()) {
      assert.equal(route.matchedCount, route.exportedCount + route.waitingCount + droppedCount(route));
    }
  }

  /** After the run: nothing waits, every exporter was closed once, every ledger adds up without a residual. */
  checkEnd(): void {
    this.checkBooks();
    for (const route of this.bench.engine.stats().routes.values()) assert.equal(route.waitingCount, 0);
    assert.ok(this.bench.exporters.every((exporter) => exporter.disposeCount === 1));
    for (const { books } of this.bench.exporters.flatMap((exporter) => exporter.measurements)) {
      for (const [category, ledger] of Object.entries(books.ledger)) {
        assert.equal(ledger.residual, 0, category);
        assert.ok(ledger.delivered >= 0 && ledger.filtered >= 0, category);
      }
    }
    assert.equal(this.bench.time.sleeperCount, 0);
  }

  #submit(step: Extract<Step, { do: "submit" }>): void {
    const { backend } = this.bench;
    const slot = step.owner === "nobody" ? 4000 : backend.slotOf(toTargetId(step.owner)) ?? 4000;
    const record = step.record(slot);
    for (let copy = 0; copy < step.copies; copy++) backend.submit(record);
    this.#submittedCount += step.copies;
  }

  #setTargets(step: Extract<Step, { do: "targets" }>): void {
    const wanted = step.routes.map((route, index): Route => ({
      id: toRouteId(`r${index}`),
      targetIds: new Set(route.targets.map(toTargetId)),
      kinds: route.kinds,
      exporterKey: route.exporterKey,
      slowWaitMs: route.slowWaitMs,
      slowFileMs: 10,
      hasUserStacks: false,
      planes: DEFAULT_PLANES,
    }));
    const targets = step.ids.map((id) => aTarget(id, { processIds: step.members > 0 ? [toProcessId(7)] : [] }));
    const problems = this.bench.engine.setTargets({
      revision: ++this.#revision,
      targets: targetMap(targets),
      routes: wanted,
      exporters: new Map([[toExporterKey("k@1"), { type: "diagnosis" }], [toExporterKey("k@2"), {
        type: "diagnosis",
      }]]),
    });
    const startedIds = [...this.bench.engine.stats().routes.keys()];
    const problemIds = problems.map((problem) => problem.routeId);
    assert.deepEqual([...startedIds, ...problemIds].sort(), wanted.map((route) => route.id).sort());
  }
}

function droppedCount(route: RouteStats): number {
  return Object.values(route.droppedCount).reduce((total, count) => total + count, 0);
}

async function play(script: readonly Step[], check: (performed: Script) => void): Promise<void> {
  const performed = new Script();
  await using bench = performed.bench;
  bench.start();
  for (const step of script) {
    await performed.perform(step);
    performed.checkBooks();
  }
  await bench.finish();
  performed.checkEnd();
  check(performed);
}

Deno.test("the books of a run balance after every step, whatever kernel, exporters and user do", async () => {
  const scripts = property.tuple(targetSteps, property.array(steps, { maxLength: 40 }))
    .map(([first, others]): Step[] => [first, ...others]);
  await property.assert(
    property.asyncProperty(scripts, (script) => play(script, () => {})),
    { numRuns: 300 },
  );
});

/** An exporter that was given up on may have got the events all the same: nobody can tell. */
function isTold(step: Step): boolean {
  return step.do !== "mood" || step.mood === "prompt" || step.mood === "half";
}

Deno.test("what the books of routes say was delivered is what their exporters got", async () => {
  const scripts = property.tuple(targetSteps, property.array(steadySteps, { maxLength: 40 }))
    .map(([first, others]): Step[] => [first, ...others.filter(isTold)]);
  await property.assert(
    property.asyncProperty(scripts, (script) =>
      play(script, ({ bench }) => {
        const ledgers = bench.exporters.flatMap((exporter) => exporter.measurements.map((final) => final.books.ledger));
        const got = bench.exporters.flatMap((exporter) => exporter.events).filter((event) => event.kind === "wait");
        assert.equal(ledgers.reduce((total, ledger) => total + ledger.slowWaits.delivered, 0), got.length);
      })),
    { numRuns: 150 },
  );
});
