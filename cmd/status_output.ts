/**
 * Lines for people on stderr, and below them, on a terminal only, one status
 * line that is rewritten in place.
 *
 * @module
 */

import { sanitizeText } from "../engine/api/text.ts";
import type { LogLevel } from "./options.ts";
import { LOG_LEVELS } from "./options.ts";
import type { TextOutput } from "./text_output.ts";

export interface Logger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** Longest line, in UTF-8 bytes: enough for a path of PATH_MAX and the sentence around it. */
const LINE_BYTES_MAX = 6144;

/** Lines kept back while a screen has the terminal; who is told that much twice reads the first. */
const HELD_LINES_MAX = 100;

/** Back to the first column, then clear the line. */
const CLEAR_LINE = "\r\x1b[K";

const PREFIXES: Readonly<Record<LogLevel, string>> = {
  debug: "podtrace: debug: ",
  info: "podtrace: ",
  warn: "podtrace: warning: ",
  error: "podtrace: ",
};

export class StatusOutput {
  readonly #output: TextOutput;
  readonly #columns: () => number;
  readonly #onGone: (error: unknown) => void;
  #pending: Promise<void> = Promise.resolve();
  #status = "";
  /** Lines that wait for the terminal; `undefined`: it is free. */
  #held: string[] | undefined;

  /**
   * @param options.columns width of the terminal, asked before each status line
   * @param options.onGone called when a line could not be written
   */
  constructor(output: TextOutput, options: { columns: () => number; onGone: (error: unknown) => void }) {
    this.#output = output;
    this.#columns = options.columns;
    this.#onGone = options.onGone;
  }

  /** Whether a status line is shown at all. */
  get isTerminal(): boolean {
    return this.#output.isTerminal;
  }

  /** Yields a logger of lines at `level` and above. */
  logger(level: LogLevel): Logger {
    const lineOf = (lineLevel: LogLevel) => {
      const isShown = LOG_LEVELS.indexOf(lineLevel) >= LOG_LEVELS.indexOf(level);
      return (message: string) => {
        if (isShown) this.#writeLine(PREFIXES[lineLevel] + message);
      };
    };
    return { debug: lineOf("debug"), info: lineOf("info"), warn: lineOf("warn"), error: lineOf("error") };
  }

  /** Shows `text` in place of the last status; "" takes it away. Nothing happens where there is no terminal. */
  showStatus(text: string): void {
    if (!this.#output.isTerminal || text === this.#status) return;
    this.#status = text === "" ? "" : cut(sanitizeText(text), this.#columns() - 1);
    this.#enqueue(CLEAR_LINE + this.#status);
  }

  /** Keeps lines back while something else has the terminal, the first `HELD_LINES_MAX`; disposal writes them. */
  hold(): Disposable {
    this.#held ??= [];
    return {
      [Symbol.dispose]: () => {
        const held = this.#held ?? [];
        this.#held = undefined;
        for (const line of held) this.#enqueue(line);
      },
    };
  }

  /** Resolves when everything said so far is written or given up. */
  flush(): Promise<void> {
    return this.#pending;
  }

  #writeLine(text: string): void {
    const line = `${sanitizeText(text, { bytesMax: LINE_BYTES_MAX })}\n`;
    if (this.#held !== undefined) {
      if (this.#held.length < HELD_LINES_MAX) this.#held.push(line);
      return;
    }
    this.#enqueue(this.#status === "" ? line : `${CLEAR_LINE}${line}${this.#status}`);
  }

  #enqueue(text: string): void {
    const written = this.#output.write(text).catch(this.#onGone);
    this.#pending = Promise.all([this.#pending, written]).then(() => {});
  }
}

/** A status that wraps could not be rewritten in place. */
function cut(text: string, columns: number): string {
  return text.length <= columns ? text : text.slice(0, Math.max(columns, 0));
}
