/**
 * The recording of one run: what it says of itself, and everything the run asks.
 *
 * @module
 */

import { LAYOUT, LAYOUT_HASH } from "../../bpf/generated/layout.ts";
import type { Clock } from "../api/clock.ts";
import type { HostReader } from "../api/host_reader.ts";
import { RecordingHostReader } from "../recording/host_tape.ts";
import { RecordingTape } from "../recording/recording_tape.ts";
import { type RecordingSink, RecordingWriter } from "../recording/recording_writer.ts";

/** Under which keys what is known before the run is found. */
export const META_KEYS = { layout: "layout", run: "run" } as const;

/** Of the wall clock's answers. */
export const WALL_KEY = "clock.wall";

/** What a recording says of itself before anything else. */
export interface RecordingFacts {
  /** Version of the podtrace that made it. */
  readonly podtrace: string;
  /** Of the machine: "x86_64". */
  readonly architecture: string;
  /** Release of its kernel. */
  readonly kernel: string;
}

/** What a recording is begun with. */
export interface RunRecordingOptions {
  /** Where it goes; closed by whoever opened it, after `end` or `abandon`. */
  readonly sink: RecordingSink;
  /** What it says of itself. */
  readonly facts: RecordingFacts;
  /** What a replay needs to know of the run before it begins, as plain data. */
  readonly run: unknown;
  /** Called once, when the recording cannot go on; the run does. */
  readonly onFailure: (reason: Error) => void;
}

/** Takes down one run. Nothing here ever waits for the disk but `end`. */
export class RunRecording {
  /** What the backend is opened with. */
  readonly tape: RecordingTape;
  readonly #writer: RecordingWriter;

  /** Begins the recording. */
  constructor(options: RunRecordingOptions) {
    const preamble = JSON.stringify({ ...options.facts, layoutHash: LAYOUT_HASH });
    this.#writer = new RecordingWriter(preamble, options);
    this.tape = new RecordingTape(this.#writer);
    this.tape.meta(META_KEYS.layout, LAYOUT);
    this.tape.meta(META_KEYS.run, options.run);
  }

  /** Why it ended before the run did; `undefined`: it did not. */
  get failure(): Error | undefined {
    return this.#writer.failure;
  }

  /** Yields a host that says the same as `host`. */
  host(host: HostReader): HostReader {
    return new RecordingHostReader(host, this.tape);
  }

  /** Yields a clock that tells the same as `clock`; its monotonic side is the backend's, and recorded there. */
  clock(clock: Clock): Clock {
    const wallMs = () => this.tape.number(WALL_KEY, clock.wallMs());
    this.tape.state(WALL_KEY, () => void wallMs());
    return { monotonicMs: () => clock.monotonicMs(), wallMs };
  }

  /** Ends it with what is known after the run; resolves when the disk has it, or never will. */
  async end(outcome: unknown): Promise<void> {
    await this.tape.end(outcome);
  }

  /** Ends it as it is: cut. Resolves when the disk has it, or never will. */
  async abandon(): Promise<void> {
    await this.#writer.finish();
  }
}
