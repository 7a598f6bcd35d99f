/**
 * The words user space writes and every program reads, and the small keys it
 * seeds tables with.
 *
 * @module
 */

import { PT_CONTROL, PT_LISTENER_KEY } from "../../bpf/generated/layout.ts";

/** include/uapi/linux/in.h */
const IPPROTO_TCP = 6;

export interface ControlWords {
  /** 0: the window is open. */
  readonly frozenAtMs: number;
  readonly slowWaitMs: number; // 0: no single waits
  readonly slowResponseMs: number;
  readonly slowConnectMs: number;
  /** Bit n: socket records of `pt_kind` n are wanted. */
  readonly socketKinds: number;
  readonly followsSockets: boolean;
  /** When operations on files began to be asked for, the last time. */
  readonly filesSinceMs: number;
  readonly slowFileMs: number; // 0: no single operations on files
  readonly pageBytes: number;
  readonly isEnabled: boolean;
  readonly cgroupLevels: number;
  readonly systemWideSlot: number;
  readonly ownProcessId: number;
  readonly hasUserStacks: boolean;
  readonly iteratorMode: number; // pt_iterate
  /** Another number after every change of targets. */
  readonly targetGeneration: number;
}

export const OPEN_CONTROL: ControlWords = {
  frozenAtMs: 0,
  slowWaitMs: 0,
  slowResponseMs: 0,
  slowConnectMs: 0,
  socketKinds: 0,
  followsSockets: false,
  filesSinceMs: 0,
  slowFileMs: 0,
  pageBytes: 0,
  isEnabled: false,
  cgroupLevels: 0,
  systemWideSlot: 0,
  ownProcessId: 0,
  hasUserStacks: false,
  iteratorMode: 0,
  targetGeneration: 0,
};

/** Yields `struct pt_control`; the wakeup latch is cleared with every write. */
export function encodeControl(words: ControlWords): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(PT_CONTROL.sizeBytes);
  const view = new DataView(bytes.buffer);
  const { offsets } = PT_CONTROL;
  view.setBigUint64(offsets.frozenAtNs, BigInt(Math.round(words.frozenAtMs * 1e6)), true);
  view.setBigUint64(offsets.slowWaitNs, BigInt(Math.round(words.slowWaitMs * 1e6)), true);
  view.setBigUint64(offsets.slowResponseNs, BigInt(Math.round(words.slowResponseMs * 1e6)), true);
  view.setBigUint64(offsets.slowConnectNs, BigInt(Math.round(words.slowConnectMs * 1e6)), true);
  view.setUint32(offsets.socketKinds, words.socketKinds, true);
  view.setUint32(offsets.followSockets, Number(words.followsSockets), true);
  view.setBigUint64(offsets.filesSinceNs, BigInt(Math.round(words.filesSinceMs * 1e6)), true);
  view.setBigUint64(offsets.slowFileNs, BigInt(Math.round(words.slowFileMs * 1e6)), true);
  view.setUint32(offsets.pageBytes, words.pageBytes, true);
  view.setUint32(offsets.enabled, Number(words.isEnabled), true);
  view.setUint32(offsets.cgroupLevels, words.cgroupLevels, true);
  view.setUint32(offsets.systemWideSlot, words.systemWideSlot, true);
  view.setUint32(offsets.ownTgid, words.ownProcessId, true);
  view.setUint32(offsets.userStacks, Number(words.hasUserStacks), true);
  view.setUint32(offsets.iteratorMode, words.iteratorMode, true);
  view.setUint32(offsets.targetGeneration, words.targetGeneration, true);
  return bytes;
}

/** Yields the key under which a listening port is known. */
export function encodeListener(networkNamespace: number, port: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(PT_LISTENER_KEY.sizeBytes);
  const view = new DataView(bytes.buffer);
  const { offsets } = PT_LISTENER_KEY;
  view.setUint32(offsets.networkNamespace, networkNamespace, true);
  view.setUint16(offsets.port, port, true);
  view.setUint16(offsets.protocol, IPPROTO_TCP, true);
  return bytes;
}
