import { assert } from "../../tests/support/assert.ts";
import type { ProcessResources } from "../api/tracer_backend.ts";
import { toTargetId } from "../api/units.ts";
import { ResourceBook } from "./resource_book.ts";
import { aFork, anAccount } from "./test_backend.ts";

const A = toTargetId("a");
const B = toTargetId("b");

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

Deno.test("ResourceBook tells what a process had at both ends, and what its threads faulted between", () => {
  const book = new ResourceBook();
  book.begin(resources(), A);
  book.begin(resources({ fdCount: 99 }), A); // a later target set looks again: the first look stands
  book.fork(aFork({ parentProcessId: 100, childProcessId: 100, childThreadId: 103 }), A);
  book.thread(anAccount({ processId: 100, minorFaultCount: 5, majorFaultCount: 1 }), A);
  book.thread(anAccount({ processId: 100, minorFaultCount: 7, majorFaultCount: undefined }), A);
  book.end(resources({ fdCount: 20, threadCount: 3, residentBytes: 8192 }), A);

  assert.deepEqual(book.measurements(), [{
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
});

Deno.test("ResourceBook begins a process anew when its id is given out again", () => {
  const book = new ResourceBook();
  book.begin(resources({ processId: 200 }), A);
  book.thread(anAccount({ processId: 200, minorFaultCount: 5 }), A);
  book.fork(aFork({ parentProcessId: 100, childProcessId: 200 }), A);

  const [row] = book.measurements();
  assert.deepEqual([row?.minorFaultCount, row?.fdCountBegin, row?.fdCountEnd], [0, undefined, undefined]);
});

Deno.test("ResourceBook forgets a target that left, and counts what it has no room for", () => {
  const book = new ResourceBook({ processesMax: 1 });
  book.begin(resources({ processId: 1 }), A);
  book.begin(resources({ processId: 2 }), B);
  assert.equal(book.missedCount, 1);
  book.forgetTarget(A);
  assert.deepEqual(book.measurements(), []);
});
