/**
 * The socket tables of a network namespace, `/proc/PID/net/*`, parsed.
 *
 * @module
 */

import { toCount } from "./procfs_parsers.ts";

/** Tables that exist once per network namespace. */
export type InternetTable = "tcp" | "tcp6" | "udp" | "udp6";

/** The kernel's socket states, include/net/tcp_states.h; UDP uses "established" and "close" (not connected). */
export const SOCKET_STATES = [
  "established",
  "synSent",
  "synReceived",
  "finWait1",
  "finWait2",
  "timeWait",
  "close",
  "closeWait",
  "lastAck",
  "listen",
  "closing",
  "newSynReceived",
] as const;

/** A socket's state by name. */
export type SocketState = (typeof SOCKET_STATES)[number];

/** `__SO_ACCEPTCON`, include/uapi/linux/net.h: the socket listens. */
const ACCEPTS_CONNECTIONS_FLAG = 0x10000;

/** One row of a TCP or UDP table. */
export interface InternetSocket {
  /** Canonical text; an IPv4 address mapped into IPv6 reads as IPv4. */
  readonly localAddress: string;
  /** In host order. */
  readonly localPort: number;
  /** As `localAddress`. */
  readonly remoteAddress: string;
  /** 0: not connected. */
  readonly remotePort: number;
  /** By name. */
  readonly state: SocketState;
  /** 0: no longer, or not yet, a process's. */
  readonly inode: number;
}

/** One row of the unix table. */
export interface UnixSocket {
  /** It accepts connections. */
  readonly isListening: boolean;
  /** As in `/proc/PID/fd`. */
  readonly inode: number;
  /** "@name" for an abstract one, "" for a socket without a name. Not sanitised. */
  readonly path: string;
}

/** Parses the body of `/proc/net/{tcp,udp}{,6}`. */
export function parseInternetSockets(text: string): readonly InternetSocket[] {
  const sockets: InternetSocket[] = [];
  for (const line of text.split("\n")) {
    const fields = line.trim().split(/\s+/);
    const local = parseEndpoint(fields[1]);
    const remote = parseEndpoint(fields[2]);
    const stateText = fields[3] ?? "";
    const state = /^[0-9A-F]{2}$/.test(stateText) ? SOCKET_STATES[Number.parseInt(stateText, 16) - 1] : undefined;
    const inode = toCount(fields[9]);
    if (local === undefined || remote === undefined || state === undefined || inode === undefined) continue;
    sockets.push({
      localAddress: local.address,
      localPort: local.port,
      remoteAddress: remote.address,
      remotePort: remote.port,
      state,
      inode,
    });
  }
  return sockets;
}

/** Parses the body of `/proc/net/unix`; a path may contain spaces, and is unchecked text of some process. */
export function parseUnixSockets(text: string): readonly UnixSocket[] {
  const sockets: UnixSocket[] = [];
  for (const line of text.split("\n")) {
    const match = /^[0-9a-f]+: [0-9A-F]{8} [0-9A-F]{8} ([0-9A-F]{8}) [0-9A-F]{4} [0-9A-F]{2} +(\d+)(?: (.*))?$/.exec(
      line,
    );
    const inode = toCount(match?.[2]);
    if (match === null || inode === undefined) continue;
    const flags = Number.parseInt(match[1] ?? "0", 16);
    sockets.push({ isListening: (flags & ACCEPTS_CONNECTIONS_FLAG) !== 0, inode, path: match[3] ?? "" });
  }
  return sockets;
}

/** Yields canonical text (RFC 5952) for 4 or 16 bytes in network order. */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const isMapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  if (isMapped) return bytes.subarray(12).join(".");
  const groups = Array.from({ length: 8 }, (_, index) => ((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0));
  const { begin, length } = longestZeroRun(groups);
  const text = (part: readonly number[]) => part.map((group) => group.toString(16)).join(":");
  return length < 2 ? text(groups) : `${text(groups.slice(0, begin))}::${text(groups.slice(begin + length))}`;
}

/** The first of the longest runs of zero groups, as RFC 5952 4.2.3 wants it. */
function longestZeroRun(groups: readonly number[]): { begin: number; length: number } {
  let best = { begin: 0, length: 0 };
  let begin = 0;
  groups.forEach((group, index) => {
    if (group !== 0) begin = index + 1;
    else if (index + 1 - begin > best.length) best = { begin, length: index + 1 - begin };
  });
  return best;
}

/**
 * Parses "0100007F:1F90". The kernel prints each 32-bit word of the address as
 * the CPU reads it (net/ipv4/tcp_ipv4.c, get_tcp4_sock), and both of ours are
 * little-endian, so the bytes of every word come reversed; the port does not.
 */
function parseEndpoint(text: string | undefined): { address: string; port: number } | undefined {
  const match = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(text ?? "");
  if (match === null) return undefined;
  const digits = match[1] ?? "";
  const bytes = new Uint8Array(digits.length / 2);
  for (let index = 0; index < bytes.length; index++) {
    bytes[(index & ~3) + 3 - (index & 3)] = Number.parseInt(digits.slice(2 * index, 2 * index + 2), 16);
  }
  return { address: formatAddress(bytes), port: Number.parseInt(match[2] ?? "0", 16) };
}
