import { assert } from "../../tests/support/assert.ts";
import { WAIT_CLASSES } from "../api/measurements.ts";
import type { TaskSnapshotEntry } from "../api/tracer_backend.ts";
import { findLockOwners, type WordReader } from "./lock_owners.ts";
import { anObject } from "./test_backend.ts";
import { OBJECT_KINDS } from "./wait_objects.ts";

const ADDRESS = 0x7f00_0000_1000n;
const FUTEX_WAIT_PRIVATE = 128n;
const FUTEX_LOCK_PI_PRIVATE = 6n | 128n;

/** Thread 101 waits for a contended glibc mutex. */
function aWaiter(overrides: Partial<TaskSnapshotEntry> = {}): TaskSnapshotEntry {
  return {
    processId: 100,
    threadId: 101,
    namespaceThreadId: 11,
    parentProcessId: 1,
    targetSlot: 1,
    command: "worker",
    state: "blocked",
    waitClass: WAIT_CLASSES.lock,
    systemCall: 202,
    systemCallArguments: [ADDRESS, FUTEX_WAIT_PRIVATE, 2n, 0n],
    object: anObject({ kind: OBJECT_KINDS.lock, lowLow: 0x1000, lowHigh: 0x7f00 }),
    nameComponents: [],
    onCpuMs: 10,
    runDelayMs: 1,
    lastRanMs: 400,
    ...overrides,
  };
}

const HOLDER = aWaiter({ threadId: 102, namespaceThreadId: 12, state: "running", waitClass: 0 });

/** Words of process 100; asked for anything else it fails. */
function memoryOf(words: Readonly<Record<string, number>>): WordReader {
  return (processId, address) => {
    assert.equal(processId, 100);
    return words[address.toString(16)];
  };
}

/** The owner of 101's lock, by its thread id. */
function ownerOf(tasks: readonly TaskSnapshotEntry[], readWord: WordReader): number | undefined {
  return findLockOwners({ atMs: 1000, tasks, processes: [] }, readWord).get(101)?.threadId;
}

Deno.test("findLockOwners() finds a glibc mutex's owner 8 bytes behind the lock word, by its namespace's id", () => {
  assert.equal(ownerOf([aWaiter(), HOLDER], memoryOf({ "7f0000001008": 12 })), 102);
});

Deno.test("findLockOwners() finds the owner in the word itself when the lock inherits priority", () => {
  const waiter = aWaiter({ systemCallArguments: [ADDRESS, FUTEX_LOCK_PI_PRIVATE, 0n, 0n] });
  // FUTEX_WAITERS is set in a contended word.
  assert.equal(ownerOf([waiter, HOLDER], memoryOf({ "7f0000001000": 0x8000_000c })), 102);
  const lockPi2 = aWaiter({ systemCallArguments: [ADDRESS, 13n | 128n, 0n, 0n] });
  assert.equal(ownerOf([lockPi2, HOLDER], memoryOf({ "7f0000001000": 12 })), 102);
});

Deno.test("findLockOwners() takes the owner from the value waited for where that names it, and reads nothing", () => {
  const waiter = aWaiter({ systemCallArguments: [ADDRESS, FUTEX_WAIT_PRIVATE, 0x8000_000cn, 0n] });
  assert.equal(ownerOf([waiter, HOLDER], () => assert.fail("the word was read")), 102);
});

Deno.test("findLockOwners() yields nobody where it cannot be told", () => {
  const owned = memoryOf({ "7f0000001008": 12 });
  const table: readonly (readonly [name: string, tasks: readonly TaskSnapshotEntry[], readWord: WordReader])[] = [
    ["memory that cannot be read", [aWaiter(), HOLDER], () => undefined],
    ["an owner of 0: unlocked meanwhile", [aWaiter(), HOLDER], memoryOf({ "7f0000001008": 0 })],
    ["an owner that is not traced", [aWaiter()], owned],
    ["the same id in another process", [aWaiter(), { ...HOLDER, processId: 200 }], owned],
    ["itself", [aWaiter(), HOLDER], memoryOf({ "7f0000001008": 11 })],
    ["a thread that runs", [aWaiter({ state: "running" }), HOLDER], owned],
    ["a wait of another class", [aWaiter({ waitClass: WAIT_CLASSES.parked }), HOLDER], owned],
    ["no lock", [aWaiter({ object: anObject({ kind: OBJECT_KINDS.none }) }), HOLDER], owned],
    ["arguments that are not known", [aWaiter({ systemCallArguments: [] }), HOLDER], owned],
  ];
  for (const [name, tasks, readWord] of table) assert.equal(ownerOf(tasks, readWord), undefined, name);
});

Deno.test("findLockOwners() tells every waiter of one lock", () => {
  const second = aWaiter({ threadId: 103, namespaceThreadId: 13 });
  const owners = findLockOwners(
    { atMs: 1000, tasks: [aWaiter(), second, HOLDER], processes: [] },
    memoryOf({ "7f0000001008": 12 }),
  );
  assert.deepEqual([...owners].map(([waiter, owner]) => [waiter, owner.threadId]), [[101, 102], [103, 102]]);
});
