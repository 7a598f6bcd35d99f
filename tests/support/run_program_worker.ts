/**
 * Runs one BPF program on this thread and says when it has returned. File
 * descriptors belong to the whole process, so the program's number is enough.
 *
 * @module
 */

import { runProgram } from "../../engine/ffi/bpf_object.ts";
import { openLibbpf } from "../../engine/ffi/libbpf.ts";
import { openLibc } from "../../engine/ffi/libc.ts";
import type { RunProgramRequest } from "./ring_producer.ts";

addEventListener("message", (event) => {
  // The one sender is `runOnThread`; it sends the port to answer on.
  const { data: { fd, contextBytes }, ports: [answers] } = event as MessageEvent<RunProgramRequest>;
  using libc = openLibc();
  using library = openLibbpf(libc);

  const { returnValue } = runProgram(library, { fd, context: new Uint8Array(contextBytes) });
  answers?.postMessage(returnValue);
});
