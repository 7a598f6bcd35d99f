/**
 * Which way the traffic goes.
 *
 * @module
 */

import { type FiguresOf, rateOf, type SectionInput, sumOf } from "./section_input.ts";
import { peersOf } from "./transfers.ts";

/** `undefined`: no TCP operation. The peak is left out: counters are read at the end, not every second. */
export function networkPatternFigures({ measurements }: SectionInput): FiguresOf<"network_pattern"> | undefined {
  const peers = peersOf(measurements, "tcp");
  const sends = sumOf(peers, (peer) => peer.sends.operationCount);
  const receives = sumOf(peers, (peer) => peer.receives.operationCount);
  if (sends + receives === 0) return undefined;
  return {
    send_receive_ratio: receives === 0 ? undefined : sends / receives,
    operations_per_second: rateOf(sends + receives, measurements),
  };
}

export function renderNetworkPattern(figures: FiguresOf<"network_pattern">): readonly string[] {
  const ratio = figures.send_receive_ratio === undefined
    ? "nothing received"
    : `send/receive ratio ${figures.send_receive_ratio.toFixed(2)}`;
  return [`${ratio}, average ${figures.operations_per_second.toFixed(1)} operations/s`];
}
