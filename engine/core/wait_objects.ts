/**
 * From the numbers of `pt_object` to what people read. Pure.
 *
 * @module
 */

import { WAIT_CLASSES, type WaitClass, type WaitObject } from "../api/measurements.ts";
import type { SocketEndpoint } from "../api/socket_measurements.ts";
import type { ObjectKey } from "../api/tracer_backend.ts";
import type { SocketOrdinals } from "./socket_ordinals.ts";

/** `pt_object_kind` of bpf/include/pt_events.h. */
export const OBJECT_KINDS = {
  none: 0,
  tcpPeer: 1,
  udpPeer: 2,
  tcpServer: 3,
  udpServer: 4,
  unixPeer: 5,
  unixServer: 6,
  file: 7,
  pipe: 8,
  lock: 9,
  timer: 10,
  eventfd: 11,
  terminal: 12,
  child: 13,
  several: 14,
  anonymous: 15,
  netlink: 16,
  signal: 17,
  device: 18,
  path: 19,
  unixPair: 20,
  udpQuiet: 21,
} as const;

/** `pt_operation` of bpf/include/pt_events.h. */
export const SOCKET_OPERATIONS = { send: 0, receive: 1, connect: 2 } as const;

/** `PT_NO_SYSTEM_CALL` of bpf/include/pt_events.h. */
export const NO_SYSTEM_CALL = 0xffff;

const CLASS_OF_NUMBER: readonly WaitClass[] = classesByNumber();

/** Yields the class numbered `waitClass`; `undefined` for 0, "not blocked"; "other" for a number we do not know. */
export function toWaitClass(waitClass: number): WaitClass | undefined {
  if (waitClass === 0) return undefined;
  return CLASS_OF_NUMBER[waitClass] ?? "other";
}

/** What a key does not hold. */
export interface ObjectContext {
  /** Text of the object, sanitised; `undefined` while it is not known. */
  readonly name: string | undefined;
  /** Of the run: keys of bound unix sockets are kernel addresses, which are shown to nobody. */
  readonly ordinals: SocketOrdinals;
}

/** Yields what `key` names. */
export function toWaitObject(key: ObjectKey, { name, ordinals }: ObjectContext): WaitObject {
  switch (key.kind) {
    case OBJECT_KINDS.tcpPeer:
      return { kind: "peer", protocol: "tcp", address: toAddressText(key), port: key.port };
    case OBJECT_KINDS.udpPeer:
      return { kind: "peer", protocol: "udp", address: toAddressText(key), port: key.port };
    case OBJECT_KINDS.tcpServer:
      return { kind: "server", protocol: "tcp", port: key.port };
    case OBJECT_KINDS.udpServer:
      return { kind: "server", protocol: "udp", port: key.port };
    case OBJECT_KINDS.udpQuiet:
      // Nothing was sent that we saw: nobody is known at the other end.
      if (key.port === 0) return { kind: "none" };
      return { kind: "peer", protocol: "udp", address: toAddressText(key), port: key.port };
    case OBJECT_KINDS.unixPeer:
    case OBJECT_KINDS.unixPair:
      return { kind: "unixPeer", id: toSocketId(key, ordinals), path: name };
    case OBJECT_KINDS.unixServer:
      return { kind: "unixServer", id: toSocketId(key, ordinals), path: name };
    case OBJECT_KINDS.file:
      return { kind: "file", id: `${toDeviceText(key.highLow)}:${lowText(key)}`, path: name };
    case OBJECT_KINDS.path:
      return { kind: "path", path: name };
    case OBJECT_KINDS.pipe:
      return { kind: "pipe", inode: key.lowHigh * 2 ** 32 + key.lowLow };
    case OBJECT_KINDS.lock:
      return { kind: "lock", address: toPointerText(key.lowLow, key.lowHigh) };
    case OBJECT_KINDS.child:
      return { kind: "child", processId: key.lowLow };
    case OBJECT_KINDS.anonymous:
      return { kind: "anonymous", name };
    case OBJECT_KINDS.device:
      return { kind: "device", id: toDeviceText(key.lowLow) };
    default:
      return toPlainObject(key.kind);
  }
}

/** Yields `object` where it is a socket's other end, or our own port; else `undefined`. */
export function toSocketEndpoint(object: WaitObject): SocketEndpoint | undefined {
  switch (object.kind) {
    case "peer":
    case "server":
    case "unixPeer":
    case "unixServer":
      return object;
    default:
      return undefined;
  }
}

/** Objects that are their kind and nothing more; a kind we do not know is "none". */
function toPlainObject(kind: number): WaitObject {
  switch (kind) {
    case OBJECT_KINDS.timer:
      return { kind: "timer" };
    case OBJECT_KINDS.eventfd:
      return { kind: "eventfd" };
    case OBJECT_KINDS.terminal:
      return { kind: "terminal" };
    case OBJECT_KINDS.several:
      return { kind: "several" };
    case OBJECT_KINDS.netlink:
      return { kind: "netlink" };
    case OBJECT_KINDS.signal:
      return { kind: "signal" };
    default:
      return { kind: "none" };
  }
}

/** True when two keys name the same object. */
export function isSameObject(left: ObjectKey, right: ObjectKey): boolean {
  return left.lowLow === right.lowLow && left.lowHigh === right.lowHigh && left.highLow === right.highLow &&
    left.highHigh === right.highHigh && left.port === right.port && left.kind === right.kind;
}

/** Yields a map key of `key`; for places that see each object seldom. */
export function toObjectText(key: ObjectKey): string {
  return `${key.kind}:${key.port}:${key.highHigh}:${key.highLow}:${key.lowHigh}:${key.lowLow}`;
}

/** Yields "0x…" of a u64 given as halves. */
export function toPointerText(low: number, high: number): string {
  if (high === 0) return `0x${low.toString(16)}`;
  return `0x${high.toString(16)}${low.toString(16).padStart(8, "0")}`;
}

/**
 * Yields the address as text: dotted for IPv4 (also when mapped into IPv6), else
 * RFC 5952. The key holds the sixteen bytes in the order of the wire, as a
 * little-endian machine reads them: `highLow` has the first four, its lowest
 * byte the very first.
 */
export function toAddressText(key: Pick<ObjectKey, "highHigh" | "highLow" | "lowHigh" | "lowLow">): string {
  if (key.highHigh === 0 && key.highLow === 0 && key.lowLow === 0xffff0000) {
    const value = key.lowHigh;
    return `${value & 255}.${(value >>> 8) & 255}.${(value >>> 16) & 255}.${value >>> 24}`;
  }
  const groups: number[] = [];
  for (const half of [key.highLow, key.highHigh, key.lowLow, key.lowHigh]) {
    groups.push(swapBytes(half & 0xffff), swapBytes(half >>> 16));
  }
  return toIpv6Text(groups);
}

function swapBytes(u16: number): number {
  return ((u16 & 0xff) << 8) | (u16 >>> 8);
}

/** RFC 5952: lower case, no leading zeros, the first longest run of two or more zero groups as "::". */
function toIpv6Text(groups: readonly number[]): string {
  const run = longestZeroRun(groups);
  const texts = groups.map((group) => group.toString(16));
  if (run.length < 2) return texts.join(":");
  return `${texts.slice(0, run.start).join(":")}::${texts.slice(run.start + run.length).join(":")}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  groups.forEach((group, index) => {
    length = group === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: index - length + 1, length };
  });
  return best;
}

/** "major:minor" of a kernel-internal dev_t: 12 and 20 bits (`MKDEV`, include/linux/kdev_t.h). */
function toDeviceText(device: number): string {
  return `${device >>> 20}:${device & 0xfffff}`;
}

/** Kernel addresses have the top bit set on every architecture we know; the inodes of sockets are 32 bits wide. */
function toSocketId(key: ObjectKey, ordinals: SocketOrdinals): string {
  return key.lowHigh >>> 31 === 0 ? lowText(key) : `#${ordinals.ordinalOf(lowValue(key))}`;
}

/** The low half as decimal; inode numbers use all 64 bits. */
function lowText(key: ObjectKey): string {
  return key.lowHigh === 0 ? `${key.lowLow}` : lowValue(key).toString();
}

function lowValue(key: ObjectKey): bigint {
  return (BigInt(key.lowHigh) << 32n) | BigInt(key.lowLow);
}

function classesByNumber(): readonly WaitClass[] {
  const classes: WaitClass[] = [];
  for (const [name, number] of Object.entries(WAIT_CLASSES)) {
    // Object.entries widens the keys of a constant table to string.
    classes[number] = name as WaitClass;
  }
  return classes;
}
