/**
 * The event generator of `tests/fixtures/bpf/ring_producer.bpf.c`, from the
 * side that asks it to produce.
 *
 * @module
 */

import type { BpfMap } from "../../engine/ffi/bpf_map.ts";
import { BpfObject } from "../../engine/ffi/bpf_object.ts";
import type { Libbpf } from "../../engine/ffi/libbpf.ts";
import { askWorker } from "./ask_worker.ts";

/** `struct event`: fifteen words, all alike. */
export const PRODUCED_EVENT_BYTES = 120;
/** In the ring, its header included. */
export const PRODUCED_SPAN_BYTES = 128;

/** `struct produce_arguments` */
const ARGUMENTS_BYTES = 24;

/** The loaded generator; its events are numbered through all calls. */
export class RingProducer implements Disposable {
  readonly object: BpfObject;
  readonly ring: BpfMap;
  /** The program that holds one record until the gate opens. */
  readonly holdFd: number;
  readonly #gate: BpfMap;
  #nextNumber = 0;

  /** @throws {ForeignCallError} */
  constructor(library: Libbpf, bytes: Uint8Array<ArrayBuffer>, options: { ringBytes: number }) {
    using stack = new DisposableStack();
    this.object = stack.use(BpfObject.open(library, bytes, { name: "ring_producer" }));
    this.object.setMapMaxEntries("ring", options.ringBytes);
    this.object.load();
    this.ring = this.object.map("ring");
    this.#gate = this.object.map("gate");
    this.holdFd = this.object.program("hold").fd;
    stack.move();
  }

  /** Produces `count` events, every `discardEvery`th of which is discarded. @throws {ForeignCallError} */
  produce(count: number, options: { discardEvery?: number } = {}): { producedCount: number; refusedCount: number } {
    const context = new Uint8Array(ARGUMENTS_BYTES);
    const view = new DataView(context.buffer);
    view.setBigUint64(0, BigInt(this.#nextNumber), true);
    view.setUint32(8, count, true);
    view.setUint32(12, options.discardEvery ?? 0, true);
    this.object.program("produce").testRun({ context });
    this.#nextNumber += count;
    return { producedCount: view.getUint32(16, true), refusedCount: view.getUint32(20, true) };
  }

  /** One small record, with a wakeup. @throws {ForeignCallError} */
  wake(): void {
    this.object.program("wake").testRun({ context: new Uint8Array(ARGUMENTS_BYTES) });
  }

  /** Lets `hold` submit its record. @throws {ForeignCallError} */
  openGate(): void {
    this.#gate.update(new Uint8Array(4), new Uint8Array(new BigUint64Array([1n]).buffer));
  }

  [Symbol.dispose](): void {
    this.object[Symbol.dispose]();
  }
}

/** What is asked of the worker `run_program_worker.ts`. */
export interface RunProgramRequest {
  readonly fd: number;
  readonly contextBytes: number;
}

/** Runs the program behind `fd` on a thread of its own; yields once it has returned. */
export async function runOnThread(request: RunProgramRequest): Promise<void> {
  await askWorker(new URL("./run_program_worker.ts", import.meta.url), request);
}
