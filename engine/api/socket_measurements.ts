/**
 * What sockets did: peers, connections and listen queues over the window. Plain
 * data, milliseconds as fractional numbers, times on the wall clock where a
 * name says so.
 *
 * @module
 */

import type { TargetId } from "./units.ts";

/** Whom a socket talks to: the peer it turned to, or the port at which others turn to it. */
export type SocketEndpoint =
  | { readonly kind: "peer"; readonly protocol: "tcp" | "udp"; readonly address: string; readonly port: number }
  | { readonly kind: "server"; readonly protocol: "tcp" | "udp"; readonly port: number }
  /** `id` is the socket's inode, or "#1", "#2", ... for one known by its name's place in kernel memory. */
  | { readonly kind: "unixPeer"; readonly id: string; readonly path: string | undefined }
  | { readonly kind: "unixServer"; readonly id: string; readonly path: string | undefined };

/** Our side opened the connection, or accepted it. A UDP socket that is connected to nobody counts as a server. */
export type SocketRole = "client" | "server";

/** Durations of one kind. */
export interface LatencyFigures {
  /** How many were measured. */
  readonly count: number;
  /** Their sum. */
  readonly totalMs: number;
  /** The longest of them; 0 when there is none. */
  readonly maxMs: number;
  /** Unix time at which the longest one ended; 0 when there is none. */
  readonly maxEndWallMs: number;
  /** `HISTOGRAM_BUCKET_COUNT` counts: bucket n holds [2^n, 2^(n+1)) microseconds, bucket 0 also shorter ones. */
  readonly buckets: readonly number[];
}

/** Sends, or receives. */
export interface TransferFigures {
  /** Calls that moved something, or reported the end of the stream. */
  readonly operationCount: number;
  /** Payload; what was only peeked at is not in it. */
  readonly byteCount: number;
  /**
   * Payload of the largest single call; 0 when none moved anything. Of several
   * peers together it is the largest of theirs. A recording of an older version has 0.
   */
  readonly operationBytesMax: number;
  /** Calls that found nothing to read, or no room to write (EAGAIN); no failures. */
  readonly wouldBlockCount: number;
  /** Calls that failed otherwise. */
  readonly failedCount: number;
  /** Failures by errno name ("ECONNRESET"); those without a name here are in `failedCount` alone. */
  readonly errors: Readonly<Record<string, number>>;
}

/** Attempts to open connections. */
export interface ConnectFigures {
  /** Attempts that began in the window. established + failed + pending. */
  readonly attemptCount: number;
  /** Those that the peer took. */
  readonly establishedCount: number;
  /** Those that failed. */
  readonly failedCount: number;
  /** Those not decided when the window closed. */
  readonly pendingCount: number;
  /** Failures by errno name; "abandoned" for those the program itself gave up while they were pending. */
  readonly failures: Readonly<Record<string, number>>;
  /** From the first SYN to the end of the handshake, of those that were established. */
  readonly handshakes: LatencyFigures;
}

/** The kernel's own smoothed round-trip time, seen at the end of exchanges. */
export interface RoundTripFigures {
  /** The latest. */
  readonly lastMs: number;
  /** The smallest seen. */
  readonly minMs: number;
  /** The largest seen. */
  readonly maxMs: number;
}

/** All that one process exchanged with one peer, or through one port of its own. */
export interface PeerMeasurement {
  /** Whose sockets they are. */
  readonly targetId: TargetId;
  /** Of the sockets' first user; 0: sockets that found no room in the kernel's table. */
  readonly processId: number;
  /** Which side opened the connections. */
  readonly role: SocketRole;
  /** `undefined` for sockets that found no room in the kernel's table. */
  readonly endpoint: SocketEndpoint | undefined;
  /** What went out. */
  readonly sends: TransferFigures;
  /** What came in. */
  readonly receives: TransferFigures;
  /** As a client: first send to first receive after it. As a server: first receive to first send after it. */
  readonly responses: LatencyFigures;
  /**
   * Exchanges left out of `responses`: requests overlapped in them, so that no
   * answer could be told to belong to one.
   */
  readonly unmeasuredResponseCount: number;
  /** TCP clients only; all 0 elsewhere. */
  readonly connects: ConnectFigures;
  /** Connections others opened to us. */
  readonly acceptCount: number;
  /** TCP connections that ended; of UDP, unix and Multipath TCP sockets nobody tells the end. */
  readonly closeCount: number;
  /** Connections still open when the window closed; of UDP, unix and Multipath TCP, sockets that were met. */
  readonly openCount: number;
  /** Segments sent again. */
  readonly retransmitCount: number;
  /** Segments sent altogether, as the kernel counts them over the connections' lives; `undefined`: not read. */
  readonly segmentCount: number | undefined;
  /** Connections the other side reset. */
  readonly resetReceivedCount: number;
  /** Connections our side reset. */
  readonly resetSentCount: number;
  /** `undefined`: no TCP, or no exchange. */
  readonly roundTrip: RoundTripFigures | undefined;
}

/** One end of a connection. */
export interface SocketAddress {
  /** Canonical text; IPv4 mapped into IPv6 reads as IPv4. */
  readonly address: string;
  /** In host order. */
  readonly port: number;
}

/** One connection, or one UDP or unix socket. */
export interface ConnectionMeasurement {
  /** Whose socket it is. */
  readonly targetId: TargetId;
  /** Of the socket's first user. */
  readonly processId: number;
  /** Which side opened it. */
  readonly role: SocketRole;
  /** Whom it talks to. */
  readonly endpoint: SocketEndpoint;
  /** `undefined` for unix sockets. */
  readonly local: SocketAddress | undefined;
  /** `undefined` for unix sockets, and for UDP sockets that are connected to nobody. */
  readonly remote: SocketAddress | undefined;
  /** Unix time; `undefined`: before the window. */
  readonly openedWallMs: number | undefined;
  /** Unix time; `undefined`: still open when the window closed. */
  readonly closedWallMs: number | undefined;
  /** What went out. */
  readonly sent: { readonly operationCount: number; readonly byteCount: number };
  /** What came in. */
  readonly received: { readonly operationCount: number; readonly byteCount: number };
  /** As in `PeerMeasurement.responses`. */
  readonly responses: { readonly count: number; readonly totalMs: number; readonly maxMs: number };
  /** Segments sent again. */
  readonly retransmitCount: number;
  /** `undefined`: no TCP, or no exchange. */
  readonly roundTrip: RoundTripFigures | undefined;
}

/** One socket that listens. */
export interface ListenQueueMeasurement {
  /** Whose socket it is. */
  readonly targetId: TargetId;
  /** The first process found to hold it. */
  readonly processId: number;
  /** Where it listens. */
  readonly endpoint: SocketEndpoint;
  /** Canonical text of the address it is bound to; `undefined` for unix sockets. */
  readonly address: string | undefined;
  /** Connections that may wait to be accepted. */
  readonly backlogMax: number;
  /** Connections that waited when the window closed. */
  readonly queuedCount: number;
  /** Connection attempts dropped at this socket in the window; `undefined`: not counted by the kernel (unix). */
  readonly droppedCount: number | undefined;
}
