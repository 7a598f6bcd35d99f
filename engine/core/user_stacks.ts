/**
 * User stacks as text, looked up while their process may still be there.
 *
 * @module
 */

import type { HostReader } from "../api/host_reader.ts";
import { FIELD_TEXT_BYTES_MAX, USER_STACKS_MAX } from "../api/limits.ts";
import type { StackFrame } from "../api/measurements.ts";
import { sanitizeText } from "../api/text.ts";
import { type CpuSampleMeasurement, type SampleRow, SAMPLES_PER_SECOND } from "../api/profile_measurements.ts";
import type { AggregateVisitor, TracerBackend } from "../api/tracer_backend.ts";
import type { TargetId } from "../api/units.ts";

/** A name or a module with its build id, and an offset. */
const FRAME_TEXT_BYTES_MAX = 2 * FIELD_TEXT_BYTES_MAX;

/** Stacks described at a time: each costs up to a millisecond, and more when its files are read first. */
const STACKS_DESCRIBED_MAX = 32;

const NO_FRAMES: readonly StackFrame[] = [];

/** Describes a stack once per process; at most `USER_STACKS_MAX` texts are kept, the oldest go first. */
export class UserStacks {
  readonly #backend: Pick<TracerBackend, "userStack">;
  readonly #host: Pick<HostReader, "describeStack">;
  readonly #frames = new Map<string, readonly StackFrame[]>();
  #forgottenCount = 0;

  constructor(backend: Pick<TracerBackend, "userStack">, host: Pick<HostReader, "describeStack">) {
    this.#backend = backend;
    this.#host = host;
  }

  /** Stacks that had to go because there were too many; they are described anew when asked for. */
  get forgottenCount(): number {
    return this.#forgottenCount;
  }

  /** Whether asking for it again costs nothing; true for "no stack". */
  isKnown(processId: number, stackId: number): boolean {
    return stackId < 0 || this.#frames.has(toStackText(processId, stackId));
  }

  /** Yields the frames, innermost first; none for a negative `stackId`. */
  framesOf(processId: number, stackId: number): readonly StackFrame[] {
    if (stackId < 0) return NO_FRAMES;
    const key = toStackText(processId, stackId);
    const known = this.#frames.get(key);
    if (known !== undefined) return known;
    const frames = this.#host.describeStack(processId, this.#backend.userStack(stackId)).map(sanitizeFrame);
    this.#frames.set(key, frames);
    if (this.#frames.size > USER_STACKS_MAX) {
      const oldest = this.#frames.keys().next();
      if (oldest.done !== true) this.#frames.delete(oldest.value);
      this.#forgottenCount++;
    }
    return frames;
  }

  /**
   * Describes stacks that are not known yet, those with most time first and a
   * bounded number: once their process has ended its code has no names any more.
   *
   * @param read shows every row that has a stack
   */
  describeSome(read: (visit: Pick<AggregateVisitor, "wait" | "sample">) => void): void {
    const unknown: { readonly processId: number; readonly stackId: number; readonly totalMs: number }[] = [];
    const add = (stack: (typeof unknown)[number]) => {
      if (!this.isKnown(stack.processId, stack.stackId)) unknown.push(stack);
    };
    read({
      wait: (view) => {
        const { processId, stackId } = view.key();
        add({ processId, stackId, totalMs: view.totalMs });
      },
      sample: ({ processId, stackId, count }) =>
        add({ processId, stackId, totalMs: count * 1000 / SAMPLES_PER_SECOND }),
    });
    unknown.sort((first, second) => second.totalMs - first.totalMs);
    for (const { processId, stackId } of unknown.slice(0, STACKS_DESCRIBED_MAX)) this.framesOf(processId, stackId);
  }

  /** Yields samples of the targets that `targetOf` knows by their slots. */
  samplesOf(
    rows: readonly SampleRow[],
    targetOf: (targetSlot: number) => TargetId | undefined,
  ): readonly CpuSampleMeasurement[] {
    return rows.flatMap(({ processId, threadId, targetSlot, stackId, count }) => {
      const targetId = targetOf(targetSlot);
      if (targetId === undefined) return [];
      return [{ targetId, processId, threadId, sampleCount: count, userStack: this.framesOf(processId, stackId) }];
    });
  }
}

/** Names come from files of the traced process. */
function sanitizeFrame(frame: StackFrame): StackFrame {
  return {
    ...frame,
    text: sanitizeText(frame.text, { bytesMax: FRAME_TEXT_BYTES_MAX }),
    function: frame.function === undefined ? undefined : sanitizeText(frame.function),
    module: frame.module === undefined ? undefined : sanitizeText(frame.module),
  };
}

function toStackText(processId: number, stackId: number): string {
  return `${processId}/${stackId}`;
}
