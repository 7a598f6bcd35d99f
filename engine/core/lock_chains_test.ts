import { assert } from "../../tests/support/assert.ts";
import type { ChainRow, ThreadAccount } from "../api/tracer_backend.ts";
import { withOpenChains, withoutQueueing } from "./lock_chains.ts";
import { anAccount, anObject, aWaitKey } from "./test_backend.ts";
import { OBJECT_KINDS } from "./wait_objects.ts";

const LOCK = anObject({ kind: OBJECT_KINDS.lock, lowLow: 0xd0, lowHigh: 0x7f });
const FILE = anObject({ kind: OBJECT_KINDS.file, lowLow: 42 });

/** Thread 101 waits for a lock since 400 ms; the lock word names thread 12 of its namespace. */
const WAITER = anAccount({
  openWait: { key: aWaitKey({ waitClass: 4, object: LOCK }), sinceMs: 600, lockOwnerThreadId: 12, joinedMs: 0 },
});

function aHolder(overrides: Partial<ThreadAccount> = {}): ThreadAccount {
  return anAccount({ threadId: 102, namespaceThreadId: 12, command: "flusher", ...overrides });
}

const IN_FSYNC = {
  key: aWaitKey({ threadId: 102, waitClass: 3, systemCall: 74, object: FILE }),
  lockOwnerThreadId: 0,
  joinedMs: 0,
};

const CHAIN: ChainRow = {
  processId: 100,
  targetSlot: 1,
  holderThreadId: 102,
  holderProcessId: 100,
  holderCommand: "flusher",
  waitClass: 3,
  systemCall: 74,
  lockAddressLow: 0xd0,
  lockAddressHigh: 0x7f,
  object: FILE,
  count: 1,
  totalMs: 400,
};

Deno.test("withOpenChains() names the holder of a lock still waited for, and what it waits for itself", () => {
  const holder = aHolder({ openWait: { ...IN_FSYNC, sinceMs: 500 } });
  assert.deepEqual(withOpenChains([], [WAITER, holder]), [CHAIN]);
});

Deno.test("withOpenChains() gives the holder's wait only the time that it lasted", () => {
  const holder = aHolder({ openWait: { ...IN_FSYNC, sinceMs: 900 } });
  assert.deepEqual(withOpenChains([], [WAITER, holder]), [{ ...CHAIN, totalMs: 100 }]);
});

Deno.test("withOpenChains() yields no class for a holder that is not blocked", () => {
  const [chain] = withOpenChains([], [WAITER, aHolder()]);
  assert.deepEqual([chain?.waitClass, chain?.systemCall, chain?.object.kind, chain?.totalMs], [0, 0xffff, 0, 400]);
});

Deno.test("withOpenChains() adds an open wait to the row of finished ones like it", () => {
  const row = { ...CHAIN, count: 5, totalMs: 1000 };
  const other = { ...CHAIN, holderThreadId: 103 };
  const holder = aHolder({ openWait: { ...IN_FSYNC, sinceMs: 500 } });
  assert.deepEqual(withOpenChains([row, other], [WAITER, holder]), [{ ...row, count: 6, totalMs: 1400 }, other]);
});

Deno.test("withOpenChains() shows both sides of a deadlock", () => {
  const other = aHolder({
    openWait: {
      key: aWaitKey({ threadId: 102, waitClass: 4, object: LOCK }),
      sinceMs: 600,
      lockOwnerThreadId: 11,
      joinedMs: 0,
    },
  });
  const chains = withOpenChains([], [WAITER, other]);
  assert.deepEqual(chains.map((chain) => [chain.holderThreadId, chain.waitClass]), [[102, 4], [101, 4]]);
});

Deno.test("withOpenChains() names nobody when the owner is unknown, gone, or of another process", () => {
  const ownerless = anAccount({
    openWait: { key: aWaitKey({ waitClass: 4, object: LOCK }), sinceMs: 600, lockOwnerThreadId: 0, joinedMs: 0 },
  });
  assert.deepEqual(withOpenChains([], [ownerless, aHolder({ namespaceThreadId: 0 })]), []);
  assert.deepEqual(withOpenChains([], [WAITER]), []);
  assert.deepEqual(withOpenChains([], [WAITER, aHolder({ processId: 999 })]), []);
});

Deno.test("withoutQueueing() gives the time a waker queued for the same lock to those who held it", () => {
  const queueing = {
    ...CHAIN,
    holderThreadId: 103,
    holderCommand: "worker-1",
    waitClass: 4,
    object: LOCK,
    totalMs: 500,
  };
  const running = { ...CHAIN, waitClass: 0, object: anObject(), totalMs: 100 };
  const elsewhere = { ...CHAIN, lockAddressLow: 0xe0, totalMs: 7 };
  assert.deepEqual(withoutQueueing([CHAIN, queueing, running, elsewhere]), [
    { ...CHAIN, totalMs: 800 },
    { ...running, totalMs: 200 },
    elsewhere,
  ]);
});

Deno.test("withoutQueueing() keeps a row when nobody else is known to have held the lock", () => {
  const queueing = { ...CHAIN, holderThreadId: 103, waitClass: 4, object: LOCK };
  assert.deepEqual(withoutQueueing([queueing]), [queueing]);
});
