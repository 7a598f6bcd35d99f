/**
 * Single events of sockets: what is slow, failed, or asked for. Everything else
 * is in the counts of socket_measurements.ts.
 *
 * @module
 */

import type { SocketEndpoint } from "./socket_measurements.ts";
import type { TargetId } from "./units.ts";

/** What every socket event says. */
export interface SocketEventBase {
  /** Whose event it is. */
  readonly targetId: TargetId;
  /** Monotonic. */
  readonly atMs: number;
  /** Of the socket's first user. */
  readonly processId: number;
  /** Whom the socket talks to. */
  readonly endpoint: SocketEndpoint;
}

/** An attempt to open a connection was decided: it failed, or took at least the route's threshold. */
export interface ConnectEvent extends SocketEventBase {
  /** Tells the events apart. */
  readonly kind: "connect";
  /** From the first SYN to the decision. */
  readonly durationMs: number;
  /** errno name, "abandoned" when the program gave up; `undefined`: established. */
  readonly error: string | undefined;
}

/** A connection that another side opened was established. */
export interface AcceptEvent extends SocketEventBase {
  /** Tells the events apart. */
  readonly kind: "accept";
}

/** A TCP connection ended. */
export interface CloseEvent extends SocketEventBase {
  /** Tells the events apart. */
  readonly kind: "close";
  /** Since it was opened; `undefined`: it was opened before the window. */
  readonly durationMs: number | undefined;
  /** Payload sent in the window. */
  readonly sentBytes: number;
  /** Payload received in the window. */
  readonly receivedBytes: number;
}

/** A send or a receive failed, other than for want of data or room. */
export interface TransferFailureEvent extends SocketEventBase {
  /** Tells the events apart. */
  readonly kind: "transferFailure";
  /** Which of the two. */
  readonly direction: "send" | "receive";
  /** errno name. */
  readonly error: string;
}

/** An answer took at least the route's threshold: the peer's when we are the client, our own when we serve. */
export interface ResponseEvent extends SocketEventBase {
  /** Tells the events apart. */
  readonly kind: "response";
  /** As a client: first send to first receive. As a server: first receive to first send. */
  readonly durationMs: number;
}

/** A segment was sent again. */
export interface RetransmitEvent extends SocketEventBase {
  /** Tells the events apart. */
  readonly kind: "retransmit";
}

/** What a socket can tell one by one. */
export type SocketEvent =
  | ConnectEvent
  | AcceptEvent
  | CloseEvent
  | TransferFailureEvent
  | ResponseEvent
  | RetransmitEvent;
