/**
 * What every thread is doing at one instant, as people read it. Pure.
 *
 * @module
 */

import type { WaitClass, WaitObject } from "../api/measurements.ts";
import { sanitizeText } from "../api/text.ts";
import type { TaskSnapshot, TaskSnapshotEntry } from "../api/tracer_backend.ts";
import { findLockOwners, type WordReader } from "./lock_owners.ts";
import { toNameText } from "./name_table.ts";
import { SocketOrdinals } from "./socket_ordinals.ts";
import { toWaitClass, toWaitObject } from "./wait_objects.ts";

/** One thread at the instant of the snapshot. */
export interface SnapshotRow {
  /** As the host's pid namespace knows it. */
  readonly processId: number;
  /** As the host's pid namespace knows it. */
  readonly threadId: number;
  /** `comm` of the thread, sanitised. */
  readonly command: string;
  /** On a CPU, waiting for one, or neither. */
  readonly state: TaskSnapshotEntry["state"];
  /** `undefined` unless blocked. */
  readonly waitClass: WaitClass | undefined;
  /** The call it is in; `undefined` when it is in none, or in one that cannot be told. */
  readonly systemCall: string | undefined;
  /** What it is blocked on, with the object's name where the kernel holds one. */
  readonly object: WaitObject;
  /** How long it has been blocked, good to one scheduler tick; `undefined`: not blocked, or not known. */
  readonly sinceMs: number | undefined;
  /** Who holds the lock it is blocked on, where the lock says so. */
  readonly lockOwner: { readonly threadId: number; readonly command: string } | undefined;
}

/**
 * Yields one row per thread of a target, in the snapshot's order. Slot 0 is
 * nobody's: the thread that read the snapshot is in it, too.
 */
export function toSnapshotRows(
  snapshot: TaskSnapshot,
  options: {
    readonly systemCallOf: (systemCall: number) => string | undefined;
    readonly readWord: WordReader;
  },
): readonly SnapshotRow[] {
  const owners = findLockOwners(snapshot, options.readWord);
  const ordinals = new SocketOrdinals();
  return snapshot.tasks.filter((task) => task.targetSlot !== 0).map((task) => {
    const isBlocked = task.state === "blocked";
    const name = toNameText({ object: task.object, components: task.nameComponents, isTruncated: false });
    return {
      processId: task.processId,
      threadId: task.threadId,
      command: sanitizeText(task.command),
      state: task.state,
      waitClass: isBlocked ? toWaitClass(task.waitClass) : undefined,
      systemCall: options.systemCallOf(task.systemCall),
      object: toWaitObject(task.object, { name, ordinals }),
      sinceMs: isBlocked && task.lastRanMs !== undefined ? Math.max(0, snapshot.atMs - task.lastRanMs) : undefined,
      lockOwner: toOwner(owners.get(task.threadId)),
    };
  });
}

function toOwner(owner: TaskSnapshotEntry | undefined): SnapshotRow["lockOwner"] {
  return owner && { threadId: owner.threadId, command: sanitizeText(owner.command) };
}
