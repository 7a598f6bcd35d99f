/**
 * UDP: operations, bytes, errors and response times.
 *
 * @module
 */

import { describeLatency, summariseLatency } from "./latency.ts";
import type { FiguresOf, SectionInput } from "./section_input.ts";
import { describeTransfers, peersOf, summariseTransfers } from "./transfers.ts";

/** `undefined`: nothing was sent or received. */
export function udpFigures({ measurements }: SectionInput): FiguresOf<"udp"> | undefined {
  const peers = peersOf(measurements, "udp");
  const transfers = summariseTransfers(peers, measurements);
  if (transfers.send_operations + transfers.receive_operations + transfers.errors === 0) return undefined;
  return {
    ...transfers,
    responses: summariseLatency(peers.filter((peer) => peer.role === "client").map((peer) => peer.responses)),
  };
}

export function renderUdp(figures: FiguresOf<"udp">): readonly string[] {
  const { responses } = figures;
  return [
    ...describeTransfers(figures),
    ...(responses === undefined ? [] : [`Response time of peers (${responses.count}): ${describeLatency(responses)}`]),
  ];
}
