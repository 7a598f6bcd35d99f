/**
 * A screen of its own on the terminal: frames out, keys in, and the terminal
 * back as it was, however it ends.
 *
 * @module
 */

import type { ScreenSize } from "../engine/mod.ts";
import type { TextOutput } from "./text_output.ts";

/** Keys that are more than one character. */
export type Key = "up" | "down" | "pageUp" | "pageDown" | "home" | "end" | string;

export interface ScreenListener {
  onKey(key: Key): void;
  onResize(): void;
  /** Nobody reads the screen any more. */
  onGone(): void;
}

/** Disposal gives the terminal back; idempotent. */
export interface Screen extends AsyncDisposable {
  size(): ScreenSize;
  /** Shows `lines`, one per row; a frame that comes while one is on its way replaces the one that waits. */
  draw(lines: readonly string[]): void;
  /** As disposal, at once; for the end of the process itself. */
  abandon(): void;
}

/** The part of a terminal's input that is needed. */
export interface KeyInput {
  setRaw(isRaw: boolean, options?: { cbreak: boolean }): void;
  readonly readable: ReadableStream<Uint8Array>;
}

export interface ScreenOptions {
  readonly output: TextOutput;
  readonly input: KeyInput;
  /** Writes at once, for the end of the process. */
  readonly writeNow: (text: string) => void;
  readonly size: () => ScreenSize;
  /** Has `listener` called when the size changes; yields how to withdraw it. */
  readonly watchSize: (listener: () => void) => () => void;
}

/** The alternate screen, so that what was there comes back; no cursor; no wrapping at the edge. */
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
const LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/** From the first row; each line is cleared behind its text only, so that nothing flickers. */
const HOME = "\x1b[H";

const KEYS: readonly (readonly [sequence: string, key: Key])[] = [
  ["\x1b[A", "up"],
  ["\x1b[B", "down"],
  ["\x1bOA", "up"],
  ["\x1bOB", "down"],
  ["\x1b[5~", "pageUp"],
  ["\x1b[6~", "pageDown"],
  ["\x1b[H", "home"],
  ["\x1b[F", "end"],
];

/** Yields the keys in what a terminal sent; sequences that are not known yield nothing. */
export function toKeys(text: string): readonly Key[] {
  const keys: Key[] = [];
  let rest = text;
  while (rest !== "") {
    const known = KEYS.find(([sequence]) => rest.startsWith(sequence));
    if (known !== undefined) {
      keys.push(known[1]);
      rest = rest.slice(known[0].length);
      continue;
    }
    // ECMA-48 5.4: parameters, intermediates, one final byte.
    const [sequence] = /^\x1b(?:\[[0-?]*[ -/]*[@-~]?|O.?|)/.exec(rest) ?? [];
    if (sequence !== undefined) {
      rest = rest.slice(sequence.length);
      continue;
    }
    const [character = ""] = rest;
    keys.push(character);
    rest = rest.slice(character.length);
  }
  return keys;
}

/** Takes the terminal over. Ctrl+C and the like stay signals. */
export function openScreen(listener: ScreenListener, options: ScreenOptions): Screen {
  return new TerminalScreen(listener, options);
}

class TerminalScreen implements Screen {
  readonly #options: ScreenOptions;
  readonly #listener: ScreenListener;
  readonly #unwatch: () => void;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #reading: Promise<void>;
  #waiting: string | undefined;
  #writing: Promise<void> | undefined;
  #isOpen = true;

  constructor(listener: ScreenListener, options: ScreenOptions) {
    this.#listener = listener;
    this.#options = options;
    options.input.setRaw(true, { cbreak: true });
    this.#unwatch = options.watchSize(() => listener.onResize());
    this.#reader = options.input.readable.getReader();
    this.#reading = this.#read();
    this.#show(ENTER);
  }

  size(): ScreenSize {
    return this.#options.size();
  }

  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return;
    this.#show(HOME + lines.map((line) => `${line}\x1b[K`).join("\r\n") + "\x1b[J");
  }

  abandon(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#unwatch();
    this.#options.input.setRaw(false);
    this.#options.writeNow(LEAVE);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#unwatch();
    this.#waiting = undefined;
    await this.#writing;
    // Before the reader is cancelled: older runtimes cannot afterwards.
    this.#options.input.setRaw(false);
    await this.#options.output.write(LEAVE).catch(() => {}); // gone: then there is nothing to give back
    await this.#reader.cancel();
    await this.#reading;
  }

  #show(text: string): void {
    this.#waiting = text.startsWith(ENTER) ? text : (this.#waiting?.startsWith(ENTER) ? ENTER : "") + text;
    this.#writing ??= this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#waiting !== undefined) {
        const text = this.#waiting;
        this.#waiting = undefined;
        await this.#options.output.write(text);
      }
    } catch {
      this.#waiting = undefined;
      this.#listener.onGone(); // whatever it was: nothing can be shown any more
    } finally {
      this.#writing = undefined;
    }
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    try {
      while (true) {
        const { done, value } = await this.#reader.read();
        if (done) return;
        for (const key of toKeys(decoder.decode(value, { stream: true }))) {
          if (this.#isOpen) this.#listener.onKey(key);
        }
      }
    } catch {
      if (this.#isOpen) this.#listener.onGone(); // the terminal hung up
    }
  }
}

/** Whether the environment says that the terminal shows more than ASCII; as setlocale(3) looks. */
export function isUnicodeLocale(environment: (name: string) => string | undefined): boolean {
  const locale = environment("LC_ALL") || environment("LC_CTYPE") || environment("LANG") || "";
  return /utf-?8/i.test(locale);
}
