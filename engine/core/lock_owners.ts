/**
 * Who holds a lock that a thread is blocked on right now, read from the lock
 * itself. Pure: the caller reads the word.
 *
 * @module
 */

import { WAIT_CLASSES } from "../api/measurements.ts";
import type { TaskSnapshot, TaskSnapshotEntry } from "../api/tracer_backend.ts";
import { OBJECT_KINDS } from "./wait_objects.ts";

/** include/uapi/linux/futex.h */
const FUTEX_COMMAND_MASK = 127;
const FUTEX_LOCK_PI = 6;
const FUTEX_LOCK_PI2 = 13;
const FUTEX_TID_MASK = 0x3fff_ffff;

/** glibc and others write 2 into a contended mutex; its owner stands 8 bytes further (`struct __pthread_mutex_s`). */
const CONTENDED = 2;
const OWNER_OFFSET = 8n;

/** Reads a 32-bit word of a process's memory; `undefined` when that is not possible. */
export type WordReader = (processId: number, address: bigint) => number | undefined;

/** Yields, per blocked thread's id, the entry of the thread that holds the lock; without those that cannot be told. */
export function findLockOwners(snapshot: TaskSnapshot, readWord: WordReader): ReadonlyMap<number, TaskSnapshotEntry> {
  const byNamespaceId = new Map<string, TaskSnapshotEntry>();
  for (const task of snapshot.tasks) byNamespaceId.set(`${task.processId}/${task.namespaceThreadId}`, task);
  const owners = new Map<number, TaskSnapshotEntry>();
  for (const task of snapshot.tasks) {
    const ownerId = lockOwnerId(task, readWord);
    const owner = ownerId === undefined ? undefined : byNamespaceId.get(`${task.processId}/${ownerId}`);
    if (owner !== undefined && owner !== task) owners.set(task.threadId, owner);
  }
  return owners;
}

/** The id its own pid namespace knows the owner by. */
function lockOwnerId(task: TaskSnapshotEntry, readWord: WordReader): number | undefined {
  const isLock = task.waitClass === WAIT_CLASSES.lock && task.object.kind === OBJECT_KINDS.lock;
  const [address, operation, value] = task.systemCallArguments;
  if (task.state !== "blocked" || !isLock || address === undefined || operation === undefined || value === undefined) {
    return undefined;
  }
  const command = Number(operation & BigInt(FUTEX_COMMAND_MASK));
  const isPriorityInheriting = command === FUTEX_LOCK_PI || command === FUTEX_LOCK_PI2;
  const expected = Number(BigInt.asUintN(32, value));
  // musl waits for the owner's id itself, with the top bit set.
  if (!isPriorityInheriting && expected !== CONTENDED) return expected & FUTEX_TID_MASK;
  const word = readWord(task.processId, isPriorityInheriting ? address : address + OWNER_OFFSET);
  return word === undefined ? undefined : word & FUTEX_TID_MASK;
}
