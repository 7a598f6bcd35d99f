/**
 * User stacks as text, looked up while their process may still be there.
 *
 * @module
 */

import type { HostReader } from "../api/host_reader.ts";
import { FIELD_TEXT_BYTES_MAX, USER_STACKS_MAX } from "../api/limits.ts";
import type { StackFrame } from "../api/measurements.ts";
import { sanitizeText } from "../api/text.ts";
import type { TracerBackend } from "../api/tracer_backend.ts";

/** A name or a module with its build id, and an offset. */
const FRAME_TEXT_BYTES_MAX = 2 * FIELD_TEXT_BYTES_MAX;

const NO_FRAMES: readonly StackFrame[] = [];

/** Describes a stack once per process; at most `USER_STACKS_MAX` texts are kept, the oldest go first. */
export class UserStacks {
  readonly #backend: Pick<TracerBackend, "userStack">;
  readonly #host: Pick<HostReader, "describeStack">;
  readonly #frames = new Map<string, readonly StackFrame[]>();

  constructor(backend: Pick<TracerBackend, "userStack">, host: Pick<HostReader, "describeStack">) {
    this.#backend = backend;
    this.#host = host;
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
    }
    return frames;
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
