/**
 * Where a process writes its text, and what happens when nobody reads it.
 *
 * @module
 */

import type { Timer } from "../engine/api/timer.ts";
import { RunError } from "./run_error.ts";

/** The reader of an output has gone; nothing more can be said there. */
export class OutputGoneError extends Error {
  override readonly name = "OutputGoneError";
}

export interface TextOutput {
  readonly isTerminal: boolean;
  /**
   * Writes all of `text`, after everything that was written before it.
   *
   * @throws {OutputGoneError} When the reader is gone: a closed pipe, a terminal that hung up
   * @throws {RunError} When it cannot be written for another reason: a full disk
   */
  write(text: string): Promise<void>;
}

/** The part of `Deno.stdout` and `Deno.stderr` that is needed. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<number>;
  isTerminal(): boolean;
}

/**
 * Between attempts while a reader is slow. Another program that shares the pipe
 * or terminal (a traced Node command does) may have made it non-blocking.
 */
const RETRY_INTERVAL_MS = 10;

const GONE_CODES: ReadonlySet<string> = new Set([
  "EPIPE", // a pipe or socket without a reader
  "EIO", // a terminal that hung up
]);

/** A queue in front of one byte sink: writes never mix and never get lost half way. */
export class QueuedOutput implements TextOutput {
  readonly #sink: ByteSink;
  readonly #name: string;
  readonly #timer: Timer;
  readonly #encoder = new TextEncoder();
  #tail: Promise<void> = Promise.resolve();

  /** @param options.name for messages: "stdout" */
  constructor(sink: ByteSink, options: { name: string; timer: Timer }) {
    this.#sink = sink;
    this.#name = options.name;
    this.#timer = options.timer;
  }

  get isTerminal(): boolean {
    return this.#sink.isTerminal();
  }

  write(text: string): Promise<void> {
    const written = this.#tail.then(() => this.#writeAll(this.#encoder.encode(text)));
    // The next write starts whatever became of this one; its caller hears of it.
    this.#tail = written.catch(() => {});
    return written;
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) {
      const writtenBytes = await this.#writeSome(rest);
      rest = rest.subarray(writtenBytes);
    }
  }

  async #writeSome(bytes: Uint8Array): Promise<number> {
    try {
      return await this.#sink.write(bytes);
    } catch (cause) {
      if (!(cause instanceof Error)) throw cause;
      if (cause instanceof Deno.errors.WouldBlock) {
        await this.#timer.sleep(RETRY_INTERVAL_MS, { signal: NEVER });
        return 0;
      }
      const code = "code" in cause ? String(cause.code) : "";
      if (cause instanceof Deno.errors.BrokenPipe || GONE_CODES.has(code)) {
        throw new OutputGoneError(`Cannot write to ${this.#name}: nobody reads it any more`, { cause });
      }
      throw new RunError(`Cannot write to ${this.#name}: ${cause.message}`, { cause });
    }
  }
}

/** A slow reader is waited for until a second signal ends the process. */
const NEVER = new AbortController().signal;
