/**
 * What a process is given from outside, as one injected value: time, waiting,
 * outputs, and the wish of the world that it should end. Everything with an
 * effect takes it from here, so that whole flows run in tests.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type { Timer } from "../engine/api/timer.ts";
import { EXIT_CODES } from "./exit_code.ts";
import { isUnicodeLocale, openScreen, type Screen, type ScreenListener } from "./screen.ts";
import { StatusOutput } from "./status_output.ts";
import { QueuedOutput, type TextOutput } from "./text_output.ts";

export type EndSignalName = "SIGINT" | "SIGTERM" | "SIGHUP";

/** Why the world wants the run to end; the reason of `ProcessContext.endSignal`. */
export type EndRequest =
  | { readonly kind: "signal"; readonly name: EndSignalName }
  /** The terminal or pipe that messages go to is gone. */
  | { readonly kind: "outputGone" };

export interface ProcessContext {
  readonly processId: number;
  /** Unix time in milliseconds. */
  wallMs(): number;
  /** Milliseconds since the process began, fractional; never goes back. */
  elapsedMs(): number;
  readonly timer: Timer;
  readonly stdout: TextOutput;
  /** Width of the terminal; a usual one where there is none. */
  terminalColumns(): number;
  /** stderr. */
  readonly status: StatusOutput;
  /**
   * Takes the terminal over; `undefined` where stdin or stdout is none. One
   * screen at a time.
   */
  readonly openScreen: ((listener: ScreenListener) => Screen) | undefined;
  /** Aborts once, with an {@linkcode EndRequest}: end early, but with the report. */
  readonly endSignal: AbortSignal;
  environment(name: string): string | undefined;
  /**
   * Has `cleanUp` called, synchronously, should a second signal end the process
   * on the spot. Disposing the result withdraws it.
   */
  onForcedEnd(cleanUp: () => void): Disposable;
}

/**
 * Within this time a repeated signal is the same wish: `timeout` and task
 * runners deliver theirs twice, to the process and to its group.
 */
export const SAME_WISH_MS = 500;

const END_SIGNALS: readonly EndSignalName[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** Assumed where the terminal does not tell its width. */
const COLUMNS_DEFAULT = 80;
const ROWS_DEFAULT = 24;

/** The real context of this process; signals are listened for until disposal. */
export function openProcessContext(): ProcessContext & Disposable {
  const end = new EndOfProcess({ exit: () => Deno.exit(EXIT_CODES.error), elapsedMs: () => performance.now() });
  const listeners: { name: Deno.Signal; listener: () => void }[] = END_SIGNALS.map((name) => ({
    name,
    listener: () => end.onSignal(name),
  }));
  // A file that must not grow any more fails its writes (EFBIG) and does not end us.
  listeners.push({ name: "SIGXFSZ", listener: () => {} });
  for (const { name, listener } of listeners) Deno.addSignalListener(name, listener);
  const timer = realTimer;
  const stdout = new QueuedOutput(Deno.stdout, { name: "stdout", timer });
  const hasTerminal = Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
  return {
    processId: Deno.pid,
    wallMs: () => Date.now(),
    elapsedMs: () => performance.now(),
    timer,
    stdout,
    terminalColumns,
    openScreen: hasTerminal ? (listener) => openTerminalScreen(listener, stdout) : undefined,
    status: new StatusOutput(new QueuedOutput(Deno.stderr, { name: "stderr", timer }), {
      columns: terminalColumns,
      onGone: () => end.request({ kind: "outputGone" }),
    }),
    endSignal: end.signal,
    environment: (name) => Deno.env.get(name),
    onForcedEnd: (cleanUp) => end.onForcedEnd(cleanUp),
    [Symbol.dispose]() {
      for (const { name, listener } of listeners) Deno.removeSignalListener(name, listener);
    },
  };
}

/** Turns signals into one orderly request, and the second of them into the end. */
export class EndOfProcess {
  readonly #controller = new AbortController();
  readonly #cleanUps = new Set<() => void>();
  readonly #exit: () => void;
  readonly #elapsedMs: () => number;
  #requestedMs = 0;

  /** @param options.exit ends the process at once; open descriptors, and the kernel's hooks with them, go with it */
  constructor(options: { exit: () => void; elapsedMs: () => number }) {
    this.#exit = options.exit;
    this.#elapsedMs = options.elapsedMs;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The first request counts; later ones change nothing. */
  request(reason: EndRequest): void {
    if (this.signal.aborted) return;
    this.#requestedMs = this.#elapsedMs();
    this.#controller.abort(reason);
  }

  /**
   * The first signal asks for an orderly end, a second one ends the process. A
   * shell passes a hang-up on once more, so SIGHUP never counts as the second.
   */
  onSignal(name: EndSignalName): void {
    if (!this.signal.aborted) return this.request({ kind: "signal", name });
    if (name === "SIGHUP" || this.#elapsedMs() - this.#requestedMs < SAME_WISH_MS) return;
    for (const cleanUp of this.#cleanUps) cleanUp();
    this.#exit();
  }

  onForcedEnd(cleanUp: () => void): Disposable {
    const entry = () => cleanUp();
    this.#cleanUps.add(entry);
    return { [Symbol.dispose]: () => void this.#cleanUps.delete(entry) };
  }
}

/** Yields why the run should end, or `undefined` while it should not. */
export function endRequestOf(context: Pick<ProcessContext, "endSignal">): EndRequest | undefined {
  const { endSignal } = context;
  // EndOfProcess is the only one to abort it, and only with an EndRequest.
  return endSignal.aborted ? endSignal.reason as EndRequest : undefined;
}

export const realTimer: Timer = {
  sleep(durationMs, { signal }) {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const timeout = setTimeout(finish, durationMs);
      signal.addEventListener("abort", finish, { once: true });
      function finish(): void {
        clearTimeout(timeout);
        signal.removeEventListener("abort", finish);
        resolve();
      }
    });
  },
  nextTurn() {
    return new Promise((resolve) => {
      setImmediate(resolve);
    });
  },
};

function openTerminalScreen(listener: ScreenListener, output: TextOutput): Screen {
  const encoder = new TextEncoder();
  const isUnicode = isUnicodeLocale((name) => Deno.env.get(name));
  return openScreen(listener, {
    output,
    input: Deno.stdin,
    writeNow: (text) => void Deno.stdout.writeSync(encoder.encode(text)),
    size: () => ({ ...terminalSize(), isUnicode }),
    watchSize: (onChange) => {
      Deno.addSignalListener("SIGWINCH", onChange);
      return () => Deno.removeSignalListener("SIGWINCH", onChange);
    },
  });
}

function terminalSize(): { columns: number; rows: number } {
  try {
    const { columns, rows } = Deno.consoleSize();
    return { columns: columns || COLUMNS_DEFAULT, rows: rows || ROWS_DEFAULT };
  } catch (error) {
    if (error instanceof Error) return { columns: COLUMNS_DEFAULT, rows: ROWS_DEFAULT }; // it hung up
    throw error;
  }
}

function terminalColumns(): number {
  try {
    return Deno.consoleSize().columns || COLUMNS_DEFAULT;
  } catch (error) {
    if (error instanceof Error) return COLUMNS_DEFAULT; // no terminal that knows its size
    throw error;
  }
}
