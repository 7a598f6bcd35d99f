/**
 * Lines on stdout while a run goes on: never waited for, never more than a
 * person or a pipe can take, and what is left out is counted and said.
 *
 * @module
 */

import type { TextOutput } from "../text_output.ts";

/** More than this is for a file, not for reading as it comes; a second's worth is 100 KB. */
export const FOLLOW_LINES_PER_SECOND_MAX = 1000;

/** Lines that wait for a slow reader; 1 MB at the most. */
export const FOLLOW_LINES_PENDING_MAX = 8192;

export interface LinePrinterOptions {
  readonly output: TextOutput;
  readonly elapsedMs: () => number;
  /** Yields the line that says how many were left out. */
  readonly describeOmitted: (count: number) => string;
  /** Called once when lines cannot be written any more. */
  readonly onGone: () => void;
}

/** One write per batch of lines, the next one when the reader has taken it. */
export class LinePrinter {
  readonly #options: LinePrinterOptions;
  #pending: string[] = [];
  #writing: Promise<void> | undefined;
  #omittedCount = 0;
  #totalOmittedCount = 0;
  #secondBeganMs: number;
  #lineCount = 0; // in this second
  #failure: unknown;

  constructor(options: LinePrinterOptions) {
    this.#options = options;
    this.#secondBeganMs = options.elapsedMs();
  }

  /** Lines left out so far. */
  get omittedCount(): number {
    return this.#totalOmittedCount;
  }

  /** Takes lines without newlines, oldest first; returns at once. */
  print(lines: readonly string[]): void {
    if (this.#failure !== undefined) return;
    const nowMs = this.#options.elapsedMs();
    if (nowMs - this.#secondBeganMs >= 1000) {
      this.#secondBeganMs = nowMs;
      this.#lineCount = 0;
      this.#tellOmitted();
    }
    const room = Math.max(
      0,
      Math.min(FOLLOW_LINES_PER_SECOND_MAX - this.#lineCount, FOLLOW_LINES_PENDING_MAX - this.#pending.length),
    );
    const taken = lines.slice(0, room);
    this.#lineCount += taken.length;
    this.#pending.push(...taken);
    this.#omittedCount += lines.length - taken.length;
    this.#totalOmittedCount += lines.length - taken.length;
    this.#write();
  }

  /**
   * Resolves when everything is written.
   *
   * @throws {OutputGoneError} When the reader is gone
   * @throws {RunError} When it could not be written
   */
  async finish(): Promise<void> {
    await this.#writing;
    this.#tellOmitted();
    this.#write();
    await this.#writing;
    if (this.#failure !== undefined) throw this.#failure;
  }

  #tellOmitted(): void {
    if (this.#omittedCount === 0 || this.#pending.length >= FOLLOW_LINES_PENDING_MAX) return;
    this.#pending.push(this.#options.describeOmitted(this.#omittedCount));
    this.#omittedCount = 0;
  }

  #write(): void {
    if (this.#writing === undefined && this.#pending.length > 0) this.#writing = this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#pending.length > 0) {
        const text = this.#pending.splice(0).join("\n") + "\n";
        await this.#options.output.write(text);
      }
    } catch (error) {
      this.#failure = error;
      this.#pending = [];
      this.#options.onGone();
    } finally {
      this.#writing = undefined;
    }
  }
}
