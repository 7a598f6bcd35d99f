/**
 * What the engine asks the host, taken down and given back.
 *
 * @module
 */

import type { CgroupReading, HostReader, OwnUse, ProcessReading } from "../api/host_reader.ts";
import { FRAME_PROBLEMS, type PressureMeasurement, type StackFrame } from "../api/measurements.ts";
import { unnamedFrame } from "../api/unnamed_frame.ts";
import type { RecordingTape } from "./recording_tape.ts";
import type { ReplayTape } from "./replay_tape.ts";
import { aFlag, aList, anObjectOf, aNumber, aText, maybe, oneOf, type Shape } from "./shapes.ts";

const A_PRESSURE: Shape<PressureMeasurement> = anObjectOf({
  cpuSomeMs: maybe(aNumber),
  ioSomeMs: maybe(aNumber),
  ioFullMs: maybe(aNumber),
  memorySomeMs: maybe(aNumber),
  memoryFullMs: maybe(aNumber),
});

const A_PROCESS: Shape<ProcessReading> = anObjectOf({
  parentProcessId: aNumber,
  command: aText,
  commandLine: aList(aText),
});

const A_CGROUP: Shape<CgroupReading> = anObjectOf({
  cpuLimit: maybe(aNumber),
  cpuLimitPath: maybe(aText),
  periodCount: maybe(aNumber),
  throttledPeriodCount: maybe(aNumber),
  throttledMs: maybe(aNumber),
  cpuUsageMs: maybe(aNumber),
  pressure: maybe(A_PRESSURE),
  memory: maybe(anObjectOf({
    path: maybe(aText),
    limitBytes: maybe(aNumber),
    highBytes: maybe(aNumber),
    usageBytes: maybe(aNumber),
    peakBytes: maybe(aNumber),
    anonymousBytes: maybe(aNumber),
    swapBytes: maybe(aNumber),
    highEventCount: maybe(aNumber),
    maxEventCount: maybe(aNumber),
    oomEventCount: maybe(aNumber),
    oomKillCount: maybe(aNumber),
  })),
  tasks: maybe(anObjectOf({ path: aText, usageCount: aNumber, limitCount: maybe(aNumber) })),
  io: maybe(anObjectOf({
    devices: aList(anObjectOf({
      device: aText,
      readBytes: aNumber,
      writeBytes: aNumber,
      readOperationCount: aNumber,
      writeOperationCount: aNumber,
    })),
    limits: aList(anObjectOf({
      path: maybe(aText),
      device: aText,
      readBytesPerSecond: maybe(aNumber),
      writeBytesPerSecond: maybe(aNumber),
      readOperationsPerSecond: maybe(aNumber),
      writeOperationsPerSecond: maybe(aNumber),
    })),
  })),
});

const A_FRAME: Shape<StackFrame> = anObjectOf({
  text: aText,
  function: maybe(aText),
  offset: maybe(aNumber),
  module: maybe(aText),
  buildId: maybe(aText),
  isResolved: aFlag,
  problem: maybe(oneOf(FRAME_PROBLEMS)),
});

const OWN_USE: Shape<OwnUse> = anObjectOf({ cpuMs: aNumber, memoryBytes: aNumber });

const NO_USE: OwnUse = { cpuMs: 0, memoryBytes: 0 };

/** Keys of the questions, one function per question. */
const KEYS = {
  cpuCount: "host.cpuCount",
  pressure: "host.pressure",
  ownUse: "host.ownUse",
  process: (processId: number) => `host.process.${processId}`,
  cgroup: (path: string) => `host.cgroup.${path}`,
  cgroupPathOf: (processId: number) => `host.cgroupPathOf.${processId}`,
  systemCallName: (systemCall: number) => `host.systemCallName.${systemCall}`,
  stack: (processId: number, addresses: readonly bigint[]) =>
    `host.stack.${processId}.${addresses.map((address) => address.toString(16)).join(",")}`,
};

/** Asks `host`, and takes down what it says. */
export class RecordingHostReader implements HostReader {
  readonly cpuCount: number;
  readonly #host: HostReader;
  readonly #tape: RecordingTape;

  constructor(host: HostReader, tape: RecordingTape) {
    this.#host = host;
    this.#tape = tape;
    this.cpuCount = tape.json(KEYS.cpuCount, host.cpuCount);
  }

  process(processId: number): ProcessReading | undefined {
    return this.#tape.json(KEYS.process(processId), this.#host.process(processId));
  }

  cgroup(path: string, memberId?: number): CgroupReading | undefined {
    return this.#state(KEYS.cgroup(path), () => this.#host.cgroup(path, memberId));
  }

  cgroupPathOf(processId: number): string | undefined {
    return this.#tape.json(KEYS.cgroupPathOf(processId), this.#host.cgroupPathOf(processId));
  }

  pressure(): PressureMeasurement | undefined {
    return this.#state(KEYS.pressure, () => this.#host.pressure());
  }

  ownUse(): OwnUse {
    return this.#state(KEYS.ownUse, () => this.#host.ownUse());
  }

  systemCallName(systemCall: number): string | undefined {
    return this.#tape.json(KEYS.systemCallName(systemCall), this.#host.systemCallName(systemCall));
  }

  describeStack(processId: number, addresses: readonly bigint[]): readonly StackFrame[] {
    return this.#tape.json(KEYS.stack(processId, addresses), this.#host.describeStack(processId, addresses));
  }

  #state<Value>(key: string, ask: () => Value): Value {
    const answer = () => this.#tape.json(key, ask());
    this.#tape.state(key, () => void answer());
    return answer();
  }
}

/** Says what the host said when the run was recorded. */
export class ReplayHostReader implements HostReader {
  readonly cpuCount: number;
  readonly #tape: ReplayTape;

  constructor(tape: ReplayTape) {
    this.#tape = tape;
    this.cpuCount = tape.json(KEYS.cpuCount, aNumber) ?? 1;
  }

  process(processId: number): ProcessReading | undefined {
    return this.#tape.json(KEYS.process(processId), A_PROCESS);
  }

  cgroup(path: string): CgroupReading | undefined {
    return this.#tape.json(KEYS.cgroup(path), A_CGROUP);
  }

  cgroupPathOf(processId: number): string | undefined {
    return this.#tape.json(KEYS.cgroupPathOf(processId), aText);
  }

  pressure(): PressureMeasurement | undefined {
    return this.#tape.json(KEYS.pressure, A_PRESSURE);
  }

  ownUse(): OwnUse {
    return this.#tape.json(KEYS.ownUse, OWN_USE) ?? NO_USE;
  }

  systemCallName(systemCall: number): string | undefined {
    return this.#tape.json(KEYS.systemCallName(systemCall), aText);
  }

  describeStack(processId: number, addresses: readonly bigint[]): readonly StackFrame[] {
    return this.#tape.json(KEYS.stack(processId, addresses), aList(A_FRAME)) ?? addresses.map(unnamedFrame);
  }
}
