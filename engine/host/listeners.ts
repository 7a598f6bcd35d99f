/**
 * Which ports are servers': what tells a wait for a client's next request
 * from a wait for a server's answer, for sockets opened before we looked.
 *
 * @module
 */

import type { HostView } from "./container_resolution.ts";
import { orUndefinedWhenDenied, type ProcFs } from "./procfs.ts";
import type { InternetSocket } from "./socket_tables.ts";

/** What listens in one network namespace. */
export interface Listeners {
  readonly networkNamespace: number; // inode
  readonly tcpPorts: readonly number[]; // ascending
  readonly udpPorts: readonly number[]; // ascending
  readonly unixPaths: readonly string[]; // sorted; "@name": abstract; not sanitised
}

/** Ports the kernel hands out by itself, both ends included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Defaults of `net.ipv4.ip_local_port_range` (net/ipv4/af_inet.c, inet_init_net). */
const EPHEMERAL_PORTS_DEFAULT: PortRange = { first: 32768, last: 60999 };

/**
 * Yields the listeners of every network namespace that one of `processIds` is
 * in, each namespace once. Processes that are gone, or may not be looked into,
 * are passed over.
 */
export function readListeners(processIds: readonly number[], host: Pick<HostView, "procFs">): readonly Listeners[] {
  const { procFs } = host;
  const ephemeral = parsePortRange(procFs.sysctl("net.ipv4.ip_local_port_range") ?? "") ?? EPHEMERAL_PORTS_DEFAULT;
  const listenersByNamespace = new Map<number, Listeners>();
  for (const processId of processIds) {
    const networkNamespace = orUndefinedWhenDenied(() => procFs.namespaceInode(processId, "net"));
    if (networkNamespace === undefined || listenersByNamespace.has(networkNamespace)) continue;
    const listeners = readNamespace(processId, { networkNamespace, ephemeral, procFs });
    if (listeners !== undefined) listenersByNamespace.set(networkNamespace, listeners);
  }
  return [...listenersByNamespace.values()];
}

/** Ports of listening TCP sockets, each once, ascending. */
export function listeningTcpPorts(sockets: readonly InternetSocket[]): readonly number[] {
  return ports(sockets.filter((socket) => socket.state === "listen"));
}

/**
 * Ports of UDP sockets that wait for anybody, each once, ascending. A client
 * that sends without connecting looks alike, but its port was handed out by
 * the kernel and is bound to every address; both must hold to pass it over.
 */
export function udpServerPorts(
  sockets: readonly InternetSocket[],
  options: { readonly ephemeral: PortRange },
): readonly number[] {
  const { first, last } = options.ephemeral;
  return ports(sockets.filter((socket) => {
    const isConnected = socket.state === "established" || socket.remotePort !== 0;
    const isHandedOut = socket.localPort >= first && socket.localPort <= last &&
      (socket.localAddress === "0.0.0.0" || socket.localAddress === "::");
    return !isConnected && !isHandedOut && socket.localPort !== 0;
  }));
}

/** Parses `net.ipv4.ip_local_port_range`: "32768\t60999". */
export function parsePortRange(text: string): PortRange | undefined {
  const match = /^(\d{1,5})\s+(\d{1,5})$/.exec(text.trim());
  const range = { first: Number(match?.[1]), last: Number(match?.[2]) };
  return match !== null && range.first <= range.last && range.last <= 65535 ? range : undefined;
}

function readNamespace(
  processId: number,
  context: { networkNamespace: number; ephemeral: PortRange; procFs: ProcFs },
): Listeners | undefined {
  const { networkNamespace, ephemeral, procFs } = context;
  const tcp = procFs.internetSockets(processId, "tcp");
  const udp = procFs.internetSockets(processId, "udp");
  const unix = procFs.unixSockets(processId);
  // All three are there while the process lives; the IPv6 tables may be compiled out.
  if (tcp === undefined || udp === undefined || unix === undefined) return undefined;
  const tcp6 = procFs.internetSockets(processId, "tcp6") ?? [];
  const udp6 = procFs.internetSockets(processId, "udp6") ?? [];
  const paths = unix.filter((socket) => socket.isListening && socket.path !== "").map((socket) => socket.path);
  return {
    networkNamespace,
    tcpPorts: listeningTcpPorts([...tcp, ...tcp6]),
    udpPorts: udpServerPorts([...udp, ...udp6], { ephemeral }),
    unixPaths: [...new Set(paths)].sort(),
  };
}

function ports(sockets: readonly InternetSocket[]): readonly number[] {
  return [...new Set(sockets.map((socket) => socket.localPort))].sort((left, right) => left - right);
}
