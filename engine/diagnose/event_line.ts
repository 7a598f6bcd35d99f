/**
 * One event as one line, for people and for programs.
 *
 * @module
 */

import { errnoName, errnoNumber } from "../api/errno_name.ts";
import type { TraceEvent, WaitEvent } from "../api/events.ts";
import type { FilterCategory } from "../api/filter.ts";
import type { WaitClass, WaitObject } from "../api/measurements.ts";
import type { CloseEvent, ConnectEvent, SocketEvent, TransferFailureEvent } from "../api/socket_events.ts";
import { sanitizeText } from "../api/text.ts";
import { formatBytes, formatCount, formatTimeOfDay, formatWallTime } from "./format.ts";
import { describeObject } from "./wait_object.ts";

/** Longest line in UTF-8 bytes; a name in it is cut where it enters. */
const LINE_BYTES_MAX = 1024;

/** What ties the events' clock to the wall's. */
export interface EventLineOptions {
  /** Added to a monotonic time it yields unix time. */
  readonly wallOffsetMs: number;
}

const CATEGORY_OF_CLASS: Readonly<Record<WaitClass, FilterCategory>> = {
  network: "net",
  diskRead: "fs",
  diskWrite: "fs",
  lock: "lock",
  pageFault: "mem",
  child: "proc",
  idle: "time",
  sleep: "time",
  pipe: "time",
  stopped: "time",
  parked: "time",
  other: "time",
};

/** What a line begins with: the reference's word, whatever the event is filtered by here. */
function prefixOf(event: TraceEvent): string {
  if (event.kind === "file" && event.operation === "exec") return "PROC";
  if (event.kind === "wait" && event.waitClass === "pipe") return "FS";
  const category = categoryOfEvent(event);
  // A thread that is off its CPU for no reason that has a category of its own.
  return category === "time" ? "CPU" : category.toUpperCase();
}

/** Yields what the event is about. */
export function categoryOfEvent(event: TraceEvent): FilterCategory {
  switch (event.kind) {
    case "wait":
      return CATEGORY_OF_CLASS[event.waitClass];
    case "fork":
    case "exec":
    case "exit":
      return "proc";
    case "oomKill":
      return "mem";
    case "file":
      return "fs";
    case "connect":
    case "accept":
    case "close":
    case "transferFailure":
    case "response":
    case "retransmit":
      return "net";
  }
}

/** Yields when it happened, or ended, monotonic. */
export function timeOfEvent(event: TraceEvent): number {
  return event.kind === "wait" || event.kind === "file" ? event.endMs : event.atMs;
}

/** Yields "14:03:17.512 [NET] recvfrom() from 10.0.0.9:5432 took 35.12ms  pid 4711 tid 4712", without a newline. */
export function toEventLine(event: TraceEvent, options: EventLineOptions): string {
  const time = formatTimeOfDay(timeOfEvent(event) + options.wallOffsetMs);
  const line = `${time} [${prefixOf(event)}] ${describeEvent(event)}  ${describeSubject(event)}`;
  return sanitizeText(line, { bytesMax: LINE_BYTES_MAX });
}

/** Yields the event as one line of JSON: its own fields, its category, and wall-clock time in place of monotonic ones. */
export function toEventJson(event: TraceEvent, options: EventLineOptions): string {
  const fields = Object.entries(event).filter(([name]) => !["kind", "endMs", "atMs"].includes(name));
  const line = {
    type: "event",
    time: formatWallTime(timeOfEvent(event) + options.wallOffsetMs),
    category: categoryOfEvent(event),
    kind: event.kind,
    ...Object.fromEntries(fields),
  };
  const replacer = (_key: string, value: unknown) => typeof value === "string" ? sanitizeText(value) : value;
  return JSON.stringify(line, replacer);
}

function describeSubject(event: TraceEvent): string {
  switch (event.kind) {
    case "wait":
    case "file":
      return describeThread(event);
    case "fork":
      return describeThread({ processId: event.parentProcessId, threadId: event.parentThreadId });
    case "exit":
      return describeThread(event);
    default:
      return `pid ${event.processId}`;
  }
}

function describeThread(thread: { readonly processId: number; readonly threadId: number }): string {
  return thread.threadId === thread.processId
    ? `pid ${thread.processId}`
    : `pid ${thread.processId} tid ${thread.threadId}`;
}

function describeEvent(event: TraceEvent): string {
  switch (event.kind) {
    case "wait":
      return describeWait(event);
    case "fork":
      return event.childProcessId === event.parentProcessId
        ? `clone created tid ${event.childThreadId} (${event.command})`
        : `fork created pid ${event.childProcessId} (${event.command})`;
    case "exec":
      return describeExec(event);
    case "exit":
      return describeExit(event);
    case "oomKill": {
      const { anonymousBytes, fileBytes, sharedBytes } = event.memory;
      return `OOM kill: ${event.command} (${formatMegabytes(anonymousBytes + fileBytes + sharedBytes)})`;
    }
    case "file":
      return describeFile(event);
    default:
      return describeSocketEvent(event);
  }
}

function describeExit(event: Extract<TraceEvent, { kind: "exit" }>): string {
  const how = event.signal === 0 ? `exited with ${event.exitCode}` : `was ended by signal ${event.signal}`;
  return `${event.processEnded ? "process" : "thread"} ${event.command} ${how}`;
}

function describeExec(event: Extract<TraceEvent, { kind: "exec" }>): string {
  const words = event.argumentList.length > 0 ? event.argumentList : [event.path];
  const text = words.join(" ") === "" ? "(path unreadable)" : words.join(" ");
  return `execve ${text}${event.isArgumentListCut ? " ..." : ""} (${event.command})`;
}

/** "open() /etc/x failed: error -2 (ENOENT) (0.02ms)", "write() to /srv/data.bin took 12.50ms (4096 bytes)". */
function describeFile(event: Extract<TraceEvent, { kind: "file" }>): string {
  if (event.operation === "exec") return describeFailedExec(event);
  const call = `${event.operation === "sync" ? event.systemCall ?? "fsync" : event.operation}()`;
  const preposition = { read: "from ", write: "to ", sync: "to " }[String(event.operation)] ?? "";
  const what = `${call} ${preposition}${describeObject(event.object)}`;
  const took = formatTook(event.durationMs);
  if (event.errno !== 0) return `${what} failed: ${describeError(errnoName(event.errno))} (${took})`;
  return `${what} took ${took}${event.byteCount > 0 ? ` (${formatCount(event.byteCount, "byte")})` : ""}`;
}

function describeFailedExec(event: Extract<TraceEvent, { kind: "file" }>): string {
  const took = formatTook(event.durationMs);
  const what = `execve ${describeObject(event.object)}`;
  return event.errno === 0
    ? `${what} took ${took}`
    : `${what} failed: ${describeError(errnoName(event.errno))} (${took})`;
}

/** The kernel's own number, negative as the kernel returns it, and its name. */
function describeError(name: string): string {
  const errno = errnoNumber(name);
  return errno === undefined ? name : `error -${errno} (${name})`;
}

function describeWait(event: WaitEvent): string {
  const call = event.systemCall === undefined ? "thread" : `${event.systemCall}()`;
  const took = formatTook(event.durationMs);
  switch (event.waitClass) {
    case "network":
      return `${call} ${onObject("on", event.object)}took ${took}`;
    case "diskRead":
      return `${call} ${onObject("from", event.object)}took ${took}`;
    case "diskWrite":
      return `${call} ${onObject("to", event.object)}took ${took}`;
    case "lock":
      return `contention on ${describeObject(event.object)} (${took})`;
    case "pageFault":
      return `Page fault ${onObject("on", event.object)}took ${took}`;
    case "child":
      return `${call} waited ${took} for ${describeObject(event.object)}`;
    case "pipe":
      return `${call} ${onObject("on", event.object)}took ${took}`;
    case "stopped":
      return `thread stopped (${took})`;
    case "idle":
    case "sleep":
    case "parked":
    case "other":
      return `thread blocked in ${call} ${onObject("on", event.object)}(${took})`;
  }
}

function onObject(preposition: string, object: WaitObject): string {
  return object.kind === "none" ? "" : `${preposition} ${describeObject(object)} `;
}

function describeSocketEvent(event: SocketEvent): string {
  const endpoint = describeObject(event.endpoint);
  switch (event.kind) {
    case "connect":
      return describeConnect(event, endpoint);
    case "accept":
      return `accept from ${endpoint}`;
    case "close":
      return describeClose(event, endpoint);
    case "transferFailure":
      return describeTransferFailure(event, endpoint);
    case "response":
      return event.endpoint.kind === "server" || event.endpoint.kind === "unixServer"
        ? `answer to ${endpoint} took ${formatTook(event.durationMs)}`
        : `response from ${endpoint} took ${formatTook(event.durationMs)}`;
    case "retransmit":
      return `TCP retransmission detected for ${endpoint}`;
  }
}

/** "TCP send to 10.0.0.9:5432 error: -32 (EPIPE)". */
function describeTransferFailure({ direction, error, endpoint }: TransferFailureEvent, name: string): string {
  const protocol = endpoint.kind === "peer" || endpoint.kind === "server" ? endpoint.protocol.toUpperCase() : "unix";
  const how = direction === "send" ? "send to" : "recv from";
  return `${protocol} ${how} ${name} ${describeError(error).replace(/^error /, "error: ")}`;
}

function describeConnect(event: ConnectEvent, endpoint: string): string {
  const took = formatTook(event.durationMs);
  return event.error === undefined
    ? `connect to ${endpoint} took ${took}`
    : `connect to ${endpoint} failed: ${describeError(event.error)} (${took})`;
}

function describeClose(event: CloseEvent, endpoint: string): string {
  const age = event.durationMs === undefined ? "opened before the look" : `after ${formatTook(event.durationMs)}`;
  return `close of ${endpoint} ${age}, sent ${formatBytes(event.sentBytes)}, received ${
    formatBytes(event.receivedBytes)
  }`;
}

/** "64.00 MB", whatever the size. */
function formatMegabytes(byteCount: number): string {
  return `${(byteCount / 2 ** 20).toFixed(2)} MB`;
}

/** As log readers expect it: "35.12ms". */
function formatTook(durationMs: number): string {
  return `${durationMs.toFixed(2)}ms`;
}
