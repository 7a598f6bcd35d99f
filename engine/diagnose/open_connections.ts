/**
 * How many connections were open at the end, where that is known.
 *
 * @module
 */

import type { PeerMeasurement } from "../api/socket_measurements.ts";

/** Yields connections still open when the window closed; `undefined`: of UDP and unix sockets nobody tells the end. */
export function openAtEnd({ endpoint, openCount }: PeerMeasurement): number | undefined {
  const isTcp = endpoint !== undefined && "protocol" in endpoint && endpoint.protocol === "tcp";
  return isTcp ? openCount : undefined;
}
