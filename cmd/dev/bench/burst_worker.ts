/**
 * The thread of `runBurst`.
 *
 * @module
 */

import { runProgram } from "../../../engine/ffi/bpf_object.ts";
import { openLibbpf } from "../../../engine/ffi/libbpf.ts";
import { openLibc } from "../../../engine/ffi/libc.ts";
import { BURST_COUNTS, type BurstRequest } from "./burst_producer.ts";
import { ProduceArguments } from "./produce_arguments.ts";

/** Few enough that the pace is even, many enough that a call costs nothing beside them. */
const RECORDS_PER_CALL_MAX = 4096;

addEventListener("message", (event) => {
  // The one sender is `runBurst`; it sends the port to answer on.
  const { data, ports: [answers] } = event as MessageEvent<BurstRequest>;
  flood(data);
  answers?.postMessage("done");
});

function flood(request: BurstRequest): void {
  const { fd, slotCount, perSecond, durationMs, counts } = request;
  using libc = openLibc();
  using library = openLibbpf(libc);

  const given = new ProduceArguments();
  const pause = new Int32Array(new SharedArrayBuffer(4));
  const wantedCount = Math.round(perSecond * durationMs / 1000);
  const beganMs = performance.now();
  let askedCount = 0;
  while (askedCount < wantedCount) {
    const dueCount = Math.min(wantedCount, Math.floor((performance.now() - beganMs) * perSecond / 1000));
    const count = Math.min(dueCount - askedCount, RECORDS_PER_CALL_MAX);
    if (count <= 0) {
      Atomics.wait(pause, 0, 0, 1);
      continue;
    }
    given.ask({ first: askedCount, count, slotCount });
    runProgram(library, { fd, context: given.context });
    askedCount += count;
    Atomics.add(counts, BURST_COUNTS.asked, count);
    Atomics.add(counts, BURST_COUNTS.taken, given.producedCount);
  }
}
