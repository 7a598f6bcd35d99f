/**
 * Names of what threads wait for.
 *
 * @module
 */

import type { WaitClass, WaitObject } from "../api/measurements.ts";

/** Yields the one string that two equal objects share. */
export function objectKey(object: WaitObject): string {
  switch (object.kind) {
    case "peer":
      return `peer ${object.protocol} ${object.address} ${object.port}`;
    case "server":
      return `server ${object.protocol} ${object.port}`;
    case "unixPeer":
    case "unixServer":
    case "file":
    case "device":
      return `${object.kind} ${object.id}`;
    case "pipe":
      return `pipe ${object.inode}`;
    case "lock":
      return `lock ${object.address}`;
    case "child":
      return `child ${object.processId}`;
    case "anonymous":
      return `anonymous ${object.name ?? ""}`;
    case "path":
      return `path ${object.path ?? ""}`;
    default:
      return object.kind;
  }
}

/** Yields how a person would call it: "10.0.0.9:5432", "/var/lib/app/data.bin", "lock 0x7f…". */
export function describeObject(object: WaitObject): string {
  switch (object.kind) {
    case "none":
      return "(not named)";
    case "peer":
      return `${endpoint(object.address, object.port)}${object.protocol === "udp" ? " (udp)" : ""}`;
    case "server":
      return `clients of ${object.protocol} port ${object.port}`;
    case "unixPeer":
      return object.path === undefined ? `unix socket ${object.id}` : `unix socket ${object.path}`;
    case "unixServer":
      return object.path === undefined ? `clients of unix socket ${object.id}` : `clients of ${object.path}`;
    case "file":
      return object.path ?? `file ${object.id}`;
    case "pipe":
      return `pipe ${object.inode}`;
    case "lock":
      return `lock ${object.address}`;
    case "child":
      return object.processId === 0 ? "any child" : `child ${object.processId}`;
    case "several":
      return "several descriptors";
    case "anonymous":
      return object.name ?? "anonymous descriptor";
    case "path":
      return object.path ?? "path that was not kept";
    case "device":
      return `device ${object.id}`;
    case "timer":
    case "eventfd":
    case "terminal":
    case "netlink":
    case "signal":
      return object.kind;
  }
}

/**
 * Whether it is one end of a pair of unix sockets, which have no address: what
 * processes talk through with their children, and threads with each other. The id
 * of a bound socket whose path is not known is an ordinal.
 */
export function isSocketPair(object: WaitObject): boolean {
  return (object.kind === "unixPeer" || object.kind === "unixServer") && object.path === undefined &&
    !object.id.startsWith("#");
}

/** Whether a person could go and look at it. A file whose path got lost could not be found by its inode at 3 a.m. */
export function isNamed(object: WaitObject): boolean {
  switch (object.kind) {
    case "none":
    case "several":
      return false;
    case "anonymous":
      return object.name !== undefined;
    case "file":
    case "path":
      return object.path !== undefined;
    default:
      return true;
  }
}

/** How each wait class is called in text. */
export const WAIT_CLASS_NAMES: Readonly<Record<WaitClass, string>> = {
  network: "network",
  diskRead: "disk read",
  diskWrite: "disk write",
  lock: "lock",
  idle: "idle",
  sleep: "sleep",
  pipe: "pipe",
  child: "child",
  pageFault: "page fault",
  stopped: "stopped",
  parked: "parked",
  other: "other",
};

function endpoint(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
