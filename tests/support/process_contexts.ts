/**
 * A process context whose outputs are kept and whose time stands still.
 *
 * @module
 */

import { EndOfProcess, type EndRequest, type ProcessContext } from "../../cmd/process_context.ts";
import { StatusOutput } from "../../cmd/status_output.ts";
import type { TextOutput } from "../../cmd/text_output.ts";
import { ManualTimer } from "./manual_timer.ts";

/** Keeps what is written; fails from the moment `failure` is set. */
export class KeptOutput implements TextOutput {
  isTerminal = false;
  text = "";
  failure: Error | undefined;

  write(text: string): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    this.text += text;
    return Promise.resolve();
  }
}

export interface KeptContext extends ProcessContext {
  readonly timer: ManualTimer;
  readonly stdout: KeptOutput;
  readonly stderr: KeptOutput;
  /** Ends the run as a signal would. */
  requestEnd(reason: EndRequest): void;
  /** What a second signal would do. */
  forceEnd(): void;
}

/** Makes a context; `environment` is all the environment there is. */
export function keepContext(environment: Readonly<Record<string, string>> = {}): KeptContext {
  const timer = new ManualTimer();
  const stdout = new KeptOutput();
  const stderr = new KeptOutput();
  let forcedMs = 0;
  const end = new EndOfProcess({ exit: () => {}, elapsedMs: () => timer.nowMs + forcedMs });
  return {
    processId: 1000,
    wallMs: () => 1_700_000_000_000 + timer.nowMs,
    elapsedMs: () => timer.nowMs,
    timer,
    stdout,
    terminalColumns: () => 80,
    stderr,
    status: new StatusOutput(stderr, { columns: () => 80, onGone: () => end.request({ kind: "outputGone" }) }),
    openScreen: undefined,
    endSignal: end.signal,
    environment: (name) => environment[name],
    onForcedEnd: (cleanUp) => end.onForcedEnd(cleanUp),
    requestEnd: (reason) => end.request(reason),
    forceEnd() {
      forcedMs += 10_000;
      end.onSignal("SIGINT");
    },
  };
}
