/**
 * Ring records as values of the seam.
 *
 * @module
 */

import {
  decodePtCloseEvent,
  decodePtExecEvent,
  decodePtExitEvent,
  decodePtFileEvent,
  decodePtForkEvent,
  decodePtNameEvent,
  decodePtOomKillEvent,
  decodePtSocketEvent,
  decodePtWaitKey,
  PT_EXEC_EVENT,
  PT_KIND,
  PT_NAME_EVENT,
  PT_WAIT_EVENT,
  type PtFileKey,
  type PtWaitKey,
} from "../../bpf/generated/layout.ts";
import { EngineError } from "../api/errors.ts";
import type { BackendRecord, CloseRecord, FileKey, SocketRecord, WaitKey } from "../api/tracer_backend.ts";
import { toRoundTrip, toSocketEnds } from "./socket_tables.ts";
import { nsToMs, type RecordSource, toCount } from "./text_cache.ts";

/**
 * Decodes the record at `at`; copies everything out.
 *
 * @throws {EngineError} `ring_corrupt` on a kind that no program writes
 */
export function decodeRecord(source: RecordSource, at: number, kind: number): BackendRecord {
  switch (kind) {
    case PT_KIND.WAIT:
      return decodeWait(source, at);
    case PT_KIND.NAME:
      return decodeName(source, at);
    case PT_KIND.FORK:
      return decodeFork(source, at);
    case PT_KIND.EXEC:
      return decodeExec(source, at);
    case PT_KIND.EXIT:
      return decodeExit(source, at);
    case PT_KIND.CONNECT:
      return decodeSocketEvent(source, at, "connect");
    case PT_KIND.ACCEPT:
      return decodeSocketEvent(source, at, "accept");
    case PT_KIND.TRANSFER_FAILURE:
      return decodeSocketEvent(source, at, "transferFailure");
    case PT_KIND.RESPONSE:
      return decodeSocketEvent(source, at, "response");
    case PT_KIND.RETRANSMIT:
      return decodeSocketEvent(source, at, "retransmit");
    case PT_KIND.CLOSE:
      return decodeClose(source, at);
    case PT_KIND.OOM_KILL:
      return decodeOomKill(source, at);
    case PT_KIND.FILE:
      return decodeFile(source, at);
    default:
      throw new EngineError("ring_corrupt", `Cannot decode a record: found kind ${kind}, wanted one of the layout's`);
  }
}

/** Yields the seam's form of a decoded key. */
export function toWaitKey(key: PtWaitKey): WaitKey {
  return {
    processId: key.tgid,
    threadId: key.tid,
    targetSlot: key.targetSlot,
    waitClass: key.waitClass,
    systemCall: key.systemCall,
    object: key.object,
    stackId: key.stackId,
  };
}

/** The hot one, so without the prefix, which routing has read: 90 % of the time a whole decode takes. */
function decodeWait(source: RecordSource, at: number): BackendRecord {
  const { view } = source;
  const { endNs, durationNs, key, wakerTid } = PT_WAIT_EVENT.offsets;
  return {
    kind: "wait",
    endMs: nsToMs(view.getUint32(at + endNs, true), view.getUint32(at + endNs + 4, true)),
    durationMs: nsToMs(view.getUint32(at + durationNs, true), view.getUint32(at + durationNs + 4, true)),
    key: toWaitKey(decodePtWaitKey(source, at + key)),
    wakerThreadId: view.getUint32(at + wakerTid, true),
  };
}

function decodeName(source: RecordSource, at: number): BackendRecord {
  const event = decodePtNameEvent(source, at);
  return {
    kind: "name",
    targetSlot: event.prefix.targetSlot,
    processId: event.prefix.tgid,
    object: event.object,
    components: source.texts.list(source.view, { offset: at + PT_NAME_EVENT.sizeBytes, lengthBytes: event.textBytes }),
    isTruncated: event.truncated !== 0,
  };
}

function decodeFork(source: RecordSource, at: number): BackendRecord {
  const event = decodePtForkEvent(source, at);
  return {
    kind: "fork",
    targetSlot: event.prefix.targetSlot,
    atMs: event.nowMs,
    parentProcessId: event.prefix.tgid,
    parentThreadId: event.parentTid,
    childProcessId: event.childTgid,
    childThreadId: event.childTid,
    command: event.comm,
  };
}

function decodeExec(source: RecordSource, at: number): BackendRecord {
  const event = decodePtExecEvent(source, at);
  const [path = ""] = source.texts.list(source.view, {
    offset: at + PT_EXEC_EVENT.sizeBytes,
    lengthBytes: event.textBytes,
  });
  const argumentsAt = at + PT_EXEC_EVENT.sizeBytes + event.textBytes;
  return {
    kind: "exec",
    targetSlot: event.prefix.targetSlot,
    atMs: event.nowMs,
    processId: event.prefix.tgid,
    command: event.comm,
    path,
    argumentList: source.texts.list(source.view, { offset: argumentsAt, lengthBytes: event.argumentBytes }),
    isArgumentListCut: event.argumentsCut !== 0,
  };
}

function decodeExit(source: RecordSource, at: number): BackendRecord {
  const event = decodePtExitEvent(source, at);
  return {
    kind: "exit",
    targetSlot: event.prefix.targetSlot,
    parentProcessId: event.parentTgid,
    exitCode: event.exitCode,
    processEnded: event.processEnded !== 0,
    leftTarget: event.leftTarget !== 0,
    isOomVictim: event.oomVictim !== 0,
    thread: {
      processId: event.prefix.tgid,
      threadId: event.tid,
      namespaceThreadId: event.namespaceTid,
      targetSlot: event.prefix.targetSlot,
      command: event.comm,
      beginMs: event.beginMs,
      endMs: event.endMs,
      onCpuMs: event.onCpuMs,
      runnableMs: event.runnableMs,
      throttledMs: event.throttledMs,
      blockedMs: event.blockedMs,
      kernelOnCpuMs: event.kernelOnCpuMs,
      kernelRunDelayMs: event.kernelDelayMs,
      minorFaultCount: toCount(event.minorFaultsLow, event.minorFaultsHigh),
      majorFaultCount: toCount(event.majorFaultsLow, event.majorFaultsHigh),
      exited: true,
      openWait: undefined,
    },
  };
}

function decodeSocketEvent(source: RecordSource, at: number, kind: SocketRecord["kind"]): SocketRecord {
  const event = decodePtSocketEvent(source, at);
  return {
    kind,
    targetSlot: event.prefix.targetSlot,
    processId: event.prefix.tgid,
    atMs: event.nowMs,
    durationMs: event.durationMs,
    object: event.object,
    operation: event.operation,
    error: event.error,
  };
}

function decodeClose(source: RecordSource, at: number): CloseRecord {
  const event = decodePtCloseEvent(source, at);
  return {
    kind: "close",
    targetSlot: event.prefix.targetSlot,
    processId: event.prefix.tgid,
    object: event.object,
    closedMs: event.closedMs,
    openedMs: event.openedMs,
    sent: {
      operationCount: toCount(event.sentOperationsLow, event.sentOperationsHigh),
      byteCount: toCount(event.sentBytesLow, event.sentBytesHigh),
    },
    received: {
      operationCount: toCount(event.receivedOperationsLow, event.receivedOperationsHigh),
      byteCount: toCount(event.receivedBytesLow, event.receivedBytesHigh),
    },
    responses: { count: event.responses, totalMs: event.responsesTotalMs, maxMs: event.responsesMaxMs },
    retransmitCount: event.retransmits,
    roundTrip: toRoundTrip(event),
    ...toSocketEnds(event),
  };
}

function decodeOomKill(source: RecordSource, at: number): BackendRecord {
  const event = decodePtOomKillEvent(source, at);
  return {
    kind: "oomKill",
    targetSlot: event.prefix.targetSlot,
    atMs: event.nowMs,
    processId: event.prefix.tgid,
    command: event.comm,
    virtualBytes: toCount(event.virtualBytesLow, event.virtualBytesHigh),
    anonymousBytes: toCount(event.anonymousBytesLow, event.anonymousBytesHigh),
    fileBytes: toCount(event.fileBytesLow, event.fileBytesHigh),
    sharedBytes: toCount(event.sharedBytesLow, event.sharedBytesHigh),
  };
}

/** Yields the seam's form of a decoded key. */
export function toFileKey(key: PtFileKey): FileKey {
  return {
    processId: key.tgid,
    targetSlot: key.targetSlot,
    operation: key.operation,
    errno: key.error,
    object: key.object,
  };
}

function decodeFile(source: RecordSource, at: number): BackendRecord {
  const event = decodePtFileEvent(source, at);
  return {
    kind: "file",
    endMs: event.endMs,
    durationMs: event.durationMs,
    key: toFileKey(event.key),
    threadId: event.tid,
    systemCall: event.systemCall,
    byteCount: toCount(event.bytesLow, event.bytesHigh),
  };
}
