import { assert } from "../../tests/support/assert.ts";
import type { ProcessResourceMeasurement } from "../api/resource_measurements.ts";
import type { ProcessResources, ThreadAccount } from "../api/tracer_backend.ts";
import { toTargetId } from "../api/units.ts";
import { ResourceBook } from "./resource_book.ts";
import { finishSteps } from "./steps.ts";
import { aFork, anAccount } from "./test_backend.ts";

const A = toTargetId("a");
const B = toTargetId("b");
const TARGETS = new Map([[1, A], [2, B]]);

function resources(overrides: Partial<ProcessResources> = {}): ProcessResources {
  return {
    processId: 100,
    targetSlot: 1,
    fdCount: 10,
    fdLimit: 1024,
    threadCount: 2,
    residentBytes: 4096,
    ...overrides,
  };
}

function measure(
  book: ResourceBook,
  living: { readonly processes?: readonly ProcessResources[]; readonly accounts?: readonly ThreadAccount[] } = {},
): readonly ProcessResourceMeasurement[] {
  const { processes = [], accounts = [] } = living;
  return finishSteps(book.measurements({ processes, accounts, targetOf: (slot) => TARGETS.get(slot) }));
}

/** A process is born of 1, faults once and ends. */
function liveAndDie(book: ResourceBook, processId: number): void {
  book.fork(aFork({ parentProcessId: 1, childProcessId: processId }), A);
  book.thread(anAccount({ processId, minorFaultCount: 1, majorFaultCount: 0 }), A);
  book.end(processId, A);
}

Deno.test("ResourceBook tells what a process had at both ends, and what its threads faulted between", () => {
  const book = new ResourceBook();
  book.begin(resources(), A);
  book.begin(resources({ fdCount: 99 }), A); // a later target set looks again: the first look stands
  book.fork(aFork({ parentProcessId: 100, childProcessId: 100, childThreadId: 103 }), A);
  book.thread(anAccount({ processId: 100, minorFaultCount: 5, majorFaultCount: 1 }), A);
  const living = {
    processes: [resources({ fdCount: 20, threadCount: 3, residentBytes: 8192 })],
    accounts: [anAccount({ processId: 100, minorFaultCount: 7, majorFaultCount: undefined })],
  };

  const rows = measure(book, living);

  assert.deepEqual(rows, [{
    targetId: A,
    processId: 100,
    fdCountBegin: 10,
    fdCountEnd: 20,
    fdLimit: 1024,
    threadCountBegin: 2,
    threadCountEnd: 3,
    threadsStartedCount: 1,
    minorFaultCount: 12,
    majorFaultCount: 1,
    residentBytesBegin: 4096,
    residentBytesEnd: 8192,
  }]);
  assert.deepEqual(measure(book, living), rows, "reading changes nothing");
});

Deno.test("ResourceBook follows a process to the target inside its own, and back", () => {
  const book = new ResourceBook();
  book.begin(resources({ fdCount: 10 }), A);
  book.begin(resources({ fdCount: 15 }), B);
  // What it faulted before is told as it leaves A, after B took it in.
  book.thread(anAccount({ processId: 100, minorFaultCount: 3 }), A);
  const inner = measure(book, {
    processes: [resources({ targetSlot: 2, fdCount: 30 })],
    accounts: [anAccount({ processId: 100, targetSlot: 2, minorFaultCount: 4 })],
  });
  const shown = (
    { targetId, fdCountBegin, fdCountEnd, minorFaultCount }: ProcessResourceMeasurement,
  ) => [targetId, fdCountBegin, fdCountEnd, minorFaultCount];
  assert.deepEqual(inner.map(shown), [[A, 10, 15, 3], [B, 15, 30, 4]]);

  book.forgetTarget(B);
  book.begin(resources({ fdCount: 30 }), A);
  const outer = measure(book, { processes: [resources({ fdCount: 31 })] });
  assert.deepEqual(outer.map(shown), [[A, 10, 31, 3]]);
});

Deno.test("ResourceBook begins a process anew when its id is given out again, and keeps the one before", () => {
  const book = new ResourceBook();
  book.begin(resources({ processId: 200 }), A);
  book.thread(anAccount({ processId: 200, minorFaultCount: 5 }), A);
  book.fork(aFork({ parentProcessId: 100, childProcessId: 200 }), A);

  const rows = measure(book).map((row) => [row.processId, row.minorFaultCount, row.fdCountBegin, row.fdCountEnd]);
  assert.deepEqual(rows.sort(), [[200, 0, undefined, undefined], [200, 5, 10, undefined]]);
});

Deno.test("ResourceBook folds processes that ended when it is full, the first first, and loses no fault", () => {
  const book = new ResourceBook({ processesMax: 2 });
  book.begin(resources(), A);
  for (const processId of [201, 202, 203, 204]) liveAndDie(book, processId);

  const rows = measure(book, { processes: [resources()] });
  assert.deepEqual(rows.map(({ processId, minorFaultCount }) => [processId, minorFaultCount]), [
    [100, 0],
    [204, 1],
    [0, 3],
  ]);
  assert.deepEqual([book.foldedCount, book.rowCount], [3, 2]);
});

Deno.test("ResourceBook counts a process it has no room for once, and what it does among the others", () => {
  const book = new ResourceBook({ processesMax: 1 });
  book.begin(resources({ processId: 1 }), A);
  book.begin(resources({ processId: 2 }), A);
  for (const minorFaultCount of [4, 5]) book.thread(anAccount({ processId: 2, minorFaultCount }), A);

  const rows = measure(book, { processes: [resources({ processId: 2 })] });
  assert.deepEqual(rows.map(({ processId, minorFaultCount, fdCountEnd }) => [processId, minorFaultCount, fdCountEnd]), [
    [1, 0, undefined],
    [0, 9, undefined],
  ]);
  assert.equal(book.foldedCount, 1);
});

Deno.test("ResourceBook forgets a target that left", () => {
  const book = new ResourceBook({ processesMax: 1 });
  book.begin(resources({ processId: 1 }), A);
  book.begin(resources({ processId: 2 }), A);
  book.forgetTarget(A);
  assert.deepEqual(measure(book), []);
});
