/**
 * The task iterator's records as a snapshot.
 *
 * @module
 */

import {
  decodePtTaskRecord,
  PT_TASK_RECORD,
  PT_THREAD_STATE,
  PT_UNKNOWN_COUNT,
  type PtTaskRecord,
} from "../../bpf/generated/layout.ts";
import type { ProcessResources, TaskSnapshot, TaskSnapshotEntry } from "../api/tracer_backend.ts";
import { type TextCache, toCount } from "./text_cache.ts";

/** More descriptors than any kernel lets a process have (sysctl_nr_open_max, fs/file.c). */
const FD_LIMIT_MAX = 2 ** 31;

const STATES: ReadonlyMap<number, TaskSnapshotEntry["state"]> = new Map([
  [PT_THREAD_STATE.RUNNING, "running"],
  [PT_THREAD_STATE.RUNNABLE, "runnable"],
  [PT_THREAD_STATE.BLOCKED, "blocked"],
]);

/** Yields one value per thread, in the iterator's order; the reader itself is among them with slot 0. */
export function decodeTaskRecords(bytes: Uint8Array<ArrayBuffer>, texts: TextCache): readonly PtTaskRecord[] {
  const source = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), texts };
  const records: PtTaskRecord[] = [];
  for (let offset = 0; offset + PT_TASK_RECORD.sizeBytes <= bytes.byteLength; offset += PT_TASK_RECORD.sizeBytes) {
    records.push(decodePtTaskRecord(source, offset));
  }
  return records;
}

/** Yields the target threads of `records`. */
export function toTaskSnapshot(
  records: readonly PtTaskRecord[],
  options: { readonly atMs: number; readonly texts: TextCache },
): TaskSnapshot {
  const { atMs, texts } = options;
  const clockOffsetMs = schedulerClockOffsetMs(records);
  return {
    atMs,
    tasks: records.filter(({ prefix }) => prefix.targetSlot !== 0).map((record) =>
      toEntry(record, { clockOffsetMs, texts })
    ),
    processes: toProcessResources(records),
  };
}

/** Yields what the target processes of `records` have; one whose main thread ended is not among them. */
export function toProcessResources(records: readonly PtTaskRecord[]): readonly ProcessResources[] {
  return records.filter(({ prefix, tid }) => prefix.targetSlot !== 0 && tid === prefix.tgid).map((record) => {
    const fdLimit = toCount(record.fdLimitLow, record.fdLimitHigh);
    const residentBytes = toCount(record.residentBytesLow, record.residentBytesHigh);
    return {
      processId: record.prefix.tgid,
      targetSlot: record.prefix.targetSlot,
      fdCount: record.fdCount === PT_UNKNOWN_COUNT ? undefined : record.fdCount,
      // RLIM_INFINITY is all ones, far above what a process can open.
      fdLimit: fdLimit === 0 || fdLimit > FD_LIMIT_MAX ? undefined : fdLimit,
      threadCount: record.threadCount,
      residentBytes: residentBytes === 0 ? undefined : residentBytes,
    };
  });
}

/**
 * Yields what to add to the scheduler's clock to get the monotonic one. The
 * threads on a CPU ran just now: the latest of their marks is at most a tick old.
 */
function schedulerClockOffsetMs(records: readonly PtTaskRecord[]): number | undefined {
  let offsetMs: number | undefined;
  for (const record of records) {
    if (record.state !== PT_THREAD_STATE.RUNNING && record.isCurrent === 0) continue;
    const candidateMs = record.nowMs - record.execStartMs;
    if (offsetMs === undefined || candidateMs < offsetMs) offsetMs = candidateMs;
  }
  return offsetMs;
}

function toEntry(
  record: PtTaskRecord,
  options: { readonly clockOffsetMs: number | undefined; readonly texts: TextCache },
): TaskSnapshotEntry {
  const { clockOffsetMs, texts } = options;
  const text = new DataView(record.text.buffer);
  const state = STATES.get(record.state) ?? "blocked";
  const isKnown = state !== "running" && clockOffsetMs !== undefined && record.execStartMs > 0;
  return {
    processId: record.prefix.tgid,
    threadId: record.tid,
    namespaceThreadId: record.namespaceTid,
    parentProcessId: record.parentTgid,
    targetSlot: record.prefix.targetSlot,
    command: record.comm,
    state,
    waitClass: record.waitClass,
    systemCall: record.systemCall,
    systemCallArguments: record.arguments,
    object: record.object,
    nameComponents: texts.list(text, { offset: 0, lengthBytes: Math.min(record.textBytes, text.byteLength) }),
    onCpuMs: record.execMs,
    runDelayMs: record.delayMs,
    lastRanMs: isKnown ? Math.min(record.nowMs, record.execStartMs + clockOffsetMs) : undefined,
  };
}
