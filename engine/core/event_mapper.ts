/**
 * From a decoded record to the event exporters see.
 *
 * @module
 */

import type { ExecEvent, ExitEvent, FileEvent, ForkEvent, OomKillEvent, WaitEvent } from "../api/events.ts";
import { redactCommandLine } from "../api/redact.ts";
import { sanitizeText } from "../api/text.ts";
import type { SocketEvent } from "../api/socket_events.ts";
import type {
  CloseRecord,
  ExecRecord,
  ExitRecord,
  FileRecord,
  ForkRecord,
  ObjectKey,
  OomKillRecord,
  SocketRecord,
  WaitRecord,
} from "../api/tracer_backend.ts";
import type { WaitObject } from "../api/measurements.ts";
import type { TargetId } from "../api/units.ts";
import { toFileOperation } from "./file_operations.ts";
import { toSocketErrorName } from "./socket_errors.ts";
import { NO_SYSTEM_CALL, SOCKET_OPERATIONS, toSocketEndpoint, toWaitClass } from "./wait_objects.ts";

/** Where names of system calls and objects come from. */
export interface EventNames {
  objectOf(key: ObjectKey): WaitObject;
  systemCallOf(systemCall: number): string | undefined;
}

/** Makes a lookup that asks `nameOf` once per number; a number without a name reads "syscall_N". */
export function toSystemCallLookup(
  nameOf: (systemCall: number) => string | undefined,
): (systemCall: number) => string | undefined {
  // At most 65 536 entries: system calls are u16 at the seam.
  const names = new Map<number, string>();
  return (systemCall) => {
    if (systemCall === NO_SYSTEM_CALL) return undefined;
    let name = names.get(systemCall);
    if (name === undefined) {
      name = nameOf(systemCall) ?? `syscall_${systemCall}`;
      names.set(systemCall, name);
    }
    return name;
  };
}

export function toWaitEvent(record: WaitRecord, targetId: TargetId, names: EventNames): WaitEvent {
  const key = record.key;
  return {
    kind: "wait",
    targetId,
    endMs: record.endMs,
    durationMs: record.durationMs,
    processId: key.processId,
    threadId: key.threadId,
    waitClass: toWaitClass(key.waitClass) ?? "other",
    systemCall: names.systemCallOf(key.systemCall),
    object: names.objectOf(key.object),
    wakerThreadId: record.wakerThreadId,
  };
}

export function toForkEvent(record: ForkRecord, targetId: TargetId): ForkEvent {
  return {
    kind: "fork",
    targetId,
    atMs: record.atMs,
    parentProcessId: record.parentProcessId,
    parentThreadId: record.parentThreadId,
    childProcessId: record.childProcessId,
    childThreadId: record.childThreadId,
    command: sanitizeText(record.command),
  };
}

export function toExecEvent(record: ExecRecord, targetId: TargetId): ExecEvent {
  return {
    kind: "exec",
    targetId,
    atMs: record.atMs,
    processId: record.processId,
    command: sanitizeText(record.command),
    path: sanitizeText(record.path),
    argumentList: toArgumentList(record.argumentList),
    isArgumentListCut: record.isArgumentListCut,
  };
}

export function toExitEvent(record: ExitRecord, targetId: TargetId): ExitEvent {
  const thread = record.thread;
  return {
    kind: "exit",
    targetId,
    atMs: thread.endMs,
    processId: thread.processId,
    threadId: thread.threadId,
    parentProcessId: record.parentProcessId,
    command: sanitizeText(thread.command),
    // As wait(2) packs it: the code in bits 8 to 15, the signal in the low seven, 0x80 for a core dump.
    exitCode: (record.exitCode >>> 8) & 0xff,
    signal: record.exitCode & 0x7f,
    processEnded: record.processEnded,
    isOomVictim: record.isOomVictim,
  };
}

/**
 * Yields what may be shown of a command line: secrets go first, while the
 * arguments still are what the program was given.
 */
export function toArgumentList(argumentList: readonly string[]): readonly string[] {
  return redactCommandLine(argumentList).map((argument) => sanitizeText(argument));
}

export function toOomKillEvent(record: OomKillRecord, targetId: TargetId): OomKillEvent {
  const { virtualBytes, anonymousBytes, fileBytes, sharedBytes } = record;
  return {
    kind: "oomKill",
    targetId,
    atMs: record.atMs,
    processId: record.processId,
    command: sanitizeText(record.command),
    memory: { virtualBytes, anonymousBytes, fileBytes, sharedBytes },
  };
}

export function toFileEvent(record: FileRecord, targetId: TargetId, names: EventNames): FileEvent {
  const { key } = record;
  return {
    kind: "file",
    targetId,
    endMs: record.endMs,
    durationMs: record.durationMs,
    processId: key.processId,
    threadId: record.threadId,
    operation: toFileOperation(key.operation),
    systemCall: names.systemCallOf(record.systemCall),
    object: names.objectOf(key.object),
    errno: key.errno,
    byteCount: record.byteCount,
  };
}

/** Yields `undefined` for a socket whose other end is not known: nobody could be told of it. */
export function toSocketEvent(
  record: SocketRecord | CloseRecord,
  targetId: TargetId,
  names: EventNames,
): SocketEvent | undefined {
  const endpoint = toSocketEndpoint(names.objectOf(record.object));
  if (endpoint === undefined) return undefined;
  const { processId } = record;
  if (record.kind === "close") {
    const durationMs = record.openedMs === 0 ? undefined : Math.max(0, record.closedMs - record.openedMs);
    const [sentBytes, receivedBytes] = [record.sent.byteCount, record.received.byteCount];
    return {
      kind: "close",
      targetId,
      atMs: record.closedMs,
      processId,
      endpoint,
      durationMs,
      sentBytes,
      receivedBytes,
    };
  }
  const { atMs, durationMs } = record;
  const base = { targetId, atMs, processId, endpoint };
  const error = record.error === 0 ? undefined : toSocketErrorName(record.error);
  switch (record.kind) {
    case "connect":
      return { kind: "connect", ...base, durationMs, error };
    case "response":
      return { kind: "response", ...base, durationMs };
    case "transferFailure": {
      const direction = record.operation === SOCKET_OPERATIONS.send ? "send" : "receive";
      return { kind: "transferFailure", ...base, direction, error: error ?? "errno 0" };
    }
    case "accept":
    case "retransmit":
      return { kind: record.kind, ...base };
  }
}
